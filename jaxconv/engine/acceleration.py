"""Any function's convolutions: planned (`accelerate`), and told (`explain`)."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax

from jaxconv.engine import primitive
from jaxconv.engine.how import How, ask
from jaxconv.engine.mesh.traffic import Traffic, traffic
from jaxconv.engine.modules import carrying_state
from jaxconv.engine.planning import Plan, noting
from jaxconv.engine.rewriting import abstract_others, with_gradient
from jaxconv.types import Method


def accelerate(
    fn: Callable[..., Any],
    *,
    method: Method = "auto",
    max_bytes: int | None = None,
    local: bool = False,
) -> Callable[..., Any]:
    """Return fn with every convolution inside it planned.

    Wherever fn, or what it calls, convolves through JAX (`jax.lax.conv_general_dilated`,
    `jax.scipy.signal.convolve`, `jnp.convolve`, the layers of Flax, Equinox, Haiku), inside `jit`,
    loops, branches, `vmap`, `grad`, `remat`, `shard_map` and functions with derivatives of their own,
    the same convolution is computed by the planned method. Works as a decorator, inside or outside of
    other transformations. It traces fn at each call: put `jax.jit` around it, not inside.

    Args:
        fn: any function that JAX can trace. Arrays in its arguments are traced; numbers, strings and
            other objects reach it as they are. Modules of Flax NNX among its arguments are changed as
            fn changes them (batch norm, dropout, optimizers); other objects are copies, as under `jit`.
        method: as for `convolve`; where the named method cannot, the planner's choice.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        Those of fn.

    Returns:
        A function of the same arguments and results.

    Raises:
        ValueError: if an option is not one of its allowed values, or fn adds parts to a module.

    Gradient:
        As fn's, its convolutions planned too.

    Example:
        >>> fast = jax.jit(accelerate(lambda x, k: jnp.convolve(x, k) ** 2))
        >>> fast(jnp.array([1.0, 2.0]), jnp.array([1.0, 1.0])).tolist()
        [1.0, 9.0, 4.0]
    """
    how = replace(ask("accelerate", method, None, max_bytes, local), between_layers=True)
    return carrying_state("accelerate", fn, partial(primitive.planned, how=how))


@dataclass(frozen=True)
class Explanation:
    """The plans of all convolutions in a function, and of those that its gradient adds; printable.

    Of arrays divided over a mesh they are those of one shard, and `traffic` tells what the function
    sends between devices, `gradient_traffic` what it sends with its gradient. `no_gradient` says why
    there is no gradient, where JAX cannot take one.
    """

    forward: tuple[Plan, ...]
    gradient: tuple[Plan, ...]
    no_gradient: str = ""
    traffic: Traffic | None = None
    gradient_traffic: Traffic | None = None

    def __str__(self) -> str:
        parts = []
        for title, plans in (("forward", self.forward), ("added by the gradient", self.gradient)):
            for plan, times in Counter(plans).items():
                parts.append(f"{title}, {times} of\n{plan}" if times > 1 else f"{title}\n{plan}")
        if self.traffic is not None:
            parts.append(f"between devices: {self.traffic}; with the gradient {self.gradient_traffic}")
        if self.no_gradient:
            parts.append(f"no gradient: {self.no_gradient}")
        return "\n\n".join(parts) or "no convolution"


def explain(
    fn: Callable[..., Any], *args: Any, platform: str | None = None, **kwargs: Any
) -> Explanation:
    """Tell how every convolution in a function would be computed, its gradient's included.

    A convolution in a loop is listed once; one whose result is not used, which a compiler leaves out, is
    listed too. The plans are those that the function has under
    `accelerate`; those of `convolve` and its family are as they ask. Where an argument is divided over
    devices the function is compiled, since only the compiler knows how its values are divided, and the
    plans are those of one shard.

    Args:
        fn: the function.
        *args: its arguments, or in the place of each a `jax.ShapeDtypeStruct`.
        platform: "cpu", "cuda", "rocm" or "tpu"; None for the default device's.
        **kwargs: more of its arguments.

    Shapes:
        Any.

    Returns:
        An `Explanation`; its gradient is empty where fn has no arguments to differentiate, or holds a
        loop that JAX cannot differentiate backwards, such as `lax.while_loop`.

    Example:
        >>> from jaxconv import convolve
        >>> told = explain(convolve, jnp.ones(1000), jnp.ones(5))
        >>> [plan.method for plan in told.forward], len(told.gradient)
        (['shifts'], 2)
    """
    arrays, of_arrays = abstract_others(fn, args, kwargs)
    if platform is None and any(_is_divided(array) for array in arrays):
        return _explain_shard(of_arrays, arrays)
    forward = primitive.plans_in(of_arrays, arrays, platform)
    try:
        both = primitive.plans_in(lambda *arrays: with_gradient(of_arrays, arrays), arrays, platform)
    except (ValueError, TypeError, NotImplementedError) as error:  # fn itself was traced without any
        return Explanation(tuple(forward), (), str(error).splitlines()[0])
    return Explanation(tuple(forward), tuple((Counter(both) - Counter(forward)).elements()))


def _is_divided(array: Any) -> bool:
    sharding = getattr(array, "sharding", None)
    return sharding is not None and not sharding.is_fully_replicated


def _explain_shard(fn: Callable[..., Any], arrays: Sequence[Any]) -> Explanation:
    """Compile a function, and it with its gradient, as accelerated; tell the plans and the traffic."""
    found = []
    for whole in (fn, lambda *arrays: with_gradient(fn, arrays)):
        fast = primitive.planned(whole, How(between_layers=True))
        try:
            with noting() as plans:
                compiled = jax.jit(fast).lower(*arrays).compile()
        except (ValueError, TypeError, NotImplementedError) as error:
            ((forward, sent),) = found
            return Explanation(tuple(forward), (), str(error).splitlines()[0], sent)
        found.append((plans, traffic(compiled)))
    (forward, sent), (both, sent_by_both) = found
    added = tuple((Counter(both) - Counter(forward)).elements())
    return Explanation(tuple(forward), added, "", sent, sent_by_both)
