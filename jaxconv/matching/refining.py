"""Refining: windows that are faint beside their surroundings are compared by the definition.

Sums over all windows at once round by what is large anywhere: a bright half, one hot sample. The windows
that this may spoil are doubtful, and `refined` takes them one by one, sample by sample, so that a score
depends on nothing but its own window. Where none is doubtful it costs next to nothing.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv.floats import magnitude
from jaxconv.matching.windows import window_extreme

AT_ONCE = 1 << 18  # samples of windows that are looked at at once
ROUNDING = 16  # greatest error of a sum of products, in eps times the root mean square of the operands

Defined = tuple[jax.Array, Any]  # the score, and whether there is nothing to score: one may divide by 0
Definition = Callable[..., Defined]  # of one window, (channels, *window), and which of it is there
IsFlat = Callable[[jax.Array, Any, Sequence[int]], jax.Array]  # as `flat_windows`


def is_doubtful(
    apart: jax.Array, variation: jax.Array, energy: Any = 1.0, whole: Any = 1.0, spread: Any = 0.0
) -> jax.Array:
    """Return where a cosine, by sums over all windows, may be wrong by more than 3e-5 in float32.

    Args:
        apart: how far the samples that are summed lie from 0: their root mean square, which an FFT
            rounds by, and in each window its mean.
        variation: the window's sum of squares about its mean.
        energy: the template's, of what meets the window.
        whole: the template's, of all of it.
        spread: the size of what the variation was computed from, by which it rounds.

    Shapes:
        All of the places, or ().
    """
    eps = float(jnp.finfo(variation.dtype).eps)
    least, off = 0.1 * eps**0.5, ROUNDING * eps
    parts = jnp.sqrt(jnp.maximum(variation, 0) * jnp.maximum(energy, 0))
    fine = 2 * off * apart * jnp.sqrt(whole) <= least * parts  # false for what overflowed to NaN
    return ~(fine & (off * spread <= least * variation) & (off * whole <= least * energy))


def root_mean_square(x: jax.Array, seen: Any = None) -> jax.Array:
    """Return the root of the mean square of (channels, *space), 0 where not seen, of all channels."""
    space = tuple(range(1, x.ndim))
    count: Any = math.prod(x.shape[1:])
    if seen is not None:
        count = jnp.maximum(jnp.where(seen, jnp.ones_like(x), 0).sum(space), 1)
    return jnp.sqrt(((x * x).sum(space) / count).sum())


def mean_of(x: jax.Array, seen: Any = True, axes: Any = None) -> jax.Array:
    """Return the mean of what is seen, along all axes but the first or these, which are kept.

    It is a sum of shares: a sum of great values may overflow; and a quotient may be joined with the
    difference from it in one instruction, which does not round it: not everywhere, so that two loops
    would subtract different means.
    """
    axes = tuple(range(1, x.ndim)) if axes is None else axes
    count = jnp.maximum(jnp.where(seen, jnp.ones_like(x), 0).sum(axes, keepdims=True), 1)
    return jnp.where(seen, x / count, 0).sum(axes, keepdims=True)


def is_any(condition: jax.Array) -> jax.Array:
    """Return whether a condition holds anywhere: as numbers, which XLA on a CPU reduces faster."""
    return jnp.where(condition, 1.0, 0.0).max() > 0


def refined(
    score: jax.Array,
    doubtful: jax.Array,
    x: jax.Array,
    seen: Any,
    window: Sequence[int],
    definition: Definition,
    operands: tuple[Any, ...],
    flat_score: Any = 0.0,
    is_flat: IsFlat | None = None,
    flat_gradient: bool = False,
) -> jax.Array:
    """Return scores, the doubtful ones by `definition(window, seen, *operands)`.

    Flat windows, of which there may be many, have one score without more ado. They, and those in which
    the definition finds nothing to score, have no gradient unless `flat_gradient`. Else the gradient is
    that of `score`.
    """
    given = score, doubtful, x, seen, operands, flat_score
    fixed, doubtful, x, seen, operands, flat_score = lax.stop_gradient(given)
    at_once = max(1, AT_ONCE // (len(x) * math.prod(window)))

    def of_window(place: jax.Array) -> Defined:
        corner = (jnp.zeros_like(place), *jnp.unravel_index(place, score.shape))
        size = (len(x), *window)
        cut = jax.tree.map(lambda a: lax.dynamic_slice(a, corner, size), (x, seen))
        return definition(*cut, *operands)

    def all_doubtful(state: Any) -> Any:
        once, values, _ = state
        left = doubtful.ravel()
        flat = left & (is_flat or flat_windows)(x, seen, window).ravel()
        left, values = left & ~flat, jnp.where(flat, flat_score, values)
        number = jnp.cumsum(left)

        def some(state: Any) -> Any:
            done, *found = state
            place = jnp.searchsorted(number, done + 1 + jnp.arange(at_once))  # beyond the end: dropped
            new = jax.vmap(of_window)(jnp.minimum(place, score.size - 1))
            return done + at_once, *(a.at[place].set(b, mode="drop") for a, b in zip(found, new))

        start = (jnp.zeros_like(number[-1]), values, flat)
        return once & False, *lax.while_loop(lambda s: s[0] < number[-1], some, start)[1:]

    # a loop of one turn or none, which under vmap is not taken for nothing, as a branch is
    start = is_any(doubtful), fixed.ravel(), doubtful.ravel() & False
    _, values, flat = lax.while_loop(lambda s: s[0], all_doubtful, start)
    values, flat = values.reshape(score.shape), flat.reshape(score.shape)
    score = jnp.where(doubtful, _differentiated_as(score, values), score)
    return score if flat_gradient else jnp.where(flat, values, score)


@jax.custom_jvp
def _differentiated_as(score: jax.Array, values: jax.Array) -> jax.Array:
    """Return values with the derivative of a score."""
    del score
    return values


@_differentiated_as.defjvp
def _(primals, tangents):
    return _differentiated_as(*primals), tangents[0]  # of which the next derivative is the score's too


def flat_windows(x: jax.Array, seen: Any, window: Sequence[int]) -> jax.Array:
    """Return which windows of (channels, *space) hold one value in each channel, where they are seen."""
    known = jnp.isfinite(x) if seen is None else seen & jnp.isfinite(x)
    both = jnp.stack([jnp.where(known, x, -jnp.inf), jnp.where(known, -x, -jnp.inf)])
    high, minus_low = window_extreme(both, window, jnp.maximum)
    return (high <= -minus_low).all(0)


def empty_windows(x: jax.Array, seen: Any, window: Sequence[int]) -> jax.Array:
    """Return which windows of (channels, *space) hold nothing but 0."""
    return ~window_extreme((x != 0).any(0), window, jnp.logical_or)


def cosine_about_means(x: jax.Array, seen: Any, t: jax.Array, weights: Any = None) -> Defined:
    """Return the cosine of window and template, each channel about its mean, and whether one is flat.

    Weights count squared, as OpenCV's do; what is not seen weighs nothing. Where all is seen and weighs
    the same, the template is about its mean already.
    """
    if weights is not None:
        weights = weights if seen is None else jnp.where(seen, weights, 0)
        weights = weights / magnitude(weights)
        t, _ = about_weighted_mean(t, weights)
    x, _ = about_weighted_mean(x, weights)
    energies = (x * x).sum() * (t * t).sum()
    some = energies > 0
    score = jnp.clip((x * t).sum() / jnp.sqrt(jnp.where(some, energies, 1)), -1, 1)
    return jnp.where(some, score, 0), ~some


def about_weighted_mean(x: jax.Array, weights: Any) -> tuple[jax.Array, jax.Array]:
    """Return x about its mean under weights in each channel, weighted, brought near 1; and the unit.

    Exactly 0 where it is flat: a value from the middle is subtracted first, which rounds no difference.
    """
    space, w = tuple(range(1, x.ndim)), jnp.ones_like(x) if weights is None else weights
    high = x.max(space, keepdims=True, where=w != 0, initial=-np.inf)
    low = x.min(space, keepdims=True, where=w != 0, initial=np.inf)
    half = jnp.where(high > low, high / 2 - low / 2, 0).max()
    unit = jnp.where(half > 0, half, 1)
    x = jnp.where((w != 0) & (half > 0), (x - (high / 2 + low / 2)) / unit, 0)
    total = w.sum(space, keepdims=True)
    return w * (x - (w * x).sum(space, keepdims=True) / jnp.where(total == 0, 1, total)), unit
