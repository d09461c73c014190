"""Sharding: one convolution of arrays that are divided over a mesh, each shard computing its own part.

    division   which mesh axes divide which part of the convolution, read off the operands' shardings
    one_shard  what a shard does: fetch the samples that it lacks, convolve as planned for its own shape,
               and sum over the shards that hold other features or other samples of the kernel

Batch, groups, output features and places are divided without traffic but the halo; input features, and
the kernel's own samples where it is as long as the signal (as in a kernel's gradient), are summed by one
`jax.lax.psum`. Whatever else is divided is gathered first.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.engine.halo import Names, Shards, fetch
from jaxconv.engine.how import How
from jaxconv.engine.problem import Problem, continued, left_to_pad

Spec = tuple[Names, ...]  # per axis of an array, the mesh axes that divide it


@dataclass(frozen=True)
class Division:
    """Which mesh axes divide which part of a convolution."""

    groups: Names
    batch: Names
    inputs: Names
    outputs: Names
    places: Spec
    windows: Spec
    by_batch: bool  # whether the groups lie along the signal's batch

    @property
    def signal(self) -> Spec:
        """How the signal is divided: batch, features, space."""
        lead = (self.groups, self.inputs) if self.by_batch else (self.batch, self.groups or self.inputs)
        return (*lead, *(place or window for place, window in zip(self.places, self.windows)))

    @property
    def kernel(self) -> Spec:
        """How the kernel is divided: outputs, inputs, window."""
        return (self.groups or self.outputs, self.inputs, *self.windows)

    @property
    def output(self) -> Spec:
        """How the output is divided: batch, features, places."""
        return (self.batch, self.groups or self.outputs, *self.places)

    @property
    def summed(self) -> Names:
        """Mesh axes over which the shards' outputs are to be added."""
        return (*self.inputs, *(name for names in self.windows for name in names))


def division(
    problem: Problem, by_batch: bool, sizes: dict[str, int], signal: Spec, kernel: Spec, output: Spec
) -> Division:
    """Divide a convolution as its operands and its output are; each mesh axis divides one part."""
    taken: set[str] = set()

    def claim(*candidates: Names) -> Names:
        for names in candidates:
            if names and taken.isdisjoint(names):
                taken.update(names)
                return names
        return ()

    def divides(names: Names) -> bool:
        return problem.groups % math.prod(sizes[name] for name in names) == 0

    is_grouped = problem.groups > 1
    by_group = (output[1], signal[0 if by_batch else 1], kernel[0])
    groups = claim(*filter(divides, by_group)) if is_grouped else ()
    batch = () if by_batch else claim(output[0], signal[0])
    outputs = () if is_grouped else claim(output[1], kernel[0])
    inputs = claim(signal[1], kernel[1]) if by_batch or not is_grouped else ()
    places, windows = [], []
    for axis in range(problem.rank):
        of_signal, of_kernel, of_output = signal[2 + axis], kernel[2 + axis], output[2 + axis]
        is_kernels = is_summed(problem, axis) and not of_output
        windows.append(claim(of_signal, of_kernel) if is_kernels else ())
        places.append(() if is_kernels else claim(of_output, of_signal))
    return Division(groups, batch, inputs, outputs, tuple(places), tuple(windows), by_batch)


def is_summed(problem: Problem, axis: int) -> bool:
    """Return whether along an axis the kernel had better be divided than the output: the longer one."""
    return problem.window[axis] > problem.places[axis]


def is_sharded(array: jax.Array) -> bool:
    """Return whether the type of an array tells that it is divided over a mesh."""
    return any(jax.typeof(array).sharding.spec)


def in_order(spec: Sequence[Any], order: Sequence[int]) -> Spec:
    """Return a partition spec in the order of an array's axes as the problem counts them."""
    names = [() if n is None else n if isinstance(n, tuple) else (n,) for n in spec]
    names += [()] * (len(order) - len(names))
    return tuple(names[axis] for axis in order)


