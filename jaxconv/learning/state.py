"""State: what a step needs from the steps before it, and the step itself; pure functions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxconv.learning.constraints import unit_energy

Parameters = Any
Loss = Callable[[Parameters, Any], jax.Array]


def keep(parameters: Parameters) -> Parameters:
    """Return the parameters unchanged: the projection of a fit without a constraint."""
    return parameters


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """All that a step needs from the steps before it, and the parameters of the best epoch so far."""

    parameters: Parameters
    optimizer: Any
    key: jax.Array
    step: jax.Array
    best: Parameters
    best_loss: jax.Array
    stale: jax.Array  # epochs since the best


def random_filter(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Return a filter of Gaussian random values and unit energy, to start learning from.

    Args:
        key: a `jax.random` key.
        shape: shape of the filter.

    Shapes:
        -> shape.

    Returns:
        The filter.

    Example:
        >>> float((random_filter(jax.random.key(0), (5, 5)) ** 2).sum().round(3))
        1.0
    """
    return unit_energy(jax.random.normal(key, shape))


@lru_cache
def default_optimizer(steps: int) -> optax.GradientTransformation:
    """Return Adam with a learning rate that falls from 0.01 to 0 over `steps`, as half a cosine.

    Args:
        steps: number of steps that will be taken.

    Shapes:
        -> a pair of functions.

    Returns:
        The optimizer.

    Example:
        >>> optimizer = default_optimizer(300)
    """
    return optax.adam(optax.cosine_decay_schedule(0.01, steps))


def init(
    key: jax.Array, start: Parameters, optimizer: optax.GradientTransformation | None = None
) -> State:
    """Return the state before the first step.

    Pass the same optimizer here and to every `step`: `step` has no default, and the default here is for
    300 steps (its rate is 0 afterwards).

    Args:
        key: a `jax.random` key, from which all batches will be drawn.
        start: the parameters to start from, as a pytree.
        optimizer: the optax optimizer that `step` will use; None: `default_optimizer(300)`, Adam with a
            rate that falls to 0 over 300 steps.

    Shapes:
        start any -> a `State`.

    Returns:
        The state.

    Example:
        >>> int(init(jax.random.key(0), jnp.ones(3)).step)
        0
    """
    start = jax.tree.map(jnp.asarray, start)
    optimizer_state = (optimizer or default_optimizer(300)).init(start)
    zero, infinity = jnp.zeros((), jnp.int32), jnp.array(jnp.inf, jnp.float32)
    return State(
        parameters=start,
        optimizer=optimizer_state,
        key=key,
        step=zero,
        best=start,
        best_loss=infinity,
        stale=zero,
    )


def step(
    state: State,
    batch: Any,
    *,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    project: Callable[[Parameters], Parameters] = keep,
) -> tuple[State, jax.Array]:
    """Take one step down the gradient, then project.

    Pass the optimizer that was passed to `init`: its state is kept in `state` and does not fit another
    optimizer. After `init` without one, that is `default_optimizer(300)`.

    Args:
        state: the state that `init` or the previous step returned.
        batch: the second argument of the loss.
        loss: a function of parameters and batch.
        optimizer: the optimizer that was passed to `init`.
        project: maps parameters to the nearest ones that satisfy a constraint.

    Shapes:
        -> a `State`, ().

    Returns:
        The next state and the loss before the step. If the loss or the new parameters are not finite,
        the state is unchanged.

    Example:
        >>> start = init(jax.random.key(0), jnp.array(3.0), optax.sgd(0.5))
        >>> square = lambda x, _: x**2
        >>> state, value = step(start, None, loss=square, optimizer=optax.sgd(0.5))
        >>> float(state.parameters), float(value)
        (0.0, 9.0)
    """
    value, gradient = jax.value_and_grad(loss)(state.parameters, batch)
    updates, optimizer_state = optimizer.update(gradient, state.optimizer, state.parameters)
    parameters = project(optax.apply_updates(state.parameters, updates))
    stepped = replace(state, parameters=parameters, optimizer=optimizer_state, step=state.step + 1)

    leaves = [value, *jax.tree.leaves(parameters)]
    finite = jnp.stack([jnp.isfinite(leaf).all() for leaf in leaves]).all()
    value = jnp.where(finite | ~jnp.isfinite(value), value, jnp.nan)
    return jax.tree.map(partial(jnp.where, finite), stepped, state), value
