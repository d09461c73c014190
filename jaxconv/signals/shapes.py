"""Shapes, drawn by coverage: a pixel half covered by ink is 0.5.

So the edge of a shape is smooth (anti-aliased), and the image differentiable in the radius. Images are
indexed (row, column), with row 0 at the top.
"""

from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks


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
        width: width of the line; by default `size / 10`, but at least 1.
        zero_mean: subtract the mean, so that a filter of this shape ignores brightness.
        unit_energy: divide by the square root of the sum of squares.

    Shapes:
        -> (size, size).

    Units:
        pixels; ink is 1, paper 0.

    Returns:
        The patch.

    Raises:
        ValueError: if the size is even or not positive.
        TypeError: if the size is not a whole number.

    Gradient:
        In `radius` and `width`, through the pixels on the edge.

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
    """Draw a disk, a filled circle; the arguments are those of `circle`, `width` only sets the margin.

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
    """Draw a cross, a plus sign; the arguments are those of `circle`, `radius` is the length of an arm.

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
    """Draw the outline of a square; the arguments are those of `circle`, `radius` is half a side.

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

    The arguments are those of `circle`; `radius` is the distance from the centre to a corner.

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


def default_radius(size: int) -> float:
    """Return the default radius of a shape in a patch of this size.

    Args:
        size: side of the patch.

    Shapes:
        -> ().

    Units:
        pixels.

    Returns:
        The radius; the outer edge of the line leaves a margin of `size // 10` pixels.

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
    """Return the share of a pixel that lies inside an edge at this signed distance from its centre."""
    return jnp.clip(0.5 - distance, 0.0, 1.0)


def _line(distance: jax.Array, width: float) -> jax.Array:
    """Return the share of a pixel that is covered by a line whose middle is at this distance."""
    return _coverage(jnp.abs(distance) - width / 2)


def _as_filter(ink: jax.Array, zero_mean: bool, unit_energy: bool) -> jax.Array:
    if zero_mean:
        ink = ink - ink.mean()
    return ink / jnp.sqrt((ink**2).sum()) if unit_energy else ink
