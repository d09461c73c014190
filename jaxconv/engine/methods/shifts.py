"""Shifts: the definition turned inside out. One slice of the signal per tap, times the tap, summed.

XLA fuses the whole sum into one loop that reads the signal from cache, so a small kernel runs at
memory speed. Wins up to about 250 taps of one channel; past that the compiler stops vectorizing the
loop. The terms are summed as a balanced tree, which is faster than a chain and more accurate.
"""

import math
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import Constants, Cost
from jaxconv.engine.fencing import fenced
from jaxconv.engine.methods import direct
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem
from jaxconv.engine.summing import sum_over_taps

LEAST_TAPS = 5  # from which an odd line is computed in two
MOST_TERMS = 1024  # unrolled; more would compile for seconds


def supports(problem: Problem) -> str:
    """It unrolls, so the taps must be few; but where `direct` cannot either, it counts through them."""
    if not _is_unrolled(problem) and not direct.supports(problem):
        return f"{_terms(problem):,} terms, and at most {MOST_TERMS:,} are unrolled"
    return ""


def cost(problem: Problem, c: Constants) -> Cost:
    """The products at the rate of a fused loop, and no less than the memory it walks."""
    terms = _terms(problem)
    rate = c.shifts_features_rate if problem.inputs * problem.outputs > 1 else c.shifts_rate
    width = 2 if problem.is_complex else 1  # real numbers in each; their products are four
    deep = width * terms * (1 if problem.platform == "cpu" else problem.rank)
    if deep > c.shifts_cliff or max(problem.strides, default=1) > 1:
        rate = c.shifts_slow_rate * width
    size = problem.accumulator.itemsize
    held = size * problem.batch * problem.groups * problem.inputs * math.prod(problem.padded)
    walked = held + size * math.prod(problem.output)
    padding = any(lo or hi for lo, hi in problem.padding)
    seconds = (
        max(walked / c.memory_rate, 2 * width**2 * problem.products / rate)
        + c.shifts_call
        + terms * c.shifts_term
    )
    return Cost(seconds + padding * 2 * held / c.memory_rate, padding * held)


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Take the taps in the type of the sums."""
    return kernel.astype(problem.accumulator)


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Sum the shifted slices."""
    padded = problem.stage(signal.astype(problem.accumulator))
    if not _is_unrolled(problem):
        return _one_by_one(problem, padded, kernel)
    if problem.platform != "cpu":
        return sum_over_taps(problem, padded, kernel, problem.rank)
    summed = _but_the_last if _is_odd_line(problem) else sum_over_taps
    return fenced(partial(summed, problem, padded, kernel, problem.rank), signal, kernel)


def _terms(problem: Problem) -> int:
    return problem.taps * problem.inputs


def _is_unrolled(problem: Problem) -> bool:
    return _terms(problem) <= MOST_TERMS


def _one_by_one(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Add the slices in a loop over the taps, all input features at once."""
    p = problem
    taps = jnp.moveaxis(kernel.reshape(*kernel.shape[:3], p.taps), 3, 0)
    size = (*signal.shape[:3], *p.dense)

    def add(total: jax.Array, indexed: tuple[jax.Array, jax.Array]):
        tap, weights = indexed
        shift = jnp.unravel_index(tap, p.window)
        start = [0, 0, 0, *(s * d for s, d in zip(shift, p.kernel_dilation, strict=True))]
        piece = lax.slice(
            lax.dynamic_slice(signal, start, size), [0] * len(size), size, [1, 1, 1, *p.strides]
        )
        return total + jnp.einsum("ngi...,goi->ngo...", piece, weights), None

    nothing = jnp.zeros(p.output, p.accumulator)
    return lax.scan(add, nothing, (jnp.arange(p.taps), taps))[0]


def _is_odd_line(problem: Problem) -> bool:
    """Whether XLA computes it without vectors on a CPU: one line of an odd number of outputs.

    So it is for any number of taps, but with a few the memory is what takes the time.
    """
    p = problem
    is_line = p.rank > 0 and math.prod(p.output) == p.places[-1] == p.dense[-1]
    return is_line and p.places[-1] % 2 == 1 and 1 < p.places[-1] and p.taps >= LEAST_TAPS


def _but_the_last(problem: Problem, signal: jax.Array, kernel: jax.Array, rank: int) -> jax.Array:
    """Sum an even number of outputs, and the last one by itself."""
    before = problem.places[-1] - 1
    plain = problem.staged
    parts = []
    for start, count in ((0, before), (before, 1)):
        part = replace(plain, space=(*plain.space[:-1], count + plain.reach[-1] - 1))
        parts.append(sum_over_taps(part, signal[..., start:], kernel, rank))
    return jnp.concatenate(parts, -1)


METHOD = Method(supports, cost, run, prepare_kernel=prepare_kernel, is_local=True)
