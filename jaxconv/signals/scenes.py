"""Scenes: patterns at random positions in noise, together with their true positions and kinds."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.floats import as_floats
from jaxconv.signals.shapes import SHAPES

Noise = Callable[[jax.Array, Sequence[int]], jax.Array]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Scene:
    """A signal that holds patterns in noise, and where and which they are.

    A kind of -1 marks an unused entry, so that scenes with different counts can be stacked.
    """

    signal: jax.Array
    places: jax.Array  # (count, axes): the index of each pattern's middle
    kinds: jax.Array  # (count,): which pattern each is


def strew(
    key: jax.Array,
    shape: Sequence[int],
    patterns: Any,
    *,
    count: int | None = None,
    noise: float | jax.Array | Noise = 0.3,
) -> Scene:
    """Put patterns at random places without overlap, and add noise.

    Each pattern in turn goes to a place drawn uniformly from those that are still free: every place gets
    one random number, and a pattern takes the free place with the largest one.

    Args:
        key: a `jax.random` key.
        shape: shape of the signal.
        patterns: the patterns, stacked along the first axis.
        count: number of patterns to put, each of a random kind; None: one of each kind, in that order.
        noise: standard deviation of white Gaussian noise; or a function of a key and a shape that draws
            other noise, such as `partial(detection.coloured_noise, noise_spectrum=spectrum)`.

    Shapes:
        patterns (k, m1, ..., md), shape (n1, ..., nd) -> signal (n1, ..., nd), places (count, d), kinds
        (count,).

    Returns:
        A `Scene`: the signal; the index of each pattern's middle, `m // 2` from its first sample; the
        index of each in `patterns`.

    Raises:
        ValueError: if the signal and the patterns differ in their number of axes, or the signal is too
            small to guarantee room for all patterns.
        TypeError: if the count is not a whole number.

    Gradient:
        In the patterns and the standard deviation; the places are fixed by the key.

    Example:
        >>> drawn = strew(jax.random.key(0), (50,), jnp.ones((2, 5)), noise=0.0)
        >>> float(drawn.signal.sum()), drawn.places.shape, drawn.kinds.tolist()
        (10.0, (2, 1), [0, 1])
    """
    (patterns,), shape = as_floats(checks.array("strew", "patterns", patterns)), tuple(shape)
    size = patterns.shape[1:]
    if len(shape) != len(size) or not shape:
        rule = f"have as many axes as one of the patterns, {len(size)}"
        raise checks.value_error("strew", "shape", rule, shape)
    total = len(patterns) if count is None else checks.positive("strew", "count", count)
    free = tuple(n - m + 1 for n, m in zip(shape, size, strict=True))
    blocked = (total - 1) * math.prod(2 * m - 1 for m in size)  # places, at most, by the other patterns
    if min(free) < 1 or math.prod(free) <= blocked:
        pixels = " x ".join(map(str, size))
        rule = f"leave room for {total} patterns of {pixels} samples wherever the first ones are put"
        remedy = "Use a larger shape or fewer patterns."
        raise checks.value_error("strew", "shape", rule, shape, remedy)

    if callable(noise):
        return _strew(key, patterns, jnp.zeros(()), shape, count, noise)
    return _strew(key, patterns, noise, shape, count, None)


@partial(jax.jit, static_argnums=(3, 4, 5))
def _strew(
    key: jax.Array,
    patterns: jax.Array,
    deviation: jax.Array | float,
    shape: tuple[int, ...],
    count: int | None,
    coloured: Noise | None,
) -> Scene:
    total, size = len(patterns) if count is None else count, patterns.shape[1:]
    free = tuple(n - m + 1 for n, m in zip(shape, size, strict=True))
    place_key, kind_key, noise_key = jax.random.split(key, 3)
    kinds = jnp.arange(total)
    if count is not None:
        kinds = jax.random.randint(kind_key, (total,), 0, len(patterns))
    grid = jnp.indices(free, sparse=True)
    priority = jax.random.uniform(place_key, free)
    signal, places = jnp.zeros(shape, patterns.dtype), []
    for kind in kinds:
        corner = jnp.stack(jnp.unravel_index(jnp.argmax(priority), free))
        near = [jnp.abs(axis - at) < m for axis, at, m in zip(grid, corner, size, strict=True)]
        priority = jnp.where(reduce(jnp.logical_and, near), -1.0, priority)
        signal = jax.lax.dynamic_update_slice(signal, patterns[kind], corner)
        places.append(corner + jnp.array([m // 2 for m in size]))
    if coloured:
        signal += coloured(noise_key, shape)
    else:
        signal += deviation * jax.random.normal(noise_key, shape, signal.dtype)
    return Scene(signal, jnp.stack(places), kinds)


def scene(
    key: jax.Array,
    shape: tuple[int, int] = (96, 96),
    kinds: Sequence[str] = ("circle", "cross", "square"),
    *,
    size: int = 21,
    count: int | None = None,
    noise: float | jax.Array | Noise = 0.3,
) -> Scene:
    """Draw shapes at random places without overlap, and add noise: `strew` of shapes with ink 1.

    Args:
        key: a `jax.random` key.
        shape: rows and columns of the image.
        kinds: names of shapes, as in `SHAPES`.
        size: side of the patch that each shape is drawn in; patches do not overlap.
        count: number of shapes, each of a random kind; None: one of each kind, in that order.
        noise: as for `strew`; the ink of a shape is 1.

    Shapes:
        -> signal (rows, columns), places (count, 2), kinds (count,).

    Returns:
        A `Scene`: the image; the (row, column) of each shape's centre; each shape's index in `kinds`.

    Raises:
        ValueError: if a kind is unknown, the size is even, or the image is too small to guarantee room
            for all shapes.

    Example:
        >>> drawn = scene(jax.random.key(0), (64, 96), ["circle", "cross"])
        >>> drawn.signal.shape, drawn.places.shape, drawn.kinds.tolist()
        ((64, 96), (2, 2), [0, 1])
    """
    for kind in kinds:
        checks.one_of("scene", "kinds", kind, tuple(SHAPES))
    patterns = jnp.stack([SHAPES[kind](size) for kind in kinds])
    return strew(key, shape, patterns, count=count, noise=noise)


@dataclass(frozen=True)
class _Scenes:
    """A function of a key that draws a `scene`; equal to another whose options are equal."""

    identity: frozenset[Any]
    options: dict[str, Any] = field(compare=False)

    def __call__(self, key: jax.Array) -> Scene:
        return scene(key, **self.options)


def scenes(**options) -> Callable[[jax.Array], Scene]:
    """Return a function of a key that draws a `scene` with these options.

    Functions with equal options are equal, so a program compiled for one (by `learning.fit`, or by
    `jax.jit` with static arguments) is used for the other too. Noise given as an array equals only
    itself; noise given as a function is compared as that function is.

    Args:
        **options: the options of `scene`.

    Shapes:
        As `scene`; under `jax.vmap` over keys each array gets a leading axis.

    Returns:
        A function of one key; use `jax.vmap` for a batch of keys.

    Example:
        >>> draw = scenes(shape=(64, 64), kinds=["cross"])
        >>> jax.vmap(draw)(jax.random.split(jax.random.key(0), 8)).signal.shape
        (8, 64, 64)
        >>> draw == scenes(shape=(64, 64), kinds=["cross"])
        True
    """
    options = {name: tuple(v) if isinstance(v, list) else v for name, v in options.items()}
    return _Scenes(frozenset((name, _identity(value)) for name, value in options.items()), options)


def _identity(value: Any) -> Any:
    """Return the value and its type, or the address of a value without a hash, such as an array."""
    try:
        hash(value)
    except TypeError:
        return id(value)
    return type(value), value
