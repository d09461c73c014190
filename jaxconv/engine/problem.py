"""Problem: the static facts of one convolution, in the one form that every method computes.

    out[n, g, o, s] = sum over i, t of signal[n, g, i, s stride + t dilation] kernel[g, o, i, t]

with n the batch, g the group, i and o the input and output features, s the place and t the tap
(tuples over the spatial axes); the signal is dilated and padded first, with zeros or by what its
boundaries tell. Layouts and batch groups are gone: whatever `jax.lax.conv_general_dilated` can
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
Boundaries = tuple[str, ...]  # per spatial axis, "fill" for zeros; () if on all
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
    batch_axis: int = 0  # as the signal came; in a kernel's gradient another
    boundaries: Boundaries = ()  # what is padded with

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
        """The same problem of the signal that `extend` returns: beyond it are zeros only."""
        if not self.boundaries:
            return self
        space = list(self.space)
        for axis, low, high, _ in extensions(self.padding, self.boundaries):
            space[axis] += low + high
        padding = left_to_pad(self.padding, self.boundaries)
        return replace(self, space=tuple(space), padding=padding, boundaries=())

    def extend(self, signal: jax.Array) -> jax.Array:
        """Continue a signal of this problem along the axes that have a boundary."""
        return continued(signal, 3, self.padding, self.boundaries)

    @cached_property
    def staged(self) -> "Problem":
        """The same problem of the signal that `stage` returns: dilated and padded already."""
        ones, zeros = (1,) * self.rank, ((0, 0),) * self.rank
        return replace(self, space=self.padded, padding=zeros, signal_dilation=ones)

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

    The barrier keeps the padding out of the loop that reads it, where every tap would test for the
    edge.
    """
    if not any(map(any, config)):
        return operand
    zero = jnp.zeros((), operand.dtype)
    return lax.optimization_barrier(lax.pad(operand, zero, [(0, 0, 0)] * 3 + config))


def extensions(padding: Sequence[tuple[int, int]], boundaries: Boundaries):
    """Yield each axis that is continued, how far before and behind, and by which boundary."""
    for axis, (name, (low, high)) in enumerate(zip(boundaries, added_and_cropped(padding)[0])):
        if name != "fill" and (low or high):
            yield axis, low, high, name


def left_to_pad(padding: Sequence[tuple[int, int]], boundaries: Boundaries) -> Padding:
    """Return the padding that is left, per axis, for a signal that was continued."""
    _, cropped = added_and_cropped(padding)
    names = boundaries or ("fill",) * len(cropped)
    return tuple(pair if name == "fill" else crop for name, pair, crop in zip(names, padding, cropped))


def continued(
    signal: jax.Array,
    axes: int | Sequence[int],
    padding: Sequence[tuple[int, int]],
    boundaries: Boundaries,
    value: Any = None,
) -> jax.Array:
    """Continue a signal along the axes that have a boundary, and keep that out of what reads it.

    Args:
        signal: the signal.
        axes: its spatial axes, or the first of them.
        padding: what is added per spatial axis; what is cropped is not.
        boundaries: one per spatial axis.
        value: of what lies beyond a boundary "constant".
    """
    numbers = range(axes, axes + len(padding)) if isinstance(axes, int) else axes
    longer = signal
    for i, low, high, name in extensions(padding, boundaries):
        longer = lengthened(longer, numbers[i], low, high, name, value)
    return longer if longer is signal else lax.optimization_barrier(longer)


def lengthened(
    signal: jax.Array, axis: int, low: int, high: int, boundary: str, value: Any = None
) -> jax.Array:
    """Continue a signal along one axis, by so many samples before and behind."""
    n = signal.shape[axis]
    if boundary == "constant":  # not by lax.pad, which cannot be differentiated in the value alone
        sides = [[n if i != axis else m for i, n in enumerate(signal.shape)] for m in (low, high)]
        before, behind = (jnp.broadcast_to(value, side) for side in sides)
    else:
        ends = [np.arange(-low, 0), np.arange(n, n + high)]
        before, behind = (_samples(signal, standing(places, n, boundary), axis) for places in ends)
    return jnp.concatenate([before, signal, behind], axis)


def _samples(signal: jax.Array, places: np.ndarray, axis: int) -> jax.Array:
    """Return the samples at some places along an axis, as slices.

    As a gather, XLA would compute their derivative wrongly where a mesh divides the axis.
    """
    turns = np.flatnonzero(np.diff(places, 2)) + 2  # where the step changes
    return jnp.concatenate([_even(signal, run, axis) for run in np.split(places, turns)], axis)


def _even(signal: jax.Array, places: np.ndarray, axis: int) -> jax.Array:
    """Return the samples at evenly spaced places along an axis."""
    if not places.size:
        return lax.slice_in_dim(signal, 0, 0, axis=axis)
    step = int(places[-1] - places[0]) // max(len(places) - 1, 1)
    found = lax.slice_in_dim(signal, places.min(), places.max() + 1, abs(step) or 1, axis)
    if step == 0:
        return jnp.repeat(found, len(places), axis)
    return found if step > 0 else lax.rev(found, [axis])


def standing(places: np.ndarray, length: int, boundary: str) -> np.ndarray:
    """Return which sample stands at each place along an axis, and beyond its ends."""
    if boundary == "wrap":
        return places % length
    if boundary == "edge":
        return np.clip(places, 0, length - 1)
    repeats = boundary == "symmetric"
    period = max(2 * length - 2 + 2 * repeats, 1)
    turned = places % period
    return np.where(turned < length, turned, period - turned - repeats)


def _dilate(shape: Shape, dilation: Shape) -> Shape:
    return tuple((n - 1) * d + 1 if n else 0 for n, d in zip(shape, dilation, strict=True))
