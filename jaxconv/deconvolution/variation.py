"""Variation: the sum of the sizes of an image's gradient, small where an image is flat but for edges."""

from typing import Any

import jax
import jax.numpy as jnp

ROUNDING = 1e-3  # of the brightest sample: gradients below it count by their squares


def variation(x: jax.Array) -> jax.Array:
    """Return the total variation: the sum of `sqrt(|forward differences|^2 + ROUNDING^2)`."""
    squares = sum(_step(x, axis) ** 2 for axis in range(x.ndim))
    return jnp.sqrt(squares + ROUNDING**2).sum()


def _step(x: jax.Array, axis: int) -> Any:
    last = jax.lax.slice_in_dim(x, x.shape[axis] - 1, None, axis=axis)
    return jnp.diff(x, axis=axis, append=last)
