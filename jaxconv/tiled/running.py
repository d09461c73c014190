"""Running: a function of windows over a source by tiles, read ahead and written behind."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks, progress
from jaxconv.tiled.regions import Source, chunks, read

HALOS = 8  # a tile as long reads little twice; it is cut no further, unless it has to be
BUFFER_BYTES = 16_000_000  # buffers as small are kept by the allocator and used again for the next tile
IN_FLIGHT = 3  # tiles: one is read, one computed, one written


@dataclass(frozen=True)
class Sweep:
    """A function applied to all windows of a source; output s sees the samples around s.

    `compute` takes the samples from `before` samples before a box of outputs to `behind` behind it, and
    where the box starts.
    """

    function: str  # that was called, for the words of errors
    compute: Callable[[jax.Array, jax.Array], Any]
    source: Source
    shape: tuple[int, ...]  # of all outputs
    before: tuple[int, ...]
    behind: tuple[int, ...]
    boundaries: tuple[str, ...]
    fillvalue: Any = 0
    call: dict[str, Any] = field(default_factory=dict)  # what else the result depends on

    @property
    def dtype(self) -> np.dtype:
        """The type in which tiles are read: the source's, if it holds the fill value."""
        own, value = np.dtype(self.source.dtype), np.asarray(self.fillvalue)
        if "fill" not in self.boundaries or value.astype(own) == value:
            return own
        if value.dtype.kind in "bui":
            return np.result_type(own, np.min_scalar_type(value))
        floats = np.result_type(own, np.float32) if own.kind in "bui" else own
        return np.result_type(floats, np.complex64) if value.dtype.kind == "c" else floats

    def samples(self, tile: Sequence[int]) -> jax.ShapeDtypeStruct:
        """Return what a tile of outputs sees."""
        shape = [n + a + b for n, a, b in zip(tile, self.before, self.behind)]
        return jax.ShapeDtypeStruct(shape, jax.dtypes.canonicalize_dtype(self.dtype))

    def read(self, start: Sequence[int], tile: Sequence[int]) -> np.ndarray:
        """Read what the tile that starts there sees."""
        low = [s - a for s, a in zip(start, self.before)]
        high = [s + n + b for s, n, b in zip(start, tile, self.behind)]
        return read(self.source, low, high, self.boundaries, self.fillvalue, self.dtype)


def tile_within(sweep: Sweep, max_bytes: int) -> tuple[tuple[int, ...], Any]:
    """Return a tile whose program and buffers keep `max_bytes`, and its program.

    The memory is what the compiler tells of the program, after any conversion, and what is read ahead
    and written behind. Tiles are cut along the first axis first, so that they lie in long pieces on
    disk, and as small as is fast.

    Raises:
        ValueError: if not even a small tile keeps them.
    """
    tile, scale = list(sweep.shape), 1.0  # all that a tile takes, in terms of its buffers
    halo = [max(a + b, 1) for a, b in zip(sweep.before, sweep.behind)]
    stored = chunks(sweep.source)
    while True:
        needed = int(scale * _buffers(sweep, tile))
        worth = [n / max(h, m) if n > 1 else 0 for n, h, m in zip(tile, halo, stored)]
        axis = next((a for a, w in enumerate(worth) if w >= 2 * HALOS), None)
        is_small = axis is None or _buffers(sweep, tile) <= IN_FLIGHT * BUFFER_BYTES
        if (needed <= max_bytes and is_small) or max(tile) == 1:
            program = compiled(sweep, tile)
            needed = _bytes(program, sweep, tile)
            if needed <= max_bytes:
                return tuple(tile), program
            scale = needed / _buffers(sweep, tile)
        if max(tile) == 1:
            rule = f"hold a tile of one output: {needed:,} bytes do"
            raise checks.value_error(sweep.function, "max_bytes", rule, f"{max_bytes:,}")
        axis = worth.index(max(worth)) if axis is None else axis
        half, chunk = -(-tile[axis] // 2), stored[axis]
        tile[axis] = -(-half // chunk) * chunk if half > chunk else half


def compiled(sweep: Sweep, tile: Sequence[int]) -> Any:
    """Return the program for tiles of this size."""
    place = jax.ShapeDtypeStruct((len(tile),), np.int32)
    return jax.jit(sweep.compute).lower(sweep.samples(tile), place).compile()


def _buffers(sweep: Sweep, tile: Sequence[int]) -> int:
    """Return the bytes of the buffers of a tile in flight, its outputs left out."""
    samples = sweep.samples(tile)
    return IN_FLIGHT * math.prod(samples.shape) * samples.dtype.itemsize


def _bytes(program: Any, sweep: Sweep, tile: Sequence[int]) -> int:
    """Return the bytes that tiles in flight take with a compiled program."""
    memory = program.memory_analysis()
    return _buffers(sweep, tile) + memory.temp_size_in_bytes + IN_FLIGHT * memory.output_size_in_bytes


def starts(shape: Sequence[int], tile: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield where each tile starts. The last of an axis begins earlier: all are of one size."""
    per_axis = [range(0, n, m) for n, m in zip(shape, tile)]
    for start in itertools.product(*per_axis):
        yield tuple(min(s, n - m) for s, n, m in zip(start, shape, tile))


def run(
    sweep: Sweep,
    tile: tuple[int, ...],
    program: Callable[..., Any],
    take: Callable[[int, tuple[int, ...], Any], None],
    done: set[int] = frozenset(),  # pyright: ignore
) -> None:
    """Compute all tiles but those done, and give each to `take`, with its number and its start.

    While one is computed, the next is read and the one before it taken.
    """
    left = [(i, start) for i, start in enumerate(starts(sweep.shape, tile)) if i not in done]
    total = len(left) + len(done)
    with (
        progress.bar(f"{sweep.function} by tiles", total) as report,
        ThreadPoolExecutor(1) as reader,
        ThreadPoolExecutor(1) as writer,
    ):
        coming = reader.submit(sweep.read, left[0][1], tile) if left else None
        taken = None
        for position, (number, start) in enumerate(left):
            assert coming is not None
            samples = coming.result()
            after = left[position + 1 : position + 2]
            coming = reader.submit(sweep.read, after[0][1], tile) if after else None
            out = program(jnp.asarray(samples), jnp.asarray(start, np.int32))
            del samples
            if taken is not None:
                taken.result()
            taken = writer.submit(_take, take, number, start, out)
            del out
            report(len(done) + position)
        if taken is not None:
            taken.result()
        report(total)


def _take(take: Callable[[int, tuple[int, ...], Any], None], number: int, start: Any, out: Any) -> None:
    take(number, start, jax.tree.map(np.asarray, out))
