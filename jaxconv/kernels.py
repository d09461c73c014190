"""Kernels with a name, what some are used for, and the factors of those that are separable."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv import checks
from jaxconv.convolution import correlate


def gaussian(
    sigma: Any, order: int = 0, *, truncate: float = 4.0, radius: int | None = None
) -> jax.Array:
    """Return a Gaussian, or one of its derivatives, sampled.

    `k[x] = g[x] / sum g` with `g[x] = exp(-x^2 / (2 sigma^2))`, x from -radius to radius; of a
    derivative times its polynomial in x. Convolve with it.

    Args:
        sigma: the standard deviation; one that is traced may be 0, which gives a single 1.
        order: of the derivative.
        truncate: at how many standard deviations it ends.
        radius: the samples on either side at which it ends, instead; needed where sigma is traced.

    Shapes:
        -> (2 radius + 1,).

    Units:
        sigma in samples.

    Returns:
        The kernel; of order 0 its sum is 1.

    Raises:
        ValueError: if sigma is not positive, or is traced and there is no radius; if the order is
            negative.

    Gradient:
        In sigma.

    Source:
        `scipy.ndimage.gaussian_filter1d`, whose kernel it is.

    Example:
        >>> [f"{k:.3f}" for k in gaussian(0.5)]
        ['0.000', '0.106', '0.787', '0.106', '0.000']
    """
    (order,) = checks.per_axis("gaussian", "order", order, 1, 0)
    radius = _radius("gaussian", sigma, truncate, radius)
    x, sigma = jnp.arange(-radius, radius + 1, dtype=float), jnp.asarray(sigma, float)
    wide = jnp.where(sigma == 0, 1, sigma)
    u = x / wide
    bell = jnp.exp(-0.5 * u**2)
    bell = bell / bell.sum()
    before, derivative = jnp.zeros_like(bell), bell
    for n in range(order):  # Hermite's recurrence: g[n + 1] = -(u g[n] + n g[n - 1] / sigma) / sigma
        before, derivative = derivative, -(u * derivative + n * before / wide) / wide
    return jnp.where(sigma == 0, (x == 0).astype(x.dtype), derivative)


def box(size: int | Sequence[int]) -> jax.Array:
    """Return the kernel of a moving mean: equal weights whose sum is 1.

    Args:
        size: its length, or one an axis.

    Shapes:
        -> size.

    Returns:
        The kernel.

    Raises:
        ValueError: if a length is not positive.
        TypeError: if it is no whole number.

    Source:
        definition.

    Example:
        >>> box((1, 4)).tolist()
        [[0.25, 0.25, 0.25, 0.25]]
    """
    sizes = size if isinstance(size, tuple | list) else (size,)
    shape = tuple(checks.positive("box", "size", n) for n in sizes)
    return jnp.full(shape, 1 / math.prod(shape))


def sobel(axis: int = 0, rank: int = 2) -> jax.Array:
    """Return the Sobel kernel: a central difference along one axis, smoothed by 1 2 1 across it.

    Correlate with it: it is positive where the image grows along the axis, and scaled so that a
    ramp of slope 1 gives 1.

    Args:
        axis: of the difference: 0 for the rows' direction (downwards), 1 for the columns' (rightwards).
        rank: how many axes the image has.

    Shapes:
        -> (3, 3), or 3 along each of `rank` axes.

    Returns:
        The kernel.

    Raises:
        ValueError: if there is no such axis.

    Source:
        I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing" (1968).

    Example:
        >>> (8 * sobel(0)).tolist()
        [[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]]
    """
    return _difference("sobel", axis, rank, (1, 2, 1))


def scharr(axis: int = 0, rank: int = 2) -> jax.Array:
    """Return the Scharr kernel: as Sobel's, but smoothed by 3 10 3, whose direction is more accurate.

    Args:
        axis: as for `sobel`.
        rank: as for `sobel`.

    Shapes:
        As for `sobel`.

    Returns:
        The kernel.

    Raises:
        ValueError: if there is no such axis.

    Source:
        H. Scharr, "Optimal operators in digital image processing" (thesis, Heidelberg 2000).

    Example:
        >>> (32 * scharr(1)).tolist()
        [[-3.0, 0.0, 3.0], [-10.0, 0.0, 10.0], [-3.0, 0.0, 3.0]]
    """
    return _difference("scharr", axis, rank, (3, 10, 3))


def prewitt(axis: int = 0, rank: int = 2) -> jax.Array:
    """Return the Prewitt kernel: as Sobel's, but smoothed by 1 1 1.

    Args:
        axis: as for `sobel`.
        rank: as for `sobel`.

    Shapes:
        As for `sobel`.

    Returns:
        The kernel.

    Raises:
        ValueError: if there is no such axis.

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
        rank: how many axes.

    Shapes:
        -> 3 along each of `rank` axes.

    Returns:
        The kernel, which is symmetric.

    Raises:
        ValueError: if there are no axes.

    Source:
        definition; `scipy.ndimage.laplace`.

    Example:
        >>> laplacian().tolist()
        [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]
    """
    checks.positive("laplacian", "rank", rank)
    second, none = jnp.array([1.0, -2.0, 1.0]), jnp.array([0.0, 1.0, 0.0])
    return _sum_over_axes(second, none, rank)


def laplacian_of_gaussian(
    sigma: Any, rank: int = 2, *, truncate: float = 4.0, radius: int | None = None
) -> jax.Array:
    """Return the Laplacian of a Gaussian, the "Mexican hat" upside down: a detector of blobs.

    The sum over axes of the Gaussian's second derivative along one, times Gaussians along the others. It
    answers most to blobs of radius `sigma sqrt(rank)`.

    Args:
        sigma: as for `gaussian`.
        rank: how many axes.
        truncate: as for `gaussian`.
        radius: as for `gaussian`.

    Shapes:
        -> 2 radius + 1 along each of `rank` axes.

    Units:
        sigma in samples.

    Returns:
        The kernel, which is symmetric.

    Raises:
        ValueError: as `gaussian`; if there are no axes.

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


