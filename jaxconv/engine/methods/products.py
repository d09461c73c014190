"""Products: one matrix product over the features for each place, or for the only tap.

Where the places are few, as in a kernel's gradient, each is a product of what lies under the kernel with
the kernel: many features make it a large one. A kernel of one tap is one product at all places. Wins
where many features meet and one of the two is few; loses with few features, where it reads the operands
over and over.
"""

import itertools
import math

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import Constants, Cost
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem

MOST_PLACES = 64  # unrolled


def supports(problem: Problem) -> str:
    """One tap, or few places."""
    places = math.prod(problem.places)
    if problem.taps == 1:
        return "features last, where direct is the same product" if problem.channels_last else ""
    return f"{places:,} places, and at most {MOST_PLACES} are unrolled" if places > MOST_PLACES else ""


def cost(problem: Problem, c: Constants) -> Cost:
    """Copying what lies under the kernel, reading the kernel, and the products."""
    p = problem
    under, places = p.groups * p.inputs * p.taps, math.prod(p.places)
    copied, read = places * p.batch * under, places * p.outputs * under * (p.taps > 1)
    calls, size = 1 if p.taps == 1 else places, p.accumulator.itemsize
    seconds = c.product_call * calls + size * (3 * copied + read) / c.product_memory_rate
    held = size * p.batch * p.groups * p.inputs * math.prod(p.padded)
    return Cost(seconds + 2 * p.products / c.product_rate, held + size * copied)


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Lay the taps in a row."""
    return kernel.astype(problem.accumulator).reshape(*kernel.shape[:3], problem.taps)


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Multiply at all places at once, or place by place."""
    p = problem
    signal = p.stage(signal.astype(p.accumulator))
    if p.taps == 1:
        return jnp.einsum("ngi...,goi->ngo...", p.cut(signal), kernel[..., 0], precision=p.precision)
    places = itertools.product(*map(range, p.places))
    sums = [
        jnp.einsum("ngit,goit->ngo", _under(p, signal, place), kernel, precision=p.precision)
        for place in places
    ]
    return jnp.stack(sums, -1).reshape(p.output)


def _under(problem: Problem, signal: jax.Array, place: tuple[int, ...]) -> jax.Array:
    """Return what lies under the kernel at a place, its taps in a row."""
    p = problem
    start = [s * stride for s, stride in zip(place, p.strides, strict=True)]
    stop = [s + m for s, m in zip(start, p.reach, strict=True)]
    under = lax.slice(
        signal, [0, 0, 0, *start], [*signal.shape[:3], *stop], [1, 1, 1, *p.kernel_dilation]
    )
    return under.reshape(*signal.shape[:3], p.taps)


METHOD = Method(supports, cost, run, prepare_kernel=prepare_kernel, is_local=True)
