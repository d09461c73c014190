"""Tasks: what `jaxconv learn` learns, a shape among others or what is marked in a picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.detection.patches import elsewhere
from jaxconv.signals import SHAPES, Scene, scenes

COMPANIONS = ("circle", "cross", "square")  # what a scene shows beside the target


@dataclass(frozen=True)
class Task:
    """What is learned: scenes at any level of noise, the same without, and words for it."""

    name: str
    told: str
    draw: Callable[[float], Callable[[jax.Array], Scene]]
    clean: Scene
    size: int


def shape(target: str, size: int, key: jax.Array) -> Task:
    """Return the task of finding a shape among others; 256 scenes stand for all that there are."""
    checks.one_of("learn", "target", target, tuple(SHAPES))
    kinds = (target, *(kind for kind in COMPANIONS if kind != target))
    draw = partial(scenes, kinds=kinds, size=size)
    clean = jax.jit(jax.vmap(draw(noise=0.0)))(jax.random.split(key, 256))
    return Task(
        target, f"{target} among {' and '.join(kinds[1:])}", lambda n: draw(noise=n), clean, size
    )


def marked(name: str, picture: jax.Array, marks: Sequence[tuple[int, int]], size: int) -> Task:
    """Return the task of finding what is marked in a picture, brought to mean 0 and deviation 1."""
    if not marks:
        rule = "be given for a picture, the middle of each thing to learn from"
        raise checks.value_error("learn", "mark", rule, "none", "Try --mark 43,334 --mark 52,276.")
    picture = (picture - picture.mean()) / picture.std()
    if size > min(picture.shape):
        rule = f"be no larger than the picture, {picture.shape}"
        raise checks.value_error("learn", "size", rule, size)
    for row, column in marks:
        room = (size // 2 <= at < n - size // 2 for at, n in zip((row, column), picture.shape))
        if not all(room):
            rule = f"lie {size // 2} pixels within the picture, {picture.shape}"
            raise checks.value_error("learn", "mark", rule, f"{row},{column}")
    scene = Scene(picture, jnp.array(marks), jnp.zeros(len(marks), int))
    clean = jax.tree.map(lambda a: a[None], scene)
    if not elsewhere(clean, (size, size), 0).any():
        rule = "leave the picture a place that the filter can reach without touching a target"
        got = f"{size}, in a picture of {picture.shape}"
        remedy = "Use a smaller filter, or a larger picture."
        raise checks.value_error("learn", "size", rule, got, remedy)

    def draw(noise: float) -> Callable[[jax.Array], Scene]:
        return lambda key: replace(scene, signal=picture + noise * jax.random.normal(key, picture.shape))

    told = f"{len(marks)} places of {name}"
    return Task(name, told, draw, clean, size)
