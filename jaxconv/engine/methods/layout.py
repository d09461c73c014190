"""Layout: groups merged into features, and features last, as networks have them."""

import math

import jax
import jax.numpy as jnp

from jaxconv.engine.problem import Problem

VECTOR = 16  # output features that are computed at once


def merged(problem: Problem, signal: jax.Array, kernel: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return signal and kernel with groups merged into features: N, C, space; and O, I, window."""
    p = problem
    signal = signal.reshape(p.batch, p.groups * p.inputs, *p.space)
    return signal, kernel.reshape(p.groups * p.outputs, p.inputs, *p.window)


def features_last(signal: jax.Array, kernel: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Bring N, C, space and O, I, window to N, space, C and window, I, O."""
    return jnp.moveaxis(signal, 1, -1), jnp.moveaxis(kernel, (0, 1), (-1, -2))


def moved_bytes(problem: Problem) -> int:
    """Return how many bytes of operands and result are moved where features are to be the last axis."""
    p = problem
    if p.channels_last or max(p.groups * p.inputs, p.groups * p.outputs) == 1:
        return 0
    elements = p.batch * p.groups * p.inputs * math.prod(p.space) + math.prod(p.output)
    return p.accumulator.itemsize * (elements + p.groups * p.outputs * p.inputs * p.taps)


def is_gradient(problem: Problem) -> bool:
    """Whether there are more taps than places, as in a kernel's gradient."""
    return problem.taps > math.prod(problem.places)


def is_product(problem: Problem) -> bool:
    """Whether there is one tap or one place, so that all is one matrix product over the features."""
    return 1 in (problem.taps, math.prod(problem.places))


def filled(problem: Problem, outputs: float, rows: float) -> float:
    """Return the share of its rate that a long sum has: half at so many outputs, or rows of places."""
    own = problem.batch * math.prod(problem.places)
    return problem.outputs / (problem.outputs + outputs) * own / (own + rows)


def lanes(problem: Problem, size: int = VECTOR) -> float:
    """Return the share of vectors of a size that the output features fill."""
    return problem.outputs / (size * math.ceil(problem.outputs / size))


def vector_work(problem: Problem) -> tuple[int, int]:
    """Return how many vectors of output features a place has over the batch; of as many, the fullest."""
    p = problem
    return p.batch * math.ceil(p.outputs / VECTOR), -p.outputs
