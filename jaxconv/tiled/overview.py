"""Overview: a source made small by the means of blocks, so that it can be looked at."""

import math
from typing import NamedTuple

import numpy as np

from jaxconv import progress
from jaxconv.tiled.regions import Source, chunks, read

PIECE_BYTES = 64_000_000
LONGEST = 1024


class Overview(NamedTuple):
    """A source in small."""

    means: np.ndarray  # of blocks; NaN counts nowhere
    block: int  # samples along each axis of a block; those at the end are shorter
    mean: float  # of all samples


def overview(source: Source) -> Overview:
    """Read a source once, piece by piece along its first axis, and return it in small."""
    length, *others = source.shape
    block = -(-max(source.shape) // LONGEST)
    least = math.lcm(block, chunks(source)[0])
    row = 8 * math.prod(others)
    rows = max(PIECE_BYTES // (row * least), 1) * least
    sums, counts = [], []
    with progress.bar("overview", length) as report:
        for first in range(0, length, rows):
            last = min(first + rows, length)
            low, high = [first, *(0 for _ in others)], [last, *others]
            piece = read(source, low, high, ("fill",) * len(low), 0, source.dtype)
            seen = np.isfinite(piece)
            sums.append(_blocks(np.where(seen, piece, 0).astype(float), block))
            counts.append(_blocks(seen.astype(float), block))
            report(last)
    total, count = np.concatenate(sums), np.concatenate(counts)
    means = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return Overview(means, block, float(total.sum() / max(count.sum(), 1)))


def _blocks(values: np.ndarray, block: int) -> np.ndarray:
    """Return the sums of blocks."""
    for axis, n in enumerate(values.shape):
        values = np.add.reduceat(values, range(0, n, block), axis)
    return values
