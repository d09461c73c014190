"""Kernels that smooth: the moving mean and the Gaussian, with its derivatives."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks


def box(size: int | Sequence[int]) -> jax.Array:
    """Return the kernel of a moving mean: equal weights whose sum is 1.

    Args:
        size: the length, or one length per axis.

    Shapes:
        -> size.

    Returns:
        The kernel.

    Raises:
        ValueError: if a length is not positive.
        TypeError: if a length is not a whole number.

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
    """Return a sampled Gaussian, or one of its derivatives.

    `k[x] = g[x] / sum g` with `g[x] = exp(-x^2 / (2 sigma^2))`, x from -radius to radius; a derivative
    is this times its polynomial in x. Convolve with it.

    Args:
        sigma: the standard deviation; a traced one may be 0, which gives a single 1.
        order: order of the derivative.
        truncate: the kernel ends at this many standard deviations.
        radius: or it ends at this many samples on either side; required if sigma is traced.

    Shapes:
        -> (2 radius + 1,).

    Units:
        sigma in samples.

    Returns:
        The kernel; its sum is 1 for order 0.

    Raises:
        ValueError: if sigma is not positive, or is traced and no radius is passed; if the order is
            negative.

    Gradient:
        In sigma.

    Source:
        the kernel of `scipy.ndimage.gaussian_filter1d`.

    Example:
        >>> [f"{k:.3f}" for k in gaussian(0.5)]
        ['0.000', '0.106', '0.787', '0.106', '0.000']
    """
    (order,) = checks.per_axis("gaussian", "order", order, 1, 0)
    radius = gaussian_radius("gaussian", sigma, truncate, radius)
    return _sampled(jnp.asarray(sigma, float), order, radius)


@partial(jax.jit, static_argnums=(1, 2))
def _sampled(sigma: jax.Array, order: int, radius: int) -> jax.Array:
    x = jnp.arange(-radius, radius + 1, dtype=float)
    width = jnp.where(sigma == 0, 1, sigma)
    u = x / width
    bell = jnp.exp(-0.5 * u**2)
    bell = bell / bell.sum()
    previous, derivative = jnp.zeros_like(bell), bell
    for n in range(order):  # Hermite's recurrence: g[n + 1] = -(u g[n] + n g[n - 1] / sigma) / sigma
        previous, derivative = derivative, -(u * derivative + n * previous / width) / width
    return jnp.where(sigma == 0, (x == 0).astype(x.dtype), derivative)


def gaussian_radius(function: str, sigma: Any, truncate: float, radius: int | None) -> int:
    """Return the number of samples of a Gaussian on either side of its centre."""
    try:
        width = float(sigma)
    except jax.errors.ConcretizationTypeError:
        if radius is None:
            got = "none, and a traced `sigma`"
            rule, remedy = "be given if `sigma` is traced", "Four times the largest sigma is enough."
            raise checks.value_error(function, "radius", rule, got, remedy) from None
    else:
        if not 0 < width < math.inf:
            raise checks.value_error(function, "sigma", "be positive and finite", sigma)
        radius = int(truncate * width + 0.5) if radius is None else radius
    return checks.per_axis(function, "radius", radius, 1, 0)[0]
