"""Windows: the greatest or least of each, or of all around each place, by windows that double."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.mesh.arrays import over_windows

Extreme = Callable[[jax.Array, jax.Array], jax.Array]  # jnp.maximum, jnp.minimum or jnp.logical_or


def window_extreme(values: jax.Array, window: Sequence[int], extreme: Extreme) -> jax.Array:
    """Return the extreme of each window that lies inside, along the last axes."""
    for axis, m in enumerate(window, values.ndim - len(window)):
        reached = 1
        while reached < m:
            step = min(reached, m - reached)
            length = values.shape[axis] - step
            first, second = (lax.slice_in_dim(values, k, k + length, axis=axis) for k in (0, step))
            values = extreme(first, second)
            reached += step
    return values


def extreme_within(values: jax.Array, distance: int, extreme: Extreme, nothing: Any) -> jax.Array:
    """Return the extreme of all within a distance on every axis."""
    reach = [min(distance, n) for n in values.shape]
    window = [2 * r + 1 for r in reach]
    padding = [(r, r) for r in reach]
    beyond = ("constant",) * values.ndim, [jnp.asarray(nothing, values.dtype)]

    def extremes(longer: jax.Array) -> jax.Array:
        return window_extreme(longer, window, extreme)

    return over_windows(extremes, [values], [], range(values.ndim), window, padding, *beyond)
