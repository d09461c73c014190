"""The one bilinear primitive: what `lax.conv_general_dilated_p` is, but planned when it is lowered.

No rule of calculus is written here. The abstract value is lax's own. Each transpose and each batched
form is had by tracing lax's (`jax.linear_transpose`, `jax.vmap`) and putting our primitive wherever
lax's stands in the trace; so every derivative is a convolution of other shapes, planned afresh, and
exact to any order. Entering goes the same way, through a trace of `lax.conv_general_dilated`: its
checks, its defaults, its errors, and, inside `jax.shard_map`, its reconciling of operands that vary
over different axes of the mesh.

This file and `rewriting.py` alone touch what JAX does not call stable: `jax.interpreters`, `jax.extend`,
and the primitive of lax.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core
from jax.interpreters import ad, batching, mlir

from jaxconv import checks
from jaxconv.engine.device import platform_name
from jaxconv.engine.planning import ANY, BETWEEN_LAYERS, Plan, Request, compute, plan, possible, prepare
from jaxconv.engine.problem import Problem
from jaxconv.engine.rewriting import Memory, Replace, rewritten

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")

lax_p = lax.conv_general_dilated_p
convolution_p = core.Primitive("convolution")


def convolution(
    signal: jax.Array, kernel: jax.Array, *, request: Request = ANY, **options: Any
) -> jax.Array:
    """Do what `lax.conv_general_dilated` does with these arguments, as requested."""
    return planned(partial(lax.conv_general_dilated, **options), request, check=True)(signal, kernel)


def planned(fn: Callable[..., Any], request: Request, check: bool = False) -> Callable[..., Any]:
    """Return fn with lax's convolution primitive exchanged for ours, wherever it stands in its trace.

    With `check`, a request that cannot be met is an error at once.
    """
    return rewritten(fn, *_planning(request, check))


@lru_cache(256)
def _planning(request: Request, check: bool) -> tuple[Replace, Memory]:
    """Return what puts our primitive where lax's stands, and the memory of where it was put."""

    def replace(equation: core.JaxprEqn) -> core.JaxprEqn:
        if equation.primitive is not lax_p:
            return equation
        if not _is_known(equation):  # a length of `jax.export`'s symbolic shapes: left to lax
            if request.method not in ("auto", "direct"):
                rule = "be 'auto' or 'direct' where a length is symbolic"
                raise checks.value_error("convolution", "method", rule, repr(request.method))
            return equation
        if check and request != ANY:
            plan(_problem_in(equation, platform_name()), request)
        return equation.replace(primitive=convolution_p, params=dict(equation.params, request=request))

    return replace, Memory()


def plans_in(fn: Callable[..., Any], operands: Sequence[Any], platform: str | None = None) -> list[Plan]:
    """Return the plans of all convolutions in the trace of a function, lax's and ours."""
    platform, found = platform_name(platform), []

    def look(equation: core.JaxprEqn) -> core.JaxprEqn:
        if equation.primitive in (lax_p, convolution_p) and _is_known(equation):
            problem = _problem_in(equation, platform)
            request = equation.params.get("request", BETWEEN_LAYERS)
            found.append(plan(problem, possible(request, problem)))
        return equation

    jax.eval_shape(rewritten(fn, look), *operands)
    return found


def _is_known(equation: core.JaxprEqn) -> bool:
    shapes: list[Any] = [getattr(v.aval, "shape", ()) for v in equation.invars]
    return all(isinstance(n, int) for shape in shapes for n in shape)


def _problem_in(equation: core.JaxprEqn, platform: str) -> Problem:
    lhs, rhs = (v.aval for v in equation.invars)
    return problem_of(lhs, rhs, platform, **equation.params)


def problem_of(lhs, rhs, platform: str, **params: Any) -> Problem:
    """Read the static facts off two abstract values and lax's parameters."""
    lhs_spec, rhs_spec, _ = params["dimension_numbers"]
    n, _, *space = (lhs.shape[axis] for axis in lhs_spec)
    outputs, inputs, *window = (rhs.shape[axis] for axis in rhs_spec)
    batch_groups = params["batch_group_count"]
    groups = params["feature_group_count"] * batch_groups
    result = params["preferred_element_type"] or lhs.dtype
    return Problem(
        batch=n // batch_groups,
        groups=groups,
        inputs=inputs,
        outputs=outputs // groups,
        space=tuple(space),
        window=tuple(window),
        strides=params["window_strides"],
        padding=params["padding"],
        signal_dilation=params["lhs_dilation"],
        kernel_dilation=params["rhs_dilation"],
        dtype=str(lhs.dtype),
        result=str(jnp.dtype(result)),
        precision=params["precision"],
        platform=platform,
        channels_last=lhs_spec[1] == len(lhs_spec) - 1,
    )


