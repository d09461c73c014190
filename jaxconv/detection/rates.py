"""Rates: the measured shares of targets detected and of false alarms."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.floats import as_floats, floating


def detection_rate(at_targets: Any, elsewhere: Any, *, false_alarm: float = 1e-3) -> jax.Array:
    """Measure the share of targets whose response exceeds the threshold for a rate of false alarms.

    Args:
        at_targets: responses at targets.
        elsewhere: responses at other places; NaN is ignored.
        false_alarm: share of the other places that exceed the threshold.

    Shapes:
        at_targets (..., targets), elsewhere (..., places) -> (...).

    Returns:
        The rate, from 0 to 1.

    Raises:
        ValueError: if `false_alarm` is not between 0 and 1.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        None: the rate is a count.

    Source:
        definition.

    Example:
        >>> float(detection_rate([1.0, 2.0, 3.0, 4.0], jnp.linspace(0, 2.5, 1000), false_alarm=0.01))
        0.5
    """
    at_targets = checks.array("detection_rate", "at_targets", at_targets)
    elsewhere = checks.array("detection_rate", "elsewhere", elsewhere)
    at_targets, elsewhere = as_floats(at_targets, elsewhere)
    if not 0 < false_alarm < 1:
        rule = "lie between 0 and 1"
        raise checks.value_error("detection_rate", "false_alarm", rule, false_alarm)
    threshold = jnp.nanquantile(elsewhere, 1 - false_alarm, axis=-1, keepdims=True)
    return (at_targets > threshold).mean(-1)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Roc:
    """A receiver operating characteristic: the two rates at each threshold, and the area below it."""

    false_alarm: jax.Array
    detection: jax.Array
    threshold: jax.Array
    area: jax.Array


def roc(scores: Any, truth: Any) -> Roc:
    """Measure the rates of detection and of false alarms at every threshold.

    Args:
        scores: one per place or per scene.
        truth: True where there is a target.

    Shapes:
        scores and truth (n,) -> false_alarm, detection and threshold (n + 1,), area ().

    Returns:
        A `Roc`, from the highest threshold to the lowest; a score that is equal to the threshold counts
        as detected. Equal scores give the same point, repeated. The area is the share of pairs (target,
        other) in which the target scores higher, where ties count half; NaN without targets or without
        others. If any score is NaN, all rates are NaN.

    Raises:
        ValueError: if the operands do not have one axis and equal lengths.
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
        raise checks.type_error("roc", "truth", rule, f"dtype {truth.dtype}")
    if scores.ndim != 1 or scores.shape != truth.shape:
        rule = "have one axis, and the length of `truth`"
        raise checks.value_error("roc", "scores", rule, f"{scores.shape} and {truth.shape}")
    return _roc(scores, truth)


@jax.jit
def _roc(scores: jax.Array, truth: jax.Array) -> Roc:
    scores = scores.astype(jnp.uint8) if scores.dtype == bool else scores
    falling = jnp.argsort(scores, stable=True)[::-1]  # not of -scores: unsigned integers would wrap
    score, target = scores[falling], truth[falling]
    last = len(scores) - 1 - jnp.searchsorted(score[::-1], score, side="left")  # of equal scores
    rates = [jnp.cumsum(kind)[last] / kind.sum() for kind in (~target, target)]
    unknown = jnp.where(jnp.isnan(score).any() | (score.size == 0), jnp.nan, 0)
    false_alarm, detection = (jnp.pad(rate, (1, 0)) + unknown for rate in rates)
    area = (jnp.diff(false_alarm) * (detection[1:] + detection[:-1]) / 2).sum()
    threshold = jnp.pad(score.astype(floating(score.dtype)), (1, 0), constant_values=jnp.inf)
    return Roc(false_alarm, detection, threshold, area + unknown)
