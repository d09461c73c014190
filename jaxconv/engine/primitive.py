"""The one bilinear primitive: what `lax.conv_general_dilated_p` is, but planned when it is lowered.

No rule of calculus is written here. The abstract value is lax's own. Each transpose and each batched
form is obtained by tracing lax's (`jax.linear_transpose`, `jax.vmap`) and putting our primitive wherever
lax's stands in the trace; so every derivative is a convolution of other shapes, planned afresh, and
exact to any order. Entering goes the same way, through a trace of `lax.conv_general_dilated`: its
checks, its defaults, its errors, and, inside `jax.shard_map`, its reconciling of operands that vary
over different axes of the mesh.

Of what JAX does not call stable (`jax.interpreters`, `jax.extend`, the primitives of lax) use is made in
this file, `planned.py`, `rewriting.py`, `lax_form.py`, and `lowering.py` and `transforms.py` of `mesh/`;
of what it does not document, in `onednn.py` and `matmul.py` of `methods/`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental.custom_partitioning import custom_partitioning
from jax.extend import core
from jax.interpreters import ad, batching, mlir
from jax.sharding import PartitionSpec

from jaxconv import checks
from jaxconv.engine.device import platform_name
from jaxconv.engine.how import How
from jaxconv.engine.lax_form import (
    canonical_kernel,
    canonical_signal,
    extended,
    in_layout,
    is_as_long,
    lax_p,
    parameters,
    problem_of,
)
from jaxconv.engine.mesh.division import division, in_order, rule
from jaxconv.engine.mesh.lowering import is_divided_by_compiler, is_exported, needing_devices, offered
from jaxconv.engine.mesh.shard import Sharded
from jaxconv.engine.planned import planned_p
from jaxconv.engine.planning import Plan, note, plan, possible
from jaxconv.engine.problem import Boundaries, Problem
from jaxconv.engine.rewriting import Memory, Replace, rewritten

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


class _Convolution(core.Primitive):
    """The primitive; of operands sharded along Explicit axes it becomes a `jax.shard_map` of itself."""

    def bind(self, *operands: Any, **params: Any) -> Any:
        over_mesh = _over_mesh(*map(jax.typeof, operands), **params)
        return over_mesh(*operands) if over_mesh else super().bind(*operands, **params)


convolution_p = _Convolution("convolution")


def convolution(
    signal: jax.Array,
    kernel: jax.Array,
    how: How,
    boundaries: Boundaries = (),
    fill: jax.Array | None = None,
    **options: Any,
) -> jax.Array:
    """Do what `lax.conv_general_dilated` does with these arguments, as asked.

    Along each spatial axis, in the order of the dimension numbers, there is beyond the edges what the
    boundaries tell: zeros for "fill", the value `fill` for "constant".
    """
    options["precision"] = how.precision
    known = checks.is_known(signal.shape, kernel.shape)
    if "constant" in boundaries or (boundaries and not known):
        params = parameters(signal, kernel, **options)
        facts = dict(params, how=how, boundaries=boundaries)
        over_mesh = known and _over_mesh(jax.typeof(signal), jax.typeof(kernel), **facts)
        if over_mesh:
            return over_mesh(signal, kernel, fill)
        signal, left = extended(signal, boundaries, fill, **params)
        options["padding"], boundaries = left["padding"], ()
    call = partial(lax.conv_general_dilated, **options)
    return planned(call, how, boundaries, check=True)(signal, kernel)


def planned(
    fn: Callable[..., Any], how: How, boundaries: Boundaries = (), check: bool = False
) -> Callable[..., Any]:
    """Return fn with lax's convolution primitive exchanged for ours, wherever it stands in its trace.

    With `check`, a request that cannot be met is an error at once.
    """
    return rewritten(fn, *_planning(how, boundaries, check))


@lru_cache(256)
def _planning(how: How, boundaries: Boundaries, check: bool) -> tuple[Replace, Memory]:
    """Return what puts our primitive where lax's stands, and the memory of where it was put."""

    def exchange(equation: core.JaxprEqn) -> core.JaxprEqn:
        if equation.primitive is not lax_p:
            return equation
        if not _is_known(equation):  # a length of `jax.export`'s symbolic shapes: left to lax
            if how.method not in ("auto", "direct"):
                rule = "be 'auto' or 'direct' where a length is symbolic"
                raise checks.value_error(how.function, "method", rule, repr(how.method))
            return equation
        params = dict(equation.params, how=how, boundaries=boundaries)
        if check and not how.is_free:
            plan(_problem_in(equation.invars, platform_name(), **params), how)
        return equation.replace(primitive=convolution_p, params=params)

    return exchange, Memory()


