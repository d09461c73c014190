"""Rates: how often a filter detects, and how often falsely, measured."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DetectionRate:
    """How well a filter detects: rate at a stated false alarm, and how often it ranks first."""

    detected: jax.Array
    ranked_first: jax.Array
    threshold: jax.Array


def detection_rate(
    responses: jax.Array, places: jax.Array, *, reach: int, false_alarm: float = 0.01
) -> DetectionRate:
    """Measure how often a target's response stands out from all others in its image.

    An image's false response is its greatest farther than `reach` from the target; its true one the
    greatest within a pixel of it.

    Args:
        responses: one map of responses an image.
        places: index (row, column) in the map of the one target.
        reach: how far, in rows or columns, the target's own response reaches.
        false_alarm: share of images that may have a false response above the threshold.

    Shapes:
        responses (count, rows, columns), places (count, 2) -> three scalars.

    Returns:
        A `DetectionRate`: the share of images whose true response is above the threshold that
        `false_alarm` sets; the share whose true response beats all false ones; the threshold.

    Raises:
        ValueError: if `false_alarm` is not between 0 and 1.

    Source:
        definition.

    Example:
        >>> responses = jnp.zeros((10, 9, 9)).at[:, 4, 4].set(1.0)
        >>> rate = detection_rate(responses, jnp.full((10, 2), 4), reach=2)
        >>> float(rate.detected), float(rate.ranked_first)
        (1.0, 1.0)
    """
    if not 0 < false_alarm < 1:
        rule = "lie between 0 and 1"
        raise checks.value_error("detection_rate", "false_alarm", rule, false_alarm)
    rows, columns = jnp.ogrid[: responses.shape[1], : responses.shape[2]]

    def best(response: jax.Array, place: jax.Array):
        distance = jnp.maximum(jnp.abs(rows - place[0]), jnp.abs(columns - place[1]))
        true = jnp.max(response, where=distance <= 1, initial=-jnp.inf)
        return true, jnp.max(response, where=distance > reach, initial=-jnp.inf)

    true, false = jax.vmap(best)(responses, places)
    threshold = jnp.quantile(false, 1 - false_alarm)
    return DetectionRate((true > threshold).mean(), (true > false).mean(), threshold)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic: at each threshold the two rates; and the area below."""

    false_alarm: jax.Array
    detection: jax.Array
    threshold: jax.Array
    area: jax.Array


def roc(scores: Any, truth: Any) -> Roc:
    """Measure at every threshold how many targets are detected, and how many others falsely.

    Args:
        scores: one a place or a scene.
        truth: True where there is a target.

    Shapes:
        scores and truth (n,) -> false_alarm, detection and threshold (n + 1,), area ().

    Returns:
        A `Roc`, from the highest threshold to the lowest; what scores at least the threshold counts as
        detected. Equal scores are one point, repeated. The area is the share of pairs of a target and
        another in which the target scores higher, ties counting half; NaN without both kinds.

    Raises:
        ValueError: if the two are not of one axis and one length.
        TypeError: if the truth is not boolean.

    Gradient:
        None: the rates are counts.

    Source:
        T. Fawcett, "An introduction to ROC analysis" (2006); `sklearn.metrics.roc_curve`.

    Example:
        >>> curve = roc([3.0, 2.0, 1.0, 0.0], [True, False, True, False])
        >>> curve.detection.tolist(), float(curve.area)
        ([0.0, 0.5, 0.5, 1.0, 1.0], 0.75)
    """
    scores = checks.array("roc", "scores", scores)
    truth = checks.array("roc", "truth", truth)
    if truth.dtype != bool:
        rule = "be boolean, True where there is a target"
        raise TypeError(str(checks.value_error("roc", "truth", rule, f"dtype {truth.dtype}")))
    if scores.ndim != 1 or scores.shape != truth.shape:
        rule = "have one axis, and the length of `truth`"
        raise checks.value_error("roc", "scores", rule, f"{scores.shape} and {truth.shape}")
    order = jnp.argsort(-scores)
    score, target = scores[order], truth[order]
    last = jnp.searchsorted(-score, -score, side="right") - 1  # of those that are equal
    rates = [jnp.cumsum(kind)[last] / kind.sum() for kind in (~target, target)]
    false_alarm, detection = (jnp.concatenate([jnp.zeros(1, rate.dtype), rate]) for rate in rates)
    area = (jnp.diff(false_alarm) * (detection[1:] + detection[:-1]) / 2).sum()
    highest = (
        jnp.full(1, jnp.inf, score.dtype) if jnp.issubdtype(score.dtype, jnp.floating) else score[:1] + 1
    )
    return Roc(false_alarm, detection, jnp.concatenate([highest, score]), area)
