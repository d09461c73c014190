"""Prepared operands: what a method can compute of one operand alone, once, held as a value."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Literal

import jax
from jax.custom_derivatives import SymbolicZero

from jaxconv import checks
from jaxconv.engine import lax_form, primitive
from jaxconv.engine.how import How
from jaxconv.engine.mesh.arrays import is_sharded
from jaxconv.engine.planned import run_planned
from jaxconv.engine.planning import Plan
from jaxconv.engine.problem import Boundaries, Problem

Side = Literal["signal", "kernel"]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["operand", "ready"],
    meta_fields=["side", "function", "plan"],
)
@dataclass(frozen=True)
class Prepared:
    """An operand, and what the planned method makes of it: its spectrum, its banded matrix, or itself.

    A pytree: it passes through `jit`, `vmap`, `scan` and `grad`. The derivative in it is that in its
    `operand`.
    """

    operand: jax.Array
    ready: Any  # None before it is made
    side: Side
    function: str  # that takes it
    plan: Plan | None  # None before it is made


def prepared(operand: jax.Array, side: Side, plan: Plan, laid_out: jax.Array, **params: Any) -> Prepared:
    """Return an operand prepared as planned; `laid_out` is it as lax gets it, with these parameters."""
    laid_out = laid_out.astype(plan.problem.dtype)
    if side == "signal":
        ready = plan.prepare_signal(lax_form.canonical_signal(plan.problem, laid_out, **params))
    else:
        ready = plan.prepare_kernel(lax_form.canonical_kernel(plan.problem, laid_out, **params))
    return Prepared(operand, ready, side, plan.how.function, plan)


def taken(function: str, argument: str, side: Side, operand: Any) -> Prepared | None:
    """Return an operand that was prepared for this place in this function; None for an array."""
    if not isinstance(operand, Prepared):
        return None
    if (operand.function, operand.side) != (function, side):
        rule = f"be an array, or prepared as the {side} of this function"
        got = f"one prepared as the {operand.side} of {operand.function}"
        remedy = f"prepare(..., {function}, side={side!r}) does."
        raise checks.value_error(function, argument, rule, got, remedy)
    return operand


def one_of_both(
    function: str, argument: str, signal: Prepared | None, kernel: Prepared | None
) -> Prepared | None:
    """Return the operand that was prepared, if one was; not both can be."""
    if signal and kernel:
        rule, remedy = "be an array where the kernel is prepared", "Prepare one of the two only."
        raise checks.value_error(function, argument, rule, "a prepared one", remedy)
    return signal or kernel


def convolution(
    signal: jax.Array,
    kernel: jax.Array,
    how: How,
    boundaries: Boundaries = (),
    fill: jax.Array | None = None,
    *,
    ready: Prepared | None = None,
    **options: Any,
) -> jax.Array:
    """Do what `primitive.convolution` does, with what was prepared of one operand, if it was.

    The derivative is that of the unprepared convolution: planned, in both operands, to any order.
    """
    divided = is_sharded(signal) or is_sharded(kernel)  # each shard prepares for its own shape
    if ready is None or ready.plan is None or divided:  # None while it is being prepared
        return primitive.convolution(signal, kernel, how, boundaries, fill, **options)
    plan, side = ready.plan, ready.side
    params = lax_form.parameters(signal, kernel, precision=how.precision, **options)
    if "constant" in boundaries:
        signal, params = lax_form.extended(signal, boundaries, fill, **params)
        options["padding"], boundaries = params["padding"], ()
    platform = plan.problem.platform
    problem = lax_form.problem_of(signal, kernel, platform, boundaries=boundaries, **params)
    _check_fit(side, problem, how, plan)
    plain = partial(primitive.convolution, how=plan.how, boundaries=boundaries, **options)

    def apply(signal, kernel, made):
        if side == "signal":
            own = plan.prepare_kernel(lax_form.canonical_kernel(problem, kernel, **params))
            out = run_planned(plan, made, own)
        else:
            own = plan.prepare_signal(lax_form.canonical_signal(problem, signal, **params))
            out = run_planned(plan, own, made)
        return lax_form.in_layout(out, problem, **params)

    return _differentiated_as(plain, apply)(signal, kernel, ready.ready)


def _differentiated_as(plain: Callable[..., Any], apply: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of two operands and what was prepared, with the derivative of one of the two."""

    def jvp(primals, tangents):
        operands = primals[:2]
        moving = [i for i in (0, 1) if not isinstance(tangents[i], SymbolicZero)]

        def of_moving(*values):
            changed = dict(zip(moving, values))
            return plain(*(changed.get(i, x) for i, x in enumerate(operands)))

        moved, by = [operands[i] for i in moving], [tangents[i] for i in moving]
        return apply(*primals), jax.jvp(of_moving, moved, by)[1]

    differentiable = jax.custom_jvp(apply)
    differentiable.defjvp(jvp, symbolic_zeros=True)
    return differentiable


def _check_fit(side: Side, problem: Problem, how: How, plan: Plan) -> None:
    """Raise ValueError where a call differs from the one that an operand was prepared for."""
    pairs = [(problem, plan.problem, [field.name for field in fields(Problem)])]
    pairs += [] if how.is_free else [(how, plan.how, ["method", "max_bytes", "local"])]
    unlike = [
        f"{name} {getattr(own, name)}, not {getattr(asked, name)}"
        for asked, own, names in pairs
        for name in names
        if getattr(asked, name) != getattr(own, name)
    ]
    if unlike:
        general = how.function == "conv_general_dilated"
        argument = ("lhs", "rhs") if general else ("in1", "in2")
        rule, got = "be prepared for the call that it is passed to", f"one for {'; '.join(unlike)}"
        remedy = "Give `prepare` the other operand's shape and type and the options of the call."
        name = argument[side == "kernel"]
        raise checks.value_error(how.function, name, rule, got, remedy)
