"""Tasks: what `jaxconv learn` learns, a shape among others or targets marked in a picture or signal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.detection.patches import elsewhere
from jaxconv.signals import SHAPES, Scene, scenes

KINDS = {  # by axes: what it is, what it consists of, and two marks
    1: ("signal", "samples", "--mark 190 --mark 518"),
    2: ("picture", "pixels", "--mark 43,334 --mark 52,276"),
}
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


def find_marks(name: str, signal: jax.Array, marks: Sequence[tuple[int, ...]], size: int) -> Task:
    """Return the task of finding the marks of a picture or signal, scaled to mean 0 and deviation 1."""
    kind, unit, example = KINDS[signal.ndim]
    if not marks:
        rule = f"be given for a {kind}, the middle of each target"
        raise checks.value_error("learn", "mark", rule, "none", f"Try {example}.")
    signal = (signal - signal.mean()) / signal.std()
    if size > min(signal.shape):
        rule = f"be no larger than the {kind}, {signal.shape}"
        raise checks.value_error("learn", "size", rule, size)
    for mark in marks:
        if not all(size // 2 <= at < n - size // 2 for at, n in zip(mark, signal.shape)):
            rule = f"be at least {size // 2} {unit} from the edges of the {kind}, {signal.shape}"
            raise checks.value_error("learn", "mark", rule, ",".join(map(str, mark)))
    scene = Scene(signal, jnp.array(marks), jnp.zeros(len(marks), int))
    clean = jax.tree.map(lambda a: a[None], scene)
    if not elsewhere(clean, (size,) * signal.ndim, 0).any():
        rule = f"leave a position in the {kind} where the filter touches no target"
        got = f"{size}, in a {kind} of {signal.shape}"
        remedy = f"Use a smaller filter, or a larger {kind}."
        raise checks.value_error("learn", "size", rule, got, remedy)

    def draw(noise: float) -> Callable[[jax.Array], Scene]:
        return lambda key: replace(scene, signal=signal + noise * jax.random.normal(key, signal.shape))

    places = "place" if len(marks) == 1 else "places"
    return Task(name, f"{len(marks)} {places} of {name}", draw, clean, size)
