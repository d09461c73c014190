"""Normalizing: sums of products divided by how many they are, or by the energies."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv.convolution.axis import Axis
from jaxconv.floats import magnitude
from jaxconv.types import Normalize


def near_one(x: jax.Array, axes: Sequence[Axis]) -> jax.Array:
    """Return an operand whose products neither overflow nor vanish; a coefficient is the same."""
    return x / magnitude(x, tuple(axis.number for axis in axes)).astype(x.dtype)


def normalized(
    sums: jax.Array, a: jax.Array, b: jax.Array, axes: Sequence[Axis], by: Normalize
) -> jax.Array:
    """Divide the sums of products of a and b, for "coefficient" brought near 1."""
    if by == "coefficient":
        numbers = tuple(axis.number for axis in axes)
        for x in (a, b):
            energy = (jnp.abs(x) ** 2).sum(numbers, keepdims=True)
            empty = energy == 0
            sums = jnp.where(empty, 0, sums / jnp.sqrt(jnp.where(empty, 1, energy)))
        return sums
    for axis in axes:
        shape = [-1 if i == axis.number else 1 for i in range(sums.ndim)]
        sums = sums / jnp.asarray(_counts(axis, by).reshape(shape), jnp.abs(sums).dtype)
    return sums


def _counts(axis: Axis, by: Normalize) -> np.ndarray:
    """Return how many products there are at each place, or at no lag; at least 1."""
    part, n, m, d = axis.part, axis.length, axis.taps, axis.dilation
    lags = part.start + part.step * np.arange(part.count) - (m - 1) * d
    lags = lags if by == "unbiased" else np.zeros_like(lags)
    first, last = np.maximum(-(lags // d), 0), np.minimum((n - 1 - lags) // d, m - 1)  # taps
    return np.maximum(last - first + 1, 1)
