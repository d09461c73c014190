"""Matmul: the matrix product of oneDNN, which jaxlib carries beside its convolution, called by its name.

A kernel of one tap is a product of its features and the signal's at all places, its gradient one over
all taps at one place. Wins nearly wherever it may compute and there is work: its operands are read as
they lie, features first or last, and nothing is transposed.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine import proof
from jaxconv.engine.costs import Constants, Cost
from jaxconv.engine.methods import onednn
from jaxconv.engine.methods.layout import filled, is_product
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem

FEW = 24  # rows of either matrix with which a product has half its speed


def supports(problem: Problem) -> str:
    """Float32 of one tap or one place, on a processor where it was proved."""
    if not is_product(problem):
        return "several taps at several places, which are not one product"
    return onednn.unable(problem) or proof.refusal()


def cost(problem: Problem, c: Constants) -> Cost:
    """The product, slower where either matrix is small; and reading and writing."""
    p = problem
    signal = p.batch * p.groups * p.inputs * math.prod(p.padded)
    kernel = p.groups * p.outputs * p.inputs * p.taps
    is_moved = p.groups > 1 and (p.channels_last or p.batch_axis > 0)
    walked = (3 if is_moved else 1) * (signal + kernel) + 3 * math.prod(p.output)  # results lie afresh
    rate = c.onednn_rate * filled(p, FEW, FEW)
    size = p.accumulator.itemsize
    seconds = c.onednn_call + size * walked / c.memory_rate + 2 * p.products / rate
    return Cost(seconds, size * (signal + kernel) * is_moved)


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Multiply over the features at all places, or over all taps at one."""
    p = problem
    signal = p.stage(signal)
    if p.taps == 1:
        return _of_one_tap(p, p.cut(signal), kernel)
    stop, steps = [*signal.shape[:3], *p.reach], [1, 1, 1, *p.kernel_dilation]
    return _at_one_place(p, lax.slice(signal, [0] * signal.ndim, stop, steps), kernel)


def _of_one_tap(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Multiply the features of a tap and of all places, last or before the places as they came."""
    p = problem
    taps = kernel.reshape(p.groups, p.outputs, p.inputs)
    if p.channels_last and p.groups == 1:
        rows = jnp.moveaxis(signal[:, 0], 1, -1).reshape(-1, p.inputs)
        out = multiplied(rows, taps[0], "ok").reshape(p.batch, *p.places, p.outputs)
        return jnp.moveaxis(out, -1, 1).reshape(p.output)
    columns = signal.reshape(p.batch, p.groups, p.inputs, -1)
    return multiplied(taps[None], columns).reshape(p.output)


def _at_one_place(problem: Problem, under: jax.Array, kernel: jax.Array) -> jax.Array:
    """Multiply over all taps what lies under the kernel at one place, in the order in which it came."""
    p = problem
    if p.batch_axis == 0:
        rows = jnp.moveaxis(under, 0, 1).reshape(p.groups, p.batch, -1)
        out = multiplied(rows, kernel.reshape(p.groups, p.outputs, -1), "ok")
    elif p.batch_axis == 1:  # each input feature apart, as they lie
        rows = under.swapaxes(0, 2).reshape(p.inputs, p.groups, p.batch, -1)
        others = jnp.moveaxis(kernel, 2, 0).reshape(p.inputs, p.groups, p.outputs, -1)
        out = multiplied(rows, others, "ok").sum(0)
    else:
        columns = jnp.moveaxis(under, 0, -1).reshape(p.groups, -1, p.batch)
        out = multiplied(columns, jnp.moveaxis(kernel, 1, -1).reshape(p.groups, -1, p.outputs), "km")
    return jnp.moveaxis(out, 0, 1).reshape(p.output)


def multiplied(a: jax.Array, b: jax.Array, order: str = "") -> jax.Array:
    """Multiply matrices m, k and k, o; in order "ok" the second is o, k, in order "km" the first k, m.

    Leading axes are those of a batch, 1 in either for the same matrix in all.
    """
    turns_a, turns_b = order == "km", order == "ok"
    config = {
        "transpose_a": turns_a,
        "transpose_b": turns_b,
        "optimization_config": {"user_scratchpad": False},
    }
    lead = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    rows, columns = a.shape[-1 if turns_a else -2], b.shape[-2 if turns_b else -1]
    result = jax.ShapeDtypeStruct((*lead, rows, columns), a.dtype)
    return onednn.custom_call("matmul", result, {"onednn_matmul_config": config})(a, b)


METHOD = Method(supports, cost, run, is_local=True, is_portable=False)
