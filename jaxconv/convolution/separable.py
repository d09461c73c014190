"""Separable kernels: one pass along each axis in place of one over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv import checks
from jaxconv.convolution.boundaries import canonical
from jaxconv.convolution.call import Call, called, fill_of
from jaxconv.convolution.conventions import CONVOLVE, Convention, result_type
from jaxconv.convolution.steps import computed
from jaxconv.engine.planning import Plan
from jaxconv.types import Axes, Boundary, Method, Mode


@partial(jax.tree_util.register_dataclass, data_fields=["terms"], meta_fields=["error"])
@dataclass(frozen=True)
class Factors:
    """A kernel as a sum of outer products: each term has one 1-D factor per axis; a pytree."""

    terms: tuple[tuple[jax.Array, ...], ...]
    error: float  # of the sum: the root of the squares' sum, relative to the kernel's


def convolve_separable(
    signal: Any,
    factors: Factors | Sequence[Any],
    mode: Mode = "full",
    *,
    axes: Axes = None,
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = 0,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Convolve with a kernel that is a sum of outer products, one axis after the other.

    It is `convolve` with the sum over terms of the outer product of their factors, in m1 + ... + md
    products per term and output instead of m1 ... md.

    Args:
        signal: the signal.
        factors: what `kernels.factor` returned, or one 1-D kernel per axis.
        mode: as for `convolve`.
        axes: the signal's axes along which the factors lie, in order; by default all of them.
        boundary: as for `convolve`.
        fillvalue: as for `convolve`.
        method: as for `convolve`, for each pass.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        signal (n1, ..., nd), factors (m1,), ..., (md,) per term -> as `convolve`.

    Returns:
        The convolution.

    Raises:
        ValueError: as `convolve`; if there is not one 1-D factor per axis.
        TypeError: as `convolve`.

    Gradient:
        In the signal and in the factors.

    Example:
        >>> image = jnp.zeros((3, 3)).at[1, 1].set(1)
        >>> convolve_separable(image, [[1, 2, 1], [1, 0, -1]], "same").tolist()
        [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]
    """
    function = "convolve_separable"
    signal = checks.array(function, "signal", signal)
    places = checks.axes(function, axes, signal.ndim)
    names = canonical(function, boundary, len(places))
    how = {"method": method, "precision": precision, "max_bytes": max_bytes, "local": local}
    calls = line_calls(CONVOLVE.called(function), places, names, mode=mode, **how)
    given = factors.terms if isinstance(factors, Factors) else (factors,)
    terms = tuple(tuple(checks.array(function, "factors", factor) for factor in term) for term in given)
    for number, term in enumerate(terms):
        if len(term) != len(places) or any(kernel.ndim != 1 for kernel in term):
            got = f"shapes {', '.join(str(kernel.shape) for kernel in term)} in term {number}"
            rule = f"be one kernel with one axis for each of the {len(places)} axes"
            raise checks.value_error(function, "factors", rule, got)
    return _sum_of_terms(calls, signal, terms, fill_of(function, fillvalue))


def sepfir2d(
    input: Any,
    hrow: Any,
    hcol: Any,
    *,
    boundary: Boundary | str = "symmetric",
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Convolve a matrix with one kernel along its rows and one along its columns.

    `scipy.signal.sepfir2d`, which continues the matrix mirrored, its edges repeated.

    Args:
        input: the matrix.
        hrow: the kernel along each row, of odd length.
        hcol: the kernel along each column, of odd length.
        boundary: as for `convolve`.
        method: as for `convolve`, for each of the two convolutions.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        input (n1, n2), hrow (m2,), hcol (m1,) -> (n1, n2).

    Returns:
        The convolution, in float32 or more.

    Raises:
        ValueError: if a kernel is even, or an operand has not as many axes as it must.
        TypeError: if an operand is not an array of numbers.

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
    how = {"method": method, "precision": precision, "max_bytes": max_bytes, "local": local}
    names = canonical("sepfir2d", boundary, 2)[::-1]
    calls = line_calls(CONVOLVE.called("sepfir2d"), (1, 0), names, mode="same", **how)
    return in_turn(calls, image, (row, column), (None, None))


def _with_axes(name: str, value: Any, rank: int) -> jax.Array:
    """Return an operand of `sepfir2d` as an array with `rank` axes, or raise ValueError."""
    array = checks.array("sepfir2d", name, value)
    if array.ndim != rank:
        words = f"object {'too deep' if array.ndim > rank else 'of too small depth'} for desired array:"
        rule, got = f"have {rank} axes" if rank > 1 else "have 1 axis", f"shape {array.shape}"
        raise checks.value_error("sepfir2d", name, rule, got, "", words)
    return array


def line_calls(
    convention: Convention, axes: Sequence[int], boundaries: Sequence[str], **options: Any
) -> tuple[Call, ...]:
    """Return one call per axis, each with its boundary."""
    pairs = zip(axes, boundaries, strict=True)
    return tuple(called(convention, axes=axis, boundary=name, **options) for axis, name in pairs)


@partial(jax.jit, static_argnums=0)
def in_turn(
    calls: tuple[Call, ...], signal: jax.Array, kernels: Sequence[jax.Array], fills: Sequence[Any]
) -> jax.Array:
    """Compute calls of one axis each, one after the other, with 1-D kernels: one program."""
    for call, kernel, fill in zip(calls, kernels, fills, strict=True):
        line = jnp.expand_dims(kernel, [axis for axis in range(signal.ndim) if axis != call.axes])
        signal = computed(call, signal, line, fill if call.boundary == "fill" else None)
    return signal


@partial(jax.jit, static_argnums=0)
def _sum_of_terms(
    calls: tuple[Call, ...], signal: jax.Array, terms: Sequence[Any], fill: jax.Array | None
) -> jax.Array:
    out = cast(jax.Array, 0)
    for number, term in enumerate(terms):
        dtype = reduce(result_type, (kernel.dtype for kernel in term), signal.dtype)
        kernels = [kernel.astype(dtype) for kernel in term]
        sums = [kernel.sum() for kernel in kernels]  # what a pass makes of a constant
        fills: list[Any] = [fill]
        for total in sums[:-1]:
            fills.append(fill if fill is None else fills[-1].astype(dtype) * total)
        passed = in_turn(calls, signal.astype(dtype), kernels, fills)
        out = passed if number == 0 else out + passed
    return out
