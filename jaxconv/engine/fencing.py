"""Fencing: a loop that the compiler fuses with nothing around it.

XLA on a CPU fuses a sum of slices with what comes before and after: with padding, which then tests every
tap for the edge; and with each of several consumers, which then all sum anew. Either makes it several
times slower, and `jax.lax.optimization_barrier` is gone before XLA fuses. It keeps apart what lies in a
branch. So the loop is put in one that is always taken, which only the running program knows.
"""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks

Result = TypeVar("Result")  # an array, or a tree of them
LEAST = 4096  # elements; with fewer there is nothing to gain, and XLA 0.10 got one such branch wrong


def fenced(compute: Callable[[], Result], *operands: jax.Array) -> Result:
    """Return `compute()`, kept out of fusion with what surrounds it.

    Args:
        compute: a function of no arguments, which uses the operands.
        *operands: what it is computed from; the first must not be a compile-time constant. The branch
            that is never taken uses all of them, so that inside `jax.shard_map` its result varies over
            the same axes of the mesh.
    """
    result = jax.eval_shape(compute)
    sizes = [part.size for part in jax.tree.leaves(result)]
    is_empty = any(operand.size == 0 for operand in operands)  # then zeros alone are summed
    is_divided = any(any(jax.typeof(operand).sharding.spec) for operand in operands)
    if not checks.is_known(sizes) or max(sizes) < LEAST or is_empty or is_divided:
        return compute()
    firsts = [lax.slice(x, [0] * x.ndim, [1] * x.ndim).reshape(()) for x in operands]
    firsts = [first.astype("int8") if first.dtype == bool else first for first in firsts]

    def never() -> Result:
        zero = sum((first - first).astype(firsts[0].dtype) for first in firsts)
        return jax.tree.map(
            lambda part: jnp.broadcast_to(jnp.asarray(zero, part.dtype), part.shape), result
        )

    return lax.cond(_surely(firsts[0]), compute, never)


def _surely(value: jax.Array) -> jax.Array:
    """Return true, as the compiler cannot tell: that a number with its last bit set is not zero."""
    if jnp.issubdtype(value.dtype, jnp.complexfloating):
        value = value.real
    if not jnp.issubdtype(value.dtype, jnp.integer):
        value = lax.bitcast_convert_type(value, f"int{8 * value.dtype.itemsize}")
    return (value | 1) != 0
