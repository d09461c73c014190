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
        in1: the signal: an array, or what NumPy makes one of. Integers stay integers, and wrap around as
            NumPy's do. Or a signal from `prepare`.
        in2: the kernel, with the same number of axes. Or one from `prepare`.
        mode: "full": every shift at which the operands overlap; "same": the middle of "full", of in1's
            shape, from `(m - 1) // 2` on; "valid": only where one operand lies wholly inside the other.
        method: "auto" for the method that is predicted to be fastest, or its name: "direct" (JAX's own
            convolution), "products" (one matrix product per output), "shifts" (a fused sum of slices),
            "folded" (a banded matrix), "lines" (FFTs along the last axis), "overlap" (FFTs of blocks),
            "fft", "circular" (for a signal that wraps around), "lags" (for few outputs). Derivatives
            that the named method cannot compute are planned as by "auto"; so are integers under "fft".
            Or a `plan` of the same call.
        axes: the axes to convolve along, one or several; by default all. Along the others the operands
            broadcast.
        boundary: what lies beyond the edges of in1, one name for all axes or one per axis: "fill"
            (zeros, or `fillvalue`), "edge", "reflect", "symmetric" or "wrap", as in `numpy.pad`; or
            another library's name for one of these. Mode "valid" looks at nothing beyond the edges.
        fillvalue: the value beyond the edges with "fill".
        origin: in mode "same", how far the kernel's centre is moved, as in `scipy.ndimage`; the output
            moves to lower indices.
        stride: step between outputs, as in `out[::stride]`.
        dilation: step between the kernel's taps; `dilation - 1` zeros lie between them.
        precision: of matrix products, as for `jax.lax`; only accelerators have more than one.
        max_bytes: the most memory that the method may use beyond the operands and the result.
        local: whether an error or a NaN must stay in the outputs whose window holds it. Only "direct",
            "products" and "shifts" do that.

    Options per axis are in the order in which `axes` names the axes.

    Shapes:
        in1 (n1, ..., nd), in2 (m1, ..., md) -> full: ni + mi - 1, same: ni, valid: `|ni - mi| + 1`;
        with a stride, these divided by it and rounded up. Along axes not in `axes`: max(ni, mi).

    Returns:
        The convolution, of the dtype to which NumPy promotes the operands (of 32 bits unless JAX has 64
        enabled). 16-bit floats are summed in float32.

    Raises:
        ValueError: if the numbers of axes differ, an operand is empty, an option is not one of its
            allowed values, neither operand fits inside the other in mode "valid", or the named method
            cannot compute this call within the bounds.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In both operands, to any order. "direct", "products" and "shifts" keep a NaN in the outputs whose
        window holds it; the other methods spread it over a row, a line, a block, or all of the output.

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
        in1: the signal: as for `convolve`.
        in2: the template, which is conjugated: as for `convolve`.
        mode: as for `convolve`.
        method: as for `convolve`.
        axes: as for `convolve`.
        boundary: as for `convolve`.
        fillvalue: as for `convolve`.
        origin: as for `convolve`, but the output moves to higher indices.
        stride: as for `convolve`.
        dilation: as for `convolve`.
        lags: instead of a mode, the lags to compute: an int for all lags up to it either way, an
            increasing range, or a tuple with one of these per axis. The cost is in proportion to their
            number. Lag k is the sum over n of in1[n + k] conj(in2[n]); `correlation_lags` returns the
            lags of a mode.
        normalize: "none"; "biased": the sums divided by the number of products at lag 0; "unbiased": by
            that at each lag; "coefficient": by the square root of both energies, so that equal operands
            give 1.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        As for `convolve`; with `lags`, one output per lag.

    Returns:
        The correlation, of the same dtype as `convolve` returns; of floats if normalized.

    Raises:
        ValueError: as for `convolve`; if `lags` are combined with a mode or a stride, or `normalize`
            with a boundary.
        TypeError: if an operand is not an array of numbers.

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
