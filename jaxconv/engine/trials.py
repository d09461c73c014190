"""Trials: how long each method takes for a problem, on the device at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv.engine.costs import Constants
from jaxconv.engine.how import How
from jaxconv.engine.methods import METHODS
from jaxconv.engine.planning import Plan, as_seen
from jaxconv.engine.problem import Problem
from jaxconv.engine.timing import measure

SLOWEST = 0.15  # seconds; a method that is predicted to take longer is not timed
FARTHEST = 12  # nor one that is predicted to take this many times as long as the best


@dataclass(frozen=True)
class Measured:
    """How long one method took for one problem, in seconds."""

    problem: Problem
    method: str
    seconds: float


def time_methods(problem: Problem, constants: Constants, rounds: int = 4) -> list[Measured]:
    """Time the methods that may be fast, in turn, from operands of noise as they come."""
    seen = {name: as_seen(name, problem) for name in METHODS}
    able = [name for name, method in METHODS.items() if not method.supports(seen[name])]
    predicted = {name: METHODS[name].cost(seen[name], constants).seconds for name in able}
    least = min(predicted.values())
    most = min(max(SLOWEST, least), FARTHEST * least + 1e-3)
    signal, kernel = _operands(problem)
    runs = {
        name: partial(jax.jit(partial(_whole, name, problem)), signal, kernel)
        for name, seconds in predicted.items()
        if seconds <= most
    }
    times = measure(runs, rounds=rounds, most=0.05 * rounds)
    return [Measured(problem, name, time.seconds) for name, time in times.items()]


def _operands(problem: Problem) -> list[jax.Array]:
    """Return noise, laid out as a layer's operands come, or those of its gradient."""
    p, keys = problem, jax.random.split(jax.random.key(0))
    shapes = (p.batch, p.groups, p.inputs, *p.space), (p.groups, p.outputs, p.inputs, *p.window)
    made = (_noise(key, shape, p.dtype) for key, shape in zip(keys, shapes))
    return [array.transpose(order) for array, order in zip(made, _orders(p))]


def _orders(problem: Problem) -> Sequence[Sequence[int]]:
    """Return in which order the axes of signal, kernel and result lie."""
    p, space = problem, tuple(range(3, 3 + problem.rank))
    if p.channels_last:
        return (0, *space, 1, 2), (0, 1, 2, *space), (0, *space, 1, 2)
    if p.batch_axis == 0:
        return [(0, 1, 2, *space)] * 3
    if p.batch_axis == 1:
        return (2, 1, 0, *space), (2, 0, 1, *space), (1, 2, 0, *space)
    return (2, *space, 1, 0), (2, *space, 0, 1), (*space, 0, 1, 2)


def _noise(key: jax.Array, shape: tuple[int, ...], dtype: str) -> jax.Array:
    kind = jnp.dtype(dtype).kind
    if kind in "iub":
        return jax.random.randint(key, shape, 0, 2 if kind == "b" else 10).astype(dtype)
    if kind == "c":
        return jax.random.normal(key, shape, dtype)
    return jax.random.normal(key, shape).astype(dtype)


def _whole(name: str, problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Compute a problem by a method, from the operands as they come, the result as it goes."""
    plan = Plan(problem, How(), name, (), "")
    of_signal, of_kernel, of_result = _orders(problem)
    signal = signal.transpose(np.argsort(of_signal))
    kernel = kernel.transpose(np.argsort(of_kernel))
    return plan.run(plan.prepare_signal(signal), plan.prepare_kernel(kernel)).transpose(of_result)
