"""Overlap: the FFT in blocks along the first axis, each as long as fits a cache (overlap-save).

A block of the output needs the block of the signal under it and, beyond, as many samples as the kernel
is long. Blocks are gathered, transformed together in groups, multiplied and transformed back. A long
signal costs the same per sample however long it is, takes little memory, and an error spreads no farther
than its block. Wins for long signals with kernels beyond some 500 taps and for large images; loses where
a block would be all of the signal.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.bands import by_parts
from jaxconv.engine.costs import Constants, Cost, transform_seconds
from jaxconv.engine.methods import fft
from jaxconv.engine.methods.blocks import Blocks, blocks
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem

SHORTEST = {1: 2048, 2: 128, 3: 32}  # block along the first axis, by rank
MOVES = {1: 4, 2: 6, 3: 16}  # of each element through memory, by rank: larger blocks leave the cache
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
    size = p.accumulator.itemsize
    padded = size * p.batch * p.groups * p.inputs * math.prod(p.padded)
    held = 2 * size * n * (pieces // -(-count // _group(p)) + kernels)
    return Cost(seconds, padded + held, f"blocks of {cuts.size[0]:,}")


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Transform the kernel, as long as a block."""
    forward, _ = fft.transforms(problem, _blocks(problem).size)
    return fft.response(forward, fft.dilate_kernel(problem, kernel))


def run(problem: Problem, signal: jax.Array, response: jax.Array) -> jax.Array:
    """Convolve groups of blocks, one after another, each written to its place; cut the outputs out."""
    p, cuts, per = problem, _blocks(problem), _group(problem)
    groups, rows = -(-cuts.count // per), per * cuts.step
    forward, inverse = fft.transforms(p, cuts.size)
    places = max(p.dense[0], rows)
    staged = p.stage(signal.astype(p.accumulator), (places + p.reach[0] - 1, *cuts.size[1:]))

    def convolve(start: jax.Array | int) -> jax.Array:
        pieces = cuts.gather(staged, start, per, axis=0)
        out = inverse(jax.vmap(partial(fft.product, p, response=response))(forward(pieces)))
        cut = lax.slice(out, [0] * out.ndim, [*out.shape[:4], cuts.step, *p.dense[1:]])
        return jnp.moveaxis(cut, 0, 3).reshape(*p.output[:3], rows, *p.dense[1:])

    if groups == 1:
        return p.cut(convolve(0))
    whole = jax.ShapeDtypeStruct((*p.output[:3], *p.dense), staged.dtype)
    return p.cut(by_parts(convolve, rows, whole, 3, (staged, response)))


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
