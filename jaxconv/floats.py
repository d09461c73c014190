"""Floats: the type that numbers are computed in, and sums of squares that neither overflow nor vanish."""

from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def floating(*dtypes: Any) -> np.dtype:
    """Return the floating type in which numbers of these types are computed: 32 bits at least.

    Integers become JAX's default float, so that their sums and squares do not wrap around.
    """
    default = jax.dtypes.canonicalize_dtype(float)
    inexact = [t if jnp.issubdtype(t, np.inexact) else default for t in dtypes]
    with jax.numpy_dtype_promotion("standard"):
        return jnp.dtype(reduce(jnp.promote_types, inexact, jnp.float32))


def as_floats(*arrays: Any) -> tuple[jax.Array, ...]:
    """Return arrays in the one floating type that holds all of them."""
    dtype = floating(*(array.dtype for array in arrays))
    return tuple(jnp.asarray(array).astype(dtype) for array in arrays)


def magnitude(x: jax.Array, axes: Any = None) -> jax.Array:
    """Return the greatest finite absolute value, 1 where there is none but 0, along axes that are kept."""
    size = jnp.abs(x)
    largest = jnp.where(jnp.isfinite(size), size, 0).max(axes, keepdims=True)
    return jax.lax.stop_gradient(jnp.where(largest > 0, largest, 1))


def norm(x: jax.Array) -> jax.Array:
    """Return `sqrt(sum |x|^2)`, computed so that no square overflows or vanishes; gradient 0 at 0."""
    scale = magnitude(x)
    energy = (jnp.abs(x / scale) ** 2).sum()
    some = energy != 0  # NaN counts
    return scale.reshape(()) * jnp.where(some, jnp.sqrt(jnp.where(some, energy, 1)), 0)
