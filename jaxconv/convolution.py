"""Convolution and correlation with SciPy's signatures, planned, differentiable, jitted inside."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.engine.planning import Plan, Request, requested
from jaxconv.engine.prepared import Prepared, as_prepared, convolution
from jaxconv.types import MODES, Method, Mode


def convolve(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    method: Method | Plan = "auto",
    *,
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
            method cannot compute is planned as by "auto". Or a `plan`.
        precision: of matrix products, as for `jax.lax`; only accelerators have more than one.
        max_bytes: how much memory the method may take beyond the operands and the result.
        local: whether an error or a NaN in an operand must stay where its windows are: only
            "direct", "products" and "shifts" will do.

    Shapes:
        in1 (n1, ..., nd), in2 (m1, ..., md) -> full: ni + mi - 1, same: ni, valid: |ni - mi| + 1.

    Returns:
        The convolution, of the operands' common dtype. 16-bit floats are summed in float32.

    Raises:
        ValueError: if the numbers of axes differ, an operand is empty, an option is none of its
            values, in "valid" neither operand fits inside the other, or the named method cannot
            compute it ("fft" takes no integers) or not within the bounds.
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
    signal, kernel, request = _operands("convolve", in1, in2, mode, method, max_bytes, local)
    return _convolve(signal, kernel, mode, request, precision)


def correlate(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    method: Method | Plan = "auto",
    *,
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
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

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
    signal, kernel, request = _operands("correlate", in1, in2, mode, method, max_bytes, local)
    return _correlate(signal, kernel, mode, request, precision)


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: lax.PrecisionLike = None,
    preferred_element_type: Any = None,
    *,
    method: Method | Plan = "auto",
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Do what `jax.lax.conv_general_dilated` does, planned.

    The arguments, results and errors are lax's; the options after the star are `convolve`'s.

    Args:
        lhs: the signal, with a batch and a feature axis.
        rhs: the kernel, with an output and an input feature axis; not reflected. Or one `prepare`d.
        window_strides: a step an axis.
        padding: "SAME", "SAME_LOWER", "VALID", or (low, high) an axis; negative ones crop.
        lhs_dilation: put so many less one zeros between the signal's elements.
        rhs_dilation: the same for the kernel.
        dimension_numbers: which axis is which, as for lax; by default
            ("NCHW", "OIHW", "NCHW") and its kin.
        feature_group_count: so many groups of features are convolved apart.
        batch_group_count: so many groups of the batch are convolved with kernels of their own.
        precision: as for lax.
        preferred_element_type: dtype to sum in and to return.
        method: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        lhs (batch, inputs, n1, ..., nd), rhs (outputs, inputs / groups, m1, ..., md) -> (batch, outputs,
        s1, ..., sd), or as `dimension_numbers` says.

    Returns:
        The convolution as neural networks have it: a correlation without conjugation.

    Raises:
        ValueError: as lax, and as `convolve` for the options after the star.
        TypeError: as lax.

    Gradient:
        As for `convolve`.

    Source:
        `jax.lax.conv_general_dilated`, which defines the arguments.

    Example:
        >>> image, kernels = jnp.ones((1, 2, 5, 5)), jnp.ones((3, 2, 3, 3))
        >>> conv_general_dilated(image, kernels, (1, 1), "SAME")[0, 0, :2].tolist()
        [[8.0, 12.0, 12.0, 12.0, 8.0], [12.0, 18.0, 18.0, 18.0, 12.0]]
    """
    prepared = as_prepared("conv_general_dilated", "rhs", rhs)
    return convolution(
        lhs,
        prepared.kernel if prepared else rhs,
        prepared,
        request=requested("conv_general_dilated", method, max_bytes, local),
        window_strides=window_strides,
        padding=padding,
        lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation,
        dimension_numbers=dimension_numbers,
        feature_group_count=feature_group_count,
        batch_group_count=batch_group_count,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


_RANKS = {
    "convolve": "volume and kernel should have the same dimensionality:",
    "correlate": "in1 and in2 should have the same dimensionality:",
}


def _operands(function: str, in1: Any, in2: Any, mode: Any, method: Any, max_bytes: Any, local: bool):
    """Check the options and make arrays; the rest is checked while tracing, once a shape."""
    if mode not in MODES:
        words = "Acceptable mode flags are 'valid', 'same', or 'full'"
        words += f", not mode={mode}." if function == "convolve" else "."
        checks.one_of(function, "mode", mode, MODES, words)
    if not isinstance(in1, jax.Array):
        in1 = checks.array(function, "in1", in1)
    if not isinstance(in2, jax.Array | Prepared):
        in2 = checks.array(function, "in2", in2)
    words = "Acceptable method flags are 'auto', 'direct', or 'fft'."
    return in1, in2, requested(function, method, max_bytes, local, words)


@partial(jax.jit, static_argnums=(2, 3, 4))
def _convolve(in1: jax.Array, in2: Any, mode: str, request: Request, precision: Any) -> jax.Array:
    return _family("convolve", in1, in2, mode, request, precision)


@partial(jax.jit, static_argnums=(2, 3, 4))
def _correlate(in1: jax.Array, in2: Any, mode: str, request: Request, precision: Any) -> jax.Array:
    return _family("correlate", in1, in2, mode, request, precision)


def _family(function: str, in1: jax.Array, in2: Any, mode: str, request: Request, precision: Any):
    """Convolve, or correlate, after the checks that need shapes."""
    in1, prepared = checks.array(function, "in1", in1), as_prepared(function, "in2", in2)
    in2 = checks.array(function, "in2", prepared.kernel if prepared else in2)
    checks.same_rank(function, ("in1", "in2"), (in1, in2), _RANKS[function])
    for name, operand in (("in1", in1), ("in2", in2)):
        checks.not_empty(function, name, operand, "a cannot be empty:")
    if mode == "valid":
        words = "For 'valid' mode, one must be at least as large as the other in every dimension:"
        checks.nested(function, ("in1", "in2"), (in1.shape, in2.shape), words)
    dtype = jnp.result_type(in1, in2)
    work = jnp.dtype("int32") if dtype.kind == "b" else dtype
    in1, in2 = in1.astype(work), slide(function, in2.astype(work))
    if in1.ndim == 0:
        return (in1 * in2).astype(dtype)
    part = _part(in1.shape, in2.shape, mode)
    if in1.size < in2.size and not prepared:  # the smaller operand is the kernel: convolution commutes
        in1, in2 = jnp.flip(in2), jnp.flip(in1)
    out = convolution(
        lax.expand_dims(in1, (0, 1)),
        lax.expand_dims(in2, (0, 1)),
        prepared,
        window_strides=(1,) * in1.ndim,
        padding=[(m - 1 - s, s + c - n) for n, m, (s, c) in zip(in1.shape, in2.shape, part)],
        request=request,
        precision=precision,
    )
    return lax.squeeze(out, (0, 1)).astype(dtype)


def slide(function: str, kernel: jax.Array) -> jax.Array:
    """Return the kernel as the engine slides it, which neither reflects nor conjugates."""
    if function == "convolve":
        return jnp.flip(kernel)
    return kernel.conj() if function == "correlate" else kernel


def _part(n: Sequence[int], m: Sequence[int], mode: str) -> list[tuple[int, int]]:
    """Return where, in the full convolution, the part that `mode` names begins and how long it is."""
    if mode == "full":
        return [(0, a + b - 1) for a, b in zip(n, m)]
    if mode == "same":
        return [((b - 1) // 2, a) for a, b in zip(n, m)]
    return [(min(a, b) - 1, abs(a - b) + 1) for a, b in zip(n, m)]
