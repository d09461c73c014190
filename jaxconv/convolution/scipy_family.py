"""SciPy's family beside `convolve` and `correlate`: the same names, arguments, answers and errors."""

import timeit
from typing import Any, Literal, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv import checks
from jaxconv.convolution.call import Along, Axes, Beyond, slide
from jaxconv.convolution.conventions import result_type
from jaxconv.convolution.functions import convolve
from jaxconv.convolution.parts import at_lags, in_mode
from jaxconv.engine.acceleration import plan
from jaxconv.types import MODES, Boundary, Mode


def fftconvolve(
    in1: Any, in2: Any, mode: Mode = "full", axes: Axes = None, **options: Unpack[Beyond]
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
        **options: as for `convolve`.

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
    _check_names("fftconvolve", options, Beyond)
    out = slide("fftconvolve", in1, in2, mode=mode, method="fft", axes=axes, **options)
    return _cut(out, in1, mode)


def oaconvolve(
    in1: Any, in2: Any, mode: Mode = "full", axes: Axes = None, **options: Unpack[Beyond]
) -> jax.Array:
    """Convolve by FFTs of blocks, as `scipy.signal.oaconvolve`; by one FFT where one block holds all.

    An error or a NaN spreads over its block only. `convolve` takes blocks where they are best.

    Args:
        in1: as for `convolve`.
        in2: as for `convolve`.
        mode: as for `convolve`.
        axes: as for `fftconvolve`.
        **options: as for `convolve`.

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
    _check_names("oaconvolve", options, Beyond)
    out = slide("oaconvolve", in1, in2, mode=mode, method="overlap", axes=axes, **options)
    return _cut(out, in1, mode)


def convolve2d(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    boundary: Boundary | str = "fill",
    fillvalue: Any = 0,
    **options: Unpack[Along],
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
        **options: as for `convolve`.

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
    _check_names("convolve2d", options, Along)
    return slide("convolve2d", in1, in2, mode=mode, boundary=boundary, fillvalue=fillvalue, **options)


def correlate2d(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    boundary: Boundary | str = "fill",
    fillvalue: Any = 0,
    **options: Unpack[Along],
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
        **options: as for `convolve`.

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
    _check_names("correlate2d", options, Along)
    return slide("correlate2d", in1, in2, mode=mode, boundary=boundary, fillvalue=fillvalue, **options)


def sepfir2d(
    input: Any,
    hrow: Any,
    hcol: Any,
    *,
    boundary: Boundary | str = "symmetric",
    precision: lax.PrecisionLike = None,
) -> jax.Array:
    """Convolve a matrix with one kernel along its rows and one along its columns.

    `scipy.signal.sepfir2d`, which continues the matrix mirrored, its edges repeated.

    Args:
        input: the matrix.
        hrow: the kernel along each row, of odd length.
        hcol: the kernel along each column, of odd length.
        boundary: as for `convolve`.
        precision: as for `convolve`.

    Shapes:
        input (n1, n2), hrow (m2,), hcol (m1,) -> (n1, n2).

    Returns:
        The convolution, in float32 or more.

    Raises:
        ValueError: if a kernel is even, or an operand has not as many axes as it must.
        TypeError: if an operand is no array of numbers.

    Gradient:
        As for `convolve`.

    Source:
        `scipy.signal.sepfir2d`.

    Example:
        >>> sepfir2d([[0, 0, 0], [0, 1, 0], [0, 0, 0.0]], [1, 2, 1], [1, 0, -1]).tolist()
        [[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]]
    """
    image = _with_axes("input", input, 2)
    image = image.astype(result_type(image.dtype, np.dtype("float32")))
    row, column = _with_axes("hrow", hrow, 1), _with_axes("hcol", hcol, 1)
    for name, kernel in (("hrow", row), ("hcol", column)):
        if kernel.size % 2 == 0:
            words = "hrow and hcol must be odd length:"
            got = f"shape {kernel.shape}"
            raise checks.value_error("sepfir2d", name, "have an odd length", got, "", words)
    typed = [kernel for kernel in (hrow, hcol) if hasattr(kernel, "dtype")]  # lists take the matrix's
    dtype = jnp.result_type(image, *(checks.array("sepfir2d", "hrow", kernel) for kernel in typed))
    image, row, column = (operand.astype(dtype) for operand in (image, row, column))
    if image.size == 0:
        return image
    along_rows = convolve(image, row[None], "same", axes=1, boundary=boundary, precision=precision)
    return convolve(along_rows, column[:, None], "same", axes=0, boundary=boundary, precision=precision)


def choose_conv_method(in1: Any, in2: Any, mode: Mode = "full", measure: bool = False) -> Any:
    """Tell which of "direct" and "fft" is the faster, as `scipy.signal.choose_conv_method`.

    `convolve`'s own method="auto" has more to choose from, and `plan` tells it.

    Args:
        in1: as for `convolve`.
        in2: as for `convolve`.
        mode: as for `convolve`.
        measure: whether to time both, each compiled before, instead of predicting.

    Shapes:
        As for `convolve`.

    Returns:
        The name; with `measure` the name and a dict of the seconds that each took.

    Raises:
        ValueError: as `convolve`.
        TypeError: as `convolve`.

    Source:
        `scipy.signal.choose_conv_method`.

    Example:
        >>> choose_conv_method(jnp.ones(100_000), jnp.ones(50_000))
        'fft'
    """
    in1, in2 = checks.array("convolve", "in1", in1), checks.array("convolve", "in2", in2)
    jax.eval_shape(lambda a, b: convolve(a, b, mode), in1, in2)  # raises convolve's errors
    if measure:
        seconds = {name: _seconds(in1, in2, mode, name) for name in ("fft", "direct")}
        return min(seconds, key=lambda name: seconds[name]), seconds
    inexact = all(jnp.issubdtype(x.dtype, np.inexact) for x in (in1, in2))
    if in1.ndim == 0 or not inexact:
        return "direct"
    able = {c.method: c.seconds for c in plan(in1, in2, mode).candidates if not c.refusal}
    return min(("direct", "fft"), key=lambda name: able.get(name, np.inf))


def correlation_lags(
    in1_len: int,
    in2_len: int,
    mode: Mode = "full",
    *,
    lags: int | range | None = None,
    stride: int = 1,
    exact: bool = False,
) -> np.ndarray:
    """Return the lags of the places of a 1-D correlation, as `scipy.signal.correlation_lags`.

    Args:
        in1_len: length of the signal.
        in2_len: length of the template.
        mode: as for `correlate`.
        lags: as for `correlate`.
        stride: as for `correlate`.
        exact: whether "same" tells the lags of what `correlate` returns; SciPy's, which it tells
            otherwise, are one higher where in1_len is odd and in2_len even.

    Shapes:
        -> as many as `correlate` returns.

    Units:
        samples; positive where in1 is behind.

    Returns:
        The lags, whole numbers.

    Raises:
        ValueError: if a length is negative or an option is none of its values.

    Source:
        `scipy.signal.correlation_lags`.

    Example:
        >>> correlation_lags(4, 3).tolist(), correlation_lags(4, 3, lags=1).tolist()
        ([-2, -1, 0, 1, 2, 3], [-1, 0, 1])
    """
    function = "correlation_lags"
    if mode not in MODES:
        checks.one_of(function, "mode", mode, MODES, f"Mode {mode} is invalid:")
    for name, length in (("in1_len", in1_len), ("in2_len", in2_len)):
        checks.per_axis(function, name, length, 1, 0)
    if lags is not None:
        (part,) = at_lags(function, lags, [in2_len])
    else:
        late = mode == "same" and not exact and in1_len % 2 == 1
        middle = max(in2_len - 1 + late, 0) // 2
        part = in_mode(mode, in1_len, in2_len, middle, stride)
    return part.start + part.step * np.arange(part.count) - (in2_len - 1)


def _check_names(function: str, options: Any, known: type) -> None:
    """Raise TypeError for a keyword that a function does not take, as Python would."""
    for name in options:
        if name not in known.__annotations__:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")


def _cut(out: jax.Array, in1: Any, mode: str) -> jax.Array:
    """Cut the middle out of what in2 alone has along in1's axes of length 1, as SciPy's "same" does."""
    shape = np.shape(in1)
    if mode != "same" or out.ndim != len(shape):
        return out
    starts = [(n - 1) // 2 if m == 1 else 0 for n, m in zip(out.shape, shape)]
    sizes = [1 if m == 1 else n for n, m in zip(out.shape, shape)]
    return lax.dynamic_slice(out, starts, sizes) if list(out.shape) != sizes else out


def _with_axes(name: str, value: Any, rank: int) -> jax.Array:
    """Return an operand of `sepfir2d` as an array with so many axes, or raise ValueError."""
    array = checks.array("sepfir2d", name, value)
    if array.ndim != rank:
        words = f"object {'too deep' if array.ndim > rank else 'of too small depth'} for desired array:"
        rule, got = f"have {rank} axes" if rank > 1 else "have 1 axis", f"shape {array.shape}"
        raise checks.value_error("sepfir2d", name, rule, got, "", words)
    return array


def _seconds(in1: jax.Array, in2: jax.Array, mode: Mode, method: Literal["fft", "direct"]) -> float:
    """Return the least time of a few calls, once compiled."""

    def call():
        jax.block_until_ready(convolve(in1, in2, mode, method))

    call()
    return min(timeit.repeat(call, number=1, repeat=5))