def parameters(lhs: jax.Array, rhs: jax.Array, **options: Any) -> dict[str, Any]:
    """Return the canonical parameters that lax makes of its options, after its own checks."""
    traced = jax.make_jaxpr(partial(lax.conv_general_dilated, **options))(lhs, rhs)
    return next(e.params for e in traced.eqns if e.primitive is lax_p)


def run(platform: str, lhs: jax.Array, rhs: jax.Array, *, request: Request, **params: Any) -> jax.Array:
    """Plan, and compute by the planned method."""
    problem = problem_of(lhs, rhs, platform, **params)
    method = plan(problem, possible(request, problem)).method
    kernel = canonical_kernel(problem, rhs, params["dimension_numbers"].rhs_spec)
    return run_ready(problem, method, lhs, prepare(problem, method, kernel), **params)


def run_ready(problem: Problem, method: str, lhs: jax.Array, ready: Any, **params: Any) -> jax.Array:
    """Bring the signal to the canonical form, compute, and bring the output to lax's layout."""
    lhs_spec, _, out_spec = params["dimension_numbers"]
    p, batch_groups = problem, params["batch_group_count"]
    signal = lhs.transpose(lhs_spec)
    if batch_groups > 1:  # (g n, i) to (n, g, i)
        signal = signal.reshape(batch_groups, p.batch, p.inputs, *p.space).swapaxes(0, 1)
    signal = signal.reshape(p.batch, p.groups, p.inputs, *p.space)
    out = compute(problem, method, signal, ready)
    out = out.reshape(p.batch, p.groups * p.outputs, *p.places)
    return out.transpose([out_spec.index(axis) for axis in range(out.ndim)])


def canonical_kernel(problem: Problem, rhs: jax.Array, spec: Sequence[int]) -> jax.Array:
    """Bring a kernel in lax's layout to the canonical one: groups, outputs, inputs, window."""
    p = problem
    return rhs.transpose(spec).reshape(p.groups, p.outputs, p.inputs, *p.window)


def _abstract(lhs, rhs, *, request: Request, **params: Any):
    del request
    return lax_p.abstract_eval(lhs, rhs, **params)[0]


def _transpose_signal(cotangent, lhs, rhs, *, request: Request, **params: Any):
    def transposed(cotangent, rhs):
        linear = partial(lax_p.bind, **params)
        return jax.linear_transpose(lambda lhs: linear(lhs, rhs), lhs.aval)(cotangent)[0]

    return planned(transposed, request)(cotangent, rhs)


def _transpose_kernel(cotangent, lhs, rhs, *, request: Request, **params: Any):
    def transposed(cotangent, lhs):
        linear = partial(lax_p.bind, **params)
        return jax.linear_transpose(lambda rhs: linear(lhs, rhs), rhs.aval)(cotangent)[0]

    return planned(transposed, request)(cotangent, lhs)


def _batch(operands, axes, *, request: Request, **params: Any):
    batched = jax.vmap(partial(lax_p.bind, **params), in_axes=axes)
    return planned(batched, request)(*operands), 0


def _evaluate(lhs: jax.Array, rhs: jax.Array, *, request: Request, **params: Any) -> jax.Array:
    """Run outside of any jit: as one program, compiled once."""
    return _compiled(platform_name(), request, tuple(params.items()))(lhs, rhs)


@lru_cache(1024)
def _compiled(platform: str, request: Request, params: tuple[tuple[str, Any], ...]):
    return jax.jit(partial(run, platform, request=request, **dict(params)))


convolution_p.def_impl(_evaluate)
convolution_p.def_abstract_eval(_abstract)
ad.defbilinear(convolution_p, _transpose_signal, _transpose_kernel)
batching.primitive_batchers[convolution_p] = _batch
for _platform in PLATFORMS:
    _lowering = mlir.lower_fun(partial(run, _platform), multiple_results=False)
    mlir.register_lowering(convolution_p, _lowering, platform=_platform)
mlir.register_lowering(convolution_p, mlir.lower_fun(partial(run, "other"), multiple_results=False))