def gabor(
    frequency: Any,
    angle: Any = 0.0,
    *,
    sigma: Any,
    aspect: Any = 1.0,
    phase: Any = 0.0,
    truncate: float = 4.0,
    radius: int | None = None,
) -> jax.Array:
    """Return a Gabor kernel: a plane wave under a Gaussian window; a detector of stripes.

    `k[y, x] = g exp(i (2 pi frequency u + phase))`, with `u = x cos(angle) + y sin(angle)` along the
    wave, `v = y cos(angle) - x sin(angle)` across it, and the window
    `g = exp(-(u^2 + (aspect v)^2) / (2 sigma^2))`, over its sum.

    Args:
        frequency: of the wave.
        angle: of the wave's direction, from the columns' direction towards the rows'.
        sigma: the window's standard deviation along the wave.
        aspect: by how much the window is narrower across the wave.
        phase: of the wave in the centre.
        truncate: at how many sigma it ends.
        radius: as for `gaussian`.

    Shapes:
        -> (2 radius + 1, 2 radius + 1).

    Units:
        frequency in cycles a sample, sigma in samples, angles in radians.

    Returns:
        The kernel, complex: its real part answers to bright stripes, its imaginary part to edges.

    Raises:
        ValueError: as `gaussian`.

    Gradient:
        In all but the size.

    Source:
        J. G. Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation"
        (1985).

    Example:
        >>> gabor(0.25, sigma=1.0, radius=2).shape
        (5, 5)
    """
    radius = _radius("gabor", sigma, truncate, radius)
    y, x = jnp.mgrid[-radius : radius + 1, -radius : radius + 1].astype(float)
    u, v = (
        x * jnp.cos(angle) + y * jnp.sin(angle),
        y * jnp.cos(angle) - x * jnp.sin(angle),
    )
    window = jnp.exp(-0.5 * (u**2 + (aspect * v) ** 2) / jnp.asarray(sigma) ** 2)
    turn = 2 * jnp.pi * frequency * u + phase
    window = window / window.sum()
    return lax.complex(window * jnp.cos(turn), window * jnp.sin(turn))


@partial(jax.tree_util.register_dataclass, data_fields=["terms"], meta_fields=["error"])
@dataclass(frozen=True)
class Factors:
    """A kernel as a sum of outer products: in each term one 1-D factor an axis; a pytree."""

    terms: tuple[tuple[jax.Array, ...], ...]
    error: float  # of the sum: the root of the squares' sum, relative to the kernel's


