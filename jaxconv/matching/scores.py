"""Scores: the normalized correlation of one template with one signal, each (channels, *space)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.differentiated import differentiated_as
from jaxconv.engine.how import How
from jaxconv.engine.window_sums import window_sum
from jaxconv.floats import magnitude
from jaxconv.matching.moments import moments, moments_of_seen
from jaxconv.matching.operands import correlate_channels, correlate_each
from jaxconv.matching.refining import (
    cosine_about_means,
    is_doubtful,
    mean_of,
    refined,
    root_mean_square,
)

Sums = Callable[[jax.Array, jax.Array], jax.Array]  # of products, at each place and of each channel


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Windows:
    """What is known of a signal's windows before any template is laid on them."""

    variation: jax.Array  # sum of squares about each window's mean
    doubtful: jax.Array  # where sums of products with a template may round too much
    signal: jax.Array
    unit: jax.Array  # in which the variation is
    window: tuple[int, ...] = field(metadata={"static": True})

    def scores(self, fit: jax.Array, template: jax.Array, energy: jax.Array) -> jax.Array:
        """Return the scores of a template about its mean, the doubtful ones by the definition."""
        doubtful = self.doubtful & ~jnp.isnan(self.variation)
        where = doubtful, self.signal, None, self.window
        operands = (self.unit, jnp.ones_like(self.unit)), template
        return cosine(fit, (self.variation, energy), *where, operands)


def windows_of(x: jax.Array, window: tuple[int, ...]) -> tuple[jax.Array, Windows]:
    """Return x about its mean, brought near 1, 0 where it is not finite; and what its windows are.

    The windows that hold a NaN or an infinity have a variation of NaN.
    """
    finite = jnp.isfinite(x)
    centred, unit = about_mean_of_seen(x, finite)
    mean, variation = moments(jnp.where(finite, centred, jnp.nan), window)
    variation = variation.sum(0)
    apart = root_mean_square(centred) + jnp.abs(mean).max(0)
    return centred, Windows(variation, is_doubtful(apart, variation), x, unit, window)


def about_mean_of_seen(x: jax.Array, seen: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return x about the mean of what is seen in each channel, brought near 1; and the unit.

    It is 0 where it is not seen.
    """
    x = jnp.where(seen, x, 0)
    x = jnp.where(seen, x - lax.stop_gradient(mean_of(x, seen)), 0)  # for accuracy only
    unit = magnitude(x)
    return x / unit, unit.reshape(())


def about_mean(template: jax.Array, heard: Any = None) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return a template about its mean in each channel, brought near 1; its energy; and the unit.

    The first two are exactly 0 where it is flat. Where `heard` is 0 it has no say, and is 0.
    """
    space = tuple(range(1, template.ndim))
    heard = jnp.ones_like(template) if heard is None else heard
    lowest = template.min(space, keepdims=True, where=heard > 0, initial=jnp.inf)
    template = jnp.where(heard > 0, template - lowest, 0)  # exact where it is flat
    unit = magnitude(template)
    template = template / unit
    count = jnp.maximum(heard.sum(space, keepdims=True), 1)
    template = (template - template.sum(space, keepdims=True) / count) * heard
    return template, (template**2).sum(), unit.reshape(())


def cosine(
    fit: jax.Array,
    energies: tuple[jax.Array, jax.Array],
    doubtful: jax.Array,
    signal: jax.Array,
    seen: Any,
    window: tuple[int, ...],
    operands: tuple[Any, ...],
) -> jax.Array:
    """Return `fit` over the roots of both energies, 0 where one is none, as `refined` does."""
    score = refined(fit, energies, doubtful, signal, seen, window, cosine_about_means, operands)
    return differentiated_as(score, jnp.clip(score, -1, 1))  # beyond which only rounding leads


def plain_scores(x: jax.Array, t: jax.Array, how: How) -> jax.Array:
    """Score where nothing is hidden."""
    centred, windows = windows_of(x, t.shape[1:])
    template, energy, _ = about_mean(t)
    fit = correlate_channels(centred, template, how)
    return windows.scores(fit, template, energy)


def masked_scores(
    x: jax.Array, there: jax.Array, t: jax.Array, heard: Any, overlap: float, how: How
) -> jax.Array:
    """Score over what neither of two masks hides; `heard` is None where all of the template is."""
    seen, window, sums = there & jnp.isfinite(x), t.shape[1:], partial(correlate_each, how=how)
    centred, unit = about_mean_of_seen(x, seen)
    present, spoiled = (jnp.where(a, jnp.ones_like(x), 0) for a in (seen, there & ~seen))
    weights = jnp.ones_like(t) if heard is None else heard.astype(x.dtype)
    template, whole, of_t = about_mean(t, weights)
    if heard is None:
        count, mean, variation = moments_of_seen(centred, present, window)
        spread, spoiled = 0.0, window_sum(spoiled, window)
    else:
        count, spoiled = jnp.round(sums(present, weights)), sums(spoiled, weights)
        mean, variation, spread = moments_by_sums(centred, count, weights, sums, sums)
    some = jnp.maximum(count, 1)
    t1, t2 = sums(present, template), sums(present, template**2)
    fit = (sums(centred, template) - mean * t1).sum(0)
    variation, energy = variation.sum(0), (t2 - t1**2 / some).sum(0)
    total = jnp.maximum(weights.sum(tuple(range(1, t.ndim)), keepdims=True), 1)
    enough = (count > overlap * total - 1e-3).all(0)  # whole numbers, and a share that was rounded
    apart = root_mean_square(centred, seen) + jnp.abs(mean).max(0)
    doubtful = enough & is_doubtful(apart, variation, energy, whole, spread)
    operands = (unit, of_t), t, weights
    score = cosine(fit, (variation, energy), doubtful, x, seen, window, operands)
    return jnp.where((spoiled > 0.5).any(0), jnp.nan, jnp.where(enough, score, 0))


def moments_by_sums(
    centred: jax.Array, count: jax.Array, weights: jax.Array, sums: Sums, of_squares: Sums
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return the mean and the variation, of each channel, under a template's mask.

    And, of all channels, the size of what the variation was computed from, by which it rounds.
    """
    x1, x2 = sums(centred, weights), of_squares(centred**2, weights)
    mean = x1 / jnp.maximum(count, 1)
    size = root_mean_square(centred**2) + root_mean_square(centred) * jnp.abs(mean).max(0)
    spread = jnp.sqrt(weights.sum()) * size + x2.sum(0)
    return mean, x2 - x1 * mean, spread
