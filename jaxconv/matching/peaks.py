"""Peaks: the highest places of a map, apart from one another."""

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec as P

from jaxconv import checks
from jaxconv.engine.mesh.arrays import by_compiler, is_sharded, numbered, spec_of, undivided
from jaxconv.engine.mesh.division import in_order
from jaxconv.floats import floating
from jaxconv.matching.windows import extreme_within

DEFAULT = 100  # peaks


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Peaks:
    """Peaks of a map, highest first; entries from `count` on are empty (place -1, score -inf).

    `total` tells how many peaks the map has, and `left_out` how many of them, the lowest, are not here.
    """

    places: jax.Array
    positions: jax.Array
    scores: jax.Array
    count: jax.Array
    total: jax.Array

    @property
    def left_out(self) -> jax.Array:
        """How many peaks the map has that are not among these."""
        return self.total - self.count


def find_peaks(
    score: Any,
    *,
    threshold: float | jax.Array = 0.0,
    min_distance: int = 1,
    max_peaks: int | None = None,
) -> Peaks:
    """Find the highest places of a map, no two within `min_distance` of one another.

    A peak is a place that is greater than `threshold` and not exceeded within `min_distance` on any
    axis. Of equal places that near, and of a plateau, the first in memory order counts.

    Args:
        score: the map; real, any number of axes. NaN is no peak.
        threshold: a peak is greater than this; may be traced.
        min_distance: two peaks are farther apart than this along at least one axis.
        max_peaks: the number of peaks to return at most, the highest first; static under `jit`. None
            returns up to 100, with a warning if the map has more.

    Shapes:
        score (n1, ..., nd) -> places (max_peaks, d), positions (max_peaks, d), scores (max_peaks,),
        count and total ().

    Returns:
        `Peaks`, sorted by score; `positions` are the tops of parabolas through each peak and its
        neighbours, up to half a sample from its place, where these are curved and inside the map.

    Raises:
        ValueError: if `min_distance` or `max_peaks` is not positive, or the map is empty.
        TypeError: if one of them is not a whole number, or the map is not of real numbers.

    Gradient:
        In the scores and positions, through the places where they are found.

    Source:
        `skimage.feature.peak_local_max` finds the same places with `p_norm=inf` and
        `exclude_border=False`, where no two are equal.

    Example:
        >>> peaks = find_peaks(jnp.array([0.0, 2.0, 1.0, 0.0, 3.0]), max_peaks=3)
        >>> peaks.places[: peaks.count].tolist(), peaks.scores[: peaks.count].tolist()
        ([[4], [1]], [3.0, 2.0])
        >>> [f"{x:.3f}" for x in peaks.positions[:2, 0]]
        ['4.000', '1.167']
    """
    function = "find_peaks"
    score = checks.array(function, "score", score)
    if jnp.iscomplexobj(score):
        rule, remedy = "be real", "Take jnp.abs of it."
        raise checks.type_error(function, "score", rule, score.dtype, remedy)
    checks.not_empty(function, "score", score)
    if score.ndim == 0:
        raise checks.value_error(function, "score", "have axes", "a single number")
    checks.positive(function, "min_distance", min_distance)
    if max_peaks is not None:
        checks.positive(function, "max_peaks", max_peaks)
    peaks = _jitted(score, threshold, min_distance, max_peaks or DEFAULT)
    if max_peaks is None and not checks.is_traced(peaks.total) and peaks.total > DEFAULT:
        warnings.warn(
            f"find_peaks: the map has {peaks.total} peaks, and the highest {DEFAULT} are returned."
            f" max_peaks={peaks.total} returns all; max_peaks={DEFAULT} is silent.",
            stacklevel=2,
        )
    return peaks


@partial(jax.jit, static_argnums=(2, 3))
def _jitted(score: jax.Array, threshold: Any, distance: int, most: int) -> Peaks:
    peaks, order = _summits(lax.stop_gradient(score), threshold, distance)
    index = _highest(order, min(most, score.size))
    score = score.astype(floating(score.dtype))
    shape = (*index.shape, score.ndim)
    heights, offsets = by_compiler(_tops_at, score, index.shape, shape, whole=True)(score, index)
    total, missing = peaks.sum(), most - len(index)
    index, heights = (jnp.pad(a, (0, missing)) for a in (index, heights))
    offsets = jnp.pad(offsets, ((0, missing), (0, 0)))
    found = jnp.arange(most) < total
    places = jnp.stack(jnp.unravel_index(index, score.shape), axis=-1)
    return Peaks(
        jnp.where(found[:, None], places, -1),
        jnp.where(found[:, None], places.astype(offsets.dtype) + offsets, -1),
        jnp.where(found, heights, -jnp.inf),
        found.sum(),
        total,
    )


def _highest(order: jax.Array, most: int) -> jax.Array:
    """Return the flat indices of the highest places, the first of equals first; of all shards' own."""
    if not is_sharded(order):
        return lax.top_k(order.ravel(), most)[1]
    mesh, spec = jax.typeof(order).sharding.mesh, spec_of(order)
    along = P(tuple(name for names in in_order(spec, range(order.ndim)) for name in names))

    def of_shard(order: jax.Array, number: jax.Array) -> tuple[jax.Array, jax.Array]:
        heights, index = lax.top_k(order.ravel(), min(most, order.size))
        return heights, number.ravel()[index]

    each = jax.shard_map(of_shard, mesh=mesh, in_specs=(P(*spec), P(*spec)), out_specs=along)
    heights, number = (undivided(a, [0]) for a in each(order, numbered(order)))
    by_number = number.argsort()
    return number[by_number][lax.top_k(heights[by_number], most)[1]]


