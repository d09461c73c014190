"""Exchange: signal and kernel in each other's place, since convolution commutes.

In a layer's gradient of its kernel many taps (what came back) slide over few places, and the features
that the layer takes are the batch, those it gives the output features. The outputs lie side by side in
vectors, the batch one behind the other; so of 64 features and 16 the 64 had better be the outputs. What
is computed has its places reversed.

But zeros that pad then meet what they did not, and a NaN among the taps of an edge spreads.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from jaxconv.engine.methods import METHODS
from jaxconv.engine.methods.layout import is_gradient
from jaxconv.engine.problem import Problem


def pays(method: str, problem: Problem) -> bool:
    """Whether a method has less work with the operands of a problem exchanged."""
    p, work = problem, METHODS[method].work
    if not work or p.platform != "cpu" or not is_gradient(p):
        return False
    if max(*p.signal_dilation, *p.kernel_dilation) > 1:
        return False
    other = exchanged(p)
    adds = min(map(min, other.padding)) >= 0
    return adds and is_gradient(other) and work(other) < work(p)


def exchanged(problem: Problem) -> Problem:
    """Return the problem whose signal is the kernel, and whose places are reversed."""
    p = problem
    spans = [(n - 1) * stride for n, stride in zip(p.places, p.strides)]
    padding = tuple(
        (span - low, low + n - m)  # so that there are as many places
        for span, (low, _), n, m in zip(spans, p.padding, p.dilated, p.reach)
    )
    return replace(
        p,
        batch=p.outputs,
        outputs=p.batch,
        space=p.window,
        window=p.space,
        padding=padding,
        signal_dilation=p.kernel_dilation,
        kernel_dilation=p.signal_dilation,
    )


def is_exchanged(problem: Problem, seen: Problem) -> bool:
    """Whether a problem is seen with its operands exchanged."""
    return (problem.batch, problem.outputs) != (seen.batch, seen.outputs)


def exchange(operand: jax.Array) -> jax.Array:
    """Make a canonical signal a kernel, or a kernel a signal."""
    return jnp.swapaxes(operand, 0, 1)


def restored(out: jax.Array) -> jax.Array:
    """Return the output of a problem from that of the exchanged one."""
    return jnp.flip(jnp.swapaxes(out, 0, 2), range(3, out.ndim))
