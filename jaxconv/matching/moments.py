"""Moments: the mean of each window of a signal, and the sum of squares about it.

The difference of a sum of squares and a squared sum loses everything where a window's brightness is
large beside its contrast. Here each window is merged of a few shorter ones, whose means are taken
relative to one among them, as Chan, Golub and LeVeque merge two ("Updating formulae and a pairwise
algorithm for computing sample variances", 1979), in time that grows with the logarithm of its length.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.fencing import fenced
from jaxconv.engine.summing import sum_as_tree
from jaxconv.engine.window_sums import window_sum

AT_ONCE = 4  # shorter windows that one loop merges


class Moments(NamedTuple):
    """The moments of windows; the count is an array, or a number where it is the same in all."""

    count: Any
    mean: jax.Array
    variation: jax.Array  # about the mean


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def moments(signal: jax.Array, window: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    """Return each window's mean and its sum of squares about the mean; windows lie along the last axes.

    A NaN is in the moments of just the windows that hold it, and their derivative is 0.
    """
    return _whole(signal, window)


@moments.defjvp
def _(window: tuple[int, ...], primals, tangents):
    (signal,), (moved,) = primals, tangents
    mean, variation = moments(signal, window)
    known, middle = (jnp.where(jnp.isfinite(x), x, 0) for x in (signal, mean))
    shift = window_sum(moved, window)
    turn = 2 * (window_sum(known * moved, window) - middle * shift)
    return (mean, variation), (shift / math.prod(window), turn)


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def moments_of_seen(signal: jax.Array, seen: jax.Array, window: tuple[int, ...]) -> Moments:
    """Return the moments of the samples that are seen, where `seen` is 1 and not 0, in each window."""
    empty = Moments(seen, jnp.where(seen > 0, signal, 0), jnp.zeros_like(signal))
    return _over(empty, window)


@moments_of_seen.defjvp
def _(window: tuple[int, ...], primals, tangents):
    (signal, seen), (moved, _) = primals, tangents
    count, mean, variation = moments_of_seen(signal, seen, window)
    moved = moved * seen
    shift = window_sum(moved, window)
    turn = 2 * (window_sum(jnp.where(seen > 0, signal, 0) * moved, window) - mean * shift)
    change = Moments(jnp.zeros_like(count), shift / jnp.maximum(count, 1), turn)
    return Moments(count, mean, variation), change


def spoiled_windows(x: jax.Array, window: Sequence[int]) -> jax.Array:
    """Return which windows of (channels, *space) hold a NaN or an infinity in any channel."""
    spoiled = jnp.where(jnp.isfinite(x).all(0), jnp.zeros_like(x[0]), 1)
    return window_sum(spoiled, window) > 0.5


def _whole(signal: jax.Array, window: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    alone = jnp.zeros_like(signal)
    if math.prod(window) == 1:  # nothing is summed that would carry a NaN
        alone = jnp.where(jnp.isfinite(signal), alone, jnp.nan)
    _, mean, variation = _over(Moments(1, signal, alone), window)
    return mean, variation


def _over(parts: Moments, window: tuple[int, ...]) -> Moments:
    """Return the moments of windows, along the last axes, of what has these moments by itself."""
    rank = parts.mean.ndim
    for axis in range(-1, -1 - len(window), -1):
        parts = _along(parts, window[axis], rank + axis)
    # not by jnp.maximum: XLA of JAX 0.10.2 loses its NaN in a sum over an axis of 2
    variation = jnp.where(parts.variation < 0, 0, parts.variation)
    return parts._replace(variation=variation)


def _along(parts: Moments, m: int, axis: int) -> Moments:
    """Return the moments of m neighbours along an axis."""
    if m == 1:
        return parts
    length, counted = parts.mean.shape[axis] - m + 1, isinstance(parts.count, int)
    few = min(m, AT_ONCE) if counted else 2
    step = m // few
    shorter = _along(parts, step, axis)

    def merged() -> Moments:
        windows = [_cut(shorter, k * step, length, axis) for k in range(few)]
        whole = _merge_equal(windows) if counted else _merge(*windows)
        for k in range(few * step, m):
            whole = _merge(whole, _cut(parts, k, length, axis))
        return whole

    return _fenced(merged, m * parts.count if counted else None, shorter, parts)


def _fenced(compute: Callable[[], Moments], count: Any, *operands: Moments) -> Moments:
    """Return `compute()`, kept out of fusion with what is around it; its count, if that is a number."""
    arrays = [a for parts in operands for a in (parts.mean, parts.variation)]  # a mean is no constant
    arrays += [parts.count for parts in operands if not isinstance(parts.count, int)]
    if isinstance(count, int):
        return Moments(count, *fenced(lambda: tuple(compute()[1:]), *arrays))
    return fenced(compute, *arrays)


def _merge_equal(windows: Sequence[Moments]) -> Moments:
    """Merge windows of as many samples each, relative to the mean of the one in the middle."""
    m, count = len(windows), windows[0].count
    middle = windows[m // 2].mean
    apart = [window.mean - middle for window in windows]
    shift = sum_as_tree(apart) / m
    squares = sum_as_tree([d * d for d in apart])
    within = sum_as_tree([window.variation for window in windows])
    return Moments(m * count, middle + shift, within + count * (squares - m * shift * shift))


def _merge(a: Moments, b: Moments) -> Moments:
    count, apart = a.count + b.count, b.mean - a.mean
    share = b.count / (count if isinstance(count, int) else jnp.maximum(count, 1))
    variation = a.variation + b.variation + a.count * share * apart**2
    return Moments(count, a.mean + share * apart, variation)


def _cut(parts: Moments, start: int, length: int, axis: int) -> Moments:
    cut = partial(lax.slice_in_dim, start_index=start, limit_index=start + length, axis=axis)
    count, mean, variation = parts
    return Moments(count if isinstance(count, int) else cut(count), cut(mean), cut(variation))
