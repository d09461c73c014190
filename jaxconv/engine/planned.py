"""A plan of prepared operands as a primitive: one equation that tells the plan in a trace.

What was prepared is not what lax convolves, so its rules are those of the method's own operations.
"""

from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core
from jax.interpreters import ad, batching, mlir

from jaxconv.engine.mesh.lowering import needing_devices
from jaxconv.engine.planning import Plan, note


def run_planned(chosen: Plan, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Compute by a plan of two prepared operands."""
    return planned_p.bind(signal, kernel, plan=chosen, batches=())


def _run_batched(signal: jax.Array, kernel: jax.Array, *, plan: Plan, batches: tuple) -> jax.Array:
    run = plan.run
    for axes in batches:
        run = jax.vmap(run, in_axes=axes)
    return run(signal, kernel)


def _run_noted(*operands: jax.Array, plan: Plan, batches: tuple) -> jax.Array:
    note(plan)
    return _run_batched(*operands, plan=plan, batches=batches)


def _batch_planned(operands, axes, *, plan: Plan, batches: tuple):
    return planned_p.bind(*operands, plan=plan, batches=(*batches, tuple(axes))), 0


def _abstract_planned(*operands, **params: Any):
    return jax.make_jaxpr(partial(_run_batched, **params))(*operands).out_avals[0]


def _transpose_planned_signal(cotangent, signal, kernel, **params: Any):
    return _transposed(partial(_run_batched, kernel=kernel, **params), signal.aval, cotangent)


def _transpose_planned_kernel(cotangent, signal, kernel, **params: Any):
    return _transposed(partial(_run_batched, signal, **params), kernel.aval, cotangent)


def _transposed(linear, aval, cotangent):
    """Return the transpose's result, by the derivative at a point that a fence can look at.

    A fence's condition is a value (`fencing`), of which `jax.linear_transpose` knows none.
    """
    first = cotangent[(0,) * cotangent.ndim].astype(aval.dtype)
    return jax.vjp(linear, jnp.broadcast_to(first, aval.shape))[1](cotangent)[0]


@lru_cache(1024)
def _compiled_planned(plan: Plan, batches: tuple):
    return jax.jit(partial(_run_batched, plan=plan, batches=batches))


planned_p = core.Primitive("planned_convolution")
planned_p.def_impl(lambda *operands, **params: _compiled_planned(**params)(*operands))
planned_p.def_abstract_eval(_abstract_planned)
ad.defbilinear(planned_p, _transpose_planned_signal, _transpose_planned_kernel)
batching.primitive_batchers[planned_p] = _batch_planned
mlir.register_lowering(planned_p, mlir.lower_fun(_run_noted, multiple_results=False))
needing_devices.add(planned_p)
