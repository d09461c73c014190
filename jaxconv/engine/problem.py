"""Problem: the static facts of one convolution, in the one form that every method computes.

    out[n, g, o, s] = sum over i, t of signal[n, g, i, s stride + t dilation] kernel[g, o, i, t]

with n the batch, g the group, i and o the input and output features, s the place and t the tap
(tuples over the spatial axes); the signal is dilated and padded first, with zeros or, along an axis that
wraps, from its other end. Layouts and batch groups are gone: whatever `jax.lax.conv_general_dilated` can
express is brought to this form by `primitive.py`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Shape = tuple[int, ...]
Padding = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Problem:
    """The static facts of one convolution; hashable, so that a plan can be cached by it."""

    batch: int
    groups: int
    inputs: int  # features per group
    outputs: int  # features per group
    space: Shape  # of the signal
    window: Shape  # of the kernel
    strides: Shape
    padding: Padding
    signal_dilation: Shape
    kernel_dilation: Shape
    dtype: str  # of the operands
    result: str  # dtype of the output
    precision: Any = None  # as `jax.lax.Precision`, canonical
    platform: str = "cpu"
    channels_last: bool = False  # as the signal came; here they are not, and moving them costs
    wraps: tuple[bool, ...] = ()  # per axis: whether padding comes from the other end; () for none

    @property
    def rank(self) -> int:
        """How many spatial axes."""
        return len(self.space)

    @cached_property
    def dilated(self) -> Shape:
        """Spatial shape of the dilated signal."""
        return _dilate(self.space, self.signal_dilation)

    @cached_property
    def padded(self) -> Shape:
        """Spatial shape of the dilated and padded signal."""
        return tuple(max(n + lo + hi, 0) for n, (lo, hi) in zip(self.dilated, self.padding))

    @cached_property
    def reach(self) -> Shape:
        """Spatial shape that the dilated kernel spans."""
        return _dilate(self.window, self.kernel_dilation)

    @cached_property
    def dense(self) -> Shape:
        """Spatial shape of the output before strides."""
        return tuple(max(n - m + 1, 0) for n, m in zip(self.padded, self.reach))

    @cached_property
    def places(self) -> Shape:
        """Spatial shape of the output."""
        return tuple(-(-n // stride) for n, stride in zip(self.dense, self.strides))

    @property
    def taps(self) -> int:
        """Spatial elements of the kernel."""
        return math.prod(self.window)

    @property
    def output(self) -> Shape:
        """Shape of the output: batch, groups, outputs, places."""
        return (self.batch, self.groups, self.outputs, *self.places)

    @property
    def products(self) -> int:
        """How many multiply-adds the definition takes."""
        return math.prod(self.output) * self.inputs * self.taps

    @property
    def accumulator(self) -> np.dtype:
        """The dtype that sums are kept in: float32 at least for floats, else the result's own."""
        result = jnp.dtype(self.result)
        narrow = jnp.issubdtype(result, jnp.floating) and result.itemsize < 4
        return jnp.dtype(jnp.float32) if narrow else result

    @property
    def is_complex(self) -> bool:
        """Whether the operands are complex."""
        return jnp.issubdtype(self.accumulator, np.complexfloating)

    @property
    def is_exact(self) -> bool:
        """Whether the operands are integers, whose sums have no rounding to hide in."""
        return jnp.issubdtype(self.accumulator, np.integer)

    def is_untouched(self, axis: int) -> bool:
        """Whether along a spatial axis every output is at the place of its one sample."""
        same = self.window[axis] == self.strides[axis] == self.signal_dilation[axis] == 1
        return same and self.padding[axis] == (0, 0)

    @cached_property
    def extended(self) -> "Problem":
        """The same problem of the signal that `extend` returns: nothing wraps any more."""
        if not any(self.wraps):
            return replace(self, wraps=()) if self.wraps else self
        widths = self._wrapped_widths()
        space = [n + low + high for n, (low, high) in zip(self.space, widths)]
        left = [(lo - low, hi - high) for (lo, hi), (low, high) in zip(self.padding, widths)]
        return replace(self, space=tuple(space), padding=tuple(left), wraps=())

    def extend(self, signal: jax.Array) -> jax.Array:
        """Continue a signal of this problem from its other end, along the axes that wrap."""
        return wrap(signal, dict(enumerate(self._wrapped_widths(), 3)))

    def _wrapped_widths(self) -> list[tuple[int, int]]:
        wraps = self.wraps or (False,) * self.rank
        added, _ = added_and_cropped(self.padding)
        return [pair if w else (0, 0) for w, pair in zip(wraps, added)]

    def stage(self, signal: jax.Array, size: Shape | None = None) -> jax.Array:
        """Dilate and pad a signal of this problem, to a spatial size, by default that of its padding."""
        edges = zip(size or self.padded, self.dilated, self.padding, self.signal_dilation, strict=True)
        return pad_space(signal, [(lo, m - n - lo, dilation - 1) for m, n, (lo, _), dilation in edges])

    def cut(self, out: jax.Array) -> jax.Array:
        """Take the wanted places of an output that begins with them: every stride-th of `dense`."""
        return lax.slice(out, [0] * out.ndim, [*out.shape[:3], *self.dense], [1, 1, 1, *self.strides])


def added_and_cropped(padding: Sequence[tuple[int, int]]) -> tuple[Padding, Padding]:
    """Divide the padding of each axis into what is added beyond its edges and what is cropped inside."""
    added = tuple((max(low, 0), max(high, 0)) for low, high in padding)
    return added, tuple((min(low, 0), min(high, 0)) for low, high in padding)


def pad_space(operand: jax.Array, config: list[tuple[int, int, int]]) -> jax.Array:
    """Pad the spatial axes of a canonical operand with zeros, as `lax.pad` does.

    Leading axes of length 1 are dropped meanwhile: on a CPU they make padding 1.3 times slower.
    The barrier keeps the padding out of the loop that reads it, where every tap would test for the
    edge.
    """
    if not any(map(any, config)):
        return operand
    lead = [n for n in operand.shape[:3] if n > 1]
    compact = operand.reshape(*lead, *operand.shape[3:])
    padded = lax.pad(compact, jnp.zeros((), operand.dtype), [(0, 0, 0)] * len(lead) + config)
    return lax.optimization_barrier(padded).reshape(*operand.shape[:3], *padded.shape[len(lead) :])


def wrap(signal: jax.Array, widths: dict[int, tuple[int, int]]) -> jax.Array:
    """Continue a signal from its other end, by (before, behind) samples along each of some axes."""
    for axis, (low, high) in widths.items():
        n = signal.shape[axis]
        ends = [np.arange(-low, 0) % n, np.arange(high) % n]
        before, behind = (jnp.take(signal, places, axis) for places in ends)
        signal = jnp.concatenate([before, signal, behind], axis) if low or high else signal
    return lax.optimization_barrier(signal)


def _dilate(shape: Shape, dilation: Shape) -> Shape:
    return tuple((n - 1) * d + 1 if n else 0 for n, d in zip(shape, dilation, strict=True))
