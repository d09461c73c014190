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

from jaxconv.engine.differentiated import differentiated_as
from jaxconv.floats import magnitude
from jaxconv.matching.windows import window_extreme

AT_ONCE = 1 << 18  # samples of windows that are looked at at once
ROUNDING = 16  # greatest error of a sum of products, in eps times the root mean square of the operands

Definition = Callable[..., Any]  # of one window, (channels, *window), and which of it is there
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


def over_roots(value: jax.Array, energies: Sequence[jax.Array], flat_score: float) -> jax.Array:
    """Return a value over the roots of two energies, `flat_score` where one is none; NaN stays NaN."""
    some = (energies[0] > 0) & (energies[1] > 0)
    roots = [jnp.sqrt(jnp.where(some, energy, 1)) for energy in energies]
    score = jnp.where(some, value / roots[0] / roots[1], flat_score)
    return jnp.where(jnp.isnan(energies[0]) | jnp.isnan(energies[1]), jnp.nan, score)


def refined(
    value: jax.Array,
    energies: Sequence[jax.Array],
    doubtful: jax.Array,
    x: jax.Array,
    seen: Any,
    window: Sequence[int],
    definition: Definition,
    operands: tuple[Any, ...],
    flat_score: float = 0.0,
    is_flat: IsFlat | None = None,
) -> jax.Array:
    """Return values over the roots of windows' and templates' energies, the doubtful by the definition.

    The definition returns such a score and both energies in the units of `energies`, by which the score
    is differentiated as well: derivatives of sums are sums of what is near, only what they are divided
    by is not. Flat windows, of which there may be many, and those in which the definition finds an
    energy of 0 have `flat_score` and no gradient.
    """
    rough = over_roots(value, energies, flat_score)
    # of each place, and on a mesh on its shard, which one energy for all is not
    energies = [jnp.where(doubtful, energy, energy) for energy in energies]
    flat = flat_score, 0.0, 0.0
    where = doubtful, x, seen, window
    score, *known = by_definition((rough, *energies), *where, definition, operands, flat, is_flat)
    value = differentiated_as(value, score * jnp.sqrt(known[0]) * jnp.sqrt(known[1]))
    energies = [differentiated_as(energy, by) for energy, by in zip(energies, known)]
    return differentiated_as(over_roots(value, energies, flat_score), score)


def by_definition(
    given: Any,
    doubtful: jax.Array,
    x: jax.Array,
    seen: Any,
    window: Sequence[int],
    definition: Definition,
    operands: tuple[Any, ...],
    flat: Any,
    is_flat: IsFlat | None = None,
) -> Any:
    """Return what is given at each place, a tree, the doubtful by definition(window, seen, *operands).

    Flat windows have what is given for all of them without more ado. Without a gradient.
    """
    fixed = given, doubtful, x, seen, operands, flat
    given, doubtful, x, seen, operands, flat = lax.stop_gradient(fixed)
    at_once = max(1, AT_ONCE // (len(x) * math.prod(window)))

    def of_window(place: jax.Array) -> Any:
        corner = (jnp.zeros_like(place), *jnp.unravel_index(place, doubtful.shape))
        size = (len(x), *window)
        cut = jax.tree.map(lambda a: lax.dynamic_slice(a, corner, size), (x, seen))
        return definition(*cut, *operands)

    def all_doubtful(state: Any) -> Any:
        once, found = state[0], jax.tree.map(jnp.ravel, state[1])
        left = doubtful.ravel()
        level = left & (is_flat or flat_windows)(x, seen, window).ravel()
        left, found = left & ~level, jax.tree.map(lambda a, b: jnp.where(level, b, a), found, flat)
        number = jnp.cumsum(left)

        def some(state: Any) -> Any:
            done, found = state
            place = jnp.searchsorted(number, done + 1 + jnp.arange(at_once))  # beyond the end: dropped
            new = jax.vmap(of_window)(jnp.minimum(place, doubtful.size - 1))
            return done + at_once, jax.tree.map(lambda a, b: a.at[place].set(b, mode="drop"), found, new)

        start = (jnp.zeros_like(number[-1]), found)
        found = lax.while_loop(lambda s: s[0] < number[-1], some, start)[1]
        return once & False, jax.tree.map(lambda a: a.reshape(doubtful.shape), found)

    # a loop of one turn or none, which under vmap is not taken for nothing, as a branch is
    return lax.while_loop(lambda s: s[0], all_doubtful, (is_any(doubtful), given))[1]


def flat_windows(x: jax.Array, seen: Any, window: Sequence[int]) -> jax.Array:
    """Return which windows of (channels, *space) hold one value in each channel, where they are seen."""
    known = jnp.isfinite(x) if seen is None else seen & jnp.isfinite(x)
    both = jnp.stack([jnp.where(known, x, -jnp.inf), jnp.where(known, -x, -jnp.inf)])
    high, minus_low = window_extreme(both, window, jnp.maximum)
    return (high <= -minus_low).all(0)


def empty_windows(x: jax.Array, seen: Any, window: Sequence[int]) -> jax.Array:
    """Return which windows of (channels, *space) hold nothing but 0."""
    return ~window_extreme((x != 0).any(0), window, jnp.logical_or)


def cosine_about_means(
    x: jax.Array, seen: Any, units: Sequence[jax.Array], t: jax.Array, weights: Any = None
) -> tuple[jax.Array, ...]:
    """Return the cosine of window and template, each channel about its mean, by the definition.

    And the energies of both, in squares of the units. Weights count squared, as OpenCV's do; what is not
    seen weighs nothing. Where all is seen and weighs the same, the template is about its mean already.
    """
    of_t = units[1]
    if weights is not None:
        weights = weights if seen is None else jnp.where(seen, weights, 0)
        weights = weights / magnitude(weights)
        t, of_t = about_weighted_mean(t, weights)
    x, of_x = about_weighted_mean(x, weights)
    alone = (x * x).sum(), (t * t).sum()
    some = (alone[0] > 0) & (alone[1] > 0)
    roots = [jnp.sqrt(jnp.where(some, energy, 1)) for energy in alone]
    score = jnp.where(some, jnp.clip((x * t).sum() / roots[0] / roots[1], -1, 1), 0)
    energies = (a * (of / unit) ** 2 for a, of, unit in zip(alone, (of_x, of_t), units))
    return score, *energies


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
