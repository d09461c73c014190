"""Meshes: who divides arrays over devices, as a lowering sees it."""

from typing import Any, cast

from jax._src.dispatch import prim_requires_devices_during_lowering as needing_devices
from jax.interpreters import mlir

__all__ = ["is_divided_by_compiler", "is_exported", "needing_devices"]


def is_divided_by_compiler(ctx: mlir.LoweringRuleContext) -> bool:
    """Return whether arrays may be divided over devices without their types telling so."""
    module, operand = ctx.module_context, cast(Any, ctx.avals_in[0])
    is_many = getattr(module.axis_context, "num_devices", 1) > 1  # else a mesh's own code, or one device
    return is_many and not is_exported(ctx) and not operand.sharding.mesh.explicit_axes


def is_exported(ctx: mlir.LoweringRuleContext) -> bool:
    """Return whether the program is exported, to be compiled elsewhere."""
    return ctx.module_context.lowering_parameters.for_export
