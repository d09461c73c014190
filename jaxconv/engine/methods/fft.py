"""FFT: one transform of the whole signal, a product, one transform back.

Wins for large kernels: its time hardly depends on their size. Loses to shifts below some hundred
taps, and to anything local in accuracy where the signal's dynamic range is large: an error or a NaN
anywhere is spread over the whole transform. Integers are refused, since rounding could hide a wrong
one.
"""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.bands import by_parts
from jaxconv.engine.costs import Constants, Cost, transform_seconds
from jaxconv.engine.mesh.transforms import fft, fftn, ifft, ifftn, irfftn, rfftn
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem, Shape, pad_space
from jaxconv.engine.summing import sum_as_tree

FRESH_BYTES = 32_000_000  # more at a time is fresh memory in each call, as glibc hands it out
GROUP_BYTES = 8_000_000  # of results that are then transformed back together
MOST_TERMS = 16  # input features that are summed as one fused loop; beyond, as a matrix product


def supports(problem: Problem) -> str:
    """Any number of axes; no integers."""
    if problem.is_exact:
        return "integers are computed exactly, and an FFT rounds"
    return "" if problem.rank else "no spatial axes"


def cost(problem: Problem, c: Constants) -> Cost:
    """Three sets of transforms, which are walked through memory, and the product."""
    size = lengths(problem)
    n = math.prod(size)
    features = problem.inputs + problem.outputs
    signals = problem.batch * problem.groups * features
    kernels = problem.groups * problem.inputs * problem.outputs
    width = 2 if problem.is_complex else 1
    lines = 1 if problem.rank == 1 else 2  # one line is transformed by one thread
    seconds = c.fft_call + transform_seconds(c, width * (signals + kernels), size, lines)
    seconds += product_seconds(problem, c, n)
    seconds += 6 * problem.accumulator.itemsize * n * (signals + kernels) / c.memory_rate
    return Cost(seconds, problem.accumulator.itemsize * n * (signals + kernels) * 2)


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Transform the kernel."""
    forward, _ = transforms(problem, lengths(problem))
    return response(forward, dilate_kernel(problem, kernel))


def prepare_signal(problem: Problem, signal: jax.Array) -> jax.Array:
    """Transform the signal."""
    size = lengths(problem)
    forward, _ = transforms(problem, size)
    return forward(problem.stage(signal.astype(problem.accumulator), size))


def run(problem: Problem, spectrum: jax.Array, response: jax.Array) -> jax.Array:
    """Multiply, transform back, cut the outputs out; on a CPU of some of a batch at a time."""
    p, size = problem, lengths(problem)
    _, inverse = transforms(p, size)

    def back(spectrum: jax.Array) -> jax.Array:
        return p.cut(inverse(product(p, spectrum, response)))

    held = 2 * p.accumulator.itemsize * math.prod(size) * p.groups * p.outputs
    some = max(1, GROUP_BYTES // held)
    if p.platform != "cpu" or p.batch <= some or p.batch * held <= FRESH_BYTES:
        return back(spectrum)
    whole = jax.ShapeDtypeStruct(p.output, p.accumulator)
    part = partial(lax.dynamic_slice_in_dim, spectrum, slice_size=some)
    return by_parts(lambda start: back(part(start)), some, whole, 0, (spectrum, response))


def lengths(problem: Problem) -> Shape:
    """Return the fast lengths of the circular correlation that holds the wanted places unharmed.

    Zeros of the one edge may serve the other edge too, so the larger of the two paddings is enough.
    """
    return tuple(
        fast_length(problem, max(n + max(lo, hi, 0), m, s, 1))
        for n, m, s, (lo, hi) in zip(
            problem.dilated, problem.reach, problem.dense, problem.padding, strict=True
        )
    )


def fast_length(problem: Problem, n: int) -> int:
    """Return the least length from n on that is transformed fast."""
    from scipy.fft import next_fast_len  # here, since it takes longer to load than all of jaxconv

    return int(next_fast_len(n, not problem.is_complex) or 1)


def response(forward: Callable[..., jax.Array], kernel: jax.Array, *size: int) -> jax.Array:
    """Return what a kernel that is not reflected multiplies each frequency with."""
    return jnp.conj(forward(jnp.conj(kernel), *size))


def transforms(problem: Problem, size: Shape):
    """Return the forward and the inverse transform of the last axes, padded to this size."""
    first, last = size[:-3], size[-3:]  # JAX transforms up to three axes at once
    axes = tuple(range(-len(last), 0))
    if problem.is_complex:
        forward, inverse = (partial(f, s=last, axes=axes) for f in (fftn, ifftn))
    else:
        forward, inverse = (partial(f, s=last, axes=axes) for f in (rfftn, irfftn))
    for axis, n in enumerate(first, -problem.rank):
        forward = _then(forward, partial(fft, n=n, axis=axis))
        inverse = _then(partial(ifft, n=n, axis=axis), inverse)
    return forward, inverse


def _then(first: Callable[..., jax.Array], second: Callable[..., jax.Array]):
    return lambda x: second(first(x))


def dilate_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Put the zeros between the taps."""
    edges = [(0, 0, d - 1) for d in problem.kernel_dilation]
    return pad_space(kernel.astype(problem.accumulator), edges)


def product(problem: Problem, spectrum: jax.Array, response: jax.Array) -> jax.Array:
    """Sum over the input features: (n, g, i, ...) with (g, o, i, ...) to (n, g, o, ...)."""
    if problem.inputs > MOST_TERMS:
        return jnp.einsum("ngi...,goi...->ngo...", spectrum, response, precision=problem.precision)
    return sum_as_tree(
        [spectrum[:, :, i, None] * response[None, :, :, i] for i in range(problem.inputs)]
    )


def product_seconds(problem: Problem, c: Constants, size: int) -> float:
    """Predict `product` on transforms of `size` elements: four multiplications per frequency."""
    rate = c.fft_product_rate if problem.inputs <= MOST_TERMS else c.fft_matrix_rate
    terms = problem.batch * problem.groups * problem.inputs * problem.outputs
    return (2 if problem.is_complex else 1) * 4 * size * terms / rate


METHOD = Method(
    supports,
    cost,
    run,
    prepare_signal,
    prepare_kernel,
    shared=2 / 3,  # one of three transforms is saved
)
