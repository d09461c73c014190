"""Constraints: projections onto the filters that satisfy a rule, applied after each step.

Each takes one filter of any number of axes; use `jax.vmap` for a bank, and compose functions for several
constraints, of which the last one holds exactly: `lambda filter: unit_energy(zero_mean(filter))`.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.floats import norm


def unit_energy(filter: jax.Array) -> jax.Array:
    """Scale a filter to a sum of squares of 1.

    Args:
        filter: the filter.

    Shapes:
        (m1, ..., md) -> the same.

    Returns:
        The filter; NaN for a filter of zeros.

    Example:
        >>> unit_energy(jnp.array([3.0, 4.0])).round(3).tolist()
        [0.6000000238418579, 0.800000011920929]
    """
    return filter / norm(filter)


def zero_mean(filter: jax.Array) -> jax.Array:
    """Subtract a filter's mean, so that it does not respond to brightness.

    Args:
        filter: the filter.

    Shapes:
        (m1, ..., md) -> the same.

    Returns:
        The filter.

    Example:
        >>> zero_mean(jnp.array([1.0, 3.0])).tolist()
        [-1.0, 1.0]
    """
    return filter - filter.mean()


def symmetric(filter: jax.Array, *, axes: Sequence[int] | None = None) -> jax.Array:
    """Average a filter with its mirror images.

    Args:
        filter: the filter.
        axes: the axes to mirror along; None: all.

    Shapes:
        (m1, ..., md) -> the same.

    Returns:
        The filter; a flip along any of the axes does not change it.

    Raises:
        ValueError: if the filter does not have these axes.

    Example:
        >>> symmetric(jnp.array([1.0, 2.0, 5.0])).tolist()
        [3.0, 2.0, 3.0]
    """
    for axis in checks.axes("symmetric", axes, filter.ndim):
        filter = (filter + jnp.flip(filter, axis)) / 2
    return filter


def separable(filter: jax.Array) -> jax.Array:
    """Return the nearest outer product of two vectors: the first singular term.

    Args:
        filter: the filter, with two axes.

    Shapes:
        (m1, m2) -> the same.

    Returns:
        The filter, of rank 1.

    Raises:
        ValueError: if the filter does not have two axes.

    Source:
        C. Eckart and G. Young, "The approximation of one matrix by another of lower rank" (1936).

    Example:
        >>> separable(jnp.array([[2.0, 0.0], [0.0, 1.0]])).round(3).tolist()
        [[2.0, 0.0], [0.0, 0.0]]
    """
    if filter.ndim != 2:
        raise checks.value_error("separable", "filter", "have two axes", f"shape {filter.shape}")
    u, s, v = jnp.linalg.svd(filter, full_matrices=False)
    return s[0] * jnp.outer(u[:, 0], v[0])


def non_negative(filter: jax.Array) -> jax.Array:
    """Set negative values to 0.

    Args:
        filter: the filter.

    Shapes:
        (m1, ..., md) -> the same.

    Returns:
        The filter.

    Example:
        >>> non_negative(jnp.array([-1.0, 3.0])).tolist()
        [0.0, 3.0]
    """
    return jnp.maximum(filter, 0)
