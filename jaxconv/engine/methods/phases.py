"""Phases: a convolution of a dilated signal as several of the signal itself, one for each phase.

Of a signal with d - 1 zeros between its samples every place sees only the taps of one phase: every
d-th, from a first that depends on the place. So d places at once are d output features of a convolution
of the undilated signal with kernels of a d-th of the taps, and nothing is multiplied by zero. It is the
shape of transposed convolutions and of the gradients of strided ones. Wins there by up to d along each
axis; loses with few taps a phase, where interleaving the phases costs more than the zeros.
"""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import Constants, Cost, built_in
from jaxconv.engine.methods import direct, fft, lags, products
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem

WAYS = {
    "direct": direct.METHOD,
    "products": products.METHOD,
    "fft": fft.METHOD,
    "lags": lags.METHOD,
}  # shifts would not be vectorized


def supports(problem: Problem) -> str:
    """A dilated signal, and along its dilated axes neither a stride nor a dilated kernel."""
    p = problem
    if max(p.signal_dilation, default=1) == 1:
        return "the signal is not dilated"
    axes = zip(p.signal_dilation, p.strides, p.kernel_dilation, strict=True)
    plain = all(d == 1 or stride == dilation == 1 for d, stride, dilation in axes)
    if not plain:
        return "a stride or a dilated kernel along a dilated axis of the signal"
    return "" if _ways(_phased(p)) else "no method for a phase"


def cost(problem: Problem, c: Constants) -> Cost:
    """What the convolution of the undilated signal costs, and interleaving its outputs."""
    name = _way(problem)
    inner = WAYS[name].cost(_phased(problem), c)
    moved = problem.accumulator.itemsize * math.prod(problem.output)
    return Cost(inner.seconds + 6 * moved / c.memory_rate, inner.bytes + moved, f"by {name}")


def prepare_kernel(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Deal the taps out to the phases, which become output features."""
    p, phased, k = problem, _phased(problem), kernel
    for axis, (d, (lo, _), m, v) in enumerate(
        zip(p.signal_dilation, p.padding, p.window, phased.window, strict=True)
    ):
        at = k.ndim - p.rank + axis  # phases gather before the input features
        before = d - 1 - lo % d if d > 1 else 0
        padded = jnp.pad(
            k, [(0, 0)] * at + [(before, v * d - m - before)] + [(0, 0)] * (p.rank - axis - 1)
        )
        dealt = padded.reshape(*k.shape[:at], v, d, *k.shape[at + 1 :])
        k = jnp.moveaxis(jnp.flip(dealt, at + 1), at + 1, 2 + axis)
    k = k.reshape(p.groups, phased.outputs, p.inputs, *phased.window)
    return WAYS[_way(problem)].prepare_kernel(phased, k)


def run(problem: Problem, signal: jax.Array, ready: jax.Array) -> jax.Array:
    """Convolve the undilated signal, interleave the phases, cut the outputs out."""
    p, phased, way = problem, _phased(problem), WAYS[_way(problem)]
    out = way.run(phased, way.prepare_signal(phased, signal), ready)
    out = out.reshape(p.batch, p.groups, p.outputs, *p.signal_dilation, *phased.places)
    order = [axis for i in range(p.rank) for axis in (3 + p.rank + i, 3 + i)]
    whole = [n * d for n, d in zip(phased.places, p.signal_dilation, strict=True)]
    out = out.transpose(0, 1, 2, *order).reshape(p.batch, p.groups, p.outputs, *whole)
    return lax.slice(out, [0] * out.ndim, p.output)


def _phased(problem: Problem) -> Problem:
    """Return the problem of the undilated signal, with the phases as output features."""
    p = problem
    window, padding = [], []
    for d, (lo, hi), m, n, dense in zip(
        p.signal_dilation, p.padding, p.window, p.space, p.dense, strict=True
    ):
        v = -(-(m + d - 1 - lo % d) // d)  # taps of a phase
        window.append(v if d > 1 else m)
        padding.append((lo // d, -(-dense // d) + v - 1 - n - lo // d) if d > 1 else (lo, hi))
    return replace(
        p,
        outputs=p.outputs * math.prod(p.signal_dilation),
        window=tuple(window),
        padding=tuple(padding),
        signal_dilation=(1,) * p.rank,
    )


def _way(problem: Problem) -> str:
    """Return how the phases are best convolved, by the built-in constants.

    These alone: what was prepared of a kernel is run as it was prepared, calibrated since or not.
    """
    phased, c = _phased(problem), built_in(problem.platform)
    return min(_ways(phased), key=lambda name: WAYS[name].cost(phased, c).seconds)


def _ways(phased: Problem) -> list[str]:
    """Return by what the phases can be convolved."""
    return [name for name, way in WAYS.items() if not way.supports(phased)]


METHOD = Method(
    supports, cost, run, prepare_kernel=prepare_kernel
)  # a phase with fewer taps has a zero, which meets a NaN
