"""Values with the derivative of others, to any order: a primitive.

`jax.custom_jvp` is forgotten in a loop that was differentiated once, and a second derivative there would
be that of the values.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core
from jax.interpreters import ad, batching, mlir


def differentiated_as(score: jax.Array, values: jax.Array) -> jax.Array:
    """Return values with the derivative of a score, of the same shape and type."""
    return differentiated_as_p.bind(score, values)


def _jvp(primals: tuple[jax.Array, jax.Array], tangents: tuple[Any, Any]) -> tuple[jax.Array, Any]:
    return differentiated_as_p.bind(*primals), tangents[0]


def _batch(operands: Sequence[jax.Array], axes: Sequence[int | None]) -> tuple[jax.Array, int]:
    """Move the batch to the front, of both."""
    (size,) = {x.shape[axis] for x, axis in zip(operands, axes) if axis is not None}
    both = [
        jnp.broadcast_to(x, (size, *x.shape)) if axis is None else jnp.moveaxis(x, axis, 0)
        for x, axis in zip(operands, axes)
    ]
    return differentiated_as_p.bind(*both), 0


differentiated_as_p = core.Primitive("differentiated_as")
differentiated_as_p.def_impl(lambda score, values: values)
differentiated_as_p.def_abstract_eval(lambda score, values: values)
ad.primitive_jvps[differentiated_as_p] = _jvp
batching.primitive_batchers[differentiated_as_p] = _batch
mlir.register_lowering(differentiated_as_p, lambda context, score, values: [values])
