"""Polyphase: `upfirdn`, as one convolution of the signal with a bank of phases.

Output k = q up + r is a sum over the samples before k down / up, with every up-th tap from the phase
r down mod up on. So the outputs of one r are a convolution of the signal with that phase, in steps of
down: `up` output features of one convolution with stride `down`, and nothing is multiplied by the zeros
that lie between the samples. A window spans what the samples of all r reach, so the bank holds zeros,
which cost less than to leave them out; where it would be large, the samples are gathered tap by tap.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.convolution import conv_general_dilated
from jaxconv.engine.mesh.arrays import by_compiler

EXTENSIONS = {  # SciPy's modes, and what `jax.numpy.pad` calls them
    "constant": {"mode": "constant"},
    "wrap": {"mode": "wrap"},
    "edge": {"mode": "edge"},
    "symmetric": {"mode": "symmetric"},
    "reflect": {"mode": "reflect"},
    "antisymmetric": {"mode": "symmetric"},  # and of the other sign
    "antireflect": {"mode": "reflect", "reflect_type": "odd"},
    "smooth": {"mode": "empty"},  # a straight line through the last two samples
    "line": {"mode": "empty"},  # a straight line through the first and the last
}
FEATURES = 16  # of a bank at least: with fewer phases it holds those of several turns
LARGEST_BANK = 1 << 22  # numbers
UNROLLED = 32  # taps


def upfirdn(
    h: Any,
    x: Any,
    up: int = 1,
    down: int = 1,
    axis: int = -1,
    mode: str = "constant",
    cval: Any = 0,
) -> jax.Array:
    """Put zeros between samples, filter, and keep every so many: `scipy.signal.upfirdn`.

    `y[k] = sum over i of x[i] h[k down - i up]`.

    Args:
        h: the taps.
        x: the signal.
        up: samples for each of the signal's; static.
        down: step between outputs; static.
        axis: the axis along which it is filtered.
        mode: what lies beyond the edges: "constant", "wrap", "edge", "symmetric", "reflect",
            "antisymmetric", "antireflect", "smooth" (the line through the last two samples) or "line"
            (that through the first and the last), as SciPy names them.
        cval: the value of "constant".

    Shapes:
        h (m,), x (..., n, ...) -> (..., ceil(((n - 1) up + m) / down), ...).

    Returns:
        The outputs, in floats.

    Raises:
        ValueError: if the taps have not one axis, a rate is not positive, or the mode is none of these.
        TypeError: if an operand is not an array of numbers, or a rate no whole number.

    Gradient:
        In the taps and the signal.

    Source:
        P. P. Vaidyanathan, "Multirate Systems and Filter Banks" (1993), 4.3; `scipy.signal.upfirdn`.

    Example:
        >>> upfirdn([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], 3).tolist()
        [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0]
    """
    function = "upfirdn"
    h, x = checks.array(function, "h", h), checks.array(function, "x", x)
    if h.ndim != 1 or not h.size:
        raise checks.value_error(function, "h", "have one axis and a tap", f"shape {h.shape}")
    up, down = checks.positive(function, "up", up), checks.positive(function, "down", down)
    checks.one_of(function, "mode", mode, tuple(EXTENSIONS))
    (axis,) = checks.axes(function, axis, x.ndim, "axis")
    if not x.shape[axis]:
        raise checks.value_error(function, "x", "have a sample along the axis", f"shape {x.shape}")
    dtype = jax.dtypes.canonicalize_dtype(np.result_type(h.dtype, x.dtype, np.float32))
    return _filtered(x.astype(dtype), h.astype(dtype), cval, up, down, axis, mode)


@partial(jax.jit, static_argnums=(3, 4, 5, 6))
def _filtered(
    x: jax.Array, h: jax.Array, cval: Any, up: int, down: int, axis: int, mode: str
) -> jax.Array:
    """Return `upfirdn` of checked operands."""
    count = output_length(h.size, x.shape[axis], up, down)

    def filtered(x: jax.Array, h: jax.Array, cval: Any) -> jax.Array:
        lines = jnp.moveaxis(x, axis, -1)
        before = phase_length(h.size, up) - 1
        behind = max((count - 1) * down // up + 1 - x.shape[axis], 0)
        samples = _extended(lines.reshape(-1, x.shape[axis]), before, behind, mode, cval)
        out = outputs(h, samples, up, down, count)
        return jnp.moveaxis(out.reshape(*lines.shape[:-1], count), -1, axis)

    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    return by_compiler(filtered, x, shape)(x, h, cval)


def _extended(lines: jax.Array, before: int, behind: int, mode: str, cval: Any) -> jax.Array:
    """Return lines with what lies beyond their edges."""
    n = lines.shape[1]
    fill = {"constant_values": cval} if mode == "constant" else {}
    longer = jnp.pad(lines, ((0, 0), (before, behind)), **EXTENSIONS[mode], **fill)
    place = np.arange(-before, n + behind)
    if mode == "antisymmetric":
        return jnp.where(place // n % 2 == 1, -longer, longer)
    if mode in ("smooth", "line"):
        first, last, step = lines[:, :1], lines[:, -1:], n - 1 if mode == "line" else 1
        slopes = [lines[:, step : step + 1] - first, last - lines[:, n - 1 - step :][:, :1]]
        left, right = (slope / step if n > 1 else jnp.zeros_like(first) for slope in slopes)
        longer = jnp.where(place < 0, first + left * place[None].astype(left.dtype), longer)
        beyond = (place - (n - 1))[None].astype(right.dtype)
        return jnp.where(place >= n, last + right * beyond, longer)
    return longer


def phase_length(taps: int, up: int) -> int:
    """Return how many taps each phase of a filter has."""
    return -(-taps // up)


def outputs(
    h: jax.Array, samples: jax.Array, up: int, down: int, count: int, offset: Any = 0
) -> jax.Array:
    """Return so many outputs of each line, whose first `phase_length - 1` samples come before sample 0.

    Output k sees the sample `(offset + k down) // up` and those before it. The offset is below
    `up + down`, and may be traced. Zeros lie beyond the last sample.
    """
    taps = phase_length(h.size, up)
    is_known = isinstance(offset, int)
    if not is_known:
        longer = jnp.pad(samples, ((0, 0), (0, down)))
        samples = jax.lax.dynamic_slice_in_dim(longer, offset // up, samples.shape[1], 1)
        offset = offset % up
    phases = jnp.pad(h, (0, taps * up - h.size)).reshape(taps, up).T
    if up * (taps + down) > LARGEST_BANK:
        return _gathered(phases, samples, down, count, offset)
    features = up * max(1, min(FEATURES, count) // up) if up * down > 1 else 1
    rows, step = -(-count // features), features * down // up
    window = taps + ((features - 1) * down + (0 if is_known else up - 1)) // up
    samples = _lengthened(samples, (rows - 1) * step + window)
    k = offset + np.arange(features) * down
    places = (k // up)[:, None] + np.arange(taps)[None, ::-1]
    bank = jnp.zeros((features, window), h.dtype)
    bank = bank.at[np.arange(features)[:, None], places].set(phases[k % up])
    out = conv_general_dilated(samples[:, None], bank[:, None], (step,), "VALID")
    return jnp.moveaxis(out, 1, 2).reshape(len(samples), -1)[:, :count]


def _gathered(phases: jax.Array, samples: jax.Array, down: int, count: int, offset: Any) -> jax.Array:
    """Return `outputs`, tap by tap: the samples that each output sees."""
    up, taps = phases.shape
    number = jnp.arange(count)
    k = offset + number % up * down
    first, phase = number // up * down + k // up, k % up
    samples = _lengthened(samples, count * down // up + taps + 2)

    def add(total: jax.Array, tap: jax.Array) -> tuple[jax.Array, None]:
        return total + samples[:, first + (taps - 1 - tap)] * phases[phase, tap][None], None

    zeros = jnp.zeros((len(samples), count), samples.dtype)
    return jax.lax.scan(add, zeros, jnp.arange(taps), unroll=min(taps, UNROLLED))[0]


def _lengthened(samples: jax.Array, length: int) -> jax.Array:
    return jnp.pad(samples, ((0, 0), (0, max(length - samples.shape[1], 0))))


def output_length(taps: int, samples: int, up: int, down: int) -> int:
    """Return how many outputs `upfirdn` has."""
    return math.ceil(((samples - 1) * up + taps) / down)
