"""Lags: few outputs of two large operands, by FFT in blocks whose products are added up.

It is the shape that a kernel's gradient has, and a correlation of two long signals at few lags. Both
operands are cut into blocks along the first axis; the products of their transforms are summed, and one
inverse transform of one block gives all lags. Wins from about a hundred lags of long signals (from 9 x 9
in two dimensions) until the lags are a fair share of the operands, where `fft` is as good; below that,
`direct` is faster.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import Constants, Cost, transform_seconds
from jaxconv.engine.methods import fft
from jaxconv.engine.problem import Problem, Shape, pad_space

LOCAL = False
MOST_PAIRS = 256  # of a signal and a kernel, that are summed in one fused loop
BLOCK = {1: 2048, 2: 128, 3: 32}  # shortest block along the first axis, by rank


def supports(problem: Problem) -> str:
    """What `fft` supports, where the kernel is several blocks long."""
    refusal = fft.supports(problem)
    if problem.rank > 3:
        refusal = f"{problem.rank} spatial axes, and blocks are of 1 to 3"
    if not refusal and _count(problem) < 2:
        refusal = f"{problem.reach[0]:,} taps along the first axis are one block"
    return refusal


def cost(problem: Problem, c: Constants) -> Cost:
    """The transforms of both operands' blocks, one inverse, and the products."""
    p, count, n = problem, _count(problem), math.prod(_size(problem))
    signals, kernels = p.batch * p.groups * p.inputs, p.groups * p.outputs * p.inputs
    outputs, width = p.batch * p.groups * p.outputs, 2 if p.is_complex else 1
    blocks = count * (signals + kernels)
    seconds = c.fft_call + transform_seconds(c, width * (blocks + outputs), n)
    seconds += fft.product_seconds(p, c, n * count)
    seconds += 2 * p.accumulator.itemsize * blocks * n / c.memory_rate
    return Cost(seconds, 2 * p.accumulator.itemsize * n * blocks, f"blocks of {_size(p)[0]}")


def prepare(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Cut the kernel into blocks and transform them."""
    p, size, step, count = problem, _size(problem), _step(problem), _count(problem)
    forward, _ = fft.transforms(p, size)
    dilated = fft.dilate_kernel(p, kernel)
    ends = [(0, n - m, 0) for n, m in zip((count * step, *p.reach[1:]), p.reach, strict=True)]
    pieces = pad_space(dilated, ends).reshape(*kernel.shape[:3], count, step, *p.reach[1:])
    return fft.response(forward, pieces)


def run(problem: Problem, signal: jax.Array, responses: jax.Array) -> jax.Array:
    """Cut the signal into blocks, transform, multiply and add up, transform back."""
    p, size, step, count = problem, _size(problem), _step(problem), _count(problem)
    forward, inverse = fft.transforms(p, size)
    ends = [n - m for n, m in zip((count * step + p.dense[0] - 1, *size[1:]), p.padded, strict=True)]
    padding = [(lo, hi + end) for (lo, hi), end in zip(p.padding, ends, strict=True)]
    padded = p.with_padding(padding).pad(signal.astype(p.accumulator))
    starts = jnp.arange(count) * step
    blocks = jax.vmap(lambda start: lax.dynamic_slice_in_dim(padded, start, size[0], 3), out_axes=3)(
        starts
    )

    out = inverse(_sum_of_products(p, forward(blocks), responses))
    return lax.slice(out, [0] * out.ndim, [*out.shape[:3], *p.dense], [1, 1, 1, *p.strides])


def _sum_of_products(problem: Problem, spectra: jax.Array, responses: jax.Array) -> jax.Array:
    """Sum over input features i and blocks b: ngib... with goib... to ngo..."""
    if problem.inputs <= fft.MOST_TERMS and problem.batch * problem.outputs <= MOST_PAIRS:
        return (spectra[:, :, None] * responses[None]).sum((3, 4))
    return jnp.einsum("ngib...,goib...->ngo...", spectra, responses, precision=problem.precision)


def _size(problem: Problem) -> Shape:
    """Return the length of a block: some eight times the lags along the first axis, the rest whole."""
    p = problem
    first = min(max(8 * p.dense[0], BLOCK[p.rank]), p.padded[0])
    return tuple(fft.fast_length(p, n) for n in (first, *p.padded[1:]))


def _step(problem: Problem) -> int:
    return _size(problem)[0] - problem.dense[0] + 1


def _count(problem: Problem) -> int:
    return -(-problem.reach[0] // _step(problem))
