"""Evaluation: the filter that theory promises, and how near and how good a learned one is."""

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
    """Return the filter of greatest `deflection` in closed form, from scenes without noise.

    `(C + R)^-1 (mean patch at targets - mean patch elsewhere)`, C being the covariance of the patches
    elsewhere and R the noise's: Fisher's discriminant. Where scenes hold nothing but the target, C is 0,
    and it is the matched filter of the target in that noise.

    Args:
        scenes: without noise, with one leading axis.
        size: of the filter along each axis; a number for all.
        noise: standard deviation of white noise, or the covariance R of a patch of it, as
            `detection.noise_covariance` returns it.
        target: the kind that is the target.
        stride: use each stride-th place, along each axis, of those that are elsewhere.

    Shapes:
        scenes.signal (count, n1, ..., nd), noise () or (m, m) with m = m1 ... md -> (m1, ..., md).

    Returns:
        The filter, of unit energy.

    Raises:
        ValueError: as `detection.patch_statistics` and `detection.matched_filter`.

    Source:
        R. A. Fisher, "The use of multiple measurements in taxonomic problems" (1936).

    Example:
        >>> from jaxconv.signals import strew
        >>> scene = strew(jax.random.key(0), (60,), jnp.array([[3.0, 4.0]]), noise=0.0)
        >>> scenes = jax.tree.map(lambda a: a[None], scene)
        >>> optimum(scenes, 2, 0.5).round(3).tolist()
        [0.6000000238418579, 0.800000011920929]
    """
    known = patch_statistics(scenes, size, target=target, stride=stride)
    noise = jnp.asarray(noise)
    covariance = noise if noise.ndim else noise**2 * jnp.eye(known.covariance.shape[0])
    return matched_filter(known.at_targets - known.elsewhere, known.covariance + covariance)


def cosine_similarity(a: Any, b: Any, noise_covariance: Any = None) -> jax.Array:
    """Return the cosine of the angle between two filters.

    `<a, b> / sqrt(<a, a> <b, b>)`, with `<a, b> = a . R b`. Where b is the matched filter in noise of
    covariance R, it is the share that a reaches of the greatest output signal-to-noise ratio.

    Args:
        a: a filter.
        b: another of the same shape.
        noise_covariance: R, of the flattened filters; None for white noise.

    Shapes:
        a and b (m1, ..., md), noise_covariance (m, m) with m = m1 ... md -> ().

    Returns:
        From -1 to 1; 1 for filters that differ by a positive factor.

    Raises:
        ValueError: if the filters' shapes differ.
        TypeError: if an operand is no array of numbers.

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
    a, b = a / magnitude(a), b / magnitude(b)  # whose squares neither overflow nor vanish
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
    """Responses of filters at targets and elsewhere; and whether a scene's greatest is at its target."""

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
    """Measure the responses of filters in fresh scenes of one target each, the same for all of them.

    Args:
        key: a `jax.random` key other than the one that was learned from.
        draw: makes a `Scene` of a key, with one target.
        filters: a bank.
        target: the kind that is the target.
        count: how many scenes.
        stride: keep each stride-th response, along each axis, of those elsewhere.

    Shapes:
        filters (k, m1, ..., md) -> at_targets (k, count), elsewhere (k, places) with NaN where a target
        reaches, first (k,).

    Returns:
        An `Evaluation`. A scene's greatest response is at its target where it is within a sample of it.

    Raises:
        ValueError: as `responses`.

    Example:
        >>> from jaxconv.signals import cross, scenes
        >>> draw = scenes(shape=(24, 24), kinds=["cross"], size=7)
        >>> bank = cross(7, zero_mean=True)[None]
        >>> evaluate(jax.random.key(1), draw, bank, count=50).detected().tolist()
        [1.0]
    """
    return _evaluated(key, draw, filters, target, count, stride)


@partial(jax.jit, static_argnums=(1, 3, 4, 5))
def _evaluated(
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
        corners, found = targets(scene, filters.shape[1:], target)
        corner = corners[0, jnp.argmax(found[0])]
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
    """Count how often each kind was given each name.

    Args:
        true: the kinds.
        given: what they were taken for.
        kinds: how many kinds and names there are.

    Shapes:
        true and given (n,) -> (kinds, kinds).

    Returns:
        Counts: a row for each true kind, a column for each name. Under `jit`, where labels are not
        known, all counts are -1 if any label is not one of 0 to kinds - 1.

    Raises:
        ValueError: if the shapes differ, the number is not positive, or a label is not one of 0 to
            kinds - 1.
        TypeError: if an operand is no array of numbers, or the number not whole.

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
