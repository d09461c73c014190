"""SciPy's family beside `convolve` and `correlate`: the same names, arguments, answers and errors."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from jaxconv.convolution.conventions import (
    CONVOLVE2D,
    CORRELATE2D,
    FFTCONVOLVE,
    OACONVOLVE,
)
from jaxconv.convolution.steps import slide
from jaxconv.engine.planning import Plan
from jaxconv.types import Axes, Boundary, Method, Mode


def fftconvolve(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    axes: Axes = None,
    *,
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = 0,
    origin: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Convolve by one FFT of everything, as `scipy.signal.fftconvolve`.

    `convolve` is at least as fast: it takes the FFT where that is best. The result is of floats, and a
    NaN anywhere makes all of it NaN.

    Args:
        in1: as for `convolve`.
        in2: as for `convolve`.
        mode: as for `convolve`.
        axes: as for `convolve`. In "same" mode the other axes are cut to in1's too, as SciPy does;
            `convolve` with `axes` and method="fft" broadcasts instead.
        boundary: as for `convolve`.
        fillvalue: as for `convolve`.
        origin: as for `convolve`.
        stride: as for `convolve`.
        dilation: as for `convolve`.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        As for `convolve`; (0,) where an operand has no elements.

    Returns:
        The convolution, in float32 or more (NumPy's promotion).

    Raises:
        ValueError: as `convolve`.
        TypeError: as `convolve`.

    Gradient:
        As for `convolve`.

    Source:
        `scipy.signal.fftconvolve`.

    Example:
        >>> [f"{y:.3f}" for y in fftconvolve([1, 2, 3], [1, 0, 0.5])]
        ['1.000', '2.000', '3.500', '1.000', '1.500']
    """
    out = slide(
        FFTCONVOLVE,
        in1,
        in2,
        mode=mode,
        method="fft",
        axes=axes,
        boundary=boundary,
        fillvalue=fillvalue,
        origin=origin,
        stride=stride,
        dilation=dilation,
        precision=precision,
        max_bytes=max_bytes,
        local=local,
    )
    return _cut(out, in1, mode)


def oaconvolve(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    axes: Axes = None,
    *,
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = 0,
    origin: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Convolve by FFTs of blocks, as `scipy.signal.oaconvolve`; by one FFT where one block holds all.

    An error or a NaN spreads over its block only. `convolve` takes blocks where they are best.

    Args:
        in1: as for `convolve`.
        in2: as for `convolve`.
        mode: as for `convolve`.
        axes: as for `fftconvolve`.
        boundary: as for `convolve`.
        fillvalue: as for `convolve`.
        origin: as for `convolve`.
        stride: as for `convolve`.
        dilation: as for `convolve`.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        As for `fftconvolve`.

    Returns:
        The convolution, in float32 or more (NumPy's promotion).

    Raises:
        ValueError: as `convolve`.
        TypeError: as `convolve`.

    Gradient:
        As for `convolve`.

    Source:
        `scipy.signal.oaconvolve`.

    Example:
        >>> oaconvolve(jnp.ones(100_000), jnp.ones(5000), "valid").shape
        (95001,)
    """
    out = slide(
        OACONVOLVE,
        in1,
        in2,
        mode=mode,
        method="overlap",
        axes=axes,
        boundary=boundary,
        fillvalue=fillvalue,
        origin=origin,
        stride=stride,
        dilation=dilation,
        precision=precision,
        max_bytes=max_bytes,
        local=local,
    )
    return _cut(out, in1, mode)


def convolve2d(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    boundary: Boundary | str = "fill",
    fillvalue: Any = 0,
    *,
    axes: Axes = None,
    origin: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Convolve two matrices, as `scipy.signal.convolve2d`.

    It is `convolve` for two axes, with SciPy's names of boundaries as well as ours.

    Args:
        in1: as for `convolve`, with two axes.
        in2: as for `convolve`, with two axes.
        mode: as for `convolve`.
        boundary: what lies beyond the edges of in1: "fill" ("pad"), "wrap" ("circular"), "symmetric"
            ("symm"), "edge" or "reflect".
        fillvalue: what lies there by "fill".
        axes: as for `convolve`.
        origin: as for `convolve`.
        stride: as for `convolve`.
        dilation: as for `convolve`.
        method: as for `convolve`.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        As for `convolve`.

    Returns:
        The convolution, of `convolve`'s dtype.

    Raises:
        ValueError: as `convolve`, and if an operand has not two axes.
        TypeError: as `convolve`.

    Gradient:
        As for `convolve`.

    Source:
        `scipy.signal.convolve2d`.

    Example:
        >>> convolve2d([[1, 2], [3, 4]], [[1, 1]], "same", "wrap").tolist()
        [[3, 3], [7, 7]]
    """
    return slide(
        CONVOLVE2D,
        in1,
        in2,
        mode=mode,
        method=method,
        axes=axes,
        boundary=boundary,
        fillvalue=fillvalue,
        origin=origin,
        stride=stride,
        dilation=dilation,
        precision=precision,
        max_bytes=max_bytes,
        local=local,
    )


def correlate2d(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    boundary: Boundary | str = "fill",
    fillvalue: Any = 0,
    *,
    axes: Axes = None,
    origin: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Correlate two matrices, as `scipy.signal.correlate2d`.

    It differs from `correlate`, as in SciPy: "same" takes the earlier of an even template's two middle
    samples for its centre, and in "valid" a template that holds in1 gives the conjugate.

    Args:
        in1: as for `correlate`, with two axes.
        in2: as for `correlate`, with two axes.
        mode: as for `correlate`.
        boundary: as for `convolve2d`.
        fillvalue: as for `convolve2d`.
        axes: as for `convolve`.
        origin: as for `convolve`.
        stride: as for `convolve`.
        dilation: as for `convolve`.
        method: as for `convolve`.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        As for `convolve`.

    Returns:
        The correlation, of `convolve`'s dtype.

    Raises:
        ValueError: as `convolve`, and if an operand has not two axes.
        TypeError: as `convolve`.

    Gradient:
        As for `convolve`.

    Source:
        `scipy.signal.correlate2d`.

    Example:
        >>> correlate2d([[1, 2], [3, 4]], [[1, -1]], "valid").tolist()
        [[-1], [-1]]
    """
    return slide(
        CORRELATE2D,
        in1,
        in2,
        mode=mode,
        method=method,
        axes=axes,
        boundary=boundary,
        fillvalue=fillvalue,
        origin=origin,
        stride=stride,
        dilation=dilation,
        precision=precision,
        max_bytes=max_bytes,
        local=local,
    )


def _cut(out: jax.Array, in1: Any, mode: str) -> jax.Array:
    """Cut the middle out of what in2 alone has along in1's axes of length 1, as SciPy's "same" does."""
    shape = np.shape(in1)
    if mode != "same" or out.ndim != len(shape):
        return out
    starts = [(n - 1) // 2 if m == 1 else 0 for n, m in zip(out.shape, shape)]
    sizes = [1 if m == 1 else n for n, m in zip(out.shape, shape)]
    return lax.dynamic_slice(out, starts, sizes) if list(out.shape) != sizes else out
