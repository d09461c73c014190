"""`convolve` and `correlate`, with SciPy's signatures: planned, differentiable, jitted inside."""

from collections.abc import Sequence
from typing import Any

import jax
from jax import lax

from jaxconv.convolution.conventions import CONVOLVE, CORRELATE
from jaxconv.convolution.steps import slide
from jaxconv.engine.planning import Plan
from jaxconv.types import Axes, Boundary, Method, Mode, Normalize


def convolve(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    method: Method | Plan = "auto",
    *,
    axes: Axes = None,
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = 0,
    origin: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Convolve two arrays of any number of dimensions.

    `y[s] = sum over n of in1[n] in2[s - n]`: `in2` is reflected, nothing is conjugated. It is
    `scipy.signal.convolve`, but for `method`, which is planned for the shapes at hand.

    Args:
        in1: the signal; an array or what makes one. Integers stay integers, exact to their modulus.
        in2: the kernel, with as many axes; or one that was `prepare`d.
        mode: "full", every shift with an overlap; "same", the middle of it, of in1's shape, from
            `(m - 1) // 2` on; "valid", only where one operand lies wholly inside the other.
        method: "auto", or how: "direct" (JAX's own), "products" (a matrix product a place), "shifts" (a
            fused sum of slices), "folded" (a banded matrix), "lines" (an FFT along the last axis only),
            "overlap" (FFTs of blocks), "fft", "lags" (for few outputs). A derivative that the named
            method cannot compute is planned as by "auto", and so are integers under "fft". Or a `plan`.
        axes: along which to convolve, one or several; along the others the operands broadcast. All
            by default.
        boundary: what lies beyond the edges of in1, for all axes or one an axis: "fill" (zeros, or
            `fillvalue`), "edge", "reflect", "symmetric" or "wrap", as `numpy.pad` has them; or another
            library's name for one. In "valid" nothing beyond is looked at.
        fillvalue: what lies there by "fill".
        origin: in mode "same", how far the kernel's centre is moved, as in `scipy.ndimage`: the output
            moves to lower indices.
        stride: take every so manyth place of what the mode names.
        dilation: put so many less one zeros between the taps.
        precision: of matrix products, as for `jax.lax`; only accelerators have more than one.
        max_bytes: how much memory the method may take beyond the operands and the result.
        local: whether an error or a NaN in an operand must stay where its windows are: only
            "direct", "products" and "shifts" will do.

    Shapes:
        in1 (n1, ..., nd), in2 (m1, ..., md) -> full: ni + mi - 1, same: ni, valid: |ni - mi| + 1;
        with strides these divided by them, rounded up; along other axes than `axes`, max(ni, mi).

    Returns:
        The convolution, of the dtype that NumPy promotes the operands to, within the bits that JAX was
        given. 16-bit floats are summed in float32.

    Raises:
        ValueError: if the numbers of axes differ, an operand is empty, an option is none of its
            values, in "valid" neither operand fits inside the other, or the named method cannot
            compute it or not within the bounds.
        TypeError: if an operand is no array of numbers.

    Gradient:
        In both operands, to any order. "direct", "products" and "shifts" keep a NaN where its windows
        are; the others spread it over a row, a line, a block or everything.

    Source:
        definition; `jaxconv.reference` runs it as written.

    Example:
        >>> convolve([1, 2, 3], [0, 1, 0.5]).tolist()
        [0.0, 1.0, 2.5, 4.0, 1.5]
    """
    return slide(
        CONVOLVE,
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


def correlate(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    method: Method | Plan = "auto",
    *,
    axes: Axes = None,
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = 0,
    origin: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: int | range | Sequence[int | range] | None = None,
    normalize: Normalize = "none",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Correlate two arrays of any number of dimensions.

    `y[s] = sum over n of in1[n] conj(in2[n - s + m - 1])` for in2 of length m: `in2` is conjugated and
    slides over in1 as it is. It is `scipy.signal.correlate`; MATLAB's `xcorr` agrees.

    Args:
        in1: the signal; an array or what makes one. Integers stay integers, exact to their modulus.
        in2: the template, with as many axes; conjugated. Or one that was `prepare`d.
        mode: "full", every shift with an overlap; "same", the middle of it, of in1's shape, from
            `(m - 1) // 2` on; "valid", only where one operand lies wholly inside the other.
        method: as for `convolve`.
        axes: as for `convolve`.
        boundary: as for `convolve`.
        fillvalue: as for `convolve`.
        origin: as for `convolve`, but the output moves to higher indices.
        stride: as for `convolve`.
        dilation: as for `convolve`.
        lags: instead of a mode, which lags: the largest either way, a range of rising ones, or one of
            these an axis. The cost is in proportion to them. Lag k is at in1[n + k] conj(in2[n]);
            `correlation_lags` tells those of a mode.
        normalize: "none"; "biased" or "unbiased", the sums over the number of products at no lag, or at
            each lag; "coefficient", over the root of both energies, so that equal operands give 1.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        As for `convolve`; with `lags` as many as these.

    Returns:
        The correlation, of the dtype of `convolve`; normalized ones are of floats.

    Raises:
        ValueError: as for `convolve`; if `lags` come with a mode or a stride, or `normalize` with a
            boundary.
        TypeError: if an operand is no array of numbers.

    Gradient:
        As for `convolve`.

    Source:
        definition; `jaxconv.reference` runs it as written.

    Example:
        >>> correlate([1, 2, 3], [0, 1, 0.5]).tolist()
        [0.5, 2.0, 3.5, 3.0, 0.0]
        >>> correlate([1, 2, 3, 4], [4, 3, 2, 3], lags=range(-1, 1), normalize="biased").tolist()
        [4.0, 7.0]
    """
    return slide(
        CORRELATE,
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
        lags=lags,
        normalize=normalize,
        precision=precision,
        max_bytes=max_bytes,
        local=local,
    )
