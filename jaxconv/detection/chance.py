"""Chance: from which score on a match is unlikely to be one by chance, told by the data themselves."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.engine.mesh.arrays import undivided
from jaxconv.floats import floating

TAIL = 0.02  # share of the scores that tells how they become rarer
BENDS = (-0.5, 0.3)  # least and greatest shape of the tail, beyond which so few scores do not tell it


def score_threshold(scores: Any, false_alarm: Any) -> jax.Array:
    """Return the score of normalized correlation that chance exceeds at this share of the places.

    No formula tells it for a picture, whose neighbours are alike and whose edges fit many templates. So
    the scores of places without a target tell it: of another picture of the same kind, or of the same
    picture turned negative, in which a target fits nowhere. Down to a share of 0.02 the threshold is
    their quantile. Beyond, a generalized Pareto distribution continues their highest 2 %, after Fisher's
    transform atanh, which takes scores near 1 apart.

    Args:
        scores: at places where no target is; from -1 to 1. NaN do not count.
        false_alarm: the share of places that may exceed the threshold; over 0, up to 1.

    Shapes:
        scores of any shape, false_alarm of any shape -> that of false_alarm.

    Returns:
        Thresholds. On the maps of 48 patches in 16 photographs the share that exceeded the threshold
        was, in the median, 1.0 times the stated one for 1e-2 and 1e-3 and 1.05 times for 1e-4 (from 0.25
        to 1.7 times in eight of ten). With the scores of the negative picture the medians were 1.0, 0.9
        and 1.3, but eight of ten lay between 0.1 and 4 times for 1e-3: bright is not the mirror of dark.

    Raises:
        ValueError: if there are no scores, one is beyond -1 and 1, or a share is not over 0 and up to 1.
        TypeError: if the scores are not real numbers.

    Source:
        J. Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3
        (1975); fitted by moments, J. R. M. Hosking and J. R. Wallis, Technometrics 29 (1987).

    Example:
        >>> noise = jnp.tanh(0.1 * jax.random.normal(jax.random.key(0), (300, 300)))
        >>> [round(float(t), 2) for t in score_threshold(noise, jnp.array([1e-2, 1e-4]))]
        [0.23, 0.36]
    """
    function = "score_threshold"
    scores, share = checks.array(function, "scores", scores), jnp.asarray(false_alarm)
    if jnp.iscomplexobj(scores):
        raise checks.type_error(function, "scores", "be real", scores.dtype)
    checks.not_empty(function, "scores", scores)
    if not checks.is_traced(scores) and bool((jnp.abs(scores) > 1 + 1e-3).any()):
        rule, remedy = "be from -1 to 1", "`detection.threshold` is for standard deviations."
        raise checks.value_error(function, "scores", rule, float(jnp.nanmax(jnp.abs(scores))), remedy)
    if not checks.is_traced(share) and not bool(((share > 0) & (share <= 1)).all()):
        raise checks.value_error(function, "false_alarm", "be a share, over 0 and up to 1", false_alarm)
    return _threshold(scores.astype(floating(scores.dtype)), share)


@jax.jit
def _threshold(scores: jax.Array, share: jax.Array) -> jax.Array:
    scores, share = undivided(scores, range(scores.ndim)).ravel(), share.astype(scores.dtype)
    limit = 1 - jnp.finfo(scores.dtype).eps
    z = jnp.arctanh(jnp.clip(scores, -limit, limit))
    start = jnp.nanquantile(z, 1 - TAIL)
    beyond = z > start  # False for NaN
    count = jnp.maximum(beyond.sum(), 1)
    excess = jnp.where(beyond, z - start, 0)
    mean = excess.sum() / count
    variance = jnp.where(beyond, (excess - mean) ** 2, 0).sum() / count
    ratio = mean**2 / jnp.where(variance > 0, variance, 1)
    shape = jnp.where(variance > 0, jnp.clip((1 - ratio) / 2, *BENDS), 0)
    shape = jnp.where(jnp.abs(shape) < 1e-4, 1e-4, shape)
    rarer = jnp.log(TAIL / jnp.minimum(share, TAIL))
    inside = jnp.nanquantile(z, 1 - share.ravel()).reshape(share.shape)
    tail = start + mean * (1 - shape) * jnp.expm1(shape * rarer) / shape
    return jnp.tanh(jnp.where(share < TAIL, tail, inside))
