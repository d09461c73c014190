"""Shifts: the definition turned inside out. One slice of the signal per tap, times the tap, summed.

XLA fuses the whole sum into one loop that reads the signal from cache, so a small kernel runs at
memory speed. Past about 250 terms its compiler for CPUs stops vectorizing that loop, so there longer
sums are added piece by piece. Wins up to some hundred taps of one channel, and where few features meet.
The terms are summed as a balanced tree, which is faster than a chain and more accurate. Where many rows
that are read at once would share a place in a CPU's first cache, the signal is padded to longer ones.
"""

import itertools
import math
from collections import Counter
from dataclasses import replace
from functools import lru_cache

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import HANDOFF, Constants, Cost
from jaxconv.engine.fencing import LEAST as FENCED
from jaxconv.engine.fencing import fenced
from jaxconv.engine.methods import direct
from jaxconv.engine.methods.layout import is_gradient
from jaxconv.engine.methods.method import Method
from jaxconv.engine.pieces import piece_of, sum_by_pieces
from jaxconv.engine.problem import Problem, Shape
from jaxconv.engine.summing import sum_over_taps

LEAST_TAPS = 5  # from which an odd line is computed in two
MOST_TERMS = 1024  # unrolled on accelerators; more would compile for seconds
PIECE = 240  # terms that are summed in one loop on a CPU; half as many complex ones
LANES = 16  # places that a vector holds
ROW = 8  # of them in a row, with fewer of which several features are summed in one vector, half empty
LINE = 64  # bytes of a line of a CPU's first cache
PLACES = 64  # of its lines, as their addresses tell
WAYS = 8  # lines that one place has room for
CALLS = 3  # for each piece: what it sees is copied, the kernel too, and a branch taken
AT_ONCE = 50_000  # products, more of which a CPU's caller hands to other threads
LITTLE_CALL = 3e-7  # seconds, of a piece of few sums, as a kernel's gradient has: no branch is taken


def supports(problem: Problem) -> str:
    """It unrolls on accelerators, but where `direct` cannot either, it counts through the taps there."""
    if not _is_unrolled(problem) and not direct.supports(problem):
        return f"{_terms(problem):,} terms, and at most {MOST_TERMS:,} are unrolled"
    return ""


def cost(problem: Problem, c: Constants) -> Cost:
    """The products at the rate of a fused loop, and no less than the memory it walks."""
    p, pieces, seen = problem, 1, 0
    if p.platform == "cpu":
        pieces, seen = _pieces(p)
    is_little = pieces > 1 and math.prod(p.output) < FENCED
    size, width = p.accumulator.itemsize, 2 if p.is_complex else 1  # real numbers; products are four
    held = size * p.batch * p.groups * p.inputs * math.prod(p.padded)
    padding = held * (_size(p) != p.space)
    copied = size * p.batch * p.groups * seen * pieces * (pieces > 1)
    walked = held + size * (2 * pieces - 1) * math.prod(p.output)
    products = 2 * width**2 * p.products
    calls = c.shifts_call * CALLS * pieces
    if pieces == 1 or is_little:
        calls = c.shifts_call + LITTLE_CALL * (pieces - 1)
        calls += HANDOFF * (p.platform == "cpu" and p.products > AT_ONCE)
    seconds = calls + max(walked / c.memory_rate, products / _rate(p, c))
    seconds += _terms(p) / pieces * c.shifts_term + 2 * (padding + copied) / c.memory_rate
    return Cost(seconds, padding + copied // pieces)


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Take the taps in the type of the sums."""
    return kernel.astype(problem.accumulator)


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Sum the shifted slices."""
    padded = problem.stage(signal.astype(problem.accumulator), _size(problem))
    if problem.platform == "cpu":
        result = jax.ShapeDtypeStruct(problem.output, problem.accumulator)
        return sum_by_pieces(problem.staged, padded, kernel, result, _most(problem), _add)
    if not _is_unrolled(problem):
        return _one_by_one(problem, padded, kernel)
    return sum_over_taps(problem, padded, kernel, problem.rank)


def _rate(problem: Problem, c: Constants) -> float:
    """Return how many operations a fused loop makes a second, of short rows fewer."""
    p, width = problem, 2 if problem.is_complex else 1
    deep = p.platform != "cpu" and width * _terms(p) * p.rank > c.shifts_cliff
    if deep or max(p.strides, default=1) > 1:
        return c.shifts_slow_rate * width
    is_plain = p.inputs * p.outputs == 1
    rate = c.shifts_rate if is_plain else c.shifts_features_rate
    row = p.places[-1] if p.rank else ROW
    is_short = p.platform == "cpu" and is_gradient(p)
    if row < ROW and (is_short or not is_plain):
        lanes = 0.6 * LANES if is_plain else LANES * (1 + (is_short and row == 1))  # as it was timed
        return rate * row / lanes
    return rate * row / (row + 2 * LANES) if is_short else rate


def _terms(problem: Problem) -> int:
    return problem.taps * problem.inputs


def _most(problem: Problem) -> int:
    return PIECE // 2 if problem.is_complex else PIECE


def _pieces(problem: Problem) -> tuple[int, int]:
    """Return how many pieces the sum is cut into, and how many samples of each signal one sees."""
    p = problem
    inputs, *window = piece_of((p.inputs, *p.window), _most(p))
    pieces = math.prod(-(-n // m) for n, m in zip((p.inputs, *p.window), (inputs, *window)))
    reach = ((m - 1) * d for m, d in zip(window, p.kernel_dilation))
    return pieces, inputs * math.prod(n + m for n, m in zip(p.dense, reach))


def _is_unrolled(problem: Problem) -> bool:
    return problem.platform == "cpu" or _terms(problem) <= MOST_TERMS


@lru_cache(maxsize=1024)
def _size(problem: Problem) -> Shape:
    """Return the spatial size in which the signal is staged.

    Rows that are read at once and lie a multiple of 4096 bytes apart are kept at one place of a CPU's
    first cache, which has room for a few. More of them are made longer: free where the signal is padded
    anyway.
    """
    p = problem
    if p.platform != "cpu" or not p.rank:
        return p.padded
    rows = itertools.product(range(p.inputs), *map(range, p.window[:-1]))
    at_once = list(itertools.islice(rows, max(1, _most(p) // p.window[-1])))
    few = WAYS if p.padded != p.space else 2 * WAYS  # where a copy pays off
    if len(at_once) <= few:
        return p.padded

    def crowd(size: Shape) -> int:
        """Return how many rows lie at one place of the cache, at most."""
        steps = [math.prod(size[axis:]) * p.accumulator.itemsize for axis in range(p.rank)]
        apart = [step * d for step, d in zip(steps, (1, *p.kernel_dilation))]
        places = (sum(map(math.prod, zip(row, apart))) // LINE % PLACES for row in at_once)
        return max(Counter(places).values())

    longer = [(n, n + 1) for n in p.padded[:-1]]
    longer.append((p.padded[-1], p.padded[-1] + LINE // p.accumulator.itemsize))
    sizes = itertools.product(*longer)
    return min(sizes, key=lambda size: (max(crowd(size), few), math.prod(size)))


def _add(problem: Problem, signal: jax.Array, kernel: jax.Array, total: jax.Array | None) -> jax.Array:
    """Add what one fused loop sums to a total, if there is one."""
    summed = _but_the_last if _is_odd_line(problem) else sum_over_taps

    def add() -> jax.Array:
        part = summed(problem, signal, kernel, problem.rank)
        return part if total is None else total + part

    return fenced(add, signal, kernel)


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
