"""Variation: the sum of the sizes of an image's gradient, small where an image is flat but for edges."""

from typing import Any

import jax
import jax.numpy as jnp

ROUNDING = 1e-3  # of the brightest sample: gradients below it count by their squares


def variation(x: jax.Array) -> jax.Array:
    """Return the total variation: the sum of `sqrt(|forward differences|^2 + ROUNDING^2)`."""
    return _sizes(x, ROUNDING).sum()


def attraction(x: jax.Array, rounding: Any) -> tuple[jax.Array, jax.Array]:
    """Return the two parts, `own` and `others`, of the variation's derivative, `own * x - others`.

    Each is a sum over neighbours, as much as the image is flat there, and not negative if x is not.
    """
    stiffness, own, others = 1 / _sizes(x, rounding), jnp.zeros_like(x), jnp.zeros_like(x)
    for axis, n in enumerate(x.shape):
        last = jnp.arange(n).reshape([-1 if a == axis else 1 for a in range(x.ndim)]) == n - 1
        bond = jnp.where(last, 0, stiffness)  # with the next along the axis
        own += bond + jnp.roll(bond, 1, axis)
        others += bond * jnp.roll(x, -1, axis) + jnp.roll(bond * x, 1, axis)
    return own, others


def _sizes(x: jax.Array, rounding: Any) -> jax.Array:
    squares = jnp.full_like(x, rounding**2)
    for axis in range(x.ndim):
        squares += _step(x, axis) ** 2
    return jnp.sqrt(squares)


def _step(x: jax.Array, axis: int) -> jax.Array:
    last = jax.lax.slice_in_dim(x, x.shape[axis] - 1, None, axis=axis)
    return jnp.diff(x, axis=axis, append=last)
