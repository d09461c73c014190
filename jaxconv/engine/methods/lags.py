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

from jaxconv.engine.costs import Constants, Cost, transform_seconds
from jaxconv.engine.methods import fft
from jaxconv.engine.methods.blocks import Blocks, blocks
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem, pad_space

MOST_PAIRS = 256  # of a signal and a kernel, that are summed in one fused loop
FRESH_RATE = 4e9  # bytes a second of memory that a system hands out anew
BLOCK = {1: 2048, 2: 128, 3: 32}  # shortest block along the first axis, by rank


def supports(problem: Problem) -> str:
    """What `fft` supports, where the kernel is several blocks long."""
    refusal = fft.supports(problem)
    if problem.rank > 3:
        refusal = f"{problem.rank} spatial axes, and blocks are of 1 to 3"
    if not refusal and _blocks(problem).count < 2:
        refusal = f"{problem.reach[0]:,} taps along the first axis are one block"
    return refusal


def cost(problem: Problem, c: Constants) -> Cost:
    """The transforms of both operands' blocks, one inverse, and the products."""
    p, cuts = problem, _blocks(problem)
    n = math.prod(cuts.size)
    signals, kernels = p.batch * p.groups * p.inputs, p.groups * p.outputs * p.inputs
    outputs, width = p.batch * p.groups * p.outputs, 2 if p.is_complex else 1
    pieces = cuts.count * (signals + kernels)
    seconds = c.fft_call + transform_seconds(c, width * (pieces + outputs), cuts.size)
    seconds += fft.product_seconds(p, c, n * cuts.count)
    held = 2 * p.accumulator.itemsize * n * pieces
    fresh = max(0, held - fft.FRESH_BYTES) if p.platform == "cpu" else 0
    seconds += held / c.memory_rate + fresh / FRESH_RATE
    return Cost(seconds, held, f"blocks of {cuts.size[0]}")


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Cut the kernel into blocks and transform them."""
    p, cuts = problem, _blocks(problem)
    forward, _ = fft.transforms(p, cuts.size)
    ends = [(0, cuts.count * cuts.step - p.reach[0], 0)] + [(0, 0, 0)] * (p.rank - 1)
    whole = pad_space(fft.dilate_kernel(p, kernel), ends)
    pieces = whole.reshape(*kernel.shape[:3], cuts.count, cuts.step, *p.reach[1:])
    return fft.response(forward, pieces)


def run(problem: Problem, signal: jax.Array, responses: jax.Array) -> jax.Array:
    """Cut the signal into blocks, transform, multiply and add up, transform back."""
    p, cuts = problem, _blocks(problem)
    forward, inverse = fft.transforms(p, cuts.size)
    whole = (cuts.count * cuts.step + p.dense[0] - 1, *cuts.size[1:])
    pieces = cuts.gather(p.stage(signal.astype(p.accumulator), whole), 0, cuts.count, axis=3)
    return p.cut(inverse(_sum_of_products(p, forward(pieces), responses)))


def _sum_of_products(problem: Problem, spectra: jax.Array, responses: jax.Array) -> jax.Array:
    """Sum over input features i and blocks b: ngib... with goib... to ngo..."""
    if problem.inputs <= fft.MOST_TERMS and problem.batch * problem.outputs <= MOST_PAIRS:
        return (spectra[:, :, None] * responses[None]).sum((3, 4))
    return jnp.einsum("ngib...,goib...->ngo...", spectra, responses, precision=problem.precision)


def _blocks(problem: Problem) -> Blocks:
    """Return blocks of some eight times the lags along the first axis, the other axes whole."""
    lags = problem.dense[0]
    first = max(8 * lags, BLOCK[problem.rank])
    return blocks(problem, first, narrower=lags, total=problem.reach[0])


METHOD = Method(supports, cost, run, prepare_kernel=prepare_kernel)
