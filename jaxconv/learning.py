"""Learning: gradient descent (optax) from random values to a matched filter.

The loss is theory's own measure of a detector, the deflection: how far the response at the targets
lies above the response anywhere, in standard deviations of the latter. Its maximum is known in closed
form (`optimum`), so what is learned can be judged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxconv import checks
from jaxconv.convolution import correlate
from jaxconv.detection import DetectionRate, detection_rate, matched_filter, patch_statistics
from jaxconv.signals import Scene

Draw = Callable[[jax.Array], Scene]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Fit:
    """A learned filter and how it came to be."""

    filter: jax.Array
    losses: jax.Array
    filters: jax.Array
    steps: jax.Array


def responses(kernel: jax.Array, images: jax.Array) -> jax.Array:
    """Correlate each image with the filter wherever the filter lies inside it.

    Args:
        kernel: the filter.
        images: the images.

    Shapes:
        kernel (m, m), images (count, rows, columns) -> (count, rows - m + 1, columns - m + 1).

    Returns:
        The maps of responses; the filter centred on (row, column) is at (row - m // 2, column - m // 2).

    Example:
        >>> responses(jnp.ones((3, 3)), jnp.ones((2, 5, 6))).shape
        (2, 3, 4)
    """
    return jax.vmap(lambda image: correlate(image, kernel, "valid"))(images)


def deflection(kernel: jax.Array, images: jax.Array, places: jax.Array) -> jax.Array:
    """Return how many standard deviations the response at targets lies above that anywhere.

    `(mean at targets - mean anywhere) / standard deviation anywhere`, of `responses`.

    Args:
        kernel: the filter.
        images: the images.
        places: centre (row, column) of one target in each.

    Shapes:
        kernel (m, m), images (count, rows, columns), places (count, 2) -> ().

    Returns:
        The deflection; it does not change when the filter is scaled.

    Gradient:
        In the filter and the images.

    Source:
        B. Picinbono, "On deflection as a performance criterion in detection", IEEE Trans. Aerospace
        and Electronic Systems 31 (1995).

    Example:
        >>> images = jnp.zeros((2, 9, 9)).at[:, 4, 4].set(1.0)
        >>> float(deflection(jnp.eye(3), images, jnp.full((2, 2), 4)).round())
        4.0
    """
    maps = responses(kernel, images)
    corners = places - kernel.shape[0] // 2
    at_targets = jax.vmap(lambda response, corner: response[corner[0], corner[1]])(maps, corners)
    return (at_targets.mean() - maps.mean()) / maps.std()


def fit(
    key: jax.Array,
    draw: Draw,
    *,
    target: int = 0,
    size: int = 21,
    steps: int = 300,
    batch: int = 64,
    optimizer: optax.GradientTransformation | None = None,
    every: int = 5,
    report: Callable[[int, float], None] | None = None,
) -> Fit:
    """Learn a filter that finds a target, by gradient ascent on the `deflection`.

    It starts from random values and sees a fresh batch of scenes at every step.

    Args:
        key: a `jax.random` key, for the first filter and all scenes.
        draw: makes a `Scene` of a key, as `signals.scenes` returns; one target in each.
        target: which of the scene's kinds is the target.
        size: side of the filter, odd.
        steps: how many updates.
        batch: scenes an update.
        optimizer: by default Adam, its rate falling from 0.03 to 0 as a cosine.
        every: after so many steps the filter is kept and `report` called.
        report: called with the number of steps done and the last loss.

    Shapes:
        -> filter (size, size), losses (steps,), filters (kept, size, size), steps (kept,).

    Returns:
        A `Fit`: the filter, of unit energy; the loss (the negative deflection) at each step; the
        filters on the way, random one first; and the steps after which they were kept.

    Raises:
        ValueError: if the size is even, or a number is not positive.
        TypeError: if one of them is no whole number.

    Example:
        >>> from jaxconv.signals import scenes
        >>> draw = scenes(shape=(24, 24), kinds=["cross"], size=7)
        >>> fitted = fit(jax.random.key(0), draw, size=7, steps=20, batch=4)
        >>> bool(fitted.losses[-1] < fitted.losses[0])
        True
    """
    checks.positive("fit", "size", size, odd=True)
    for name, value in (("steps", steps), ("batch", batch), ("every", every)):
        checks.positive("fit", name, value)
    if optimizer is None:
        optimizer = optax.adam(optax.cosine_decay_schedule(0.03, steps))
    start_key, scene_key = jax.random.split(key)
    kernel = _unit(jax.random.normal(start_key, (size, size)))
    state = optimizer.init(kernel)

    def loss(kernel: jax.Array, key: jax.Array) -> jax.Array:
        images, places = _batch(draw, key, batch, target)
        return -deflection(kernel, images, places)

    def step(carry, key):
        kernel, state = carry
        value, gradient = jax.value_and_grad(loss)(kernel, key)
        updates, state = optimizer.update(gradient, state, kernel)
        return (_unit(optax.apply_updates(kernel, updates)), state), value

    run = jax.jit(partial(lax.scan, step))
    keys = jax.random.split(scene_key, steps)
    losses, filters, stops = [], [kernel], [0]
    for start in range(0, steps, every):
        (kernel, state), values = run((kernel, state), keys[start : start + every])
        losses.append(values)
        filters.append(kernel)
        stops.append(start + len(values))
        if report:
            report(stops[-1], float(values[-1]))
    return Fit(kernel, jnp.concatenate(losses), jnp.stack(filters), jnp.array(stops))


def optimum(
    key: jax.Array, draw: Draw, *, target: int = 0, size: int = 21, count: int = 256, noise: float
) -> jax.Array:
    """Return the filter of greatest `deflection` in closed form: Fisher's discriminant of the scenes.

    `w = (C + noise^2 I)^-1 (mean patch at the target - mean patch anywhere)`, with C the covariance of
    patches anywhere, both measured on scenes that `draw` makes without noise.

    Args:
        key: a `jax.random` key.
        draw: makes a noiseless `Scene` of a key.
        target: which of the scene's kinds is the target.
        size: side of the filter, odd.
        count: how many scenes to measure.
        noise: standard deviation of the white noise to add to C.

    Shapes:
        -> (size, size).

    Returns:
        The filter, of unit energy.

    Raises:
        ValueError: as `detection.patch_statistics`.

    Source:
        R. A. Fisher, "The use of multiple measurements in taxonomic problems" (1936).

    Example:
        >>> from jaxconv.signals import scenes
        >>> draw = scenes(shape=(24, 24), kinds=["cross"], size=7, noise=0.0)
        >>> optimum(jax.random.key(0), draw, size=7, count=64, noise=0.5).shape
        (7, 7)
    """
    images, places = _batch(draw, key, count, target)
    clean = patch_statistics(images, places, size)
    covariance = clean.covariance + noise**2 * jnp.eye(size * size)
    return matched_filter(clean.at_targets - clean.anywhere, covariance)


def evaluate(
    key: jax.Array,
    draw: Draw,
    filters: jax.Array,
    *,
    target: int = 0,
    count: int = 1000,
    false_alarm: float = 0.01,
) -> DetectionRate:
    """Measure the `detection.detection_rate` of filters, all on the same fresh scenes.

    Args:
        key: a `jax.random` key other than the one that was learned from.
        draw: makes a `Scene` of a key.
        filters: the filters, of odd size.
        target: which of the scene's kinds is the target.
        count: how many scenes.
        false_alarm: share of scenes that may have a false response above the threshold.

    Shapes:
        filters (k, m, m) -> three of (k,).

    Returns:
        A `DetectionRate`.

    Raises:
        ValueError: as `detection.detection_rate`.

    Example:
        >>> from jaxconv.signals import cross, scenes
        >>> draw = scenes(shape=(24, 24), kinds=["cross"], size=7)
        >>> filters = cross(7, zero_mean=True)[None]
        >>> evaluate(jax.random.key(1), draw, filters, count=50).detected.tolist()
        [1.0]
    """
    half = filters.shape[-1] // 2

    def measure(key: jax.Array):
        images, places = _batch(draw, key, 1, target)
        maps = jax.vmap(lambda kernel: responses(kernel, images)[0])(filters)
        return maps, places[0] - half

    maps, corners = lax.map(measure, jax.random.split(key, count), batch_size=50)
    rate = partial(detection_rate, reach=half, false_alarm=false_alarm)
    return jax.vmap(rate, in_axes=(1, None))(maps, corners)


def cosine_similarity(a: jax.Array, b: jax.Array) -> jax.Array:
    """Return the cosine of the angle between two filters, each less its mean.

    Args:
        a: a filter.
        b: another of the same shape.

    Shapes:
        a and b (m1, ..., md) -> ().

    Returns:
        From -1 to 1; 1 for filters that differ by a positive factor and a constant.

    Source:
        definition.

    Example:
        >>> cosine_similarity(jnp.array([1.0, 2.0, 3.0]), jnp.array([5.0, 7.0, 9.0])).round(3).tolist()
        1.0
    """
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / jnp.sqrt((a**2).sum() * (b**2).sum())


def _batch(draw: Draw, key: jax.Array, count: int, target: int) -> tuple[jax.Array, jax.Array]:
    """Draw scenes; return their images and the place of the target in each."""
    scenes = jax.vmap(draw)(jax.random.split(key, count))
    first = jnp.argmax(scenes.kinds == target, axis=1)
    return scenes.signal, jnp.take_along_axis(scenes.places, first[:, None, None], axis=1)[:, 0]


def _unit(kernel):
    return kernel / jnp.sqrt((kernel**2).sum())
