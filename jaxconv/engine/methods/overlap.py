"""Overlap: the FFT in blocks along the first axis, each as long as fits a cache (overlap-save).

A block of the output needs the block of the signal under it and, beyond, as many samples as the kernel
is long. Blocks are gathered, transformed together in groups, multiplied and transformed back. A long
signal costs the same per sample however long it is, takes little memory, and an error spreads no farther
than its block. Wins for long signals with kernels beyond some 500 taps and for large images; loses where
a block would be all of the signal.
"""

import math
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import HANDOFF, Constants, Cost, transform_seconds
from jaxconv.engine.methods import fft
from jaxconv.engine.methods.blocks import Blocks, blocks
from jaxconv.engine.methods.method import Method
from jaxconv.engine.methods.rows import by_bands
from jaxconv.engine.problem import Problem

SHORTEST = {1: 2048, 2: 128, 3: 32}  # block along the first axis, by rank
MOVES = {1: 4, 2: 8, 3: 16}  # of each element through memory, by rank: larger blocks leave the cache
GROUP_BYTES = {1: 20e6, 2: 8e6, 3: 8e6}  # blocks that a CPU transforms together, by rank
ON_ACCELERATORS = 32e6


def supports(problem: Problem) -> str:
    """What `fft` supports, where more than one block comes about."""
    refusal = fft.supports(problem)
    if problem.rank > 3:
        refusal = f"{problem.rank} spatial axes, and blocks are of 1 to 3"
    if not refusal and _blocks(problem).count < 2:
        refusal = "one block would hold all of it"
    return refusal


def cost(problem: Problem, c: Constants) -> Cost:
    """As `fft`, on all blocks, which are gathered and laid side by side."""
    p, cuts = problem, _blocks(problem)
    n, count = math.prod(cuts.size), cuts.count
    pieces = count * p.batch * p.groups * (p.inputs + p.outputs)
    kernels = p.groups * p.inputs * p.outputs
    width, moves = 2 if p.is_complex else 1, MOVES[p.rank]
    seconds = c.fft_call + transform_seconds(c, width * (pieces + kernels), cuts.size)
    seconds += fft.product_seconds(p, c, n * count)
    seconds += moves * p.accumulator.itemsize * pieces * n / c.memory_rate
    seconds += HANDOFF * (p.platform == "cpu")  # blocks are cut and joined in loops of their own
    held = 2 * n * (pieces * _group(p) // count + kernels)
    return Cost(seconds, p.accumulator.itemsize * held, f"blocks of {cuts.size[0]:,}")


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Transform the kernel, as long as a block."""
    forward, _ = fft.transforms(problem, _blocks(problem).size)
    return fft.response(forward, fft.dilate_kernel(problem, kernel))


def run(problem: Problem, signal: jax.Array, response: jax.Array) -> jax.Array:
    """Convolve groups of blocks, one after another, each written to its place; cut the outputs out."""
    cuts, per = _blocks(problem), _group(problem)
    rows = per * cuts.step
    forward, inverse = fft.transforms(problem, cuts.size)

    def convolve(p: Problem, signal: jax.Array) -> jax.Array:
        staged = p.stage(signal.astype(p.accumulator), (rows + p.reach[0] - 1, *cuts.size[1:]))
        pieces = cuts.gather(staged, 0, per, axis=0)
        out = inverse(jax.vmap(partial(fft.product, p, response=response))(forward(pieces)))
        cut = lax.slice(out, [0] * out.ndim, [*out.shape[:4], cuts.step, *p.dense[1:]])
        return jnp.moveaxis(cut, 0, 3).reshape(*p.output[:3], rows, *p.dense[1:])

    if per == cuts.count:
        return problem.cut(convolve(problem, signal))
    dense = replace(problem, strides=(1,) * problem.rank)
    return problem.cut(by_bands(dense, signal, rows, convolve, [response]))


def _blocks(problem: Problem) -> Blocks:
    """Return blocks of the power of two above four kernels along the first axis."""
    reach = problem.reach[0]
    first = max(1 << (4 * reach).bit_length(), SHORTEST[problem.rank])
    return blocks(problem, first, narrower=reach, total=problem.dense[0])


def _group(problem: Problem) -> int:
    """Return how many blocks are transformed at a time: groups of one size."""
    p, cuts = problem, _blocks(problem)
    count, features = cuts.count, p.batch * p.groups * (p.inputs + p.outputs)
    held = 2 * p.accumulator.itemsize * math.prod(cuts.size) * features
    together = GROUP_BYTES[p.rank] if p.platform == "cpu" else ON_ACCELERATORS
    groups = math.ceil(count * held / together)
    return -(-count // min(groups, count))


METHOD = Method(supports, cost, run, prepare_kernel=prepare_kernel)
