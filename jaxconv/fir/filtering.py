"""Filtering: taps on a signal with a state, and to both directions; no filters with feedback."""

from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.convolution import convolve, correlate
from jaxconv.engine.mesh.arrays import by_compiler
from jaxconv.floats import as_floats

EXTENSIONS: dict[str, dict[str, Any]] = {  # SciPy's `padtype`, and what `jax.numpy.pad` calls it
    "odd": {"mode": "reflect", "reflect_type": "odd"},
    "even": {"mode": "reflect"},
    "constant": {"mode": "edge"},
}


def lfilter(
    b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None
) -> jax.Array | tuple[jax.Array, jax.Array]:
    """Filter a signal from its beginning on: `scipy.signal.lfilter`, without feedback.

    `y[n] = (b[0] x[n] + ... + b[m - 1] x[n - m + 1]) / a`.

    Args:
        b: the taps.
        a: one number, by which the taps are divided.
        x: the signal.
        axis: the axis along which it is filtered.
        zi: what earlier samples add to the first `m - 1` outputs: the state that another call returned,
            or `lfilter_zi(b, a)` times the first sample.

    Shapes:
        b (m,), x (..., n, ...), zi (..., m - 1, ...) -> (..., n, ...), and with `zi` the state after it.

    Returns:
        The outputs, in floats; with `zi` also the state, for the samples that follow.

    Raises:
        ValueError: if `a` has more than one number, b has not one axis, or `zi` is not of its shape.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In b, a, x and zi.

    Source:
        definition.

    Example:
        >>> lfilter([0.5, 0.5], 1, [1.0, 3.0, 5.0]).tolist()
        [0.5, 2.0, 4.0]
    """
    function = "lfilter"
    b, x = _taps(function, b, a), checks.array(function, "x", x)
    state = None if zi is None else checks.array(function, "zi", zi)
    b, x, *more = as_floats(b, x, *([] if state is None else [state]))
    (axis,) = checks.axes(function, axis, x.ndim, "axis")
    if not more:
        return _filtered(x, b, axis)
    held = _held(x, b, axis)
    state_shape = more[0].shape
    fits = len(state_shape) == x.ndim and state_shape[axis] == held[axis]
    if not fits or any(s not in (h, 1) for s, h in zip(state_shape, held)):
        raise checks.value_error(function, "zi", f"be of shape {held}", state_shape)
    return _filtered_on(x, b, *more, axis)


@partial(jax.jit, static_argnums=2)
def _filtered(x: jax.Array, b: jax.Array, axis: int) -> jax.Array:
    """Return the outputs of `lfilter` from rest."""

    def filtered(x: jax.Array, b: jax.Array) -> jax.Array:
        full = convolve(x, _along(b, axis, x.ndim), axes=axis)
        return lax.slice_in_dim(full, 0, x.shape[axis], axis=axis)

    return by_compiler(filtered, x, x.shape)(x, b)


@partial(jax.jit, static_argnums=3)
def _filtered_on(x: jax.Array, b: jax.Array, zi: jax.Array, axis: int) -> tuple[jax.Array, jax.Array]:
    """Return the outputs of `lfilter` from a state on, and the state behind them."""
    n, held = x.shape[axis], _held(x, b, axis)

    def filtered(x: jax.Array, b: jax.Array, zi: jax.Array) -> tuple[jax.Array, jax.Array]:
        full = convolve(x, _along(b, axis, x.ndim), axes=axis)
        behind = [(0, n if i == axis else 0) for i in range(x.ndim)]
        full += jnp.pad(jnp.broadcast_to(zi, held), behind)
        out = lax.slice_in_dim(full, 0, n, axis=axis)
        return out, lax.slice_in_dim(full, n, n + held[axis], axis=axis)

    return by_compiler(filtered, x, x.shape, held)(x, b, zi)


def _held(x: jax.Array, b: jax.Array, axis: int) -> tuple[int, ...]:
    """Return the shape of the state that taps need of a signal."""
    return (*x.shape[:axis], b.size - 1, *x.shape[axis + 1 :])


