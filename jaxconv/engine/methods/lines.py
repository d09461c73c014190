"""Lines: an FFT along the last axis, shifts along the others.

After transforming the lines of the signal and of the kernel, every frequency is a convolution along the
other axes alone, which is summed as in `shifts`. No transform runs across memory, and a square kernel
of m^2 taps costs m terms. Wins for kernels of some 15 to 50 rows in two dimensions, whatever the image's
size; loses to the whole FFT beyond, where the compiler no longer vectorizes so many complex terms.
Of a large image a CPU computes some rows at a time.
"""

import math

import jax
from jax import lax

from jaxconv.engine.costs import SHORT, Constants, Cost, transform_seconds
from jaxconv.engine.mesh import transforms
from jaxconv.engine.methods import fft
from jaxconv.engine.methods.method import Method
from jaxconv.engine.methods.rows import by_bands
from jaxconv.engine.problem import Problem, pad_space
from jaxconv.engine.summing import sum_over_taps

MOST_TERMS = 56
BAND_BYTES = 16_000_000  # of lines, with their transforms, that a CPU makes together
WHOLE_BYTES = 48_000_000  # up to which it makes all
LEAST = 3  # times as many rows as the kernel has are computed at a time: what overlaps is computed twice


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
    held, made = _lines(p)
    kernels = p.groups * p.outputs * p.inputs * math.prod(p.window[:-1])
    width = 2 if p.is_complex else 1
    seconds = transform_seconds(c, width * (held + made + kernels), (length,))
    seconds += width * 4 * made * length * _terms(p) / c.lines_rate
    seconds *= max(1.0, SHORT / length) ** 0.5
    lines = 2 * (held + made) * _rows(p) // max(p.dense[0], 1) + kernels
    return Cost(c.lines_call + seconds, p.accumulator.itemsize * length * lines)


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Transform the kernel's lines."""
    spread = [(0, 0, 0)] * (problem.rank - 1) + [(0, 0, problem.kernel_dilation[-1] - 1)]
    kernel = pad_space(kernel.astype(problem.accumulator), spread)
    return fft.response(_transforms(problem)[0], kernel, fft.lengths(problem)[-1])


def run(problem: Problem, signal: jax.Array, response: jax.Array) -> jax.Array:
    """Transform lines, sum over the kernel's lines, transform back, cut the outputs out."""
    length, rows = fft.lengths(problem)[-1], _rows(problem)
    forward, inverse = _transforms(problem)

    def convolve(p: Problem, signal: jax.Array) -> jax.Array:
        staged = p.stage(signal.astype(p.accumulator), (*p.padded[:-1], length))
        total = sum_over_taps(p, forward(staged, length), response, p.rank - 1)
        return lax.slice_in_dim(inverse(total, length), 0, p.dense[-1], p.strides[-1], axis=-1)

    if rows == problem.dense[0]:
        return convolve(problem, signal)
    return by_bands(problem, signal, rows, convolve, [response])


def _lines(problem: Problem) -> tuple[int, int]:
    """Return how many lines the signal and the output have."""
    p = problem
    held = p.batch * p.groups * p.inputs * math.prod(p.padded[:-1])
    return held, p.batch * p.groups * p.outputs * math.prod(p.places[:-1])


def _rows(problem: Problem) -> int:
    """Return how many rows of the output are computed at a time: few where all are too much."""
    p, total = problem, problem.dense[0]
    held = 2 * p.accumulator.itemsize * fft.lengths(p)[-1] * sum(_lines(p))
    if p.platform != "cpu" or p.strides[0] > 1 or held <= WHOLE_BYTES:
        return total
    count = total // max(BAND_BYTES * total // held, LEAST * p.reach[0])
    return -(-total // max(count, 1))


def _transforms(problem: Problem):
    if problem.is_complex:
        return transforms.fft, transforms.ifft
    return transforms.rfft, transforms.irfft


def _terms(problem: Problem) -> int:
    return problem.inputs * math.prod(problem.window[:-1])


METHOD = Method(supports, cost, run, prepare_kernel=prepare_kernel)
