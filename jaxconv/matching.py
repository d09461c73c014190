"""Matching: where in a signal a template lies, and how well it fits there."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.convolution import convolve, correlate
from jaxconv.types import MODES, Method, Mode


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Peaks:
    """Peaks of a map, highest first; entries from `count` on are empty (place -1, score -inf)."""

    places: jax.Array
    scores: jax.Array
    count: jax.Array


def normalized_correlation(
    signal: jax.Array, template: jax.Array, *, mode: Mode = "valid", method: Method = "auto"
) -> jax.Array:
    """Correlate with each window's brightness and contrast taken out: how well the template fits.

    `sum (x - mean x)(t - mean t) / sqrt(sum (x - mean x)^2 sum (t - mean t)^2)` over each window x
    of the signal: the cosine between window and template, both less their means. In modes "full" and
    "same" the signal's mean is taken to lie beyond its edge.

    Args:
        signal: where to look; real, any number of axes.
        template: what to look for, no larger.
        mode: as for `jaxconv.correlate`.
        method: as for `jaxconv.correlate`, for the correlation with the template.

    Shapes:
        signal (n1, ..., nd), template (m1, ..., md) -> valid: ni - mi + 1, same: ni, full: ni + mi - 1.

    Returns:
        Scores from -1 to 1; 0 where the window, or the template, is flat to within rounding.

    Raises:
        ValueError: if the numbers of axes differ, the mode is none of the three, or in "valid" the
            template does not fit inside the signal.

    Gradient:
        In both operands; 0 where the score is 0 for flatness.

    Source:
        J. P. Lewis, "Fast normalized cross-correlation" (1995).

    Example:
        >>> signal = jnp.array([5.0, 5.0, 6.0, 7.0, 6.0, 5.0, 5.0])
        >>> score = normalized_correlation(signal, jnp.array([1.0, 3.0, 1.0]))
        >>> int(score.argmax()), float(score.max().round(3))
        (2, 1.0)
    """
    function = "normalized_correlation"
    signal, template = (
        checks.array(function, "signal", signal),
        checks.array(function, "template", template),
    )
    checks.same_rank(function, ("signal", "template"), (signal, template))
    checks.one_of(function, "mode", mode, MODES)
    if mode == "valid" and any(m > n for n, m in zip(signal.shape, template.shape)):
        rule = f"be no larger than `signal` {signal.shape} on any axis in mode 'valid'"
        remedy = "Use a smaller template, or mode='same'."
        raise checks.value_error(function, "template", rule, template.shape, remedy)
    signal = signal - signal.mean()
    template = template - template.mean()
    energy = (template**2).sum()
    window = [jnp.ones(m, signal.dtype) for m in template.shape]
    count = template.size
    mean = _separable(signal, window, mode) / count
    power = _separable(signal**2, window, mode)
    variation = power - count * mean**2
    fit = correlate(signal, template, mode, method)
    eps = jnp.finfo(signal.dtype).eps
    uneven = (variation > 16 * eps * power) & (energy > 16 * eps * count * eps)
    scale = jnp.sqrt(jnp.where(uneven, variation * energy, 1.0))
    return jnp.clip(jnp.where(uneven, fit / scale, 0.0), -1.0, 1.0)


def find_peaks(
    score: jax.Array, *, threshold: float = 0.0, min_distance: int = 1, max_peaks: int = 100
) -> Peaks:
    """Find the highest places of a map, no two within `min_distance` of one another.

    A peak is a place that is greater than `threshold` and not exceeded within `min_distance` on any
    axis; of equal neighbours the first in memory order counts.

    Args:
        score: the map; any number of axes.
        threshold: a peak is greater than this.
        min_distance: two peaks lie farther apart than this, on one axis at least.
        max_peaks: at most this many are returned, the highest; static, so that it can be jitted.

    Shapes:
        score (n1, ..., nd) -> places (max_peaks, d), scores (max_peaks,), count ().

    Returns:
        `Peaks`, sorted by score.

    Raises:
        ValueError: if `min_distance` or `max_peaks` is not positive.
        TypeError: if one of them is no whole number.

    Gradient:
        In the scores, through the places where they are found.

    Example:
        >>> peaks = find_peaks(jnp.array([0.0, 2.0, 1.0, 0.0, 3.0]), max_peaks=3)
        >>> peaks.places[: peaks.count].tolist(), peaks.scores[: peaks.count].tolist()
        ([[4], [1]], [3.0, 2.0])
    """
    checks.positive("find_peaks", "min_distance", min_distance)
    checks.positive("find_peaks", "max_peaks", max_peaks)
    wanted = min(max_peaks, score.size)
    lowest = jnp.array(-jnp.inf, score.dtype)

    def suppress(_, state):
        left, places, scores = state
        index = jnp.argmax(left)
        place = jnp.stack(jnp.unravel_index(index, score.shape))
        best = left.ravel()[index]
        near = jnp.ones(score.shape, bool)
        for axis, centre in enumerate(place):
            distance = jnp.abs(lax.broadcasted_iota(place.dtype, score.shape, axis) - centre)
            near &= distance <= min_distance
        left = jnp.where(near, lowest, left)
        found = best > lowest
        places = places.at[_].set(jnp.where(found, place, -1))
        return left, places, scores.at[_].set(best)

    summits = jnp.where(
        (score > threshold) & (score >= _local_maximum(score, min_distance)), score, lowest
    )
    places = jnp.full((max_peaks, score.ndim), -1)
    scores = jnp.full(max_peaks, lowest)
    _, places, scores = lax.fori_loop(0, wanted, suppress, (summits, places, scores))
    return Peaks(places, scores, (scores > lowest).sum())


def _local_maximum(score: jax.Array, distance: int) -> jax.Array:
    window = (2 * distance + 1,) * score.ndim
    lowest = jnp.array(-jnp.inf, score.dtype)
    return lax.reduce_window(score, lowest, lax.max, window, (1,) * score.ndim, "SAME")


def _separable(signal: jax.Array, vectors: list[jax.Array], mode: Mode) -> jax.Array:
    """Convolve with the outer product of vectors, one axis at a time."""
    for axis, vector in enumerate(vectors):
        shape = [1] * signal.ndim
        shape[axis] = vector.size
        signal = convolve(signal, vector.reshape(shape), mode)
    return signal
