"""Moments: the mean of each window of a signal, and the sum of squares about it.

The difference of a sum of squares and a squared sum loses everything where a window's brightness is
large beside its contrast. Here each window's samples are taken relative to one among them, and windows
are merged pairwise as Chan, Golub and LeVeque do ("Updating formulae and a pairwise algorithm for
computing sample variances", 1979), in time that grows with the logarithm of their length.
"""

import math
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap

from jaxconv.convolution import correlate
from jaxconv.engine.fencing import fenced
from jaxconv.engine.summing import sum_as_tree

LINE = 4  # windows up to this long are summed tap by tap, longer ones merged of two halves

BAND = 1 << 19  # samples that are looked at at once, so that what is made of them stays in cache

Moments = tuple[jax.Array, jax.Array]


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def moments(signal: jax.Array, window: tuple[int, ...]) -> Moments:
    """Return each window's mean and its sum of squares about the mean; windows lie along the last axes.

    A NaN is in the moments of just the windows that hold it, and their derivative is 0.
    """
    return _batched(window)(signal)


@moments.defjvp
def _(window: tuple[int, ...], primals, tangents):
    (signal,), (moved,) = primals, tangents
    mean, variation = moments(signal, window)
    known, middle = (jnp.where(jnp.isfinite(x), x, 0) for x in (signal, mean))
    shift = window_sum(moved, window)
    turn = 2 * (window_sum(known * moved, window) - middle * shift)
    return (mean, variation), (shift / math.prod(window), turn)


def window_sum(signal: jax.Array, window: Sequence[int]) -> jax.Array:
    """Sum over each window, along the last axes, one axis after the other."""
    for axis, m in enumerate(window, -len(window)):
        ones = jnp.ones([m if i == axis else 1 for i in range(-signal.ndim, 0)], signal.dtype)
        signal = correlate(signal, ones, "valid", axes=axis, local=True)
    return signal


def _batched(window: tuple[int, ...]):
    """Return the moments as a function that takes a batch as leading axes, which fences do not mind."""

    @custom_vmap
    def of(signal: jax.Array) -> Moments:
        axis = signal.ndim - len(window)
        places = signal.shape[axis] - window[0] + 1
        if not isinstance(signal.size, int):  # a symbolic batch
            return _whole(signal, window)
        band = max(BAND * signal.shape[axis] // signal.size, window[0])
        if 2 * band > places:
            return _whole(signal, window)

        def put(number, out: Moments) -> Moments:
            start = jnp.minimum(number * band, places - band)
            part = lax.dynamic_slice_in_dim(signal, start, band + window[0] - 1, axis)
            write = partial(lax.dynamic_update_slice_in_dim, start_index=start, axis=axis)
            return jax.tree.map(write, out, _whole(part, window))

        shape = [*signal.shape[:axis], *(n - m + 1 for n, m in zip(signal.shape[axis:], window))]
        empty = jnp.zeros(shape, signal.dtype)
        return lax.fori_loop(0, -(-places // band), put, (empty, empty))

    @of.def_vmap
    def _(size, batched, signal):
        return of(signal), (True, True)

    return of


def _whole(signal: jax.Array, window: tuple[int, ...]) -> Moments:
    parts, count = (signal, jnp.zeros_like(signal)), 1
    for axis in range(-1, -1 - len(window), -1):
        parts = _along(parts, window[axis], signal.ndim + axis, count)
        count *= window[axis]
    mean, variation = parts
    return mean, jnp.maximum(variation, 0)


def _along(parts: Moments, m: int, axis: int, count: int) -> Moments:
    """Return the moments of m neighbours along an axis, each itself those of `count` samples."""
    length = parts[0].shape[axis] - m + 1
    if m <= LINE:
        return fenced(lambda: _line(parts, m, axis, count, length), *parts)
    half = m // 2
    halves = _along(parts, half, axis, count)

    def merged() -> Moments:
        first, second = (_cut(halves, k, length, axis) for k in (0, half))
        both = _merge(first, second, half * count, half * count)
        if m % 2 == 0:
            return both
        return _merge(both, _cut(parts, m - 1, length, axis), 2 * half * count, count)

    return fenced(merged, *halves, *parts)


def _line(parts: Moments, m: int, axis: int, count: int, length: int) -> Moments:
    """Sum tap by tap, relative to the tap in the middle."""
    taps = [_cut(parts, k, length, axis) for k in range(m)]
    middle = taps[m // 2][0]
    apart = [mean - middle for mean, _ in taps]
    shift = sum_as_tree(apart) / m
    squares = sum_as_tree([d * d for d in apart])
    within = sum_as_tree([variation for _, variation in taps])
    return middle + shift, within + count * (squares - m * shift * shift)


def _merge(a: Moments, b: Moments, count_a: int, count_b: int) -> Moments:
    share, apart = count_b / (count_a + count_b), b[0] - a[0]
    return a[0] + share * apart, a[1] + b[1] + count_a * share * apart**2


def _cut(parts: Moments, start: int, length: int, axis: int) -> Moments:
    mean, variation = (lax.slice_in_dim(x, start, start + length, axis=axis) for x in parts)
    return mean, variation
