"""Detection: the filter that theory calls optimal, and how well a filter detects.

The matched filter maximizes the signal-to-noise ratio of its output. For a template t in noise of
covariance R its response is `w . x` with `w = R^-1 t`; in white noise that is the template itself.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks


def output_snr(template: jax.Array, noise: float | jax.Array) -> jax.Array:
    """Return the signal-to-noise ratio that a template's matched filter has in white noise.

    `sqrt(sum t^2) / noise`: the peak of the response over the standard deviation of its noise, a
    ratio of amplitudes; `20 log10` of it is in dB.

    Args:
        template: what is looked for, less its mean if the filter has none.
        noise: standard deviation of the noise.

    Shapes:
        template (m1, ..., md) -> ().

    Returns:
        The ratio.

    Source:
        G. L. Turin, "An introduction to matched filters", IRE Trans. Inf. Theory 6 (1960).

    Example:
        >>> float(output_snr(jnp.array([3.0, 4.0]), 0.5))
        10.0
    """
    return jnp.sqrt((template**2).sum()) / noise


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PatchStatistics:
    """Means and covariance of the patches of images: what a linear detector can know."""

    at_targets: jax.Array
    anywhere: jax.Array
    covariance: jax.Array


def matched_filter(template: jax.Array, covariance: jax.Array | None = None) -> jax.Array:
    """Return the linear filter of greatest output signal-to-noise ratio, of unit energy.

    `w = R^-1 t`, scaled to `sum w^2 = 1`; correlate with it. Where R is the covariance of all that
    surrounds the target, other shapes included, and t the target's mean less the mean of all, it is
    Fisher's linear discriminant, which maximizes the `deflection`
    `(mean at targets - mean anywhere)^2 / variance anywhere`.

    Args:
        template: the target, less whatever mean its surroundings have.
        covariance: of the flattened surroundings; None for white noise.

    Shapes:
        template (m1, ..., md), covariance (m, m) with m = m1 ... md -> (m1, ..., md).

    Returns:
        The filter.

    Raises:
        ValueError: if the covariance is not as wide as the template has elements.

    Gradient:
        In both operands, through the linear solve.

    Source:
        G. L. Turin, "An introduction to matched filters", IRE Trans. Inf. Theory 6 (1960), eq. 22;
        R. A. Fisher, "The use of multiple measurements in taxonomic problems" (1936).

    Example:
        >>> matched_filter(jnp.array([3.0, 4.0])).tolist()
        [0.6000000238418579, 0.800000011920929]
        >>> matched_filter(jnp.array([1.0, 1.0]), jnp.diag(jnp.array([1.0, 100.0]))).round(2).tolist()
        [1.0, 0.009999999776482582]
    """
    solution = template
    if covariance is not None:
        if covariance.shape != (template.size, template.size):
            rule = f"be {template.size} x {template.size} for a template of shape {template.shape}"
            raise checks.value_error("matched_filter", "covariance", rule, covariance.shape)
        solution = jnp.linalg.solve(covariance, template.ravel()).reshape(template.shape)
    return solution / jnp.sqrt((solution**2).sum())


def patch_statistics(
    images: jax.Array, places: jax.Array, size: int, *, stride: int = 2
) -> PatchStatistics:
    """Measure the means and the covariance of square patches, at targets and anywhere.

    Args:
        images: the images.
        places: centre (row, column) of one target in each.
        size: side of the patch, odd.
        stride: use each stride-th row and column of the places that are anywhere.

    Shapes:
        images (count, rows, columns), places (count, 2) -> at_targets (size, size), anywhere (size,
        size), covariance (size size, size size).

    Returns:
        `PatchStatistics`; the covariance is about the mean anywhere.

    Raises:
        ValueError: if the size is even or larger than the images.

    Source:
        definition.

    Example:
        >>> images = jnp.zeros((3, 8, 8)).at[:, 4, 4].set(1.0)
        >>> statistics = patch_statistics(images, jnp.full((3, 2), 4), 3, stride=1)
        >>> statistics.at_targets.tolist()
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    checks.positive("patch_statistics", "size", size, odd=True)
    if size > min(images.shape[-2:]):
        rule = f"be no larger than the images, {images.shape[-2:]}"
        raise checks.value_error("patch_statistics", "size", rule, size)

    starts = [jnp.arange(0, n - size + 1, stride) for n in images.shape[1:]]
    rows, columns = (jnp.add.outer(start, jnp.arange(size)) for start in starts)

    def moments(image_and_place):
        image, place = image_and_place
        target = lax.dynamic_slice(image, place - size // 2, (size, size)).ravel()
        patches = image[rows[:, None, :, None], columns[None, :, None, :]].reshape(-1, size * size)
        return target, patches.mean(0), patches.T @ patches / len(patches)

    def add(total, image_and_place):
        return jax.tree.map(jnp.add, total, moments(image_and_place)), None

    m, dtype = size * size, images.dtype
    zeros = jnp.zeros(m, dtype), jnp.zeros(m, dtype), jnp.zeros((m, m), dtype)
    total, _ = lax.scan(add, zeros, (images, places))
    target, mean, second = jax.tree.map(lambda x: x / images.shape[0], total)
    covariance = second - jnp.outer(mean, mean)
    return PatchStatistics(target.reshape(size, size), mean.reshape(size, size), covariance)


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
