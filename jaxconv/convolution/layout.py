"""Layout: which axes of two arrays are convolved, and what the others are to the engine."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from jaxconv import checks

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
        return array.transpose(self.order).reshape(math.prod(batch), math.prod(groups), *space)

    def kernel(self, array: jax.Array) -> jax.Array:
        """Lay out a kernel: groups and outputs, 1, space."""
        features = math.prod(array.shape[a] for a in (*self.groups, *self.outputs))
        order = (*self.groups, *self.outputs, *self.batch, *self.space)
        return array.transpose(order).reshape(features, 1, *(array.shape[a] for a in self.space))

    def swapped(self) -> "Layout":
        """Return the layout of the operands in each other's place."""
        return self._replace(batch=self.outputs, outputs=self.batch)

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
        lead = [max(signal[a], kernel[a]) for a in self.order[: -len(self.space)]]
        return out.reshape(*lead, *out.shape[2:]).transpose(np.argsort(self.order))


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
