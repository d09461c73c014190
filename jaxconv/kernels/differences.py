"""Kernels of first and second differences."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.kernels.factors import outer_product
from jaxconv.kernels.smoothing import gaussian


def sobel(axis: int = 0, rank: int = 2) -> jax.Array:
    """Return the Sobel kernel: a central difference along one axis, smoothed by 1 2 1 across it.

    Correlate with it: the result is positive where the image increases along the axis, and 1 on a ramp
    of slope 1.

    Args:
        axis: axis of the difference: 0 for downwards (from row to row), 1 for rightwards.
        rank: number of axes of the image.

    Shapes:
        -> (3, 3), or 3 along each of `rank` axes.

    Returns:
        The kernel.

    Raises:
        ValueError: if the image has no such axis.

    Source:
        I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing" (1968).

    Example:
        >>> (8 * sobel(0)).tolist()
        [[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]]
    """
    return _difference("sobel", axis, rank, (1, 2, 1))


def scharr(axis: int = 0, rank: int = 2) -> jax.Array:
    """Return the Scharr kernel: like Sobel's, but smoothed by 3 10 3, for more accurate directions.

    Args:
        axis: as for `sobel`.
        rank: as for `sobel`.

    Shapes:
        As for `sobel`.

    Returns:
        The kernel.

    Raises:
        ValueError: if the image has no such axis.

    Source:
        H. Scharr, "Optimal operators in digital image processing" (thesis, Heidelberg 2000).

    Example:
        >>> (32 * scharr(1)).tolist()
        [[-3.0, 0.0, 3.0], [-10.0, 0.0, 10.0], [-3.0, 0.0, 3.0]]
    """
    return _difference("scharr", axis, rank, (3, 10, 3))


def prewitt(axis: int = 0, rank: int = 2) -> jax.Array:
    """Return the Prewitt kernel: like Sobel's, but smoothed by 1 1 1.

    Args:
        axis: as for `sobel`.
        rank: as for `sobel`.

    Shapes:
        As for `sobel`.

    Returns:
        The kernel.

    Raises:
        ValueError: if the image has no such axis.

    Source:
        J. M. S. Prewitt, "Object enhancement and extraction" (1970).

    Example:
        >>> (6 * prewitt(1)).tolist()
        [[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]]
    """
    return _difference("prewitt", axis, rank, (1, 1, 1))


def laplacian(rank: int = 2) -> jax.Array:
    """Return the Laplacian: the sum of the second differences `1 -2 1` along all axes.

    Args:
        rank: number of axes.

    Shapes:
        -> 3 along each of `rank` axes.

    Returns:
        The kernel; it is symmetric.

    Raises:
        ValueError: if `rank` is not positive.

    Source:
        definition; `scipy.ndimage.laplace`.

    Example:
        >>> laplacian().tolist()
        [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]
    """
    checks.positive("laplacian", "rank", rank)
    second, identity = jnp.array([1.0, -2.0, 1.0]), jnp.array([0.0, 1.0, 0.0])
    return _sum_over_axes(second, identity, rank)


def laplacian_of_gaussian(
    sigma: Any, rank: int = 2, *, truncate: float = 4.0, radius: int | None = None
) -> jax.Array:
    """Return the Laplacian of a Gaussian, the "Mexican hat" upside down: a detector of blobs.

    The sum over axes of the second derivative of a Gaussian along that axis, times Gaussians along the
    others. Its response is strongest for blobs of radius `sigma sqrt(rank)`.

    Args:
        sigma: as for `gaussian`.
        rank: number of axes.
        truncate: as for `gaussian`.
        radius: as for `gaussian`.

    Shapes:
        -> 2 radius + 1 along each of `rank` axes.

    Units:
        sigma in samples.

    Returns:
        The kernel; it is symmetric.

    Raises:
        ValueError: as `gaussian`; or if `rank` is not positive.

    Gradient:
        In sigma.

    Source:
        D. Marr and E. Hildreth, "Theory of edge detection" (1980); `scipy.ndimage.gaussian_laplace`.

    Example:
        >>> [f"{k:.3f}" for k in laplacian_of_gaussian(1.0, rank=1, radius=2)]
        ['0.163', '0.000', '-0.403', '0.000', '0.163']
    """
    checks.positive("laplacian_of_gaussian", "rank", rank)
    sampled = partial(gaussian, sigma, truncate=truncate, radius=radius)
    return _sum_over_axes(sampled(2), sampled(0), rank)


def _difference(function: str, axis: int, rank: int, smoothing: tuple[int, ...]) -> jax.Array:
    """Return a central difference along one axis, smoothed along the others."""
    checks.positive(function, "rank", rank)
    (chosen,) = checks.axes(function, axis, rank, "axis")
    across = jnp.array(smoothing) / sum(smoothing)
    along = jnp.array([-0.5, 0.0, 0.5])
    return outer_product([along if i == chosen else across for i in range(rank)])


def _sum_over_axes(along: jax.Array, across: jax.Array, rank: int) -> jax.Array:
    """Sum over the axes the outer product of one kernel along the axis and another along the others."""
    terms = [[along if i == axis else across for i in range(rank)] for axis in range(rank)]
    return sum(map(outer_product, terms), jnp.zeros(()))