def _tops_at(score: jax.Array, index: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the scores at some places, and how far the tops of the parabolas are from them."""
    places = jnp.stack(jnp.unravel_index(index, score.shape), axis=-1)
    return score[tuple(places.T)], jax.vmap(partial(parabola, score))(places)


def _summits(score: jax.Array, threshold: Any, distance: int) -> tuple[jax.Array, jax.Array]:
    """Return where the peaks are, and a map of what they are ordered by, lowest where there is none.

    Integers are compared as they are: floats would make equals of some.
    """
    top, score, lowest = _tops(score, threshold, distance)
    peaks = _apart(_firsts(top), distance)
    return peaks, jnp.where(peaks, score, jnp.asarray(lowest, score.dtype))


def tops(score: jax.Array, threshold: Any, distance: int, rounding: float = 0.0) -> jax.Array:
    """Return where a map exceeds a threshold and is not exceeded within a distance, but for rounding."""
    return _tops(score, threshold, distance, rounding)[0]


def _tops(score: jax.Array, threshold: Any, distance: int, rounding: float = 0.0):
    """Return the tops, the map with its lowest value where not above the threshold, and that value."""
    above = _is_above(score, threshold)
    if not jnp.issubdtype(score.dtype, jnp.inexact):
        score = score if score.dtype.itemsize >= 4 else score.astype(jnp.int32)
    lowest = -jnp.inf if jnp.issubdtype(score.dtype, jnp.inexact) else jnp.iinfo(score.dtype).min
    score = jnp.where(above, score, jnp.asarray(lowest, score.dtype))
    highest = extreme_within(score, distance, jnp.maximum, lowest)
    top = score >= highest - rounding if rounding else score == highest
    return above & top, score, lowest


def _is_above(score: jax.Array, threshold: Any) -> jax.Array:
    """Return where a map exceeds a threshold; whole numbers as they are, which floats would round."""
    threshold = jnp.asarray(threshold)
    if jnp.issubdtype(score.dtype, np.inexact):
        return score > threshold.astype(score.dtype)
    if jnp.issubdtype(threshold.dtype, np.inexact):
        threshold = jnp.floor(threshold)
        limits = jnp.iinfo(score.dtype)
        far = jnp.where(threshold < limits.min, 1, jnp.where(threshold >= limits.max, -1, 0))
        near = score > jnp.where(far == 0, threshold, 0).astype(score.dtype)
        return jnp.where(jnp.isnan(threshold), False, jnp.where(far == 0, near, far > 0))
    wide = jnp.promote_types(score.dtype, threshold.dtype)
    return score.astype(wide) > threshold.astype(wide)


def _firsts(top: jax.Array) -> jax.Array:
    """Keep of each plateau, of places that touch, the first in memory order."""
    number = numbered(top)
    label = jnp.where(top, number, top.size)

    def spread(state):
        label, _ = state
        lower = jnp.where(top, extreme_within(label, 1, jnp.minimum, top.size), top.size)
        return lower, (lower != label).any()

    label, _ = lax.while_loop(lambda state: state[1], spread, (label, top.any()))
    return top & (label == number)


def _apart(candidates: jax.Array, distance: int) -> jax.Array:
    """Keep of candidates within a distance, which are equals, the first in memory order, and so on."""
    number = numbered(candidates)

    def take(state):
        left, kept = state
        first = extreme_within(jnp.where(left, number, left.size), distance, jnp.minimum, left.size)
        new = left & (first == number)
        return left & ~extreme_within(new, distance, jnp.logical_or, False), kept | new

    nothing = jnp.zeros_like(candidates)
    return lax.while_loop(lambda state: state[0].any(), take, (candidates, nothing))[1]


def parabola(score: jax.Array, place: jax.Array) -> jax.Array:
    """Return how far the top of the parabola through a peak and its neighbours is from it."""
    rank = score.ndim
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * rank, indexing="ij"), -1)
    around = place.reshape(*[1] * rank, rank) + steps
    sizes = jnp.array(score.shape).reshape(*[1] * rank, rank)
    inside = ((around >= 0) & (around < sizes)).all()
    values = score[tuple(jnp.moveaxis(around, -1, 0))]  # indices beyond the edge are not looked at
    values = jnp.where(inside & jnp.isfinite(values).all(), values, 0)

    def at(*moves: tuple[int, int]) -> jax.Array:
        where: list[int] = [1] * rank
        for axis, move in moves:
            where[axis] += move
        return values[tuple(where)]

    slope = jnp.stack([(at((i, 1)) - at((i, -1))) / 2 for i in range(rank)])
    bend = [[jnp.zeros(())] * rank for _ in range(rank)]
    for i in range(rank):
        bend[i][i] = at((i, 1)) - 2 * at() + at((i, -1))
        for j in range(i):
            mixed = at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))
            bend[i][j] = bend[j][i] = mixed / 4
    curved = jnp.array(bend)
    top = jnp.linalg.eigvalsh(lax.stop_gradient(curved)).max() < 0
    step = -jnp.linalg.solve(jnp.where(top, curved, -jnp.eye(rank)), slope)
    return jnp.where(top, jnp.clip(step, -0.5, 0.5), 0.0)
