"""Transforms: Fourier transforms that a compiler may divide along their batch.

XLA computes a transform whole on every device even where only its batch is divided (openxla/xla#24),
and on a CPU fails where a transformed axis is, and where what it gathered lies in another order. The
transforms here are `jax.numpy.fft`'s, by a primitive that tells the compiler what may be divided
and in which order it must lie; its rules of calculus are obtained from lax's, as the convolution's are.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental.custom_partitioning import custom_partitioning
from jax.experimental.layout import Layout, with_layout_constraint
from jax.extend import core
from jax.interpreters import ad, batching, mlir
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from jaxconv.engine.mesh.lowering import is_divided_by_compiler, needing_devices, offered
from jaxconv.engine.rewriting import Memory, rewritten

transform_p = core.Primitive("transform")


def _batchwise(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return fn with every Fourier transform in its trace divisible along the axes it leaves alone."""
    return rewritten(fn, _exchange, _MEMORY)


_MEMORY = Memory()


def _exchange(equation: core.JaxprEqn) -> core.JaxprEqn:
    if equation.primitive is not lax.fft_p:
        return equation
    return equation.replace(primitive=transform_p)


def _transpose(cotangent, operand, **params: Any):
    def transposed(cotangent):
        return jax.linear_transpose(partial(lax.fft_p.bind, **params), operand.aval)(cotangent)[0]

    return [_batchwise(transposed)(cotangent)]


def _batch(operands, axes, **params: Any):
    return _batchwise(jax.vmap(partial(lax.fft_p.bind, **params), in_axes=axes))(*operands), 0


def _lower(ctx: mlir.LoweringRuleContext, operand: Any, **params: Any):
    fn = partial(lax.fft_p.bind, **params)
    if is_divided_by_compiler(ctx):
        fn = _partitioned(fn, len(operand.type.shape), len(params["fft_lengths"]))
    return mlir.lower_fun(fn, multiple_results=False)(ctx, operand)


def _partitioned(fn: Callable[..., jax.Array], rank: int, transformed: int) -> Callable[..., jax.Array]:
    """Return a transform of the last axes that is divided along the others only."""
    divisible = custom_partitioning(lambda operand: fn(operand))
    in_order = partial(with_layout_constraint, layouts=Layout(tuple(range(rank))))

    def partition(mesh, operands, result):
        (whole,) = offered(mesh, operands)
        spec = [*whole.spec, *[None] * rank][: rank - transformed]
        sharding = NamedSharding(mesh, P(*spec, *[None] * transformed))
        return mesh, lambda part: in_order(fn(in_order(part))), sharding, (sharding,)

    batch = [f"b{axis}" for axis in range(rank - transformed)]
    before, after = (batch + [f"{letter}{axis}" for axis in range(transformed)] for letter in "xy")
    factors = tuple(before[rank - transformed :] + after[rank - transformed :])
    rule = f"{' '.join(before)} -> {' '.join(after)}"
    divisible.def_partition(partition, sharding_rule=rule, need_replication_factors=factors)
    return divisible


transform_p.def_impl(lax.fft_p.bind)
transform_p.def_abstract_eval(lambda operand, **params: lax.fft_p.abstract_eval(operand, **params)[0])
ad.deflinear2(transform_p, _transpose)
batching.primitive_batchers[transform_p] = _batch
mlir.register_lowering(transform_p, _lower)
needing_devices.add(transform_p)

fft, ifft, fftn, ifftn = map(_batchwise, (jnp.fft.fft, jnp.fft.ifft, jnp.fft.fftn, jnp.fft.ifftn))
rfft, irfft, rfftn, irfftn = map(
    _batchwise, (jnp.fft.rfft, jnp.fft.irfft, jnp.fft.rfftn, jnp.fft.irfftn)
)
