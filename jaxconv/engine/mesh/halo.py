"""Halo: the piece of a sharded axis that each shard needs, fetched from the shards that hold it.

Every function here runs inside `jax.shard_map` or its like, on one shard. Positions along the axis are
those of the whole array. Which shard sends what is known while tracing, so each fetch is at most one
`jax.lax.ppermute` per neighbour at a distance, of no more than the samples that are needed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv.engine.problem import standing

Names = tuple[str, ...]  # of mesh axes, the slowest first


@dataclass(frozen=True)
class Shards:
    """The parts that an axis of an array is divided into."""

    names: Names
    sizes: tuple[tuple[str, int], ...]  # of all axes of the mesh, in its order

    @property
    def count(self) -> int:
        """How many there are."""
        return math.prod(dict(self.sizes)[name] for name in self.names)

    def here(self) -> jax.Array:
        """Return which one this is."""
        return lax.axis_index(self.names)

    def permuted(self, part: jax.Array, pairs: Sequence[tuple[int, int]]) -> jax.Array:
        """Return what another shard sent, given pairs of source and target; zeros if none did."""
        if not pairs:
            return jnp.zeros_like(part)
        ordered = [name for name, _ in self.sizes if name in self.names]  # as `ppermute` counts
        own, counted = ([dict(self.sizes)[n] for n in names] for names in (self.names, ordered))
        order = [self.names.index(name) for name in ordered]

        def number(shard: int) -> int:
            at = np.unravel_index(shard, own)
            return int(np.ravel_multi_index([at[i] for i in order], counted))

        return lax.ppermute(part, tuple(ordered), [(number(s), number(t)) for s, t in pairs])


class Transfer(NamedTuple):
    """What shards at one distance send: the samples [first, last) of each, from source to target."""

    distance: int  # from target to source, in shards
    first: int
    last: int
    pairs: tuple[tuple[int, int], ...]  # source and target


def fetch(
    part: jax.Array,
    axis: int,
    length: int,
    shards: Shards,
    is_held: bool,
    starts: Sequence[int],
    size: int,
    boundary: str = "fill",
    value: Any = None,
) -> jax.Array:
    """Return the piece of an axis that this shard needs.

    Args:
        part: what this shard holds.
        axis: the axis.
        length: of the whole array along it; what lies behind it in the last shards is ignored.
        shards: whose pieces these are.
        is_held: whether the array is divided over the same; else every shard holds all of it.
        starts: where the piece of each shard begins; may lie outside of the array.
        size: of each piece.
        boundary: what lies beyond the edges: zeros for "fill", `value` for "constant".
        value: of a constant.
    """
    n, count, here = part.shape[axis], shards.count, shards.here()
    homes = [n * shard if is_held else 0 for shard in range(count)]
    at_hand, begin = part, 0  # what this shard has, and where it begins in relation to its own part
    if is_held:
        part = _without_tail(part, axis, length, count, here)
        sources = [_sources(start, size, length, boundary) for start in starts]
        at_hand, begin = _gathered(part, axis, shards, transfers(sources, n, count, boundary == "wrap"))
    elif boundary == "wrap":
        begin = min(starts)
        around = standing(np.arange(begin, max(starts) + size), length, boundary)
        at_hand = jnp.take(part, around, axis)
    offsets = [start - home - begin for start, home in zip(starts, homes)]
    low, high = max(0, -min(offsets)), max(0, max(offsets) + size - at_hand.shape[axis])
    if low or high:
        config = [(0, 0, 0)] * part.ndim
        config[axis] = (low, high, 0)
        at_hand = lax.pad(at_hand, jnp.zeros((), part.dtype), config)
    offsets = [offset + low for offset in offsets]
    if len(set(offsets)) == 1:
        piece = lax.slice_in_dim(at_hand, offsets[0], offsets[0] + size, axis=axis)
    else:
        piece = lax.dynamic_slice_in_dim(at_hand, jnp.asarray(offsets)[here], size, axis)
    if boundary in ("fill", "wrap"):
        return piece
    return _continued(piece, at_hand, axis, length, starts, offsets, here, boundary, value)


def _gathered(
    part: jax.Array, axis: int, shards: Shards, received: Sequence[Transfer]
) -> tuple[jax.Array, int]:
    """Return the shard's part between what it receives, and where that begins in relation to it."""
    n = part.shape[axis]
    pieces = {0: part} | {
        t.distance: shards.permuted(lax.slice_in_dim(part, t.first, t.last, axis=axis), t.pairs)
        for t in received
    }
    begin = min([t.distance * n + t.first for t in received], default=0)
    together = [pieces[distance] for distance in sorted(pieces)]
    return lax.concatenate(together, axis) if len(together) > 1 else part, min(begin, 0)


