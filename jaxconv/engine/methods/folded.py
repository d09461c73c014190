"""Folded: B neighbouring samples become channels, the kernel a banded matrix, the sum a matrix product.

A line of n samples is read as n / B rows of B (which moves nothing); B outputs at once are then a
product of those rows with a Toeplitz matrix of the kernel's taps. It does more multiplications than the
definition, at the speed of a matrix product. Wins in one dimension from some 50 taps, where `shifts`
tires, to some 700, where `overlap` takes over.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv.engine.costs import Cost, constants
from jaxconv.engine.problem import Problem

LOCAL = False  # the zeros of the band meet a NaN of the same row
WIDEST = 2048


def supports(problem: Problem) -> str:
    """One feature in and out, real floats, no steps along the last axis, a kernel of moderate width."""
    p = problem
    if p.is_exact or p.is_complex:
        return f"{p.dtype} has no fast matrix product here"
    if p.groups * p.inputs * p.outputs > 1:
        return "more than one feature"
    if p.strides[-1] != 1 or p.kernel_dilation[-1] != 1:
        return "a stride or a dilation along the last axis"
    if not 2 <= p.window[-1] <= WIDEST:
        return f"{p.window[-1]:,} taps along the last axis, not 2 to {WIDEST:,}"
    return "" if p.rank <= 2 else f"{p.rank} spatial axes"


def cost(problem: Problem) -> Cost:
    """The products of the band's zeros too, and a copy of the signal and of the output."""
    c = constants(problem.platform)
    p, b = problem, _fold(problem)
    rows = math.prod(p.places[:-1]) * p.batch * -(-p.places[-1] // b)
    work = 2 * rows * _blocks(p, b) * b * b * math.prod(p.window[:-1])
    size = p.accumulator.itemsize
    held = size * p.batch * math.prod(p.padded)
    walked = 2 * held + 2 * size * math.prod(p.output)
    return Cost(c.folded_call + work / c.folded_rate + walked / c.memory_rate, held, f"fold {b}")


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Fold, convolve with channels last, unfold."""
    p, b = problem, _fold(problem)
    blocks = _blocks(p, b)
    rows = -(-p.places[-1] // b)
    width = (rows + blocks - 1) * b
    lead = p.padded[:-1]
    padding = [*p.padding[:-1], (p.padding[-1][0], width - p.dilated[-1] - p.padding[-1][0])]
    wide = p.with_padding(padding).pad(signal.astype(p.accumulator))
    folded = wide.reshape(p.batch, *lead, rows + blocks - 1, b)
    axes = "HW"[2 - p.rank :]
    out = lax.conv_general_dilated(
        folded,
        _band(kernel.astype(p.accumulator).reshape(p.window), b, blocks),
        (*p.strides[:-1], 1),
        "VALID",
        rhs_dilation=(*p.kernel_dilation[:-1], 1),
        dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C"),
        precision=p.precision,  # pyright: ignore[reportArgumentType]
    )
    flat = out.reshape(p.batch, 1, 1, *p.places[:-1], rows * b)
    return flat[..., : p.places[-1]]


def _fold(problem: Problem) -> int:
    """Return B: wide bands waste less, but past a matrix product's own block gain nothing."""
    m = problem.window[-1]
    if problem.rank > 1:
        return 16
    return 32 if m <= 160 else 64 if m <= 320 else 128


def _blocks(problem: Problem, b: int) -> int:
    return -(-(b + problem.window[-1] - 1) // b)


def _band(kernel: jax.Array, b: int, blocks: int) -> jax.Array:
    """Return the banded matrix: entry (..., c, i, j) is the tap at c b + i - j, or zero."""
    m = kernel.shape[-1]
    tap = np.arange(blocks * b)[:, None] - np.arange(b)
    padded = jnp.pad(kernel, [(0, 0)] * (kernel.ndim - 1) + [(0, 1)])  # one zero to point at
    band = padded[..., np.where((tap >= 0) & (tap < m), tap, m)]
    return band.reshape(*kernel.shape[:-1], blocks, b, b)
