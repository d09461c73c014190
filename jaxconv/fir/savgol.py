"""Savitzky and Golay: a polynomial fitted to each window, or its derivative, as a convolution."""

from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.convolution import convolve
from jaxconv.engine.mesh.arrays import by_compiler
from jaxconv.floats import floating

BOUNDARIES = {"mirror": "reflect", "constant": "fill", "nearest": "edge", "wrap": "wrap"}


def savgol_coeffs(
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: Any = 1.0,
    pos: float | None = None,
    use: Literal["conv", "dot"] = "conv",
) -> jax.Array:
    """Return the taps that fit a polynomial to each window: `scipy.signal.savgol_coeffs`.

    Args:
        window_length: how many samples a window has; static.
        polyorder: the polynomial's order, less than that; static.
        deriv: which derivative; static.
        delta: the time between samples.
        pos: the place in the window at which it is evaluated; by default its middle; static.
        use: "conv" for taps of a convolution; "dot" for their reverse.

    Shapes:
        (window_length,).

    Returns:
        The taps, in JAX's default float type, or that of `delta`.

    Raises:
        ValueError: as SciPy's.

    Gradient:
        In `delta`.

    Source:
        A. Savitzky and M. J. E. Golay, Analytical Chemistry 36 (1964); `scipy.signal.savgol_coeffs`.

    Example:
        >>> [f"{35 * tap:.1f}" for tap in savgol_coeffs(5, 2)]
        ['-3.0', '12.0', '17.0', '12.0', '-3.0']
    """
    from scipy import signal

    taps = signal.savgol_coeffs(window_length, polyorder, deriv, pos=pos, use=use)  # pyright: ignore
    delta = checks.array("savgol_coeffs", "delta", delta)
    dtype = floating(delta.dtype)
    return jnp.asarray(taps, dtype) / delta.astype(dtype) ** deriv


def savgol_filter(
    x: Any,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: Any = 1.0,
    axis: int = -1,
    mode: Literal["interp", "mirror", "constant", "nearest", "wrap"] = "interp",
    cval: Any = 0.0,
) -> jax.Array:
    """Smooth a signal, or take its derivative, by polynomials: `scipy.signal.savgol_filter`.

    Args:
        x: the signal.
        window_length: as for `savgol_coeffs`.
        polyorder: as for `savgol_coeffs`.
        deriv: as for `savgol_coeffs`.
        delta: as for `savgol_coeffs`.
        axis: the axis along which it is filtered.
        mode: what lies beyond the edges, as `scipy.ndimage` names it: "mirror", "constant", "nearest" or
            "wrap"; or "interp": at the edges the polynomial of the first and last window goes on.
        cval: the value of "constant".

    Shapes:
        x (..., n, ...) -> the same.

    Returns:
        The signal, in floats.

    Raises:
        ValueError: as SciPy's; in mode "interp" if the window is longer than the signal.
        TypeError: if x is not an array of numbers.

    Gradient:
        In the signal and in `delta`.

    Source:
        as of `savgol_coeffs`.

    Example:
        >>> [f"{slope:.1f}" for slope in savgol_filter(jnp.arange(1.0, 6.0) ** 2, 5, 2, 1)]
        ['2.0', '4.0', '6.0', '8.0', '10.0']
    """
    function = "savgol_filter"
    x = checks.array(function, "x", x)
    checks.one_of(function, "mode", mode, ("interp", *BOUNDARIES))
    (axis,) = checks.axes(function, axis, x.ndim, "axis")
    x = x.astype(floating(x.dtype))
    if mode == "interp" and window_length > x.shape[axis]:
        rule = f"be {x.shape[axis]} or less, the signal's length, in mode 'interp'"
        raise checks.value_error(function, "window_length", rule, window_length)
    return _fitted(x, delta, cval, window_length, polyorder, deriv, axis, mode)


@partial(jax.jit, static_argnums=(3, 4, 5, 6, 7))
def _fitted(
    x: jax.Array,
    delta: Any,
    cval: Any,
    window_length: int,
    polyorder: int,
    deriv: int,
    axis: int,
    mode: str,
) -> jax.Array:
    """Return `savgol_filter` of a checked signal."""
    taps = savgol_coeffs(window_length, polyorder, deriv, delta).astype(x.dtype)
    taps = taps.reshape([window_length if a == axis else 1 for a in range(x.ndim)])
    origin = 1 - window_length % 2  # the middle of an even window, as `scipy.ndimage` counts
    boundary = BOUNDARIES.get(mode, "fill")
    fill = cval if mode == "constant" else 0
    y = convolve(x, taps, "same", axes=axis, boundary=boundary, fillvalue=fill, origin=origin)
    if mode != "interp":
        return y
    half, n = window_length // 2, x.shape[axis]

    def with_edges(y: jax.Array, x: jax.Array, delta: Any) -> jax.Array:
        fit = window_length, polyorder, deriv, delta
        first = _edge(x, axis, 0, range(half), *fit)
        last = _edge(x, axis, n - window_length, range(window_length - half, window_length), *fit)
        y = lax.dynamic_update_slice_in_dim(y, first, 0, axis)
        return lax.dynamic_update_slice_in_dim(y, last, n - half, axis)

    return by_compiler(with_edges, y, y.shape)(y, x, delta)


def _edge(
    x: jax.Array, axis: int, start: int, places: range, length: int, order: int, deriv: int, delta: Any
) -> jax.Array:
    """Return the polynomial of one window, at some of its places."""
    rows = [savgol_coeffs(length, order, deriv, delta, place, "dot") for place in places]
    fit = jnp.stack(rows) if rows else jnp.zeros((0, length))
    window = lax.slice_in_dim(x, start, start + length, axis=axis)
    product = jnp.tensordot(window, fit.astype(x.dtype), ((axis,), (1,)), precision="highest")
    return jnp.moveaxis(product, -1, axis)
