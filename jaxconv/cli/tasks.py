"""Tasks: what `jaxconv learn` learns, a shape among others or the targets marked in a picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.detection.patches import elsewhere
from jaxconv.signals import SHAPES, Scene, scenes

COMPANIONS = ("circle", "cross", "square")  # other shapes in a scene with the target


@dataclass(frozen=True)
class Task:
    """What is learned: scenes at any level of noise, the same without noise, and a description."""

    name: str
    description: str
    draw: Callable[[float], Callable[[jax.Array], Scene]]
    clean: Scene
    size: int


def find_shape(target: str, size: int, key: jax.Array) -> Task:
    """Return the task of finding a shape among others; 256 scenes stand for all scenes."""
    checks.one_of("learn", "target", target, tuple(SHAPES))
    kinds = (target, *(kind for kind in COMPANIONS if kind != target))
    draw = partial(scenes, kinds=kinds, size=size)
    clean = jax.jit(jax.vmap(draw(noise=0.0)))(jax.random.split(key, 256))
    description = f"{target} among {' and '.join(kinds[1:])}"
    return Task(target, description, lambda noise: draw(noise=noise), clean, size)


def find_marks(name: str, picture: jax.Array, marks: Sequence[tuple[int, int]], size: int) -> Task:
    """Return the task of finding the marks of a picture, scaled to mean 0 and standard deviation 1."""
    if not marks:
        rule = "be given for a picture, the middle of each target"
        raise checks.value_error("learn", "mark", rule, "none", "Try --mark 43,334 --mark 52,276.")
    picture = (picture - picture.mean()) / picture.std()
    if size > min(picture.shape):
        rule = f"be no larger than the picture, {picture.shape}"
        raise checks.value_error("learn", "size", rule, size)
    for row, column in marks:
        fits = (size // 2 <= at < n - size // 2 for at, n in zip((row, column), picture.shape))
        if not all(fits):
            rule = f"be at least {size // 2} pixels from the edges of the picture, {picture.shape}"
            raise checks.value_error("learn", "mark", rule, f"{row},{column}")
    scene = Scene(picture, jnp.array(marks), jnp.zeros(len(marks), int))
    clean = jax.tree.map(lambda a: a[None], scene)
    if not elsewhere(clean, (size, size), 0).any():
        rule = "leave a position in the picture where the filter touches no target"
        got = f"{size}, in a picture of {picture.shape}"
        remedy = "Use a smaller filter, or a larger picture."
        raise checks.value_error("learn", "size", rule, got, remedy)

    def draw(noise: float) -> Callable[[jax.Array], Scene]:
        return lambda key: replace(scene, signal=picture + noise * jax.random.normal(key, picture.shape))

    return Task(name, f"{len(marks)} places of {name}", draw, clean, size)
