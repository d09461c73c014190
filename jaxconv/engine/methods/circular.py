"""Circular: one FFT of the signal's own length, for a signal that wraps around.

A product of transforms is a convolution that wraps, so nothing is padded. Wins where the kernel is large
and the length is one that is transformed fast.
"""

import math

import jax
import jax.numpy as jnp

from jaxconv.engine.costs import Constants, Cost, transform_seconds
from jaxconv.engine.methods import fft
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem, continued, pad_space

SLOW = 4.0  # times longer that a length with large prime factors takes


def supports(problem: Problem) -> str:
    """A signal that wraps along all axes, and is no shorter than the kernel; no integers."""
    p = problem
    if set(p.boundaries) != {"wrap"}:
        return "the signal does not wrap around along every axis"
    if p.rank > 3:
        return f"{p.rank} spatial axes, and at most 3 are transformed"
    if max(p.signal_dilation) > 1:
        return "the signal is dilated"
    if any(m > n for n, m in zip(p.space, p.reach)):
        return f"a kernel of {p.reach}, longer than the signal"
    return fft.supports(p)


def cost(problem: Problem, c: Constants) -> Cost:
    """As `fft`, of the signal's own length."""
    p, n = problem, math.prod(problem.space)
    fast = all(fft.fast_length(p, length) == length for length in p.space)
    signals = p.batch * p.groups * (p.inputs + p.outputs)
    kernels = p.groups * p.inputs * p.outputs
    width, lines = 2 if p.is_complex else 1, 1 if p.rank == 1 else 2
    seconds = transform_seconds(c, width * (signals + kernels), p.space, lines) * (1.0 if fast else SLOW)
    seconds += c.fft_call + fft.product_seconds(p, c, n)
    moved = p.accumulator.itemsize * n * (signals + kernels)
    return Cost(seconds + 4 * moved / c.memory_rate, 2 * moved)


def prepare_signal(problem: Problem, signal: jax.Array) -> jax.Array:
    """Transform the signal."""
    forward, _ = fft.transforms(problem, problem.space)
    return forward(signal.astype(problem.accumulator))


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Dilate the kernel, pad it to the signal's length and transform it."""
    p = problem
    forward, _ = fft.transforms(p, p.space)
    ends = [(0, n - m, 0) for n, m in zip(p.space, p.reach)]
    return fft.response(forward, pad_space(fft.dilate_kernel(p, kernel), ends))


def run(problem: Problem, spectrum: jax.Array, response: jax.Array) -> jax.Array:
    """Multiply, transform back and roll to where the padding begins.

    Not the kernel but the output is rolled, so that a cotangent, which is the signal of one derivative
    and the kernel of the other, is transformed once for both. Places beyond the signal's length are
    those of its beginning again.
    """
    p = problem
    _, inverse = fft.transforms(p, p.space)
    out = inverse(fft.product(p, spectrum, response))
    out = jnp.roll(out, [lo for lo, _ in p.padding], range(3, 3 + p.rank))
    beyond = [(0, max(m - n, 0)) for m, n in zip(p.dense, p.space)]
    return p.cut(continued(out, 3, beyond, p.boundaries))


METHOD = Method(supports, cost, run, prepare_signal, prepare_kernel, wraps=True, shared=2 / 3)