def factor(kernel: Any, tolerance: float = 1e-6, *, terms: int | None = None) -> Factors:
    """Factor a kernel into few separable terms, by singular values.

    Args:
        kernel: the kernel, its values known (not traced).
        tolerance: the greatest `error` that terms are left out for.
        terms: the most terms, whatever the error.

    Shapes:
        kernel (m1, ..., md) -> terms of (m1,), ..., (md,).

    Returns:
        `Factors`, largest term first, with the error made. For two axes there is no better choice of as
        many terms.

    Raises:
        ValueError: if the kernel is empty, has no axes, is not finite, or is traced; if the tolerance is
            negative or `terms` not positive.
        TypeError: if the kernel is no array of numbers.

    Source:
        C. Eckart and G. Young, "The approximation of one matrix by another of lower rank" (1936).

    Example:
        >>> found = factor(sobel())
        >>> len(found.terms), [f.shape for f in found.terms[0]], found.error < 1e-6
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
    found = sorted(_outer_products(wide), key=lambda term: -np.linalg.norm(_outer(term)))
    most = len(found) if terms is None else checks.positive("factor", "terms", terms)
    left, kept, size = wide, [], np.linalg.norm(wide) or 1.0
    for term in found[:most]:
        if kept and np.linalg.norm(left) <= tolerance * size:
            break
        left = left - _outer(term)
        kept.append(term)
    dtype = jnp.promote_types(kernel.dtype, jnp.float32)
    arrays = tuple(tuple(jnp.asarray(f, dtype) for f in term) for term in kept)
    return Factors(arrays, float(np.linalg.norm(left) / size))


def edges(image: jax.Array) -> jax.Array:
    """Return the strength of the edges in an image: the length of its Sobel gradient.

    Beyond the border the image is continued with its edge pixels, so that the border is no edge.

    Args:
        image: the image.

    Shapes:
        image (rows, columns) -> (rows, columns).

    Units:
        brightness a pixel.

    Returns:
        The gradient's length, 0 or greater.

    Raises:
        ValueError: if the image has not two axes.

    Gradient:
        In the image; 0 where the image is flat.

    Example:
        >>> edges(jnp.array([[0.0, 0.0, 1.0, 1.0]] * 3))[1].tolist()
        [0.0, 0.5, 0.5, 0.0]
    """
    image = checks.array("edges", "image", image)
    if image.ndim != 2:
        raise checks.value_error("edges", "image", "have 2 axes", f"shape {image.shape}")
    down, right = (correlate(image, sobel(axis), "same", boundary="edge") for axis in (0, 1))
    power = down**2 + right**2
    flat = power == 0
    return jnp.where(flat, 0.0, jnp.sqrt(jnp.where(flat, 1.0, power)))


def _outer_products(kernel: np.ndarray) -> list[list[np.ndarray]]:
    """Return orthogonal outer products whose sum is the kernel, an axis split off at a time."""
    if kernel.ndim == 1:
        return [[kernel]]
    left, sizes, right = np.linalg.svd(kernel.reshape(kernel.shape[0], -1), full_matrices=False)
    found = []
    for column, size, row in zip(left.T, sizes, right):
        root = np.sqrt(size)  # half of the size to either side
        if size > 0:
            rest = _outer_products((root * row).reshape(kernel.shape[1:]))
            found += [[root * column, *term] for term in rest]
    return found or [[np.zeros(n) for n in kernel.shape]]


def _radius(function: str, sigma: Any, truncate: float, radius: int | None) -> int:
    """Return how many samples a Gaussian has on either side."""
    try:
        width = float(sigma)
    except jax.errors.ConcretizationTypeError:
        if radius is None:
            got = "none, and a traced `sigma`"
            rule, remedy = "be given where `sigma` is traced", "Four times the largest sigma will do."
            raise checks.value_error(function, "radius", rule, got, remedy) from None
    else:
        if not width > 0:
            raise checks.value_error(function, "sigma", "be positive", sigma)
        radius = int(truncate * width + 0.5) if radius is None else radius
    return checks.per_axis(function, "radius", radius, 1, 0)[0]


def _difference(function: str, axis: int, rank: int, smoothing: tuple[int, ...]) -> jax.Array:
    """Return a central difference along one axis, smoothed along the others."""
    checks.positive(function, "rank", rank)
    (place,) = checks.axes(function, axis, rank, "axis")
    across = jnp.array(smoothing) / sum(smoothing)
    along = jnp.array([-0.5, 0.0, 0.5])
    return _outer([along if i == place else across for i in range(rank)])


def _sum_over_axes(along: jax.Array, across: jax.Array, rank: int) -> jax.Array:
    """Sum, over the axes, the outer products of one kernel along it and another along the rest."""
    terms = [[along if i == axis else across for i in range(rank)] for axis in range(rank)]
    return sum(map(_outer, terms), jnp.zeros(()))


def _outer(factors: Sequence[Any]) -> Any:
    """Return the outer product of one factor an axis."""
    return reduce(lambda a, b: a[..., None] * b[(None,) * a.ndim], factors)