def plans_in(fn: Callable[..., Any], operands: Sequence[Any], platform: str | None = None) -> list[Plan]:
    """Return the plans of all convolutions in the trace of a function, lax's and ours."""
    platform, found = platform_name(platform), []

    def look(equation: core.JaxprEqn) -> core.JaxprEqn:
        if equation.primitive is planned_p:
            found.append(equation.params["plan"])
        elif equation.primitive in (lax_p, convolution_p) and _is_known(equation):
            problem = _problem_in(equation.invars, platform, **equation.params)
            how = equation.params.get("how", How(between_layers=True))
            found.append(plan(problem, possible(how, problem)))
        return equation

    jax.eval_shape(rewritten(fn, look), *operands)
    return found


def _is_known(equation: core.JaxprEqn) -> bool:
    return checks.is_known(*(getattr(v.aval, "shape", ()) for v in equation.invars))


def _problem_in(operands: Sequence[Any], platform: str, **params: Any) -> Problem:
    lhs, rhs = (v.aval for v in operands)
    return problem_of(lhs, rhs, platform, **params)


def run(platform: str, lhs: jax.Array, rhs: jax.Array, *, how: How, **params: Any) -> jax.Array:
    """Plan, and compute as planned."""
    problem = problem_of(lhs, rhs, platform, **params)
    chosen = plan(problem, possible(how, problem))
    note(chosen)
    signal = chosen.prepare_signal(canonical_signal(problem, lhs, **params))
    kernel = chosen.prepare_kernel(canonical_kernel(problem, rhs, **params))
    return in_layout(chosen.run(signal, kernel), problem, **params)


def _abstract(lhs, rhs, *, how: How, boundaries: Boundaries, **params: Any):
    del how, boundaries
    return lax_p.abstract_eval(lhs, rhs, **params)[0]


def _transpose_signal(cotangent, lhs, rhs, *, how: How, boundaries: Boundaries, **params: Any):
    """Return the cotangent of the signal.

    If the output is as long as a signal that wraps, the cotangent is a convolution that wraps, too. Else
    it is that of the continued signal, whose ends are then folded back.
    """
    stays = set(boundaries) <= {"fill"}
    stays = stays or (set(boundaries) == {"wrap"} and is_as_long(lhs.aval, cotangent, params))

    def forward(lhs, rhs):
        if stays:
            return lax_p.bind(lhs, rhs, **params)
        longer, left = extended(lhs, boundaries, **params)
        return lax_p.bind(longer, rhs, **left)

    def transposed(cotangent, rhs):
        return jax.linear_transpose(lambda lhs: forward(lhs, rhs), lhs.aval)(cotangent)[0]

    return planned(transposed, how, boundaries if stays else ())(cotangent, rhs)


def _transpose_kernel(cotangent, lhs, rhs, *, how: How, boundaries: Boundaries, **params: Any):
    def transposed(cotangent, lhs):
        linear = partial(lax_p.bind, **params)
        return jax.linear_transpose(lambda rhs: linear(lhs, rhs), rhs.aval)(cotangent)[0]

    return planned(transposed, how, boundaries)(cotangent, lhs)


def _batch(operands, axes, *, how: How, boundaries: Boundaries, **params: Any):
    batched = jax.vmap(partial(lax_p.bind, **params), in_axes=axes)
    return planned(batched, how, boundaries)(*operands), 0


def _evaluate(lhs: jax.Array, rhs: jax.Array, *, how: How, **params: Any) -> jax.Array:
    """Run outside of any jit: as one program, compiled once."""
    return _compiled(platform_name(), how, tuple(params.items()))(lhs, rhs)


@lru_cache(1024)
def _compiled(platform: str, how: How, params: tuple[tuple[str, Any], ...]):
    return jax.jit(partial(run, platform, how=how, **dict(params)))


