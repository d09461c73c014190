"""Streams: a convolution fed in chunks, equal to that of the whole.

    state = start(kernel, shape of a chunk)
    state, outputs = push(state, chunk)      again and again
    outputs = finish(state)

A state holds what later outputs still need of the signal, no more, so memory is constant. It is a value,
a pytree: `push` is a pure function, and runs in `jit`, `scan` and `grad`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.convolution import convolve, correlate
from jaxconv.convolution.boundaries import canonical
from jaxconv.detection import snr, whiten
from jaxconv.detection.noise import as_spectrum
from jaxconv.detection.snr import snr_taps, whitening_taps
from jaxconv.matching import normalized_correlation
from jaxconv.streaming import blocks as growing
from jaxconv.streaming import rates
from jaxconv.streaming.course import course_of
from jaxconv.streaming.rates import RateStream, finish_rate, push_rate, start_rate
from jaxconv.streaming.state import (
    Stream,
    advanced,
    advanced_by_few,
    begun,
    completes,
    finished,
    is_steady,
    nothing,
)
from jaxconv.types import Boundary, Method, Mode

FUNCTIONS = (convolve, correlate, normalized_correlation, snr, whiten)


State = TypeVar("State", Stream, RateStream)


def start(
    kernel: Any,
    shape: int | tuple[int, ...],
    function: Callable[..., jax.Array] = convolve,
    *,
    mode: Mode | None = None,
    axis: int = -1,
    dtype: Any = None,
    boundary: Boundary | str = "fill",
    fillvalue: Any = 0,
    stride: int = 1,
    dilation: int = 1,
    latency: int = 0,
    blocks: tuple[int, ...] | None = None,
    method: Method = "auto",
    **options: Any,
) -> Any:  # a Stream, or a RateStream
    """Begin a stream: a signal that comes in chunks is convolved as if it had come as a whole.

    Args:
        kernel: the kernel: one axis, or as many as a chunk; for `whiten` the spectrum of the noise.
        shape: the shape of the usual chunk, or its length. Chunks of other lengths may come; for this
            one the kernel is prepared. Shorter ones are filled up to it, or to a power of two below it,
            outside of `jit` and without a stride, so that not every length is compiled.
        function: `convolve`, `correlate`, `normalized_correlation`; or `detection.snr`, with
            `noise_spectrum=`, or `detection.whiten`, both as of a whole with `compact=True`: they reach
            half the size of the spectrum to both sides, and zeros lie beyond the edges. Or
            `multirate.upfirdn` or `multirate.resample_poly`, with `up=` and `down=`: the kernel is what
            these take as `h` or `window`, zeros lie beyond the edges, and no other option but `axis` and
            `dtype` goes with them.
        mode: "full", "same" or "valid", as for the whole. By default "full"; "valid" for scores; left
            out for `snr` and `whiten`.
        axis: the axis along which the chunks follow one another; the others are a batch.
        dtype: of the chunks; by default the kernel's.
        boundary: what lies before the beginning and behind the end, as for `convolve`, but for "wrap".
        fillvalue: the value there with "fill".
        stride: step between outputs. It keeps its phase whatever the chunks are.
        dilation: step between taps.
        latency: how many samples may wait for more to come, so that fewer and larger pieces are
            computed. 0: each push returns every output that it completes.
        blocks: for a kernel that is long beside a chunk: where to cut it, at lengths each of which
            divides the next. The taps before the first are computed with each chunk; those from one
            length to the next only every so many samples. None: as planned. (): not cut.
        method: as for `convolve`; for a piece of another length than usual that it cannot compute, as
            planned.
        **options: the function's others: precision, max_bytes, local; of `snr` `noise_spectrum`; of the
            rates `up` and `down`.

    Shapes:
        kernel (m,) or one axis per axis of a chunk; chunks (..., n, ...).

    Returns:
        A `Stream`, or of the rates a `RateStream`.

    Raises:
        ValueError: if an option is not one of its allowed values, or two of them do not go together.
        TypeError: if the kernel is not an array of numbers.

    Gradient:
        Through `push` and `finish`, in the chunks and in the kernel.

    Source:
        W. G. Gardner, "Efficient convolution without input-output delay", J. Audio Eng. Soc. 43 (1995),
        for `blocks`.

    Example:
        >>> state = start(jnp.array([1.0, 2.0]), 3)
        >>> state, first = push(state, jnp.array([1.0, 0.0, 0.0]))
        >>> state, second = push(state, jnp.array([5.0]))
        >>> first.tolist(), second.tolist(), finish(state).tolist()
        ([1.0, 2.0, 0.0], [5.0], [10.0])
    """
    if function in rates.FUNCTIONS:
        others = (mode, boundary, np.any(fillvalue != 0), stride, dilation, latency, blocks, method)
        return start_rate(function, kernel, shape, axis, dtype, others, options)
    if function not in FUNCTIONS:
        rule = "be jaxconv's " + " or ".join(f.__name__ for f in (*FUNCTIONS, *rates.FUNCTIONS))
        raise checks.value_error("start", "function", rule, function)
    beyond = 0
    if function in (snr, whiten):
        if mode or boundary != "fill" or np.any(fillvalue != 0) or dilation != 1:
            got = f"mode {mode!r}, boundary {boundary!r}, fillvalue {fillvalue}, dilation {dilation}"
            raise checks.value_error("start", "mode", f"be left out for {function.__name__}", got)
        kernel, function, mode, beyond = _as_correlation(kernel, function, dtype, options)
    kernel = checks.array("start", "kernel", kernel)
    checks.not_empty("start", "kernel", kernel)
    (name,) = canonical("start", boundary, 1)
    options = {"method": method, **options}
    kernel, course = course_of(
        kernel, shape, function, mode, axis, name, stride, dilation, latency, options
    )
    if beyond:
        course = replace(course, before=beyond, behind=beyond)
    dtype = jnp.dtype(jax.dtypes.canonicalize_dtype(dtype or kernel.dtype))
    fill = checks.array("start", "fillvalue", fillvalue).astype(dtype).reshape(())
    may_cut = growing.may_cut(course) and not isinstance(fillvalue, jax.Array) and fillvalue == 0
    if blocks and not may_cut:
        rule = "be left out unless zeros lie beyond the edges, in mode 'full' and without steps"
        raise checks.value_error("start", "blocks", rule, blocks)
    if blocks is None:
        blocks = growing.planned(course, dtype) if may_cut and method == "auto" else ()
    later = None
    if blocks:
        if function is correlate:
            kernel, function = jnp.flip(kernel, course.axis).conj(), convolve
            course = replace(course, function=convolve)
        later = growing.cut_at(kernel, course, blocks, dtype)
        kernel, course = kernel[course.cut(0, blocks[0])], course.shortened(blocks[0])
    return begun(kernel, fill, later, course, dtype)


def _as_correlation(
    kernel: Any, function: Callable[..., jax.Array], dtype: Any, options: dict[str, Any]
) -> tuple[jax.Array, Callable[..., jax.Array], Mode, int]:
    """Return the filter that computes `snr` or `whiten`, and how far it reaches beyond a place."""
    is_complex = dtype is not None and jnp.issubdtype(dtype, jnp.complexfloating)
    if function is whiten:
        return whitening_taps(as_spectrum("whiten", kernel, 1), is_complex), correlate, "same", 0
    if "noise_spectrum" not in options:
        raise checks.value_error("start", "noise_spectrum", "be given for snr", "none")
    spectrum = as_spectrum("snr", options.pop("noise_spectrum"), 1)
    kernel = checks.array("snr", "template", kernel)
    return snr_taps(kernel, spectrum, is_complex), correlate, "valid", np.size(spectrum) // 2


def push(state: State, chunk: Any) -> tuple[State, jax.Array]:
    """Take the next chunk of a stream, and return the outputs that are complete.

    All chunks' outputs and `finish`'s, laid end to end, are the outputs of the whole: to the last bit
    where they are computed by "direct" or "shifts" or are integers; else within the rounding of an FFT.

    Args:
        state: the stream.
        chunk: any number of samples, none as well. Inside `scan` all chunks are of one length, which
            the stride divides; a boundary other than "fill", or a mode other than "full", takes its
            first chunks before the scan.

    Shapes:
        chunk (..., n, ...) -> (..., about n / stride, ...).

    Returns:
        The stream after this chunk, and outputs.

    Raises:
        ValueError: if the chunk differs from the usual one in more than its length.
        TypeError: if it is not of numbers, or of a type that the stream's does not hold.

    Gradient:
        In the state, with the kernel in it, and in the chunk.

    Example:
        >>> state = start(jnp.ones(3), 4, stride=2)
        >>> state, outputs = push(state, jnp.ones(4))
        >>> outputs.tolist()
        [1.0, 3.0]
    """
    chunk = _checked(state, chunk)
    if isinstance(state, RateStream):
        return push_rate(state, chunk)
    course, waiting = state.course, (*state.waiting, chunk)
    length = sum(course.length(piece) for piece in waiting)
    state = replace(state, waiting=waiting)
    if length < max(course.latency, 1) or not completes(state, length):
        return state, nothing(state)
    is_traced = any(map(checks.is_traced, jax.tree.leaves(state)))
    return advanced(state) if is_traced or not is_steady(state) else advanced_by_few(state)


def finish(state: Stream | RateStream) -> jax.Array:
    """End a stream: return the outputs whose windows reach beyond its end.

    Args:
        state: the stream. It is not changed, and may go on.

    Shapes:
        None.

    Returns:
        Outputs, maybe none.

    Raises:
        ValueError: if nothing came that a boundary other than "fill" could go on with.

    Gradient:
        In the state, with the kernel in it.

    Example:
        >>> finish(push(start(jnp.array([1.0, 2.0]), 2), jnp.array([1.0, 3.0]))[0]).tolist()
        [6.0]
    """
    if isinstance(state, RateStream):
        return finish_rate(state)
    course = state.course
    came = course.length(state.held) + sum(map(course.length, state.waiting))
    if state.is_open and not came:
        rule = f"have got samples, which the boundary {course.boundary!r} goes on with"
        raise checks.value_error("finish", "state", rule, "none")
    return finished(state)


def _checked(state: Stream | RateStream, chunk: Any) -> jax.Array:
    chunk = checks.array("push", "chunk", chunk)
    dtype, shape, axis = state.accepted
    if jnp.promote_types(chunk.dtype, dtype) != dtype:
        remedy = f"Cast it, or begin with dtype={chunk.dtype.name!r}."
        raise checks.type_error("push", "chunk", f"be of {dtype}", chunk.dtype, remedy)
    usual = shape[:axis] + chunk.shape[axis : axis + 1] + shape[axis + 1 :]
    if chunk.ndim != len(shape) or chunk.shape != usual:
        rule = f"be of shape {shape}, of any length along axis {axis}"
        raise checks.value_error("push", "chunk", rule, chunk.shape)
    return chunk.astype(dtype)
