"""The one bilinear primitive: what `lax.conv_general_dilated_p` is, but planned when it is lowered.

No rule of calculus is written here. The abstract value is lax's own. Each transpose and each batched
form is had by tracing lax's (`jax.linear_transpose`, `jax.vmap`) and putting our primitive wherever
lax's stands in the trace; so every derivative is a convolution of other shapes, planned afresh, and
exact to any order. Entering goes the same way, through a trace of `lax.conv_general_dilated`: its
checks, its defaults, its errors, and, inside `jax.shard_map`, its reconciling of operands that vary
over different axes of the mesh.

This is the only file that touches JAX's internals: `jax.interpreters` and the primitive of lax.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core
from jax.interpreters import ad, batching, mlir

from jaxconv.engine.planning import compute, plan
from jaxconv.engine.problem import Problem

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")

lax_p = lax.conv_general_dilated_p
convolution_p = core.Primitive("convolution")


def convolution(signal: jax.Array, kernel: jax.Array, *, method: str, **options: Any) -> jax.Array:
    """Do what `lax.conv_general_dilated` does with these arguments, by the planned method."""
    replayed = _planned(partial(lax.conv_general_dilated, **options), method, check=True)
    return replayed(signal, kernel)


def _planned(fn: Callable[..., jax.Array], method: str, check: bool = False):
    """Return fn with lax's convolution primitive replaced by ours."""

    def replaced(equation):
        if equation.primitive is not lax_p:
            return equation
        params = equation.params
        if check and method != "auto":  # the forward problem: what was named must be able
            lhs, rhs = (v.aval for v in equation.invars)
            plan(problem_of(lhs, rhs, jax.default_backend(), **params), method)
        return equation.replace(primitive=convolution_p, params=dict(params, method=method))

    def call(*args: jax.Array) -> jax.Array:
        closed = jax.make_jaxpr(fn)(*args)
        jaxpr = closed.jaxpr.replace(eqns=[replaced(e) for e in closed.jaxpr.eqns])
        (out,) = core.jaxpr_as_fun(core.ClosedJaxpr(jaxpr, closed.consts))(*args)
        return out

    return call


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
    )


def _run(platform: str, lhs: jax.Array, rhs: jax.Array, *, method: str, **params: Any) -> jax.Array:
    """Bring the operands to the canonical form, compute, and bring the output to lax's layout."""
    problem = problem_of(lhs, rhs, platform, **params)
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    p, batch_groups = problem, params["batch_group_count"]
    signal, kernel = lhs.transpose(lhs_spec), rhs.transpose(rhs_spec)
    if batch_groups > 1:  # (g n, i) to (n, g, i)
        signal = signal.reshape(batch_groups, p.batch, p.inputs, *p.space).swapaxes(0, 1)
    signal = signal.reshape(p.batch, p.groups, p.inputs, *p.space)
    kernel = kernel.reshape(p.groups, p.outputs, p.inputs, *p.window)
    out = compute(problem, method, signal, kernel)
    out = out.reshape(p.batch, p.groups * p.outputs, *p.places)
    return out.transpose([out_spec.index(axis) for axis in range(out.ndim)])


def _abstract(lhs, rhs, *, method: str, **params: Any):
    del method
    return lax_p.abstract_eval(lhs, rhs, **params)[0]


def _transpose_signal(cotangent, lhs, rhs, *, method: str, **params: Any):
    def transposed(cotangent, rhs):
        linear = partial(lax_p.bind, **params)
        return jax.linear_transpose(lambda lhs: linear(lhs, rhs), lhs.aval)(cotangent)[0]

    return _planned(transposed, method)(cotangent, rhs)


def _transpose_kernel(cotangent, lhs, rhs, *, method: str, **params: Any):
    def transposed(cotangent, lhs):
        linear = partial(lax_p.bind, **params)
        return jax.linear_transpose(lambda rhs: linear(lhs, rhs), rhs.aval)(cotangent)[0]

    return _planned(transposed, method)(cotangent, lhs)


def _batch(operands, axes, *, method: str, **params: Any):
    batched = jax.vmap(partial(lax_p.bind, **params), in_axes=axes)
    return _planned(batched, method)(*operands), 0


def _evaluate(lhs: jax.Array, rhs: jax.Array, *, method: str, **params: Any) -> jax.Array:
    """Run outside of any jit, operation by operation."""
    return _run(jax.default_backend(), lhs, rhs, method=method, **params)


convolution_p.def_impl(_evaluate)
convolution_p.def_abstract_eval(_abstract)
ad.defbilinear(convolution_p, _transpose_signal, _transpose_kernel)
batching.primitive_batchers[convolution_p] = _batch
for _platform in PLATFORMS:
    _lowering = mlir.lower_fun(partial(_run, _platform), multiple_results=False)
    mlir.register_lowering(convolution_p, _lowering, platform=_platform)
mlir.register_lowering(convolution_p, mlir.lower_fun(partial(_run, "other"), multiple_results=False))
