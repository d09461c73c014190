"""Sums over windows, each of four shorter ones, in time that grows with the logarithm of their length.

It is a primitive: its transpose is a sum over windows as well, of a padded signal, where JAX would
transpose slice by slice.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core
from jax.interpreters import ad, batching, mlir

from jaxconv.engine.fencing import fenced
from jaxconv.engine.summing import sum_as_tree

AT_ONCE = 4  # shorter windows that one loop adds


def window_sum(signal: jax.Array, window: Sequence[int]) -> jax.Array:
    """Sum over each window that lies inside, along the last axes, one axis after the other."""
    return window_sum_p.bind(signal, window=tuple(window), full=False)


def _compute(signal: jax.Array, *, window: tuple[int, ...], full: bool) -> jax.Array:
    """Sum over the windows inside, or over all that meet the signal."""
    first = signal.ndim - len(window)
    if full:
        beyond = [(0, 0, 0)] * first + [(m - 1, m - 1, 0) for m in window]
        padded = partial(lax.pad, signal, jnp.zeros((), signal.dtype), beyond)
        signal = fenced(padded, signal)  # else what makes the signal would test for the edge
    for axis, m in enumerate(window, first):
        signal = _along(signal, m, axis)
    return signal


def _along(signal: jax.Array, m: int, axis: int) -> jax.Array:
    """Sum m neighbours along an axis."""
    if m == 1:
        return signal
    count = min(m, AT_ONCE)
    step, length = m // count, signal.shape[axis] - m + 1
    shorter = _along(signal, step, axis)
    parts = [(shorter, k * step) for k in range(count)]
    parts += [(signal, k) for k in range(count * step, m)]

    def added() -> jax.Array:
        return sum_as_tree([lax.slice_in_dim(a, k, k + length, axis=axis) for a, k in parts])

    return fenced(added, shorter, signal)


def _shaped(signal: Any, *, window: tuple[int, ...], full: bool) -> Any:
    first, sign = signal.ndim - len(window), 1 if full else -1
    space = [n + sign * (m - 1) for n, m in zip(signal.shape[first:], window)]
    return signal.update(shape=(*signal.shape[:first], *space), weak_type=False)


def _transpose(cotangent: jax.Array, _: Any, *, window: tuple[int, ...], full: bool) -> list[jax.Array]:
    return [window_sum_p.bind(cotangent, window=window, full=not full)]


def _batch(operands: Sequence[jax.Array], axes: Sequence[int], **params: Any) -> tuple[jax.Array, int]:
    return window_sum_p.bind(jnp.moveaxis(operands[0], axes[0], 0), **params), 0


window_sum_p = core.Primitive("window_sum")
window_sum_p.def_impl(jax.jit(_compute, static_argnames=("window", "full")))
window_sum_p.def_abstract_eval(_shaped)
ad.deflinear2(window_sum_p, _transpose)
batching.primitive_batchers[window_sum_p] = _batch
mlir.register_lowering(window_sum_p, mlir.lower_fun(_compute, multiple_results=False))
