"""Fencing: a loop that the compiler fuses with nothing around it.

XLA on a CPU fuses a sum of slices with what comes before and after: with padding, which then tests every
tap for the edge; and with each of several consumers, which then all sum anew. Either makes it several
times slower, and `jax.lax.optimization_barrier` is gone before XLA fuses. It keeps apart what lies in a
branch. So the loop is put in one that is always taken, which only the running program knows.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax


def fenced(compute: Callable[[], jax.Array], witness: jax.Array) -> jax.Array:
    """Return `compute()`, fused with nothing else; the witness is some array that is not constant."""
    if witness.size == 0:
        return compute()
    result = jax.eval_shape(compute)
    first = lax.slice(witness, [0] * witness.ndim, [1] * witness.ndim).reshape(())
    return lax.cond(_surely(first), compute, lambda: jnp.zeros(result.shape, result.dtype))


def _surely(value: jax.Array) -> jax.Array:
    """Return true, as the compiler cannot tell: that a number with its last bit set is not zero."""
    if jnp.issubdtype(value.dtype, jnp.complexfloating):
        value = value.real
    if not jnp.issubdtype(value.dtype, jnp.integer):
        value = lax.bitcast_convert_type(value, f"int{8 * value.dtype.itemsize}")
    return (value | 1) != 0
