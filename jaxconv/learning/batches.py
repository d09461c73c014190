"""Batches: the examples of a step, drawn by a key, taken from arrays or from an iterator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxconv import checks
from jaxconv.learning.state import Loss, Parameters


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Batches:
    """Examples as arrays, or a function of a key that draws one; neither for an iterator of batches."""

    arrays: Any
    draw: Callable[[jax.Array], Any] | None = field(metadata={"static": True})
    size: int | None = field(metadata={"static": True})

    def plan(self, key: jax.Array, steps: int) -> Any:
        """Return what `take` needs for each step, along the first axis."""
        if self.draw:
            return jax.random.split(key, steps)
        if self.size is None:
            return jnp.zeros((steps, 0))
        count = len(jax.tree.leaves(self.arrays)[0])
        passes = -(-steps * self.size // count)
        orders = [jax.random.permutation(k, count) for k in jax.random.split(key, passes)]
        return jnp.concatenate(orders)[: steps * self.size].reshape(steps, self.size)

    def take(self, planned: Any) -> Any:
        """Return the batch of one step."""
        if self.draw and self.size:
            return jax.vmap(self.draw)(jax.random.split(planned, self.size))
        if self.arrays is None:
            return planned
        return self.arrays if self.size is None else jax.tree.map(lambda a: a[planned], self.arrays)


def batches(function: str, data: Any, size: int | None) -> tuple[Batches, Iterator[Any] | None]:
    """Return the data as `Batches`, and the iterator if they are one; raise if they are not usable."""
    if callable(data):
        if size is None:
            rule = "be a number if `data` draws examples"
            raise checks.value_error(function, "batch", rule, None)
        return Batches(None, data, size), None
    if isinstance(data, Iterator):
        return Batches(None, None, None), data
    arrays = jax.tree.map(jnp.asarray, data)
    lengths = {a.shape[:1] for a in jax.tree.leaves(arrays)}
    if len(lengths) != 1 or () in lengths:
        shapes = [a.shape for a in jax.tree.leaves(arrays)]
        raise checks.value_error(function, "data", "have one leading axis of examples", shapes)
    ((count,),) = lengths
    if size is not None and size > count:
        remedy = "Use batch=None for all of them in every step."
        raise checks.value_error(function, "batch", f"be at most the {count} examples", size, remedy)
    return Batches(arrays, None, size), None


def stack(function: str, iterator: Iterator[Any], steps: int) -> Any:
    """Return the next batches of an iterator, one per step, stacked."""
    drawn = list(islice(iterator, steps))
    _check_enough(function, len(drawn), steps)
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *drawn)


def skip(function: str, iterator: Iterator[Any], steps: int) -> None:
    """Take one batch per step from an iterator, and keep none."""
    _check_enough(function, sum(1 for _ in islice(iterator, steps)), steps)


def _check_enough(function: str, count: int, steps: int) -> None:
    if count < steps:
        rule, got = "give a batch for every step", f"an iterator that ended {steps - count} too early"
        raise checks.value_error(function, "data", rule, got)


@lru_cache
def over_devices(loss: Loss, mesh: Mesh) -> Loss:
    """Return a loss whose batch is divided over all devices of a mesh."""
    divided = NamedSharding(automatic(mesh), PartitionSpec(mesh.axis_names))

    def of_divided(parameters: Parameters, batch: Any) -> jax.Array:
        count = len(jax.tree.leaves(batch)[0])
        if count % mesh.size:
            rule = f"be a multiple of the mesh's {mesh.size} devices"
            raise checks.value_error("fit", "batch", rule, count)
        return loss(parameters, lax.with_sharding_constraint(batch, divided))

    return of_divided


def automatic(mesh: Mesh) -> Mesh:
    """Return a mesh of the same devices whose axes are Auto: what is divided, the compiler tells."""
    return Mesh(mesh.devices, mesh.axis_names)


@lru_cache
def average_over_parts(loss: Loss, parts: int) -> Loss:
    """Return the mean of a loss over parts of the batch, with one part in memory at a time."""

    def mean(parameters: Parameters, batch: Any) -> jax.Array:
        count = len(jax.tree.leaves(batch)[0])
        if count % parts:
            raise checks.value_error("fit", "parts", f"divide the {count} examples of a batch", parts)
        split = jax.tree.map(lambda a: a.reshape(parts, -1, *a.shape[1:]), batch)
        return lax.map(jax.checkpoint(lambda part: loss(parameters, part)), split).mean()

    return mean
