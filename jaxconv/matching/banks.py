"""Banks: many templates, one after another, on a signal whose transform is made once.

Only what was best is kept: at each place over the templates, or of each template over the places.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv import checks
from jaxconv.engine.bands import by_rows
from jaxconv.engine.how import How, ask
from jaxconv.engine.mesh.arrays import cut, spec_of, undivided
from jaxconv.engine.planning import Plan
from jaxconv.matching.bank import Bank, bank_for, behind, checked, is_one_each, over_places
from jaxconv.matching.operands import reach
from jaxconv.types import MODES, BankMeasure, Method, Mode


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Best:
    """At each place the best score of all templates, and which of them has it."""

    score: jax.Array
    which: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Loudest:
    """Of each template the best score at any place, and that place."""

    score: jax.Array
    place: jax.Array


def best_match(
    signal: Any,
    templates: Any,
    *,
    mode: Mode = "valid",
    measure: BankMeasure = "normalized_coefficient",
    template_mask: Any = None,
    channel_axis: int | None = None,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> Best:
    """Match many templates of one shape, and keep at each place the best of them.

    Args:
        signal: where to look.
        templates: what to look for, one along the first axis after another.
        mode: "valid", "same" or "full", as for `jaxconv.correlate`. Beyond the edges lies the signal's
            mean, or with "correlation" zeros.
        measure: "normalized_coefficient", as `normalized_correlation`; or "correlation", whose
            absolute value counts where it is complex.
        template_mask: True where a template has no say; of one template's shape, or one a template.
        channel_axis: the axis of the signal, and of each template, that is matched together.
        method: as for `jaxconv.convolve`.
        precision: as for `jaxconv.convolve`.
        max_bytes: as for `jaxconv.convolve`.
        local: as for `jaxconv.convolve`.

    Shapes:
        signal (n1, ..., nd), templates (count, m1, ..., md) -> valid: ni - mi + 1, same: ni,
        full: ni + mi - 1; no channel axis.

    Returns:
        A `Best`. Its memory, and what it takes on the way, does not grow with the number of templates.

    Raises:
        ValueError: if the templates have not one axis more than the signal, or do not fit inside it,
            the measure is neither, a mask has another shape, or masks come with "correlation".
        TypeError: if an operand is not of numbers, or complex where the measure is normalized.

    Gradient:
        In the scores, through the best template of each place; it remembers a map a template.

    Source:
        `normalized_correlation`'s; that many templates should share the image's transform was asked of
        OpenCV in 2013 (issue 4507).

    Example:
        >>> best = best_match(jnp.array([0.0, 1, 0, 0, 1, 1, 0]), jnp.array([[0.0, 1, 0], [0, 1, 1]]))
        >>> best.score.round(2).tolist(), best.which.tolist()
        ([1.0, -0.5, 0.5, 1.0, 0.5], [0, 0, 1, 1, 0])
    """
    how = ask("best_match", method, precision, max_bytes, local)
    checks.one_of("best_match", "mode", mode, MODES)
    normalized = measure == "normalized_coefficient"
    x, t, heard = checked("best_match", signal, templates, template_mask, measure, channel_axis, mode)
    return _best(x[0], t, heard, how, normalized, mode)


def loudest(
    signals: Any,
    templates: Any,
    *,
    measure: BankMeasure = "normalized_coefficient",
    template_mask: Any = None,
    channel_axis: int | None = None,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> Loudest:
    """Match many templates of one shape, and keep of each only the place where it fits best.

    Args:
        signals: where to look; one, or several along a first axis.
        templates: as for `best_match`.
        measure: as for `best_match`.
        template_mask: as for `best_match`.
        channel_axis: as for `best_match`.
        method: as for `best_match`.
        precision: as for `best_match`.
        max_bytes: as for `best_match`.
        local: as for `best_match`.

    Shapes:
        signals ([segments,] n1, ..., nd), templates (count, m1, ..., md) -> score ([segments,] count),
        place ([segments,] count, d).

    Returns:
        A `Loudest`: the best score of each template in each signal, and the place of the window's first
        sample. Memory as for `best_match`.

    Raises:
        ValueError: as `best_match`.
        TypeError: as `best_match`.

    Gradient:
        In the scores, through their places.

    Source:
        B. Allen et al., "FINDCHIRP", Physical Review D 85 (2012), V.

    Example:
        >>> found = loudest(jnp.array([0.0, 1, 0, 0, 1, 1, 0]), jnp.array([[0.0, 1, 0], [0, 1, 1]]))
        >>> found.score.round(2).tolist(), found.place.tolist()
        ([1.0, 1.0], [[0], [3]])
    """
    how = ask("loudest", method, precision, max_bytes, local)
    x, t, heard = checked("loudest", signals, templates, template_mask, measure, channel_axis)
    found = _loudest(x, t, heard, how, measure == "normalized_coefficient")
    single = np.ndim(signals) < np.ndim(templates)
    return jax.tree.map(lambda a: a[0], found) if single else found


@partial(jax.jit, static_argnums=(3, 4, 5))
def _best(x: jax.Array, templates: jax.Array, heard: Any, how: How, normalized: bool, mode: str) -> Best:
    """Return the best of each place; on a mesh, shard by shard."""
    window = templates.shape[2:]
    others = [templates] if heard is None else [templates, heard]

    def best(x: jax.Array, templates: jax.Array, heard: Any = None) -> Best:
        def of_rows(x: jax.Array) -> Best:
            return _best_here(x, templates, heard, bank_for(x.shape, templates, how, normalized))

        return by_rows(of_rows, [x], window, [templates] if heard is None else [templates, heard])

    widths = behind(x, window) if mode == "valid" else reach(mode, window)
    found = over_places(best, [x], others, window, widths, normalized, 0, "best_match")
    if mode != "valid":
        return found
    places = [slice(n - m + 1) for n, m in zip(x.shape[1:], window)]
    return jax.tree.map(partial(cut, slices=places), found)


def _best_here(x: jax.Array, templates: jax.Array, heard: Any, bank: Bank) -> Best:
    shared = bank.signal(x, heard)
    each, common = (heard, None) if is_one_each(heard, templates) else (None, heard)

    def best_of(start: Any, chunk: Any) -> Best:
        t, own = chunk
        maps = jax.vmap(lambda t, own: bank.score(shared, t, common if own is None else own))(t, own)
        spoiled = jnp.isnan(maps).any(0)  # XLA 0.10.2 may lose a NaN in a maximum
        which = jnp.where(spoiled, 0, maps.argmax(0))  # not where it equals a maximum: made twice, a map
        number = jnp.arange(len(maps)).reshape(-1, *[1] * which.ndim)  # may be rounded in two ways
        top = jnp.where(number == which[None], maps, 0).sum(0)
        return Best(jnp.where(spoiled, jnp.nan, top), start + which)

    def step(best: Best, numbered: Any):
        new = best_of(*numbered)
        better = (new.score > best.score) | jnp.isnan(new.score)
        return jax.tree.map(partial(jnp.where, better), new, best), None

    count, size = len(templates), bank.at_once
    head = count % size or size  # so that the others come in chunks of one size
    first, rest = (
        jax.tree.map(lambda a, cut=cut: a[cut], (templates, each))
        for cut in (slice(head), slice(head, None))
    )
    rest = jax.tree.map(lambda a: a.reshape(-1, size, *a.shape[1:]), rest)
    best, starts = best_of(0, first), jnp.arange(head, count, size)
    return lax.scan(step, best, (starts, rest))[0] if starts.size else best


@partial(jax.jit, static_argnums=(3, 4))
def _loudest(x: jax.Array, templates: jax.Array, heard: Any, how: How, normalized: bool) -> Loudest:
    """Return the best place of each template in each segment; on a mesh, of all shards' best."""
    x = undivided(x, [1])
    window = templates.shape[2:]

    def of_part(x: jax.Array, templates: jax.Array, heard: Any, inside: Any = True) -> Loudest:
        return _loudest_here(
            x, templates, heard, inside, bank_for(x.shape[1:], templates, how, normalized)
        )

    if not any(spec_of(x)):
        return of_part(x, templates, heard)

    def of_shard(x: jax.Array, inside: jax.Array, templates: jax.Array, heard: Any = (None,)) -> Loudest:
        last = (slice(m - 1, None) for m in window)  # samples of the windows
        found = of_part(x, templates[0], heard[0], inside[(0, 0, *last)])
        return jax.tree.map(lambda a: jnp.expand_dims(a, range(2, 2 + len(window))), found)

    signals, widths = [x, jnp.ones_like(x, bool)], behind(x, window)
    others = [templates[None]] if heard is None else [templates[None], heard[None]]
    each = over_places(of_shard, signals, others, window, widths, normalized, None, "loudest")
    return _loudest_of(each, x)


