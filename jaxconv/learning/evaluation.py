"""Evaluation: the optimal filter in closed form, and how well a learned filter compares with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import Tracer

from jaxconv import checks
from jaxconv.detection import detection_rate, matched_filter, patch_statistics
from jaxconv.detection.patches import elsewhere, targets
from jaxconv.floats import as_floats, magnitude
from jaxconv.learning.losses import responses
from jaxconv.signals import Scene


def optimum(
    scenes: Scene,
    size: int | Sequence[int],
    noise: float | jax.Array,
    *,
    target: int = 0,
    stride: int = 2,
) -> jax.Array:
    """Return the filter of maximum `deflection` in closed form, from scenes without noise.

    `(C + R)^-1 (mean patch at targets - mean patch elsewhere)`, where C is the covariance of the patches
    elsewhere and R the covariance of the noise: Fisher's discriminant. If scenes hold only the target, C
    is 0, and this is the matched filter of the target in that noise.

    Args:
        scenes: scenes without noise, with one leading axis.
        size: size of the filter along each axis; a number for all axes.
        noise: standard deviation of white noise, or the covariance R of a patch of noise, as
            `detection.noise_covariance` returns it.
        target: the kind that is the target.
        stride: step between the places used elsewhere, along each axis.

    Shapes:
        scenes.signal (count, n1, ..., nd), noise () or (m, m) with m = m1 ... md -> (m1, ..., md).

    Returns:
        The filter, of unit energy.

    Raises:
        ValueError: as for `detection.patch_statistics` and `detection.matched_filter`.

    Source:
        R. A. Fisher, "The use of multiple measurements in taxonomic problems" (1936).

    Example:
        >>> from jaxconv.signals import strew
        >>> scene = strew(jax.random.key(0), (60,), jnp.array([[3.0, 4.0]]), noise=0.0)
        >>> scenes = jax.tree.map(lambda a: a[None], scene)
        >>> optimum(scenes, 2, 0.5).round(3).tolist()
        [0.6000000238418579, 0.800000011920929]
    """
    patches = patch_statistics(scenes, size, target=target, stride=stride)
    noise = jnp.asarray(noise)
    covariance = noise if noise.ndim else noise**2 * jnp.eye(patches.covariance.shape[0])
    return matched_filter(patches.at_targets - patches.elsewhere, patches.covariance + covariance)


def cosine_similarity(a: Any, b: Any, noise_covariance: Any = None) -> jax.Array:
    """Return the cosine of the angle between two filters.

    `<a, b> / sqrt(<a, a> <b, b>)`, with `<a, b> = a . R b`. If b is the matched filter in noise of
    covariance R, this is the output signal-to-noise ratio of a, relative to the maximum.

    Args:
        a: a filter.
        b: another filter of the same shape.
        noise_covariance: R, for the flattened filters; None: white noise.

    Shapes:
        a and b (m1, ..., md), noise_covariance (m, m) with m = m1 ... md -> ().

    Returns:
        From -1 to 1; 1 for filters that differ by a positive factor.

    Raises:
        ValueError: if the filters' shapes differ.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In all operands.

    Source:
        definition.

    Example:
        >>> float(cosine_similarity([1.0, 2.0], [2.0, 4.0]).round(3))
        1.0
    """
    a, b = (checks.array("cosine_similarity", name, each) for name, each in (("a", a), ("b", b)))
    if a.shape != b.shape:
        raise checks.value_error("cosine_similarity", "b", f"have the shape of `a`, {a.shape}", b.shape)

    a, b = as_floats(a, b)
    a, b = a / magnitude(a), b / magnitude(b)  # so that squares neither overflow nor underflow
    if noise_covariance is not None:
        a, b, noise_covariance = as_floats(
            a, b, checks.array("cosine_similarity", "noise_covariance", noise_covariance)
        )
        noise_covariance = noise_covariance / magnitude(noise_covariance)

    def inner(a: jax.Array, b: jax.Array) -> jax.Array:
        return a.ravel() @ (b.ravel() if noise_covariance is None else noise_covariance @ b.ravel())

    return inner(a, b) / jnp.sqrt(inner(a, a) * inner(b, b))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Evaluation:
    """Responses at targets and elsewhere, and the share of scenes with the highest one at the target."""

    at_targets: jax.Array
    elsewhere: jax.Array
    first: jax.Array

    def detected(self, false_alarm: float = 1e-3) -> jax.Array:
        """Return each filter's `detection.detection_rate`."""
        return detection_rate(self.at_targets, self.elsewhere, false_alarm=false_alarm)


