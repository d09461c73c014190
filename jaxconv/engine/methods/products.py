"""Products: one matrix product over the features for few places, or for the only tap.

Where the places are few, as in a kernel's gradient, what lies under the kernel at each is copied into a
row of a matrix, which is multiplied with the kernel: on a CPU, where that is large, for as much of the
kernel at a time as its caches hold; else place by place. A kernel of one tap is one product at all
places. Wins where features meet and the taps or the places are few.
"""

import itertools
import math

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import Constants, Cost
from jaxconv.engine.methods.method import Method
from jaxconv.engine.pieces import sum_by_pieces
from jaxconv.engine.problem import Problem

MOST_PLACES = 64  # unrolled
PIECE_BYTES = 4_000_000  # of the matrix that is made on a CPU at a time


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
    calls = 1 if p.taps == 1 else places * _pieces(p)
    read = places * p.outputs * under * (p.taps > 1 and _pieces(p) == 1)
    copied, size = places * p.batch * under, p.accumulator.itemsize
    seconds = c.product_call * calls + size * (3 * copied + read) / c.product_memory_rate
    held = size * p.batch * p.groups * p.inputs * math.prod(p.padded)
    return Cost(seconds + 2 * p.products / c.product_rate, held + size * copied // _pieces(p))


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Take the taps in the type of the sums."""
    return kernel.astype(problem.accumulator)


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Multiply at all places at once, or place by place."""
    p = problem
    signal = p.stage(signal.astype(p.accumulator))
    if p.taps == 1:
        taps = kernel.reshape(kernel.shape[:3])
        return jnp.einsum("ngi...,goi->ngo...", p.cut(signal), taps, precision=p.precision)
    if _pieces(p) > 1:
        rows = p.groups, p.batch * math.prod(p.places), p.outputs
        result = jax.ShapeDtypeStruct(rows, p.accumulator)
        sums = sum_by_pieces(p.staged, signal, kernel, result, _most(p), _add)
        sums = sums.reshape(p.groups, p.batch, *p.places, p.outputs)
        return jnp.moveaxis(sums, (1, -1), (0, 2))
    kernel = kernel.reshape(*kernel.shape[:3], p.taps)
    sums = [
        jnp.einsum("ngit,goit->ngo", under, kernel, precision=p.precision)
        for under in _unders(p, signal)
    ]
    return jnp.stack(sums, -1).reshape(p.output)


def _add(problem: Problem, signal: jax.Array, kernel: jax.Array, total: jax.Array) -> jax.Array:
    """Return the products with a piece of a kernel at all places at once, added to a total."""
    p = problem
    signal = signal if p.groups == 1 else jnp.moveaxis(signal, 1, 0)
    under = jnp.stack(_unders(p, signal), 2)
    matrix = under.reshape(p.groups, p.batch * math.prod(p.places), p.inputs * p.taps)
    rows = kernel.reshape(p.groups, p.outputs, p.inputs * p.taps)
    if p.groups == 1:  # with an axis for it XLA transposes the rows
        sums = jnp.einsum("mk,ok->mo", matrix[0], rows[0], precision=p.precision)[None]
    else:
        sums = jnp.einsum("gmk,gok->gmo", matrix, rows, precision=p.precision)
    return total + sums


def _unders(problem: Problem, signal: jax.Array) -> list[jax.Array]:
    """Return what lies under the kernel at each place, its taps in a row."""
    p, lead = problem, signal.shape[:3]

    def under(place: tuple[int, ...]) -> jax.Array:
        start = [s * stride for s, stride in zip(place, p.strides, strict=True)]
        stop = [s + m for s, m in zip(start, p.reach, strict=True)]
        steps = [1, 1, 1, *p.kernel_dilation]
        return lax.slice(signal, [0, 0, 0, *start], [*lead, *stop], steps).reshape(*lead, p.taps)

    return [under(place) for place in itertools.product(*map(range, p.places))]


def _most(problem: Problem) -> int:
    """Return how many terms a piece has at most; at one place nothing need be copied."""
    p, places = problem, math.prod(problem.places)
    row = p.accumulator.itemsize * p.batch * p.groups * places
    return p.inputs * p.taps if places == 1 else max(1, PIECE_BYTES // row)


def _pieces(problem: Problem) -> int:
    """Return into how many pieces a kernel is cut."""
    is_cut = problem.platform == "cpu" and problem.taps > 1
    return math.ceil(problem.inputs * problem.taps / _most(problem)) if is_cut else 1


METHOD = Method(supports, cost, run, prepare_kernel=prepare_kernel, is_local=True)
