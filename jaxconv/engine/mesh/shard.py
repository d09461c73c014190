"""Shard: what one of the shards that a convolution is divided over does.

It fetches the samples that it lacks, convolves as planned for its own shape, and sums over the shards
that hold other features or other samples of the kernel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.engine.how import How
from jaxconv.engine.mesh.division import Division, Spec
from jaxconv.engine.mesh.halo import Names, Shards, fetch
from jaxconv.engine.problem import Problem, continued, left_to_pad

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
