"""Prepared kernels: what a method can compute of its kernel once, held as a value."""

from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import jax
from jax.custom_derivatives import SymbolicZero

from jaxconv import checks
from jaxconv.engine import planning, primitive
from jaxconv.engine.planning import ANY, Plan, Request
from jaxconv.engine.problem import Problem


@partial(
    jax.tree_util.register_dataclass, data_fields=["kernel", "ready"], meta_fields=["function", "plan"]
)
@dataclass(frozen=True)
class Prepared:
    """A kernel, and what the planned method makes of it: its spectrum, its banded matrix, or itself.

    A pytree: it passes through `jit`, `vmap`, `scan` and `grad`. The derivative in it is that in its
    `kernel`.
    """

    kernel: jax.Array
    ready: Any  # None before it is made
    function: str  # that takes it
    plan: Plan | None


def make_ready(plan: Plan, kernel: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """Return what the plan's method makes of a kernel with these axes in the canonical order."""
    canonical = primitive.canonical_kernel(plan.problem, kernel.astype(plan.problem.dtype), axes)
    return planning.prepare(plan.problem, plan.method, canonical)


def as_prepared(function: str, argument: str, kernel: Any) -> Prepared | None:
    """Return a kernel that was prepared, and for this function; None where it is an array."""
    if not isinstance(kernel, Prepared):
        return None
    if kernel.function != function:
        rule, got = "be prepared for this function", f"one prepared for {kernel.function}"
        raise checks.value_error(function, argument, rule, got, f"prepare(..., {function}) does.")
    return kernel


def convolution(
    signal: jax.Array, kernel: jax.Array, prepared: Prepared | None, *, request: Request, **options: Any
) -> jax.Array:
    """Do what `primitive.convolution` does, with what was prepared of the kernel, if it was.

    The derivative is that of the unprepared convolution: planned, in both operands, to any order.
    """
    if prepared is None or prepared.plan is None:  # None while it is being prepared
        return primitive.convolution(signal, kernel, request=request, **options)
    plan = prepared.plan
    parameters = primitive.parameters(signal, kernel, **options)
    problem = primitive.problem_of(signal, kernel, plan.problem.platform, **parameters)
    _check_fit(prepared.function, (problem, request), (plan.problem, plan.request))
    plain = partial(primitive.convolution, request=plan.request, **options)

    @jax.custom_jvp
    def apply(signal, kernel, ready):
        return primitive.run_ready(plan.problem, plan.method, signal, ready, **parameters)

    def jvp(primals, tangents):
        operands = primals[:2]
        moving = [i for i in (0, 1) if not isinstance(tangents[i], SymbolicZero)]

        def of_moving(*values):
            changed = dict(zip(moving, values))
            return plain(*(changed.get(i, x) for i, x in enumerate(operands)))

        moved, by = [operands[i] for i in moving], [tangents[i] for i in moving]
        return apply(*primals), jax.jvp(of_moving, moved, by)[1]

    apply.defjvp(jvp, symbolic_zeros=True)
    return apply(signal, kernel, prepared.ready)


def _check_fit(function: str, call: tuple[Problem, Request], own: tuple[Problem, Request]) -> None:
    """Raise ValueError where a call differs from the one that a kernel was prepared for."""
    pairs = [call[0], own[0]], [own[1] if call[1] == ANY else call[1], own[1]]
    unlike = [
        f"{field.name} {getattr(mine, field.name)}, not {getattr(asked, field.name)}"
        for asked, mine in pairs
        for field in fields(asked)
        if getattr(asked, field.name) != getattr(mine, field.name)
    ]
    if unlike:
        kernel = "rhs" if function == "conv_general_dilated" else "in2"
        rule, got = "be prepared for the call that it is passed to", f"one for {'; '.join(unlike)}"
        remedy = "Give `prepare` the signal's shape and type and the options of the call."
        raise checks.value_error(function, kernel, rule, got, remedy)
