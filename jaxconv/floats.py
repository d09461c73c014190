"""Floats: the type that numbers are computed in, and squares that neither overflow nor vanish."""

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
    given = [jnp.asarray(array) for array in arrays]
    dtype = floating(*(array.dtype for array in given))
    return tuple(array.astype(dtype) for array in given)


def magnitude(x: jax.Array, axes: Any = None) -> jax.Array:
    """Return the greatest finite absolute value along axes, all by default, kept; 1 where that is 0.

    What is divided by it has squares that neither overflow nor vanish. Without a gradient: what is
    computed should not depend on it.
    """
    return greatest(jax.lax.stop_gradient(x), axes)


def greatest(x: jax.Array, axes: Any = None) -> jax.Array:
    """Return `magnitude`, with its gradient."""
    size = jnp.abs(x)
    most = jnp.where(jnp.isfinite(size), size, 0).max(axes, keepdims=True)
    return jnp.where(most > 0, most, 1)


def norm(x: jax.Array) -> jax.Array:
    """Return `sqrt(sum |x|^2)`, computed so that no square overflows or vanishes; gradient 0 at 0."""
    scale = magnitude(x)
    energy = ((jnp.abs(x) / scale) ** 2).sum()
    some = energy != 0  # NaN counts
    return scale.reshape(()) * jnp.where(some, jnp.sqrt(jnp.where(some, energy, 1)), 0)