def _over_mesh(lhs: Any, rhs: Any, **params: Any) -> Callable[..., jax.Array] | None:
    """Return a function that convolves shard by shard; None where no Explicit axis divides anything."""
    mesh = lhs.sharding.mesh
    names = frozenset(mesh.explicit_axes)
    if not names:
        return None
    out = _abstract(lhs, rhs, **params)
    specs = [a.sharding.spec for a in (lhs, rhs, out)]
    if not any(any(spec) for spec in specs) or not all(map(checks.is_known, (lhs.shape, rhs.shape))):
        return None
    if not math.prod(out.shape):
        return None
    problem = problem_of(lhs, rhs, platform_name(), **params)
    return _mapped(problem, mesh, names, *specs, tuple(params.items()))


@lru_cache(1024)
def _mapped(problem: Problem, mesh, names: frozenset[str], lhs, rhs, out, params):
    one_shard = _one_shard(problem, mesh, lhs, rhs, out, **dict(params))
    specs = (lhs, rhs, PartitionSpec()) if "constant" in problem.boundaries else (lhs, rhs)
    return jax.jit(jax.shard_map(one_shard, mesh=mesh, in_specs=specs, out_specs=out, axis_names=names))


def _one_shard(problem: Problem, mesh, lhs, rhs, out, *, how: How, **params: Any):
    """Return what one shard computes of a convolution whose arrays are divided by these specs."""
    params = {
        name: value for name, value in params.items() if name not in ("out_sharding", "boundaries")
    }
    specs = [
        in_order(spec, order)
        for spec, order in zip((lhs, rhs, out), params["dimension_numbers"], strict=True)
    ]
    sizes = dict(mesh.shape)
    divided = division(problem, params["batch_group_count"] > 1, sizes, *specs)
    is_typed = bool(mesh.explicit_axes)
    signal, kernel, output = specs
    whole = Sharded(problem, divided, tuple(sizes.items()), signal, kernel, output, is_typed, how)
    plain = replace(how, problem=None)  # a plan passed as method is one for the whole

    def convolve(lhs: jax.Array, rhs: jax.Array, boundaries: Boundaries, **params: Any) -> jax.Array:
        return planned(partial(lax.conv_general_dilated, **params), plain, boundaries)(lhs, rhs)

    return partial(whole.one_shard, convolve=convolve, **params)


def _lower(platform: str, ctx: mlir.LoweringRuleContext, *operands: Any, **params: Any):
    """Lower to what is planned; where the compiler divides arrays, to what it may divide as it likes."""
    if is_exported(ctx):
        params["how"] = replace(params["how"], portable=True)
    fn = partial(run, platform, **params)
    if is_divided_by_compiler(ctx):
        fn = _partitioned(platform, **params)
    return mlir.lower_fun(fn, multiple_results=False)(ctx, *operands)


NO_MESH = jax.sharding.AbstractMesh((), ())


def _partitioned(platform: str, **params: Any) -> Callable[..., jax.Array]:
    """Return a convolution that is divided by the compiler, and computed shard by shard."""
    of_lax = {name: value for name, value in params.items() if name not in ("how", "boundaries")}

    @custom_partitioning
    def convolve(lhs, rhs):
        return lax_p.bind(lhs, rhs, **of_lax)

    def partition(mesh, operands, result):
        lhs, rhs = operands
        problem = problem_of(lhs, rhs, platform, **params)
        shardings = offered(mesh, (lhs, rhs, result))
        specs = [s.spec for s in shardings]
        computed = _one_shard(problem, mesh, *specs, **params)

        def one_shard(*parts: jax.Array) -> jax.Array:
            with jax.sharding.use_abstract_mesh(NO_MESH):  # the caller's may have Explicit axes
                return computed(*parts)

        return mesh, one_shard, shardings[2], tuple(shardings[:2])

    def divisible(mesh, operands, results):
        lhs, rhs = (jax.ShapeDtypeStruct(t.shape, jnp.float32) for t in operands)
        problem = problem_of(lhs, rhs, platform, **params)
        return rule(problem, params["batch_group_count"] > 1, params["dimension_numbers"])

    convolve.def_partition(partition, sharding_rule=divisible)
    return convolve


convolution_p.def_impl(_evaluate)
convolution_p.def_abstract_eval(_abstract)
ad.defbilinear(convolution_p, _transpose_signal, _transpose_kernel)
batching.primitive_batchers[convolution_p] = _batch
for _platform in PLATFORMS:
    mlir.register_lowering(convolution_p, partial(_lower, _platform), platform=_platform)
mlir.register_lowering(convolution_p, partial(_lower, "other"))
needing_devices.add(convolution_p)