def _loudest_of(each: Loudest, x: jax.Array) -> Loudest:
    """Return the best place of all shards; of equals, the first in memory order."""
    rank = x.ndim - 2
    score, place = (undivided(a, range(2, 2 + rank)) for a in (each.score, each.place))
    shards = score.shape[2:]
    start = [jnp.arange(count) * (n // count) for count, n in zip(shards, x.shape[2:])]
    place = place + jnp.stack(jnp.meshgrid(*start, indexing="ij"), -1)[None, None]
    score, place = score.reshape(*score.shape[:2], -1), place.reshape(*place.shape[:2], -1, rank)
    top = score.max(-1)
    number = jnp.ravel_multi_index(tuple(jnp.moveaxis(place, -1, 0)), x.shape[2:], mode="clip")
    which = jnp.where(score == top[..., None], number, math.prod(x.shape[2:])).argmin(-1)
    return Loudest(top, jnp.take_along_axis(place, which[..., None, None], 2)[:, :, 0])


def _loudest_here(x: jax.Array, templates: jax.Array, heard: Any, inside: Any, bank: Bank) -> Loudest:
    shared = jax.vmap(lambda x: bank.signal(x, heard))(x)
    each, common = (heard, None) if is_one_each(heard, templates) else (None, heard)

    def in_all(chunk: Any) -> Loudest:
        t, own = chunk

        def in_one(shared: Any) -> Loudest:
            score = bank.score(shared, t, common if own is None else own)
            score = jnp.where(inside & ~jnp.isnan(score), score, -jnp.inf)
            top = score.max()
            number = jnp.where(
                score == top, jnp.arange(score.size).reshape(score.shape), score.size
            ).min()
            return Loudest(top, jnp.stack(jnp.unravel_index(number % score.size, score.shape)))

        return lax.map(in_one, shared)

    found = lax.map(in_all, (templates, each), batch_size=bank.at_once)
    return jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), found)
