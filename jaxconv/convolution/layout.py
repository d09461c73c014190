"""Layout: which axes of two arrays are convolved, and what the others are to the engine."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from jaxconv import checks
from jaxconv.engine.mesh.arrays import spec_of

SHORT = 64  # taps


class Layout(NamedTuple):
    """The axes, by what they are to the engine."""

    batch: tuple[int, ...]  # of the signal alone
    groups: tuple[int, ...]  # shared: each its own kernel
    outputs: tuple[int, ...]  # of the kernel alone
    space: tuple[int, ...]

    @property
    def order(self) -> tuple[int, ...]:
        """All axes, as the engine's output has them."""
        return (*self.batch, *self.groups, *self.outputs, *self.space)

    def signal(self, array: jax.Array) -> jax.Array:
        """Lay out a signal: batch, groups, space."""
        batch, groups, space = (
            [array.shape[a] for a in axes] for axes in (self.batch, self.groups, self.space)
        )
        shape = math.prod(batch), math.prod(groups), *space
        names = spec_of(array)
        spec = [next((names[a] for a in axes if names[a]), None) for axes in (self.batch, self.groups)]
        return reshaped(array.transpose(self.order), shape, [*spec, *(names[a] for a in self.space)])

    def kernel(self, array: jax.Array) -> jax.Array:
        """Lay out a kernel: groups and outputs, 1, space."""
        features = math.prod(array.shape[a] for a in (*self.groups, *self.outputs))
        order = (*self.groups, *self.outputs, *self.batch, *self.space)
        return array.transpose(order).reshape(features, 1, *(array.shape[a] for a in self.space))

    def swapped(self) -> "Layout":
        """Return the layout of the operands in each other's place."""
        return self._replace(batch=self.outputs, outputs=self.batch)

    def whole(self, array: jax.Array) -> "Layout":
        """Return the layout in which axes that are divided over a mesh stay what they are.

        One of several that become one has to be the first; a second stays by itself, with one tap.
        """
        names = spec_of(array)
        divided = [axis for axis in self.batch if names[axis]]
        rest = tuple(axis for axis in self.batch if axis not in divided)
        groups = tuple(sorted(self.groups, key=lambda axis: not names[axis]))
        space = tuple(sorted((*divided[1:], *self.space)))
        return self._replace(batch=(*divided[:1], *rest), groups=groups, space=space)

    def in_place(self, taps: int) -> "Layout":
        """Treat batch axes behind the first spatial axis as spatial ones of one tap, for a short kernel.

        So they need no transpose, which would cost more than the products.
        """
        behind = tuple(axis for axis in self.batch if axis > self.space[0])
        if not behind or taps > SHORT or len(self.space) + len(behind) > 3:
            return self
        batch = tuple(axis for axis in self.batch if axis not in behind)
        return self._replace(batch=batch, space=tuple(sorted((*self.space, *behind))))

    def back(self, out: jax.Array, signal: Sequence[int], kernel: Sequence[int]) -> jax.Array:
        """Lay an output back, given the operands' shapes."""
        shape = [max(signal[a], kernel[a]) for a in self.order[: -len(self.space)]]
        names, spec = spec_of(out), [None] * len(shape)
        for axes, of_axes, first in (
            (self.batch, names[0], 0),
            (self.groups, names[1], len(self.batch)),
        ):
            if axes:
                spec[first] = of_axes
        spec = [*spec, *names[2:]]
        return reshaped(out, (*shape, *out.shape[2:]), spec).transpose(np.argsort(self.order))


def reshaped(array: jax.Array, shape: Sequence[int], spec: Sequence[Any]) -> jax.Array:
    """Reshape an array whose type tells how it is divided, to one divided so."""
    if not any(spec):
        return array.reshape(shape)
    mesh = jax.typeof(array).sharding.mesh
    return lax.reshape(array, shape, out_sharding=NamedSharding(mesh, P(*spec)))


def lay_out(function: str, shape1: Sequence[int], shape2: Sequence[int], axes: Sequence[int]) -> Layout:
    """Return what each axis is: convolved along, or a batch that broadcasts."""
    batch, groups, outputs = [], [], []
    for axis, (n, m) in enumerate(zip(shape1, shape2, strict=True)):
        if axis in axes:
            continue
        if n != m and 1 not in (n, m):
            rule = "broadcast with `in1` along the axes that are not convolved"
            got = f"in1 {tuple(shape1)}, in2 {tuple(shape2)}, axes {tuple(axes)}"
            words = f"incompatible shapes for in1 and in2: {tuple(shape1)} and {tuple(shape2)}:"
            raise checks.value_error(function, "in2", rule, got, "", words)
        (batch if m == 1 else outputs if n == 1 else groups).append(axis)
    return Layout(tuple(batch), tuple(groups), tuple(outputs), tuple(axes))
