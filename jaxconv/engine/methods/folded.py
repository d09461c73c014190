"""Folded: B neighbouring samples become channels, the kernel a banded matrix, the sum a matrix product.

A line of n samples is read as n / B rows of B (which moves nothing); B outputs at once are then a
product of those rows with a Toeplitz matrix of the kernel's taps. It does more multiplications than the
definition, at the speed of a matrix product. Wins in one dimension from some 50 taps, where `shifts`
tires, to some 700, where `overlap` takes over.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import HANDOFF, Constants, Cost
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem

WIDEST = 2048
AT_ONCE = 900_000  # operations, more of which a CPU hands to other threads a second time


def supports(problem: Problem) -> str:
    """One feature in and out, real floats, a kernel along the last axis alone, and of moderate width."""
    p = problem
    if p.is_exact or p.is_complex:
        return f"{p.dtype} has no fast matrix product here"
    if p.groups * p.inputs * p.outputs > 1:
        return "more than one feature"
    if not all(map(p.is_untouched, range(p.rank - 1))):
        return "a kernel, a stride or padding on more than the last axis"
    if p.strides[-1] != 1 or p.kernel_dilation[-1] != 1:
        return "a stride or a dilation along the last axis"
    few = 2 <= p.taps <= WIDEST
    return "" if few else f"{p.taps:,} taps, not 2 to {WIDEST:,}"


def cost(problem: Problem, c: Constants) -> Cost:
    """The products of the band's zeros too, and copies of the signal and of the output."""
    p, b = problem, _fold(problem)
    lines = p.batch * math.prod(p.places[:-1])
    work = 2 * lines * -(-p.places[-1] // b) * _blocks(p, b) * b * b
    held = p.accumulator.itemsize * lines * p.padded[-1]
    walked = 4 * held + 4 * p.accumulator.itemsize * math.prod(p.output)
    seconds = (
        c.folded_call
        + work / c.folded_rate
        + walked / c.memory_rate
        + _blocks(p, b) * b * b / c.band_rate
        + HANDOFF * (p.platform == "cpu" and work > AT_ONCE)
    )
    return Cost(seconds, held, f"rows of {b}")


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Build the banded matrix."""
    b = _fold(problem)
    return _band(kernel.astype(problem.accumulator).ravel(), b, _blocks(problem, b))


def run(problem: Problem, signal: jax.Array, band: jax.Array) -> jax.Array:
    """Fold the lines, convolve with channels last, unfold."""
    p, b = problem, _fold(problem)
    blocks, rows = _blocks(p, b), -(-p.places[-1] // b)
    lines, high = p.batch * math.prod(p.places[:-1]), rows + blocks - 1
    staged = p.stage(signal.astype(p.accumulator), (*p.padded[:-1], high * b))
    folded = staged.reshape(lines, high, b)
    out = lax.conv_general_dilated(
        folded,
        band,
        (1,),
        "VALID",
        dimension_numbers=("NWC", "WIO", "NWC"),
        precision=p.precision,
    )
    return out.reshape(lines, rows * b)[:, : p.places[-1]].reshape(p.output)


def _fold(problem: Problem) -> int:
    """Return B: wide bands waste less, but past a matrix product's own block gain nothing."""
    m = problem.taps
    return 32 if m <= 160 else 64 if m <= 320 else 128


def _blocks(problem: Problem, b: int) -> int:
    return -(-(b + problem.taps - 1) // b)


def _band(kernel: jax.Array, b: int, blocks: int) -> jax.Array:
    """Return the banded matrix: entry (c, i, j) is the tap at c b + i - j, or zero.

    Copies of the kernel, one behind the other with a period of one more than a column, are read in
    columns: each begins one element later in its copy.
    """
    length = blocks * b
    copy = jnp.pad(kernel, (0, length + 1 - kernel.size))
    columns = jnp.tile(copy, b)[: b * length].reshape(b, length)
    return columns.T.reshape(blocks, b, b)


METHOD = Method(  # not local: the zeros of the band meet a NaN of the same row
    supports, cost, run, prepare_kernel=prepare_kernel
)