def rule(problem: Problem, by_batch: bool, numbers: Any) -> tuple[str, dict[str, int]]:
    """Return how a compiler may divide a convolution, in the notation of `custom_partitioning`.

    Each axis has a letter, or one for the groups and one within them; an axis that two arrays share is
    divided in both alike.
    """
    p = problem
    sizes = {"g": p.groups, "b": p.batch, "i": p.inputs, "o": p.outputs}

    def grouped(letter: str) -> str:
        if p.groups == 1:
            return letter
        return f"(g {letter})" if sizes[letter] > 1 else "g"

    space = []
    for axis in range(p.rank):
        x, k, y = (f"{letter}{axis}" for letter in "xky")
        space.append((x, x, y) if is_summed(p, axis) else (x, k, x))
    signal, kernel, output = zip(*space) if space else ((), (), ())
    batch, inputs = (grouped("b"), "i") if by_batch else ("b", grouped("i"))
    letters = (batch, inputs, *signal), (grouped("o"), "i", *kernel), ("b", grouped("o"), *output)
    words = []
    for order, of_array in zip(numbers, letters):
        by_axis = dict(zip(order, of_array))
        words.append([by_axis[axis] for axis in range(len(order))])
    whole = {word for array in words for word in array}
    within = {s: n for s, n in sizes.items() if n > 1 and p.groups > 1 and s not in whole}
    signal, kernel, output = map(" ".join, words)
    return f"{signal}, {kernel} -> {output}", within


Convolve = Callable[..., jax.Array]  # of signal and kernel, given lax's parameters


