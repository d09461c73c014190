"""Kernels that smooth: the moving mean and the Gaussian, with its derivatives."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks


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
    radius = gaussian_radius("gaussian", sigma, truncate, radius)
    x, sigma = jnp.arange(-radius, radius + 1, dtype=float), jnp.asarray(sigma, float)
    wide = jnp.where(sigma == 0, 1, sigma)
    u = x / wide
    bell = jnp.exp(-0.5 * u**2)
    bell = bell / bell.sum()
    before, derivative = jnp.zeros_like(bell), bell
    for n in range(order):  # Hermite's recurrence: g[n + 1] = -(u g[n] + n g[n - 1] / sigma) / sigma
        before, derivative = derivative, -(u * derivative + n * before / wide) / wide
    return jnp.where(sigma == 0, (x == 0).astype(x.dtype), derivative)


def gaussian_radius(function: str, sigma: Any, truncate: float, radius: int | None) -> int:
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