def transfers(sources: Sequence[tuple[int, int]], n: int, count: int, ring: bool) -> list[Transfer]:
    """Return what is sent so that each shard has the samples [first, last) that it needs.

    The nearest come last on the left and first on the right, and between a distance and the shard itself
    nothing is left out, so that what arrives is one piece.
    """
    wanted: dict[int, list[tuple[int, int, int, int]]] = {}
    for target, (first, last) in enumerate(sources):
        if first >= last:
            continue
        for source in range(first // n, (last - 1) // n + 1):
            if source == target or (not ring and not 0 <= source < count):
                continue
            low, high = max(first - source * n, 0), min(last - source * n, n)
            wanted.setdefault(source - target, []).append((low, high, source % count, target))
    if not wanted:
        return []
    found = []
    for distance in range(min(*wanted, 0), max(*wanted, 0) + 1):
        if distance == 0:
            continue
        asked = wanted.get(distance, [])
        first = min([low for low, *_ in asked], default=0) if distance == min(wanted) < 0 else 0
        last = max([high for _, high, *_ in asked], default=0) if distance == max(wanted) > 0 else n
        found.append(Transfer(distance, first, last, tuple((s, t) for *_, s, t in asked)))
    return found


def _sources(start: int, size: int, length: int, boundary: str) -> tuple[int, int]:
    """Return the range of samples that stand in a piece."""
    if boundary == "wrap":
        return start, start + size
    first, last = max(start, 0), min(start + size, length)
    if boundary not in ("fill", "constant"):
        outside = [np.arange(start, min(start + size, 0)), np.arange(max(length, start), start + size)]
        stand = standing(np.concatenate(outside), length, boundary)
        inside = [first, last - 1] if first < last else []
        stand = [*inside, *stand.tolist()]
        first, last = (min(stand), max(stand) + 1) if stand else (0, 0)
    return first, last


def _continued(piece, at_hand, axis, length, starts, offsets, here, boundary, value):
    """Put into a piece what stands beyond the edges of the whole array."""
    size = piece.shape[axis]
    low = min(max(0, -min(starts)), size)
    high = min(max(0, max(starts) + size - length), size - low)
    pieces = [lax.slice_in_dim(piece, low, size - high, axis=axis)]
    for is_left, width, at in ((True, low, 0), (False, high, size - high)):
        if width:
            steps = np.arange(at, at + width)
            places = np.asarray(starts)[:, None] + steps
            if boundary == "constant":
                is_inside = jnp.asarray((places >= 0) & (places < length))[here]
                shape = [width if i == axis else 1 for i in range(piece.ndim)]
                own = lax.slice_in_dim(piece, at, at + width, axis=axis)
                strip = jnp.where(is_inside.reshape(shape), own, value)
            else:
                moved = np.asarray(offsets) - np.asarray(starts)
                table = standing(places, length, boundary) + moved[:, None]
                strip = jnp.take(at_hand, jnp.asarray(table)[here], axis)
            pieces.insert(0 if is_left else len(pieces), strip)
    return lax.concatenate(pieces, axis) if len(pieces) > 1 else piece


def _without_tail(part: jax.Array, axis: int, length: int, count: int, here: jax.Array) -> jax.Array:
    """Put zeros where the last shards hold nothing of the array."""
    n = part.shape[axis]
    if length == n * count:
        return part
    left = jnp.asarray([np.clip(length - shard * n, 0, n) for shard in range(count)], np.int32)
    is_inside = lax.broadcasted_iota(np.int32, part.shape, axis) < left[here]
    return jnp.where(is_inside, part, jnp.zeros((), part.dtype))
