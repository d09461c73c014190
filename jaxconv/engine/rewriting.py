"""Rewriting: a function with some equations of its trace exchanged, however deep they lie.

A traced function is a list of equations, and loops, branches, calls, meshes hold such lists as
parameters; those are rewritten in place, so that what surrounds them stays as it was. A function with
derivatives of its own (`jax.custom_jvp`, `jax.custom_vjp`) is made anew from its rewritten value and
its rewritten derivative, both obtained by tracing.
"""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

Replace = Callable[[core.JaxprEqn], core.JaxprEqn]


class Memory(WeakKeyDictionary):
    """What traces inside a trace were rewritten to.

    JAX traces a jitted function once, and compiles it once for each trace: a rewritten trace must be the
    same one at the next call, or it would be compiled again.
    """


def rewritten(
    fn: Callable[..., Any], replace: Replace, memory: Memory | None = None
) -> Callable[..., Any]:
    """Return fn with every equation e of its trace exchanged for `replace(e)`.

    Arrays among its arguments, at any depth, are traced; everything else (numbers, strings, functions)
    fn gets as it is. A memory serves functions that are rewritten by equal replacements.
    """

    @wraps(fn, updated=())  # not a module's own attributes
    def call(*args: Any, **kwargs: Any) -> Any:
        arrays, of_arrays = abstract_others(fn, args, kwargs)
        closed, shapes = jax.make_jaxpr(of_arrays, return_shape=True)(*arrays)
        outputs = core.jaxpr_as_fun(_rewrite(closed, replace, memory))(*arrays)
        return jax.tree.unflatten(jax.tree.structure(shapes), outputs)

    return call


def abstract_others(fn: Callable[..., Any], args: tuple, kwargs: dict[str, Any]):
    """Return the arrays among a call's arguments, and fn as a function of those alone."""
    leaves, tree = jax.tree.flatten((args, kwargs))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, _ARRAYS)]

    def of_arrays(*arrays: jax.Array) -> Any:
        filled = list(leaves)
        for place, array in zip(places, arrays, strict=True):
            filled[place] = array
        args, kwargs = jax.tree.unflatten(tree, filled)
        return fn(*args, **kwargs)

    return [leaves[place] for place in places], of_arrays


_ARRAYS = (jax.Array, np.ndarray, np.generic, jax.ShapeDtypeStruct)


def _rewrite(value: Any, replace: Replace, memory: Memory | None) -> Any:
    """Rewrite the equations of a trace; other values are returned as they are."""
    if isinstance(value, core.Jaxpr):
        return value.replace(eqns=[_rewrite_equation(e, replace, memory) for e in value.eqns])
    if not isinstance(value, core.ClosedJaxpr):
        return value
    if memory is None:
        return value.replace(jaxpr=_rewrite(value.jaxpr, replace, memory))
    if value not in memory:
        memory[value] = value.replace(jaxpr=_rewrite(value.jaxpr, replace, memory))
    return memory[value]


def _rewrite_equation(equation: core.JaxprEqn, replace: Replace, memory: Memory | None) -> core.JaxprEqn:
    if not any(map(_is_trace, jax.tree.leaves(equation.params, is_leaf=_is_trace))):
        return replace(equation)
    remake = {"custom_jvp_call": _custom_jvp, "custom_vjp_call": _custom_vjp}.get(
        equation.primitive.name
    )
    if remake:
        fresh = remake(equation, replace)
        traced = jax.make_jaxpr(fresh)(*(v.aval for v in equation.invars))
        return equation.replace(params=traced.eqns[-1].params)
    rewrite = partial(_rewrite, replace=replace, memory=memory)
    params = jax.tree.map(rewrite, equation.params, is_leaf=_is_trace)
    return equation.replace(params=params)


def _is_trace(value: Any) -> bool:
    return isinstance(value, core.Jaxpr | core.ClosedJaxpr)


def _custom_jvp(equation: core.JaxprEqn, replace: Replace) -> Callable[..., Any]:
    """Return the equation's function and its own forward derivative, both rewritten."""
    original, value = _call(equation), core.jaxpr_as_fun(equation.params["call_jaxpr"])
    fresh = jax.custom_jvp(rewritten(value, replace))

    @fresh.defjvp
    def jvp(primals, tangents):  # pyright: ignore[reportUnusedFunction]
        return rewritten(partial(jax.jvp, original), replace)(primals, tangents)

    return fresh


def _custom_vjp(equation: core.JaxprEqn, replace: Replace) -> Callable[..., Any]:
    """Return the equation's function and its own reverse derivative, both rewritten."""
    original, value = _call(equation), core.jaxpr_as_fun(equation.params["call_jaxpr"])
    fresh = jax.custom_vjp(rewritten(value, replace))

    def forward(*primals):
        return rewritten(partial(jax.vjp, original), replace)(*primals)

    def backward(pull, cotangents):
        return rewritten(lambda pull, cotangents: pull(cotangents), replace)(pull, cotangents)

    fresh.defvjp(forward, backward)
    return fresh


def _call(equation: core.JaxprEqn) -> Callable[..., Any]:
    """Return a function that does one equation."""
    new_var = core.gensym()
    operands = [new_var(v.aval) for v in equation.invars]  # some may be literals, or one twice
    body = equation.params["call_jaxpr"].jaxpr  # names its source
    jaxpr = body.replace(
        invars=operands, outvars=equation.outvars, eqns=[equation.replace(invars=[*operands])]
    )
    return core.jaxpr_as_fun(core.ClosedJaxpr(jaxpr, ()))


def with_gradient(fn: Callable[..., Any], arrays: Sequence[Any]) -> Any:
    """Return fn's value and its pulled-back ones: whatever its gradient computes."""
    smooth = [i for i, x in enumerate(arrays) if jnp.issubdtype(x.dtype, np.inexact)]

    def of_smooth(*values: Any) -> Any:
        changed = dict(zip(smooth, values, strict=True))
        out = fn(*(changed.get(i, x) for i, x in enumerate(arrays)))
        return [x for x in jax.tree.leaves(out) if jnp.issubdtype(x.dtype, np.inexact)]

    out, pull = jax.vjp(of_smooth, *(arrays[i] for i in smooth))
    return out, pull(jax.tree.map(jnp.ones_like, out))
