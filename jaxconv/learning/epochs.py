"""Epochs: the steps between two reports as one `lax.scan`, stopped when patience ends."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jax.core import Tracer

from jaxconv.learning.batches import Batches
from jaxconv.learning.state import Loss, Parameters, State, step


@dataclass(frozen=True)
class Rules:
    """What is fixed during a fit; hashable, so that equal fits share a compiled program."""

    loss: Loss
    optimizer: optax.GradientTransformation
    project: Callable[[Parameters], Parameters]
    watch: Callable[[Parameters], Any]
    patience: int | None


@partial(jax.jit, static_argnums=0)
def watch(rules: Rules, parameters: Parameters) -> Any:
    """Return what is watched of the parameters."""
    return rules.watch(parameters)


@partial(jax.jit, static_argnums=(0, 1))
def run_epoch(
    rules: Rules, length: int, state: State, source: Batches, stacked: Any
) -> tuple[State, jax.Array, Any]:
    """Take the steps of one epoch, or none if patience has ended; return state, losses, watched.

    `stacked` holds the batches of an iterator, one per step; without them they come from `source`.
    """

    def take_step(state: State, planned: Any) -> tuple[State, jax.Array]:
        batch = source.take(planned)
        return step(state, batch, loss=rules.loss, optimizer=rules.optimizer, project=rules.project)

    def run(state: State) -> tuple[State, jax.Array]:
        planned = source.plan(jax.random.fold_in(state.key, state.step), length)
        state, losses = lax.scan(take_step, state, planned if stacked is None else stacked)
        return _keep_best(state, losses.mean().astype(state.best_loss.dtype)), losses

    if rules.patience is None:
        state, losses = run(state)
    else:
        shape = jax.eval_shape(run, state)[1]
        idle = lambda state: (state, jnp.full(shape.shape, jnp.nan, shape.dtype))  # noqa: E731
        state, losses = lax.cond(state.stale < rules.patience, run, idle, state)
    return state, losses, rules.watch(state.parameters)


def _keep_best(state: State, loss: jax.Array) -> State:
    """Keep the parameters if the epoch's mean loss is the lowest so far; else count the epoch."""
    better = loss < state.best_loss
    return replace(
        state,
        best=jax.tree.map(partial(jnp.where, better), state.parameters, state.best),
        best_loss=jnp.where(better, loss, state.best_loss),
        stale=jnp.where(better, 0, state.stale + 1),
    )


def run_epochs(
    rules: Rules, lengths: list[int], state: State, source: Batches
) -> tuple[State, jax.Array, Any]:
    """Run all epochs in one program: those of equal length are a scan of scans."""

    def run(state: State, _: None) -> tuple[State, tuple[jax.Array, Any]]:
        state, losses, watched = run_epoch(rules, lengths[0], state, source, None)
        return state, (losses, watched)

    equal = lengths.count(lengths[0])
    state, (losses, watched) = lax.scan(run, state, length=equal)
    parts = [(losses.ravel(), watched)]
    for length in lengths[equal:]:
        state, losses, watched = run_epoch(rules, length, state, source, None)
        parts.append((losses, jax.tree.map(lambda a: a[None], watched)))
    losses, watched = jax.tree.map(lambda *each: jnp.concatenate(each), *parts)
    return state, losses, watched


def is_traced(rules: Rules, length: int, *operands: Any) -> bool:
    """Return whether an epoch depends on a value under `jit` or `vmap`, directly or by a closure."""
    program = jax.make_jaxpr(partial(run_epoch, rules, length))(*operands)
    return any(isinstance(leaf, Tracer) for leaf in [*jax.tree.leaves(operands), *program.consts])
