"""Overlap: the FFT in blocks that fit the cache (overlap-save).

Each block of the output needs the block of the signal under it and, beyond, as many samples as the
kernel is long. Blocks are gathered, transformed together, multiplied and transformed back. A long signal
costs the same per sample however long it is, and an error spreads no farther than its block. Wins for
long signals and large images with kernels beyond a few hundred taps; loses where a block would be all of
the signal.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from scipy.fft import next_fast_len

from jaxconv.engine.costs import Cost, constants, transform_seconds
from jaxconv.engine.methods import fft
from jaxconv.engine.problem import Problem, Shape

LOCAL = False
BLOCK = {1: 16384, 2: 512, 3: 64}  # longest block on each axis that still fits a cache, by rank
GROUP_BYTES = 64_000_000  # blocks are transformed in groups of about so much memory


def supports(problem: Problem) -> str:
    """What `fft` supports, where more than one block comes about."""
    refusal = fft.supports(problem)
    if not refusal and math.prod(_counts(problem)) < 2:
        refusal = "one block would hold all of it"
    return refusal


def cost(problem: Problem) -> Cost:
    """As `fft`, on all blocks."""
    c = constants(problem.platform)
    p, size, count = problem, _block(problem), math.prod(_counts(problem))
    blocks = count * p.batch * p.groups * (p.inputs + p.outputs)
    kernels = p.groups * p.inputs * p.outputs
    n, width = math.prod(size), 2 if p.is_complex else 1
    products = 4 * n * count * p.batch * p.groups * p.inputs * p.outputs
    seconds = c.fft_call + transform_seconds(c, width * (blocks + kernels), n)
    seconds += (
        width * products / c.fft_product_rate + 4 * p.accumulator.itemsize * blocks * n / c.memory_rate
    )
    held = p.accumulator.itemsize * n * (2 * min(blocks, _group(p) * blocks // count) + 2 * kernels)
    return Cost(seconds, held + _copied(p), f"blocks {'x'.join(map(str, size))}")


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Pad to whole blocks, convolve them in groups, lay them side by side, cut the outputs out."""
    p, size, counts = problem, _block(problem), _counts(problem)
    steps = _steps(p)
    forward, inverse = fft.transforms(p, size)
    dilated = fft.dilate_kernel(p, kernel)
    response = jnp.conj(forward(jnp.conj(dilated)))
    ends = [c * s + r - 1 - n for c, s, r, n in zip(counts, steps, p.reach, p.padded, strict=True)]
    padding = [(lo, hi + end) for (lo, hi), end in zip(p.padding, ends, strict=True)]
    padded = p.with_padding(padding).pad(signal.astype(p.accumulator))

    def block(number: jax.Array) -> jax.Array:
        start = [i * s for i, s in zip(jnp.unravel_index(number, counts), steps, strict=True)]
        return lax.dynamic_slice(padded, [0, 0, 0, *start], [*padded.shape[:3], *size])

    def group(numbers: jax.Array) -> jax.Array:
        blocks = jax.vmap(block)(numbers)
        out = inverse(jax.vmap(partial(fft.product, response=response))(forward(blocks)))
        return out[(..., *(slice(s) for s in steps))]

    total, per = math.prod(counts), _group(p)
    if per >= total:
        done = group(jnp.arange(total))
    else:
        groups = -(-total // per)
        numbers = jnp.minimum(jnp.arange(groups * per), total - 1).reshape(groups, per)
        done = lax.map(group, numbers).reshape(groups * per, *p.output[:3], *steps)[:total]
    return _lay_side_by_side(p, done, counts, steps)


def _lay_side_by_side(problem: Problem, blocks: jax.Array, counts: Shape, steps: Shape) -> jax.Array:
    """Bring (blocks, n, g, o, *steps) to (n, g, o, *places)."""
    p, rank = problem, problem.rank
    apart = blocks.reshape(*counts, *p.output[:3], *steps)
    order = [rank, rank + 1, rank + 2]
    for axis in range(rank):
        order += [axis, rank + 3 + axis]
    whole = apart.transpose(order).reshape(*p.output[:3], *(c * s for c, s in zip(counts, steps)))
    return lax.slice(whole, [0] * whole.ndim, [*p.output[:3], *p.dense], [1, 1, 1, *p.strides])


def _block(problem: Problem) -> Shape:
    """Return the length of a block on each axis: some eight kernels, four at least, or all of it."""
    longest = BLOCK[problem.rank]
    sizes = []
    for reach, dense in zip(problem.reach, problem.dense, strict=True):
        wanted = max(4 * reach, min(8 * reach, longest), longest // 8)
        whole = dense + reach - 1
        sizes.append(int(next_fast_len(min(wanted, whole), not problem.is_complex) or 1))
    return tuple(sizes)


def _steps(problem: Problem) -> Shape:
    return tuple(n - r + 1 for n, r in zip(_block(problem), problem.reach, strict=True))


def _counts(problem: Problem) -> Shape:
    return tuple(-(-n // s) for n, s in zip(problem.dense, _steps(problem), strict=True))


def _group(problem: Problem) -> int:
    """Return how many blocks are transformed at a time."""
    p = problem
    features = p.batch * p.groups * (p.inputs + p.outputs)
    return max(1, GROUP_BYTES // (2 * p.accumulator.itemsize * math.prod(_block(p)) * features))


def _copied(problem: Problem) -> int:
    """Return the bytes of the padded signal."""
    p = problem
    return p.accumulator.itemsize * p.batch * p.groups * p.inputs * math.prod(p.padded)
