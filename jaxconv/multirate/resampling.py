"""Resampling: another sampling rate, by a low-pass filter that SciPy designs."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.engine.mesh.arrays import by_compiler
from jaxconv.floats import floating
from jaxconv.multirate.polyphase import EXTENSIONS, output_length, upfirdn

BACKGROUNDS = {"mean": jnp.mean, "median": jnp.median, "minimum": jnp.min, "maximum": jnp.max}
REACH = 10  # samples of the slower rate to each side, as in SciPy


def resample_poly(
    x: Any,
    up: int,
    down: int,
    axis: int = 0,
    window: Any = ("kaiser", 5.0),
    padtype: str = "constant",
    cval: Any = None,
) -> jax.Array:
    """Resample a signal at `up / down` times its rate: `scipy.signal.resample_poly`.

    Args:
        x: the signal.
        up: the factor up; static.
        down: the factor down; static.
        axis: the axis along which it is resampled.
        window: the window from which `scipy.signal.firwin` designs the filter; or the filter itself.
        padtype: what lies beyond the edges: a mode of `upfirdn`; or "mean", "median", "minimum" or
            "maximum" of each line.
        cval: the value of "constant"; by default 0.

    Shapes:
        x (..., n, ...) -> (..., ceil(n up / down), ...).

    Returns:
        The signal at the other rate, in floats; at equal rates as it was.

    Raises:
        ValueError: if a rate is not positive, `padtype` is none of these, `cval` comes with another one
            than "constant", or a filter has not one axis.
        TypeError: if x is not an array of numbers, or a rate no whole number.

    Gradient:
        In the signal, and in a filter that is given.

    Source:
        `scipy.signal.resample_poly`, whose filter and delays these are.

    Example:
        >>> resample_poly(jnp.ones(50), 3, 2)[30:33].round(2).tolist()
        [1.0, 1.0, 1.0]
    """
    function = "resample_poly"
    x = checks.array(function, "x", x)
    up, down = checks.positive(function, "up", up), checks.positive(function, "down", down)
    checks.one_of(function, "padtype", padtype, (*EXTENSIONS, *BACKGROUNDS))
    if cval is not None and padtype != "constant":
        rule = "be left out unless `padtype` is 'constant'"
        raise checks.value_error(function, "cval", rule, cval)
    (axis,) = checks.axes(function, axis, x.ndim, "axis")
    up, down = lowest(up, down)
    if up == down:
        return x
    h, skipped = centred(function, window, up, down, x.dtype)
    return _resampled(x, h, 0 if cval is None else cval, up, down, axis, padtype, skipped)


@partial(jax.jit, static_argnums=(3, 4, 5, 6, 7))
def _resampled(
    x: jax.Array, h: jax.Array, cval: Any, up: int, down: int, axis: int, padtype: str, skipped: int
) -> jax.Array:
    """Return a signal at another rate, by taps of which so many outputs come before the first."""
    count = -(-x.shape[axis] * up // down)
    trail = 0
    while output_length(h.size + trail, x.shape[axis], up, down) < count + skipped:
        trail += 1

    def resampled(x: jax.Array, h: jax.Array, cval: Any) -> jax.Array:
        h = jnp.pad(h, (0, trail))
        background = BACKGROUNDS[padtype](x, axis=axis, keepdims=True) if padtype in BACKGROUNDS else 0
        mode = "constant" if padtype in BACKGROUNDS else padtype
        out = upfirdn(h, x - background, up, down, axis, mode, cval)
        return jax.lax.slice_in_dim(out, skipped, skipped + count, axis=axis) + background

    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    return by_compiler(resampled, x, shape)(x, h, cval)


def lowest(up: int, down: int) -> tuple[int, int]:
    """Return two rates without their common factor."""
    common = math.gcd(up, down)
    return up // common, down // common


def centred(function: str, window: Any, up: int, down: int, dtype: Any) -> tuple[jax.Array, int]:
    """Return the filter, so that an output lies on its middle, and how many outputs come before that."""
    h, half = _filter(function, window, max(up, down), dtype)
    lead = down - half % down
    return jnp.pad(h * up, (lead, 0)), (half + lead) // down


def _filter(function: str, window: Any, rate: int, dtype: Any) -> tuple[jax.Array, int]:
    """Return the filter, and the index of its middle."""
    if not isinstance(window, str | tuple | float):
        h = checks.array(function, "window", window)
        if h.ndim != 1:
            raise checks.value_error(function, "window", "have one axis", f"shape {h.shape}")
        return h, (h.size - 1) // 2
    from scipy.signal import firwin

    designed = firwin(2 * REACH * rate + 1, 1 / rate, window=window)  # pyright: ignore
    inexact = jnp.issubdtype(dtype, jnp.inexact)
    dtype = jnp.finfo(dtype).dtype if inexact else jax.dtypes.canonicalize_dtype(np.float64)
    return jnp.asarray(designed, dtype), REACH * rate


def decimate(
    x: Any,
    q: int,
    n: int | None = None,
    ftype: Any = "fir",
    axis: int = -1,
    zero_phase: bool = True,
) -> jax.Array:
    """Keep every q-th sample after a low-pass filter: `scipy.signal.decimate` with `ftype="fir"`.

    Args:
        x: the signal.
        q: the factor down; static.
        n: order of the filter, one less than its taps; by default `20 q`.
        ftype: "fir", SciPy's filter of finite response, or your own as a `scipy.signal.dlti`; SciPy's
            default, "iir", is not here.
        axis: the axis along which samples are left out.
        zero_phase: whether the filter's delay is taken out.

    Shapes:
        x (..., n, ...) -> (..., ceil(n / q), ...).

    Returns:
        The signal at the lower rate, in floats.

    Raises:
        ValueError: if a number is not positive, or `ftype` has feedback.
        TypeError: if x is not an array of numbers, or a number is not whole.

    Gradient:
        In the signal.

    Source:
        `scipy.signal.decimate`: a Hamming window, cut off at `1 / q` of the highest frequency.

    Example:
        >>> decimate(jnp.ones(100), 4)[10:13].round(2).tolist()
        [1.0, 1.0, 1.0]
    """
    function = "decimate"
    x = checks.array(function, "x", x)
    q = checks.positive(function, "q", q)
    (axis,) = checks.axes(function, axis, x.ndim, "axis")
    h = _low_pass(q, n, ftype)
    real = jnp.finfo(floating(x.dtype)).dtype
    taps = jnp.asarray(h, jnp.promote_types(real, jnp.complex64) if np.iscomplexobj(h) else real)
    if zero_phase:
        return resample_poly(x, 1, q, axis, taps)
    return _resampled(x, taps, 0, 1, q, axis, "constant", 0)


def _low_pass(q: int, n: int | None, ftype: Any) -> np.ndarray:
    """Return the taps that come before one sample out of q."""
    from scipy.signal import dlti, firwin

    order = 2 * REACH * q if n is None else checks.positive("decimate", "n", n)
    if isinstance(ftype, dlti):
        system: Any = ftype.to_tf()  # pyright: ignore
        if np.size(system.den) != 1:
            raise checks.value_error("decimate", "ftype", "have no feedback", f"poles {ftype.poles}")
        return np.asarray(system.num) / np.asarray(system.den)
    checks.one_of("decimate", "ftype", ftype, ("fir",))
    return np.asarray(firwin(order + 1, 1 / q, window="hamming"))
