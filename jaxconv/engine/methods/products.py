"""Products: one matrix product over the features for few places, or for the only tap.

Where the places are few, as in a kernel's gradient, what lies under the kernel at each is copied into a
row of a matrix, which is multiplied with the kernel: on a CPU for as much of the kernel at a time as its
caches hold; else place by place. There both operands are copied where that is less: the signal for P
places along other axes, the kernel for Q along the last one, P + Q copies in place of P Q. A kernel of
one tap is one product at all places. Wins where features meet and the taps or the places are few.
"""

import itertools
import math
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import Constants, Cost
from jaxconv.engine.methods.method import Method
from jaxconv.engine.pieces import sum_by_pieces
from jaxconv.engine.problem import Problem, pad_space

MOST_PLACES = 64  # unrolled
NARROW = 12  # output features with which a product has half its speed
PIECE_BYTES = 6_000_000  # of both matrices that are multiplied at a time
FEWER = 1.25  # times as many copies of the signal alone as of both, from which both are copied


def supports(problem: Problem) -> str:
    """One tap, or few places."""
    places = math.prod(problem.places)
    if problem.taps == 1:
        return "features last, where direct is the same product" if problem.channels_last else ""
    return f"{places:,} places, and at most {MOST_PLACES} are unrolled" if places > MOST_PLACES else ""


def cost(problem: Problem, c: Constants) -> Cost:
    """Copying what lies under the kernel, reading the kernel, and the products."""
    p, q, size = problem, _shared(problem), problem.accumulator.itemsize
    places, read = math.prod(q.places), size * p.groups * p.outputs * p.inputs * p.taps
    copied = size * q.groups * q.inputs * q.taps * _copied_rows(p)
    held = size * p.batch * p.groups * p.inputs * math.prod(p.padded)
    rate = c.product_rate
    if _copies(p):
        moved = copied / 2 + 3.5 * (held + read)  # copies stay in caches; both operands are transposed
        rate *= 1.4 * p.outputs / (p.outputs + NARROW)
    else:
        moved = 3 * (copied + (places if p.taps > 1 else 1) * read + size * math.prod(p.output))
    calls = 1 if p.taps == 1 else places * _pieces(p)
    seconds = c.product_call * calls + moved / c.product_memory_rate + 2 * q.products / rate
    seconds += c.direct_call * (p.taps > 1)  # as layouts are changed around it
    return Cost(seconds, held + copied // _pieces(p))


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
    if _copies(p):
        q = _shared(p)
        rows = q.groups, q.batch * math.prod(q.places), q.outputs
        result = jax.ShapeDtypeStruct(rows, q.accumulator)
        sums = sum_by_pieces(p.staged, signal, kernel, result, _most(p), partial(_add, q is not p))
        sums = sums.reshape(p.groups, p.batch, *p.places, p.outputs)
        return jnp.moveaxis(sums, (1, -1), (0, 2))
    row = *signal.shape[:3], p.taps
    kernel = kernel.reshape(*kernel.shape[:3], p.taps)
    sums = [
        jnp.einsum("ngit,goit->ngo", under.reshape(row), kernel, precision=p.precision)
        for under in _unders(p, signal)
    ]
    return jnp.stack(sums, -1).reshape(p.output)


def _add(
    is_shared: bool, problem: Problem, signal: jax.Array, kernel: jax.Array, total: Any
) -> jax.Array:
    """Return the products with a piece of a kernel at all places at once, added to a total, if any.

    The window keeps its axes until all is copied: XLA copies rows fast, and one line by its elements.
    """
    p = _with_kernels(problem) if is_shared else problem
    kernel = _shifted(problem, kernel) if is_shared else kernel
    signal = signal if p.groups == 1 else jnp.moveaxis(signal, 1, 0)
    under = jnp.stack(_unders(p, signal), 2)
    matrix = under.reshape(p.groups, p.batch * math.prod(p.places), p.inputs * p.taps)
    rows = kernel.reshape(p.groups, p.outputs, p.inputs * p.taps)
    if p.groups == 1:  # with an axis for it XLA transposes the rows
        sums = jnp.einsum("mk,ok->mo", matrix[0], rows[0], precision=p.precision)[None]
    else:
        sums = jnp.einsum("gmk,gok->gmo", matrix, rows, precision=p.precision)
    return sums if total is None else total + sums


def _shared(problem: Problem) -> Problem:
    """Return the problem as it is multiplied: with a kernel for each place of a line if that is less."""
    p = problem
    is_depthwise = p.groups > 1 == p.batch * p.outputs  # small products, which XLA computes slowly
    if not _copies(p) or is_depthwise or p.kernel_dilation[-1] > 1:
        return p
    places = math.prod(p.places)
    rows = p.batch * places // p.places[-1] + p.outputs * p.places[-1]
    return _with_kernels(p) if FEWER * rows < p.batch * places else p


def _copied_rows(problem: Problem) -> int:
    """Return how many rows are copied, of the signal and, if it is, of the kernel."""
    q = _shared(problem)
    return q.batch * math.prod(q.places) + (q.outputs if q is not problem else 0)


def _with_kernels(problem: Problem) -> Problem:
    """Return the problem with a kernel for each place along the last axis, where it has then one."""
    p = problem
    window = *p.window[:-1], p.window[-1] + (p.places[-1] - 1) * p.strides[-1]
    return replace(p, window=window, outputs=p.places[-1] * p.outputs)


def _shifted(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Return the kernel as it lies at each place along the last axis, one behind the other."""
    p = problem
    last, step = p.places[-1], p.strides[-1]
    reach = (last - 1) * step
    size = p.window[-1] + reach
    padded = pad_space(kernel, [(0, 0, 0)] * (p.rank - 1) + [(reach, reach, 0)])
    starts = (reach - place * step for place in range(last))
    kernels = jnp.stack([lax.slice_in_dim(padded, s, s + size, axis=-1) for s in starts], 1)
    return kernels.reshape(p.groups, last * p.outputs, *kernels.shape[3:])


def _unders(problem: Problem, signal: jax.Array) -> list[jax.Array]:
    """Return what lies under the kernel at each place."""
    p, lead = problem, signal.shape[:3]

    def under(place: tuple[int, ...]) -> jax.Array:
        start = [s * stride for s, stride in zip(place, p.strides, strict=True)]
        stop = [s + m for s, m in zip(start, p.reach, strict=True)]
        steps = [1, 1, 1, *p.kernel_dilation]
        return lax.slice(signal, [0, 0, 0, *start], [*lead, *stop], steps)

    return [under(place) for place in itertools.product(*map(range, p.places))]


def _most(problem: Problem) -> int:
    """Return how many terms a piece has at most."""
    p = _shared(problem)
    rows = p.groups * (p.batch * math.prod(p.places) + p.outputs)
    return max(1, PIECE_BYTES // (p.accumulator.itemsize * rows))


def _copies(problem: Problem) -> bool:
    """Whether what lies under the kernel is copied into one matrix; at one place it is one already."""
    return problem.platform == "cpu" and problem.taps > 1 < math.prod(problem.places)


def _pieces(problem: Problem) -> int:
    """Return into how many pieces a kernel is cut."""
    return math.ceil(problem.inputs * problem.taps / _most(problem)) if _copies(problem) else 1


def _work(problem: Problem) -> int:
    """Return how many rows of a volume are copied; in lines and images that told nothing."""
    return _copied_rows(problem) if problem.rank > 2 else 0


METHOD = Method(  # not local: the zeros beside shifted kernels meet a NaN of the same row
    supports, cost, run, prepare_kernel=prepare_kernel, work=_work
)