def evaluate(
    key: jax.Array,
    draw: Callable[[jax.Array], Scene],
    filters: jax.Array,
    *,
    target: int = 0,
    count: int = 1000,
    stride: int = 3,
) -> Evaluation:
    """Measure the responses of filters in new scenes of one target each, the same for all filters.

    Args:
        key: a `jax.random` key, different from the one used for learning.
        draw: a function of a key that returns a `Scene` with one target.
        filters: a bank of filters, along the first axis.
        target: the kind that is the target.
        count: number of scenes.
        stride: step between the responses kept elsewhere, along each axis.

    Shapes:
        filters (k, m1, ..., md) -> at_targets (k, count), elsewhere (k, places) with NaN at places whose
        patch touches a target, first (k,).

    Returns:
        An `Evaluation`. The highest response of a scene counts as at the target if it is at most one
        sample away, along each axis.

    Raises:
        ValueError: as for `responses`.

    Example:
        >>> from jaxconv.signals import cross, scenes
        >>> draw = scenes(shape=(24, 24), kinds=["cross"], size=7)
        >>> bank = cross(7, zero_mean=True)[None]
        >>> evaluate(jax.random.key(1), draw, bank, count=50).detected().tolist()
        [1.0]
    """
    return _evaluate(key, draw, filters, target, count, stride)


@partial(jax.jit, static_argnums=(1, 3, 4, 5))
def _evaluate(
    key: jax.Array,
    draw: Callable[[jax.Array], Scene],
    filters: jax.Array,
    target: int,
    count: int,
    stride: int,
) -> Evaluation:
    def measure(key: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        scene = jax.tree.map(lambda a: a[None], draw(key))
        maps = responses(filters, scene.signal)[0]
        corners, is_target = targets(scene, filters.shape[1:], target)
        corner = corners[0, jnp.argmax(is_target[0])]
        at = jax.vmap(lambda response: response[tuple(corner)])(maps)
        highest = jax.vmap(
            lambda response: jnp.stack(jnp.unravel_index(response.argmax(), response.shape))
        )
        first = jnp.abs(highest(maps) - corner[None]).max(-1) <= 1
        steps = (slice(None), *[slice(None, None, stride)] * corner.size)
        free = elsewhere(scene, filters.shape[1:], target)[steps]
        others = jnp.where(free, maps[steps], jnp.nan)
        return at, others.reshape(len(filters), -1), first

    at, others, first = lax.map(measure, jax.random.split(key, count), batch_size=50)
    return Evaluation(at.T, jnp.moveaxis(others, 1, 0).reshape(len(filters), -1), first.mean(0))


def confusion(true: Any, given: Any, kinds: int) -> jax.Array:
    """Count how often each true label was given each label.

    Args:
        true: the true labels.
        given: the labels given to them, for example by a classifier.
        kinds: number of different labels.

    Shapes:
        true and given (n,) -> (kinds, kinds).

    Returns:
        Counts: one row per true label, one column per given label. Under `jit`, where the values of the
        labels are not known, all counts are -1 if any label is not from 0 to kinds - 1.

    Raises:
        ValueError: if the shapes differ, if `kinds` is not positive, or if a label is not from 0 to
            kinds - 1.
        TypeError: if an operand is not an array of numbers, or `kinds` is not a whole number.

    Example:
        >>> confusion([0, 1, 1], [0, 1, 0], 2).tolist()
        [[1, 0], [1, 1]]
    """
    true, given = (checks.array("confusion", n, v) for n, v in (("true", true), ("given", given)))
    kinds = checks.positive("confusion", "kinds", kinds)
    if true.shape != given.shape:
        raise checks.value_error(
            "confusion", "given", f"have the shape of `true`, {true.shape}", given.shape
        )
    inside = jnp.stack([(0 <= a.min(initial=0)) & (a.max(initial=0) < kinds) for a in (true, given)])
    for name, labels, fine in zip(("true", "given"), (true, given), inside):
        if not isinstance(fine, Tracer) and not fine:
            rule = f"hold labels from 0 to {kinds - 1}"
            raise checks.value_error("confusion", name, rule, f"{labels.min()} to {labels.max()}")
    return jnp.where(inside.all(), jnp.zeros((kinds, kinds), int).at[true, given].add(1), -1)
