"""Factoring: a kernel as a sum of few outer products of 1-D kernels."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.convolution.separable import Factors


def factor(kernel: Any, tolerance: float = 1e-6, *, terms: int | None = None) -> Factors:
    """Factor a kernel into few separable terms, by singular values.

    Args:
        kernel: the kernel; its values must be known, not traced.
        tolerance: leave out terms while the `error` stays at or below this.
        terms: maximum number of terms, whatever the error.

    Shapes:
        kernel (m1, ..., md) -> terms of (m1,), ..., (md,).

    Returns:
        `Factors`, largest term first, with their error. For two axes no other choice of the same number
        of terms has a smaller error.

    Raises:
        ValueError: if the kernel is empty, has no axes, is not finite, or is traced; if the tolerance is
            negative or `terms` not positive.
        TypeError: if the kernel is not an array of numbers.

    Source:
        C. Eckart and G. Young, "The approximation of one matrix by another of lower rank" (1936).

    Example:
        >>> from jaxconv.kernels import sobel
        >>> factors = factor(sobel())
        >>> len(factors.terms), [f.shape for f in factors.terms[0]], factors.error < 1e-6
        (1, [(3,), (3,)], True)
    """
    kernel = checks.array("factor", "kernel", kernel)
    checks.not_empty("factor", "kernel", kernel)
    if kernel.ndim == 0 or tolerance < 0:
        rule, got = "have axes, and `tolerance` not be negative", f"shape {kernel.shape}, {tolerance}"
        raise checks.value_error("factor", "kernel", rule, got)
    try:
        wide = np.asarray(kernel, complex if jnp.iscomplexobj(kernel) else float)
    except jax.errors.TracerArrayConversionError:
        rule, remedy = "have known values", "Factor it outside of jit, and pass the factors in."
        raise checks.value_error("factor", "kernel", rule, "a traced array", remedy) from None
    if not np.isfinite(wide).all():
        raise checks.value_error("factor", "kernel", "be finite", "NaN or infinity in it")
    products = sorted(_outer_products(wide), key=lambda term: -np.linalg.norm(outer_product(term)))
    limit = len(products) if terms is None else checks.positive("factor", "terms", terms)
    rest, kept, size = wide, [], np.linalg.norm(wide) or 1.0
    for term in products[:limit]:
        if kept and np.linalg.norm(rest) <= tolerance * size:
            break
        rest = rest - outer_product(term)
        kept.append(term)
    dtype = jnp.promote_types(kernel.dtype, jnp.float32)
    arrays = tuple(tuple(jnp.asarray(f, dtype) for f in term) for term in kept)
    return Factors(arrays, float(np.linalg.norm(rest) / size))


def outer_product(factors: Sequence[Any]) -> Any:
    """Return the outer product of the factors, one per axis."""
    return reduce(lambda a, b: a[..., None] * b[(None,) * a.ndim], factors)


def _outer_products(kernel: np.ndarray) -> list[list[np.ndarray]]:
    """Return orthogonal outer products whose sum is the kernel, splitting off one axis at a time."""
    if kernel.ndim == 1:
        return [[kernel]]
    left, sizes, right = np.linalg.svd(kernel.reshape(kernel.shape[0], -1), full_matrices=False)
    products = []
    for column, size, row in zip(left.T, sizes, right):
        root = np.sqrt(size)  # shared evenly between column and row
        if size > 0:
            terms = _outer_products((root * row).reshape(kernel.shape[1:]))
            products += [[root * column, *term] for term in terms]
    return products or [[np.zeros(n) for n in kernel.shape]]