@dataclass(frozen=True)
class Sharded:
    """One convolution over a mesh: what a shard must know of the whole."""

    problem: Problem
    division: Division
    sizes: tuple[tuple[str, int], ...]  # of the mesh's axes
    signal: Spec  # how each is divided as it comes, and the output as it goes
    kernel: Spec
    output: Spec
    is_typed: bool  # whether types tell over which mesh axes a value varies
    how: How

    def one_shard(
        self,
        signal: jax.Array,
        kernel: jax.Array,
        fill: Any = None,
        *,
        convolve: Convolve,
        **params: Any,
    ) -> jax.Array:
        """Compute one shard's part of the output, with lax's parameters of the whole convolution."""
        p, d = self.problem, self.division
        lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
        lead = (p.groups * p.batch, p.inputs) if d.by_batch else (p.batch, p.groups * p.inputs)
        features = p.groups * p.outputs
        signal, held = self._gathered(signal, lhs_spec, (*lead, *p.space), self.signal, d.signal)
        signal = self._parted(signal, lhs_spec, lead, held, d.signal)
        kernel = self._moved(kernel, rhs_spec, (features, p.inputs, *p.window), self.kernel, d.kernel)
        padding, dilation = list(params["padding"]), list(params["lhs_dilation"])
        for i, (axis, names) in enumerate(zip(lhs_spec[2:], d.signal[2:])):
            if names:
                signal, padding[i], dilation[i] = self._piece(signal, axis, i, held[2 + i], names, fill)
        left = tuple("fill" if names else name for name, names in zip(p.boundaries, d.signal[2:]))
        if "constant" in left:
            signal = continued(signal, lhs_spec[2:], padding, left, fill)
            padding, left = left_to_pad(padding, left), ()
        count = "batch_group_count" if d.by_batch else "feature_group_count"
        params |= {"padding": tuple(padding), "lhs_dilation": tuple(dilation)}
        params |= {count: p.groups // self._count(d.groups)}
        out = convolve(signal, kernel, left if set(left) - {"fill"} else (), **params)
        out = lax.psum(out, d.summed) if d.summed else out
        return self._moved(out, out_spec, (p.batch, features, *p.places), d.output, self.output)

    def _count(self, names: Names) -> int:
        """Return into how many parts some mesh axes divide."""
        return Shards(names, self.sizes).count

    def _piece(self, signal, axis: int, i: int, held: Names, names: Names, fill: Any):
        """Return what a shard needs of the signal along an axis, and the padding and dilation left."""
        p, count = self.problem, self._count(names)
        if self.division.windows[i]:
            step = -(-p.window[i] // count)
            advance = step * p.kernel_dilation[i]
            reach = (step - 1) * p.kernel_dilation[i] + 1 + (p.places[i] - 1) * p.strides[i]
        else:
            step = -(-p.places[i] // count)
            advance = step * p.strides[i]
            reach = (step - 1) * p.strides[i] + p.reach[i]
        dilation = p.signal_dilation[i]
        begins = [shard * advance - p.padding[i][0] for shard in range(count)]  # in the dilated signal
        starts = [-(-begin // dilation) for begin in begins]
        zeros = [start * dilation - begin for begin, start in zip(begins, starts)]  # before the first
        size = max((reach - 1 - before) // dilation for before in zeros) + 1
        boundary = p.boundaries[i] if p.boundaries else "fill"
        if boundary == "wrap" and held and p.space[i] % count:
            signal, held = self._whole(signal, axis, p.space[i], held), ()
        shards = Shards(names, self.sizes)
        signal = fetch(signal, axis, p.space[i], shards, bool(held), starts, size, boundary, fill)
        behind = [reach - before - (size - 1) * dilation - 1 for before in zeros]
        if len(set(zeros)) == 1:
            return signal, (zeros[0], behind[0]), dilation
        config = [(0, 0, 0)] * signal.ndim
        config[axis] = (max(zeros), max(behind), dilation - 1)
        dilated = lax.pad(signal, jnp.zeros((), signal.dtype), config)
        first = jnp.asarray([max(zeros) - before for before in zeros])[shards.here()]
        return lax.dynamic_slice_in_dim(dilated, first, reach, axis), (0, 0), 1

    def _moved(
        self, part: jax.Array, order: Sequence[int], lengths: Sequence[int], held: Spec, wanted: Spec
    ) -> jax.Array:
        """Return an array that is divided in another way."""
        part, held = self._gathered(part, order, lengths, held, wanted)
        return self._parted(part, order, lengths, held, wanted)

    def _gathered(
        self, part: jax.Array, order: Sequence[int], lengths: Sequence[int], held: Spec, wanted: Spec
    ) -> tuple[jax.Array, Spec]:
        """Gather an array along all axes that are wanted otherwise, before any other is divided."""
        for axis, length, old, new in zip(order, lengths, held, wanted, strict=True):
            part = self._whole(part, axis, length, old) if old and old != new else part
        return part, tuple(old if old == new else () for old, new in zip(held, wanted))

    def _parted(
        self, part: jax.Array, order: Sequence[int], lengths: Sequence[int], held: Spec, wanted: Spec
    ) -> jax.Array:
        """Take the shard's part along the axes of these lengths; zeros behind the end."""
        for axis, length, old, new in zip(order, lengths, held, wanted):
            shards = Shards(new, self.sizes)
            size = -(-length // shards.count)
            if new and (not old or length != size * shards.count):
                starts = [shard * size for shard in range(shards.count)]
                part = fetch(part, axis, length, shards, bool(old), starts, size)
        return part

    def _whole(self, part: jax.Array, axis: int, length: int, held: Names) -> jax.Array:
        """Return all of an array along an axis, if the bounds on memory allow that."""
        size = part.size * part.dtype.itemsize * self._count(held)
        if self.how.max_bytes is not None and size > self.how.max_bytes:
            rule = f"allow for {size:,} bytes, since an array is gathered that {'x'.join(held)} divides"
            remedy = "Divide its batch, its samples, or no axis that another array's axis divides."
            got = self.how.max_bytes
            raise checks.value_error(self.how.function, "max_bytes", rule, got, remedy)
        to = "invarying" if self.is_typed else "varying"
        whole = lax.all_gather(part, held, axis=axis, tiled=True, to=to)
        return lax.slice_in_dim(whole, 0, length, axis=axis)