def lfilter_zi(b: Any, a: Any) -> jax.Array:
    """Return the state of `lfilter` after an endless row of ones: `scipy.signal.lfilter_zi`.

    Args:
        b: the taps.
        a: one number, by which the taps are divided.

    Shapes:
        b (m,) -> (m - 1,).

    Returns:
        The state, in floats.

    Raises:
        ValueError: as for `lfilter`.
        TypeError: if b is not an array of numbers.

    Gradient:
        In b and a.

    Source:
        definition.

    Example:
        >>> lfilter_zi([0.5, 0.25, 0.25], 1).tolist()
        [0.5, 0.25]
    """
    (b,) = as_floats(_taps("lfilter_zi", b, a))
    return jnp.flip(jnp.cumsum(jnp.flip(b[1:])))


def filtfilt(
    b: Any,
    a: Any,
    x: Any,
    axis: int = -1,
    padtype: Literal["odd", "even", "constant"] | None = "odd",
    padlen: int | None = None,
    method: Literal["pad"] = "pad",
) -> jax.Array:
    """Filter forward, then backward, with no delay: `scipy.signal.filtfilt`, without feedback.

    Args:
        b: the taps.
        a: one number, by which the taps are divided.
        x: the signal.
        axis: the axis along which it is filtered.
        padtype: how the signal is continued first: "odd" or "even" reflection about the last sample,
            "constant", or None for not at all.
        padlen: by how many samples; by default three times the taps.
        method: "pad". SciPy's "gust", which fits the states at the ends, is not here.

    Shapes:
        b (m,), x (..., n, ...) -> the same.

    Returns:
        The signal, in floats.

    Raises:
        ValueError: as for `lfilter`; if the signal is not longer than `padlen`.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In b, a and x.

    Source:
        `scipy.signal.filtfilt`.

    Example:
        >>> filtfilt([0.5, 0.5], 1, jnp.arange(8.0)).tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    function = "filtfilt"
    checks.one_of(function, "method", method, ("pad",))
    if padtype is not None:
        checks.one_of(function, "padtype", padtype, tuple(EXTENSIONS))
    b, x = as_floats(_taps(function, b, a), checks.array(function, "x", x))
    (axis,) = checks.axes(function, axis, x.ndim, "axis")
    edge = 0 if padtype is None else 3 * b.size if padlen is None else padlen
    n = x.shape[axis]
    if n <= edge:
        rule = f"have more than {edge} samples along the axis, which are padded"
        raise checks.value_error(function, "x", rule, n, "Pass a smaller `padlen`.")
    return _filtered_twice(x, b, axis, padtype, edge)


@partial(jax.jit, static_argnums=(2, 3, 4))
def _filtered_twice(x: jax.Array, b: jax.Array, axis: int, padtype: str | None, edge: int) -> jax.Array:
    """Return `filtfilt` of checked operands."""

    def padded(values: jax.Array, before: int, behind: int, extension: dict[str, Any]) -> jax.Array:
        widths = [(before, behind) if i == axis else (0, 0) for i in range(x.ndim)]
        return jnp.pad(values, widths, **extension)

    def filtered(x: jax.Array, b: jax.Array) -> jax.Array:
        taps = _along(b, axis, x.ndim)
        if padtype is not None:
            x = padded(x, edge, edge, EXTENSIONS[padtype])
        # the steady state that SciPy begins with is that of a signal which was constant before
        forward = convolve(padded(x, b.size - 1, 0, EXTENSIONS["constant"]), taps, "valid", axes=axis)
        ended = padded(forward, 0, b.size - 1, EXTENSIONS["constant"])
        both = correlate(ended, taps.conj(), "valid", axes=axis)
        return lax.slice_in_dim(both, edge, both.shape[axis] - edge, axis=axis)

    return by_compiler(filtered, x, x.shape)(x, b)


def _taps(function: str, b: Any, a: Any) -> jax.Array:
    """Return `b / a`, or raise where there is feedback."""
    b, a = (jnp.atleast_1d(checks.array(function, name, value)) for name, value in (("b", b), ("a", a)))
    if b.ndim != 1 or not b.size:
        raise checks.value_error(function, "b", "have one axis and a tap", f"shape {b.shape}")
    if a.size != 1:
        remedy = "Filters with feedback are not here; scipy.signal has them, outside of jit."
        raise checks.value_error(function, "a", "be one number", f"shape {a.shape}", remedy)
    b, a = as_floats(b, a)
    return b / a.reshape(())


def _along(taps: jax.Array, axis: int, rank: int) -> jax.Array:
    return taps.reshape([taps.size if i == axis else 1 for i in range(rank)])
