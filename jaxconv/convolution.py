"""Convolution and correlation with SciPy's signatures, planned, differentiable, jitted inside."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.engine.primitive import convolution
from jaxconv.types import METHODS, MODES, Method, Mode


def convolve(in1: Any, in2: Any, mode: Mode = "full", method: Method = "auto") -> jax.Array:
    """Convolve two arrays of any number of dimensions.

    `y[s] = sum over n of in1[n] in2[s - n]`: `in2` is reflected, nothing is conjugated. It is
    `scipy.signal.convolve`, but for `method`, which is planned for the shapes at hand.

    Args:
        in1: the signal; an array or what makes one. Integers stay integers, exact to their modulus.
        in2: the kernel, with as many axes.
        mode: "full", every shift with an overlap; "same", the middle of it, of in1's shape, from
            `(m - 1) // 2` on; "valid", only where one operand lies wholly inside the other.
        method: "auto", or how: "direct" (JAX's own), "shifts" (a fused sum of slices), "fft". A
            derivative that the named method cannot compute is planned as by "auto".

    Shapes:
        in1 (n1, ..., nd), in2 (m1, ..., md) -> full: ni + mi - 1, same: ni, valid: |ni - mi| + 1.

    Returns:
        The convolution, of the operands' common dtype. 16-bit floats are summed in float32.

    Raises:
        ValueError: if the numbers of axes differ, an operand is empty, an option is none of its
            values, in "valid" neither operand fits inside the other, or the named method cannot
            compute it ("fft" takes no integers).
        TypeError: if an operand is no array of numbers.

    Gradient:
        In both operands, to any order. "direct" and "shifts" keep a NaN where its windows are;
        "fft" spreads it over everything.

    Source:
        definition; `jaxconv.reference` runs it as written.

    Example:
        >>> convolve([1, 2, 3], [0, 1, 0.5]).tolist()
        [0.0, 1.0, 2.5, 4.0, 1.5]
    """
    signal, kernel = _operands("convolve", in1, in2, mode, method)
    return _convolve(signal, kernel, mode, method)


def correlate(in1: Any, in2: Any, mode: Mode = "full", method: Method = "auto") -> jax.Array:
    """Correlate two arrays of any number of dimensions.

    `y[s] = sum over n of in1[n] conj(in2[n - s + m - 1])` for in2 of length m: `in2` is conjugated and
    slides over in1 as it is. It is `scipy.signal.correlate`; MATLAB's `xcorr` agrees.

    Args:
        in1: the signal; an array or what makes one. Integers stay integers, exact to their modulus.
        in2: the template, with as many axes; conjugated.
        mode: "full", every shift with an overlap; "same", the middle of it, of in1's shape, from
            `(m - 1) // 2` on; "valid", only where one operand lies wholly inside the other.
        method: as for `convolve`.

    Shapes:
        in1 (n1, ..., nd), in2 (m1, ..., md) -> full: ni + mi - 1, same: ni, valid: |ni - mi| + 1.

    Returns:
        The correlation, of the operands' common dtype. 16-bit floats are summed in float32.

    Raises:
        ValueError: as for `convolve`.
        TypeError: if an operand is no array of numbers.

    Gradient:
        As for `convolve`.

    Source:
        definition; `jaxconv.reference` runs it as written.

    Example:
        >>> correlate([1, 2, 3], [0, 1, 0.5]).tolist()
        [0.5, 2.0, 3.5, 3.0, 0.0]
    """
    signal, kernel = _operands("correlate", in1, in2, mode, method)
    return _correlate(signal, kernel, mode, method)


_RANKS = {
    "convolve": "volume and kernel should have the same dimensionality:",
    "correlate": "in1 and in2 should have the same dimensionality:",
}


def _operands(function: str, in1: Any, in2: Any, mode: Any, method: Any):
    """Check the options and make arrays; the rest is checked while tracing, once a shape."""
    if mode not in MODES or method not in METHODS:
        words = "Acceptable mode flags are 'valid', 'same', or 'full'"
        words += f", not mode={mode}." if function == "convolve" else "."
        checks.one_of(function, "mode", mode, MODES, words)
        words = "Acceptable method flags are 'auto', 'direct', or 'fft'."
        checks.one_of(function, "method", method, METHODS, words)
    if not isinstance(in1, jax.Array):
        in1 = checks.array(function, "in1", in1)
    if not isinstance(in2, jax.Array):
        in2 = checks.array(function, "in2", in2)
    return in1, in2


@partial(jax.jit, static_argnums=(2, 3))
def _convolve(in1: jax.Array, in2: jax.Array, mode: str, method: str) -> jax.Array:
    return _family("convolve", in1, in2, mode, method)


@partial(jax.jit, static_argnums=(2, 3))
def _correlate(in1: jax.Array, in2: jax.Array, mode: str, method: str) -> jax.Array:
    return _family("correlate", in1, in2, mode, method)


def _family(function: str, in1: jax.Array, in2: jax.Array, mode: str, method: str) -> jax.Array:
    """Convolve, or correlate, after the checks that need shapes."""
    in1, in2 = checks.array(function, "in1", in1), checks.array(function, "in2", in2)
    checks.same_rank(function, ("in1", "in2"), (in1, in2), _RANKS[function])
    for name, operand in (("in1", in1), ("in2", in2)):
        checks.not_empty(function, name, operand, "a cannot be empty:")
    if mode == "valid":
        words = "For 'valid' mode, one must be at least as large as the other in every dimension:"
        checks.nested(function, ("in1", "in2"), (in1.shape, in2.shape), words)
    dtype = jnp.result_type(in1, in2)
    work = jnp.dtype("int32") if dtype.kind == "b" else dtype
    in1, in2 = in1.astype(work), in2.astype(work)
    if function == "correlate":
        out = _sum_of_products(in1, in2.conj(), mode, method, reflected=True)
    else:
        out = _sum_of_products(in1, in2, mode, method, reflected=False)
    return out.astype(dtype)


def _sum_of_products(a: jax.Array, b: jax.Array, mode: str, method: str, reflected: bool):
    """Return the part that `mode` names of the full convolution of a with b (or with b reflected).

    With `first` and `count` that part's place in the full convolution, the engine, which slides its
    kernel unreflected, gets the padding that computes just that.
    """
    if a.ndim == 0:
        return a * b
    first = {
        "full": [0] * a.ndim,
        "same": [(m - 1) // 2 for m in b.shape],
        "valid": [min(n, m) - 1 for n, m in zip(a.shape, b.shape)],
    }[mode]
    count = {
        "full": [n + m - 1 for n, m in zip(a.shape, b.shape)],
        "same": a.shape,
        "valid": [abs(n - m) + 1 for n, m in zip(a.shape, b.shape)],
    }[mode]
    if a.size >= b.size:  # the smaller operand is the kernel: convolution commutes
        signal, kernel = a, b if reflected else jnp.flip(b)
    else:
        signal, kernel = jnp.flip(b) if reflected else b, jnp.flip(a)
    padding = [(m - 1 - s, s + c - n) for n, m, s, c in zip(signal.shape, kernel.shape, first, count)]
    out = convolution(
        lax.expand_dims(signal, (0, 1)),
        lax.expand_dims(kernel, (0, 1)),
        window_strides=(1,) * a.ndim,
        padding=padding,
        method=method,
    )
    return lax.squeeze(out, (0, 1))
