"""Meshes: who divides arrays over devices, as a lowering sees it."""

from collections.abc import Sequence
from typing import Any, cast

from jax._src.dispatch import prim_requires_devices_during_lowering as needing_devices
from jax.interpreters import mlir
from jax.sharding import Mesh, NamedSharding, PartitionSpec

__all__ = ["is_divided_by_compiler", "is_exported", "needing_devices", "offered"]


def is_divided_by_compiler(ctx: mlir.LoweringRuleContext) -> bool:
    """Return whether arrays may be divided over devices without their types telling so."""
    module, operand = ctx.module_context, cast(Any, ctx.avals_in[0])
    is_many = getattr(module.axis_context, "num_devices", 1) > 1  # else a mesh's own code, or one device
    return is_many and not is_exported(ctx) and not operand.sharding.mesh.explicit_axes


def is_exported(ctx: mlir.LoweringRuleContext) -> bool:
    """Return whether the program is exported, to be compiled elsewhere."""
    return ctx.module_context.lowering_parameters.for_export


def offered(mesh: Mesh, arrays: Sequence[Any]) -> list[NamedSharding]:
    """Return how a compiler offers to divide arrays over a mesh.

    A program for several devices to which only undivided arrays come, as under `jax.set_mesh`, has no
    mesh here, and its shardings no spec: all of it is computed whole.
    """
    if mesh.empty:
        return [NamedSharding(mesh, PartitionSpec())] * len(arrays)
    return [array.sharding for array in arrays]
