"""Signals to look for and signals to look in: waves, shapes, and scenes full of shapes.

Times and lengths are in samples unless a time axis is passed; images are indexed (row, column) with
rows growing downwards. Shapes are drawn by coverage: a pixel half covered by ink is 0.5, so a shape's
edge is smooth (anti-aliased) and differentiable in its radius.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks


def midpoints(start: float, stop: float, step: float = 0.1) -> jax.Array:
    """Return the middles of the steps that fill an interval: the times of a midpoint sum.

    With them `sum(f(t)) * step` is exact for straight lines, jumps at whole steps included.

    Args:
        start: where the first step begins.
        stop: where the last step ends.
        step: length of a step.

    Shapes:
        -> (round((stop - start) / step),).

    Returns:
        Times, in the unit of the arguments.

    Raises:
        ValueError: if `step` is not positive or `stop` does not lie beyond `start`.

    Example:
        >>> midpoints(-1, 1, 0.5).tolist()
        [-0.75, -0.25, 0.25, 0.75]
    """
    if step <= 0:
        raise checks.value_error("midpoints", "step", "be positive", step)
    if stop <= start:
        raise checks.value_error("midpoints", "stop", f"be greater than `start` {start}", stop)
    return jnp.asarray(start + step * (np.arange(round((stop - start) / step)) + 0.5))


def square_wave(t: jax.Array, start: float = -5.0, stop: float = 5.0, height: float = 1.0) -> jax.Array:
    """Return one square pulse: `height` from `start` up to `stop`, 0 elsewhere.

    Args:
        t: times.
        start: where the pulse begins.
        stop: where it ends.
        height: its value.

    Shapes:
        t (n,) -> (n,).

    Returns:
        The pulse at the times t.

    Example:
        >>> square_wave(midpoints(-2, 2, 1.0), -1, 1).tolist()
        [0.0, 1.0, 1.0, 0.0]
    """
    return jnp.where((t >= start) & (t < stop), height, 0.0)


def sawtooth(
    t: jax.Array, start: float = -5.0, stop: float = 5.0, first: float = 4.0, last: float = 0.0
) -> jax.Array:
    """Return one sawtooth: a straight line from `first` at `start` to `last` at `stop`, else 0.

    Args:
        t: times.
        start: where the tooth begins.
        stop: where it ends.
        first: value at `start`.
        last: value at `stop`.

    Shapes:
        t (n,) -> (n,).

    Returns:
        The tooth at the times t.

    Example:
        >>> sawtooth(midpoints(-5, 5, 2.5)).tolist()
        [3.5, 2.5, 1.5, 0.5]
    """
    line = first + (last - first) * (t - start) / (stop - start)
    return jnp.where((t >= start) & (t < stop), line, 0.0)


def ricker(t: jax.Array, width: float = 1.0) -> jax.Array:
    """Return a Ricker wavelet: a peak between two negative lobes, of mean zero.

    `(1 - (t / width)^2) exp(-(t / width)^2 / 2)`, the negative second derivative of a Gaussian.

    Args:
        t: times.
        width: where it crosses zero, in the unit of t.

    Shapes:
        t (n,) -> (n,).

    Returns:
        The wavelet at the times t.

    Source:
        N. Ricker, "Wavelet contraction, wavelet expansion, and the control of seismic resolution",
        Geophysics 18 (1953).

    Example:
        >>> ricker(jnp.array([0.0, 1.0, 3.0])).round(3).tolist()
        [1.0, 0.0, -0.08900000154972076]
    """
    u = (t / width) ** 2
    return (1 - u) * jnp.exp(-u / 2)


def circle(
    size: int = 21,
    *,
    radius: float | jax.Array | None = None,
    width: float | None = None,
    zero_mean: bool = False,
    unit_energy: bool = False,
) -> jax.Array:
    """Draw a circle (a ring) in the middle of a square patch.

    Args:
        size: side of the patch; odd, so that it has a centre.
        radius: from the centre to the middle of the line; by default it leaves a margin of
            `size // 10` pixels. May be traced.
        width: of the line; by default `size / 10`, and 1 at least.
        zero_mean: subtract the mean, so that a filter of this shape ignores brightness.
        unit_energy: divide by the root of the sum of squares.

    Shapes:
        -> (size, size).

    Units:
        pixels; ink is 1, paper 0.

    Returns:
        The patch.

    Raises:
        ValueError: if the size is even or not positive.
        TypeError: if it is no whole number.

    Gradient:
        In `radius` and `width`, through the pixels that the edge crosses.

    Example:
        >>> circle(7, radius=2, width=1)[3].tolist()
        [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    """
    y, x, radius, width = _canvas("circle", size, radius, width)
    ink = _line(jnp.hypot(x, y) - radius, width)
    return _as_filter(ink, zero_mean, unit_energy)


def disk(
    size: int = 21,
    *,
    radius: float | jax.Array | None = None,
    width: float | None = None,
    zero_mean: bool = False,
    unit_energy: bool = False,
) -> jax.Array:
    """Draw a disk, a filled circle; the arguments are `circle`'s, `width` only sets the margin.

    Shapes:
        -> (size, size).

    Example:
        >>> disk(5, radius=1.5)[2].tolist()
        [0.0, 1.0, 1.0, 1.0, 0.0]
    """
    y, x, radius, _ = _canvas("disk", size, radius, width)
    ink = _coverage(jnp.hypot(x, y) - radius)
    return _as_filter(ink, zero_mean, unit_energy)


def cross(
    size: int = 21,
    *,
    radius: float | jax.Array | None = None,
    width: float | None = None,
    zero_mean: bool = False,
    unit_energy: bool = False,
) -> jax.Array:
    """Draw a cross, an upright plus sign; the arguments are `circle`'s, `radius` the arms' length.

    Shapes:
        -> (size, size).

    Example:
        >>> cross(3).tolist()
        [[0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]]
    """
    y, x, radius, width = _canvas("cross", size, radius, width)

    def bar(along: jax.Array, across: jax.Array) -> jax.Array:
        return jnp.maximum(jnp.abs(along) - radius - 0.5, jnp.abs(across) - width / 2)

    ink = _coverage(jnp.minimum(bar(x, y), bar(y, x)))
    return _as_filter(ink, zero_mean, unit_energy)


def square(
    size: int = 21,
    *,
    radius: float | jax.Array | None = None,
    width: float | None = None,
    zero_mean: bool = False,
    unit_energy: bool = False,
) -> jax.Array:
    """Draw the outline of a square; the arguments are `circle`'s, `radius` half a side.

    Shapes:
        -> (size, size).

    Example:
        >>> square(3).tolist()
        [[1.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]
    """
    y, x, radius, width = _canvas("square", size, radius, width)
    ink = _line(jnp.maximum(jnp.abs(x), jnp.abs(y)) - radius, width)
    return _as_filter(ink, zero_mean, unit_energy)


def triangle(
    size: int = 21,
    *,
    radius: float | jax.Array | None = None,
    width: float | None = None,
    zero_mean: bool = False,
    unit_energy: bool = False,
) -> jax.Array:
    """Draw the outline of an equilateral triangle, one corner up.

    The arguments are `circle`'s; `radius` goes from the centre to a corner.

    Shapes:
        -> (size, size).

    Example:
        >>> drawn = triangle(21)
        >>> float(drawn[10, 10]), bool(drawn[3, 10] > 0.5), bool(drawn[18, 10] > 0.5)
        (0.0, True, False)
    """
    y, x, radius, width = _canvas("triangle", size, radius, width)
    slant = np.sqrt(3) / 2
    sides = jnp.maximum(y, jnp.maximum(slant * x - y / 2, -slant * x - y / 2))
    ink = _line(sides - radius / 2, width)
    return _as_filter(ink, zero_mean, unit_energy)


class Shape(Protocol):
    """A function that draws a shape."""

    def __call__(
        self,
        size: int = 21,
        *,
        radius: float | jax.Array | None = None,
        width: float | None = None,
        zero_mean: bool = False,
        unit_energy: bool = False,
    ) -> jax.Array:
        """Draw; see `circle`."""
        ...


SHAPES: dict[str, Shape] = {
    "circle": circle,
    "disk": disk,
    "cross": cross,
    "square": square,
    "triangle": triangle,
}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Scene:
    """An image of shapes in noise, and the truth about it."""

    image: jax.Array
    places: jax.Array
    kinds: jax.Array


def scene(
    key: jax.Array,
    shape: tuple[int, int] = (96, 96),
    kinds: Sequence[str] = ("circle", "cross", "square"),
    *,
    size: int = 21,
    count: int | None = None,
    noise: float | jax.Array = 0.3,
) -> Scene:
    """Draw shapes at random places, none overlapping another, and add white Gaussian noise.

    Each shape goes, in turn, to a place drawn evenly from all that are still free: every place gets
    one random number, and a shape takes the free place with the greatest.

    Args:
        key: a `jax.random` key.
        shape: rows and columns of the image.
        kinds: names of shapes, as in `SHAPES`.
        size: side of the patch that each shape is drawn in; patches do not overlap.
        count: how many shapes, each of a random kind; None for one of each kind, in that order.
        noise: standard deviation of the noise, where a shape's ink is 1.

    Shapes:
        -> image (rows, columns), places (count, 2), kinds (count,).

    Returns:
        A `Scene`: the image; the (row, column) of each shape's centre; each shape's index in `kinds`.

    Raises:
        ValueError: if a kind is unknown, the size is even, or the image is too small to promise room
            for all shapes.

    Example:
        >>> drawn = scene(jax.random.key(0), (64, 96), ["circle", "cross"])
        >>> drawn.image.shape, drawn.places.shape, drawn.kinds.tolist()
        ((64, 96), (2, 2), [0, 1])
    """
    for kind in kinds:
        checks.one_of("scene", "kinds", kind, tuple(SHAPES))
    patches = jnp.stack([SHAPES[kind](size) for kind in kinds])
    mixed = count is not None
    count = checks.positive("scene", "count", count) if mixed else len(kinds)
    free = (shape[0] - size + 1, shape[1] - size + 1)
    taken = (count - 1) * (2 * size - 1) ** 2  # places that the other shapes can forbid at most
    if min(free) < 1 or free[0] * free[1] <= taken:
        rule = f"leave room for {count} patches of {size} pixels wherever the first ones fall"
        raise checks.value_error("scene", "shape", rule, shape, "Enlarge it, or draw fewer.")

    place_key, kind_key, noise_key = jax.random.split(key, 3)
    random_kinds = jax.random.randint(kind_key, (count,), 0, len(kinds))
    all_kinds = random_kinds if mixed else jnp.arange(count)
    rows, columns = jnp.ogrid[: free[0], : free[1]]
    priority = jax.random.uniform(place_key, free)
    image, corners = jnp.zeros(shape, patches.dtype), []
    for kind in all_kinds:
        corner = jnp.stack(jnp.unravel_index(jnp.argmax(priority), free))
        near = (jnp.abs(rows - corner[0]) < size) & (jnp.abs(columns - corner[1]) < size)
        priority = jnp.where(near, -1.0, priority)
        image = jax.lax.dynamic_update_slice(image, patches[kind], corner)
        corners.append(corner)
    image += noise * jax.random.normal(noise_key, shape, image.dtype)
    return Scene(image, jnp.stack(corners) + size // 2, all_kinds)


def scenes(**options) -> Callable[[jax.Array], Scene]:
    """Return a function of a key that draws a `scene` with these options.

    Args:
        **options: those of `scene`.

    Shapes:
        As `scene`; under `jax.vmap` over keys, each with a leading axis.

    Returns:
        A function of one key; use `jax.vmap` for a batch of keys.

    Example:
        >>> draw = scenes(shape=(64, 64), kinds=["cross"])
        >>> jax.vmap(draw)(jax.random.split(jax.random.key(0), 8)).image.shape
        (8, 64, 64)
    """
    return lambda key: scene(key, **options)


def default_radius(size: int) -> float:
    """Return the radius that a shape has in a patch of this size unless told otherwise.

    Args:
        size: side of the patch.

    Shapes:
        -> ().

    Units:
        pixels.

    Returns:
        The radius: the line's outer edge leaves a margin of `size // 10` pixels.

    Example:
        >>> default_radius(21)
        7.5
    """
    return (size - _width(size)) / 2 - size // 10


def _width(size: int) -> float:
    return max(1.0, round(size / 10))


def _canvas(function: str, size: int, radius, width):
    """Return coordinates from the centre of a patch, and the radius and width to draw with."""
    checks.positive(function, "size", size, odd=True)
    width = _width(size) if width is None else width
    radius = default_radius(size) if radius is None else radius
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return jnp.asarray(y), jnp.asarray(x), radius, width


def _coverage(distance: jax.Array) -> jax.Array:
    """Return the share of a pixel that lies inside an edge at this signed distance."""
    return jnp.clip(0.5 - distance, 0.0, 1.0)


def _line(distance: jax.Array, width: float) -> jax.Array:
    """Return the share of a pixel that a line covers, its middle at this distance."""
    return _coverage(jnp.abs(distance) - width / 2)


def _as_filter(ink: jax.Array, zero_mean: bool, unit_energy: bool) -> jax.Array:
    if zero_mean:
        ink = ink - ink.mean()
    return ink / jnp.sqrt((ink**2).sum()) if unit_energy else ink
