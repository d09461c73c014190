"""Modules: objects of Flax NNX among a function's arguments, whose changes are carried out of its trace.

A function that is traced gets copies of its arguments. What it changes in them (the running means of a
batch norm, the counts of a dropout's keys, an optimizer's moments) is returned beside its result and
written into the originals, as `nnx.jit` does. Flax is looked for only where it has been imported.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import jax

from jaxconv import checks

Function = Callable[..., Any]


def carrying_state(function: str, fn: Function, transform: Callable[[Function], Function]) -> Function:
    """Return `transform(fn)`, which changes the modules among its arguments as fn does."""

    @wraps(fn, updated=())  # not a module's own attributes
    def call(*args: Any, **kwargs: Any) -> Any:
        nnx: Any = sys.modules.get("flax.nnx")
        if nnx is None:
            return transform(fn)(*args, **kwargs)

        def is_module(value: Any) -> bool:
            return isinstance(value, nnx.Pytree | nnx.Variable)

        leaves, tree = jax.tree.flatten((args, kwargs), is_leaf=is_module)
        places = [i for i, leaf in enumerate(leaves) if is_module(leaf)]
        if not places:
            return transform(fn)(*args, **kwargs)
        modules = [leaves[i] for i in places]
        graph, state = nnx.split(modules)

        def of_values(state: Any, others: list[Any]) -> Any:
            fresh, filled = nnx.merge(graph, state), list(others)
            for place, module in zip(places, fresh, strict=True):
                filled[place] = module
            args, kwargs = jax.tree.unflatten(tree, filled)
            out = fn(*args, **kwargs)
            changed, state = nnx.split(fresh)
            if changed != graph:
                rule = "keep the structure of the modules it is given"
                remedy = "Add what is missing to the module before the call."
                got = "one that adds or removes parts"
                raise checks.value_error(function, "fn", rule, got, remedy)
            return out, state

        others = [None if i in places else leaf for i, leaf in enumerate(leaves)]
        out, state = transform(of_values)(state, others)
        nnx.update(modules, state)
        return out

    return call
