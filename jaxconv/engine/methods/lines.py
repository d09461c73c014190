"""Lines: an FFT along the last axis, shifts along the others.

After transforming the lines of the signal and of the kernel, every frequency is a convolution along the
other axes alone, which is summed as in `shifts`. No transform runs across memory, and a square kernel
of m^2 taps costs m terms. Wins for kernels of some 15 to 50 rows in two dimensions, whatever the image's
size; loses to the whole FFT beyond, where the compiler no longer vectorizes so many complex terms.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import Constants, Cost, transform_seconds
from jaxconv.engine.methods import fft
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem, pad_space
from jaxconv.engine.summing import sum_over_taps

MOST_TERMS = 56


def supports(problem: Problem) -> str:
    """At least two axes, few enough lines in the kernel, no integers."""
    if problem.is_exact:
        return "integers are computed exactly, and an FFT rounds"
    if problem.rank < 2:
        return "one spatial axis has no lines beside it"
    terms = _terms(problem)
    return (
        f"{terms:,} lines in the kernel, and at most {MOST_TERMS} are summed"
        if terms > MOST_TERMS
        else ""
    )


def cost(problem: Problem, c: Constants) -> Cost:
    """The transforms of all lines, in and out, and the sum of complex products."""
    p, length = problem, fft.lengths(problem)[-1]
    held = p.batch * p.groups * p.inputs * math.prod(p.padded[:-1])
    made = p.batch * p.groups * p.outputs * math.prod(p.places[:-1])
    kernels = p.groups * p.outputs * p.inputs * math.prod(p.window[:-1])
    width = 2 if p.is_complex else 1
    seconds = c.lines_call + transform_seconds(c, width * (held + made + kernels), (length,))
    sums = width * 4 * made * length * _terms(p) / c.lines_rate
    return Cost(seconds + sums, p.accumulator.itemsize * length * (2 * held + 2 * made + kernels))


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Transform the kernel's lines."""
    spread = [(0, 0, 0)] * (problem.rank - 1) + [(0, 0, problem.kernel_dilation[-1] - 1)]
    kernel = pad_space(kernel.astype(problem.accumulator), spread)
    return fft.response(_transforms(problem)[0], kernel, fft.lengths(problem)[-1])


def run(problem: Problem, signal: jax.Array, response: jax.Array) -> jax.Array:
    """Transform lines, sum over the kernel's lines, transform back, cut the outputs out."""
    length = fft.lengths(problem)[-1]
    forward, inverse = _transforms(problem)
    staged = problem.stage(signal.astype(problem.accumulator), (*problem.padded[:-1], length))
    lines = forward(staged, length)

    total = sum_over_taps(problem, lines, response, problem.rank - 1)
    wide = inverse(total, length)
    return lax.slice_in_dim(wide, 0, problem.dense[-1], problem.strides[-1], axis=-1)


def _transforms(problem: Problem):
    return (jnp.fft.fft, jnp.fft.ifft) if problem.is_complex else (jnp.fft.rfft, jnp.fft.irfft)


def _terms(problem: Problem) -> int:
    return problem.inputs * math.prod(problem.window[:-1])


METHOD = Method(supports, cost, run, prepare_kernel=prepare_kernel)
