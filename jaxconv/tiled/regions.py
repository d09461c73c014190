"""Regions: read any box of a source, also beyond its edges, by slices alone."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from jaxconv.engine.problem import standing
from jaxconv.tiled.npy import Npy


class Source(Protocol):
    """What can be read: a NumPy array or memmap, an array of Zarr, a dataset of h5py."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its lengths."""
        ...

    @property
    def dtype(self) -> Any:
        """Its type."""
        ...

    def __getitem__(self, index: Any, /) -> Any:
        """Read a box, given as one slice per axis."""
        ...


def chunks(source: Source) -> tuple[int, ...]:
    """Return the shape of the pieces in which a source is stored, as far as is known."""
    return tuple(getattr(source, "chunks", None) or (1 for _ in source.shape))


class Run(NamedTuple):
    """Places side by side that stand for samples side by side: forward, backward, or one repeated."""

    first: int  # of the places, in the region
    length: int
    sample: int  # the first place's
    step: int  # 1, -1 or 0

    @property
    def places(self) -> slice:
        """The places, in the region."""
        return slice(self.first, self.first + self.length)

    @property
    def samples(self) -> slice:
        """The samples in rising order; one, if it is repeated."""
        last = self.sample + self.step * (self.length - 1)
        return slice(min(self.sample, last), max(self.sample, last) + 1)


def read(
    source: Source,
    low: Sequence[int],
    high: Sequence[int],
    boundaries: Sequence[str],
    fillvalue: Any,
    dtype: Any,
) -> np.ndarray:
    """Return the samples from `low` up to `high`, which may lie beyond the edges.

    Args:
        source: what is read.
        low: the first place, per axis.
        high: the place behind the last, per axis.
        boundaries: what lies beyond the edges, per axis.
        fillvalue: the value of "fill".
        dtype: of the result.

    Shapes:
        None.

    Returns:
        An array of shape `high - low`.

    Example:
        >>> read(np.array([1, 2, 3]), [-2], [5], ["reflect"], 0, int).tolist()
        [3, 2, 1, 2, 3, 2, 1]
    """
    region = np.empty([b - a for a, b in zip(low, high)], dtype)
    per_axis = [list(runs(*facts)) for facts in zip(low, high, source.shape, boundaries)]
    if any(sum(run.length for run in axis) < n for axis, n in zip(per_axis, region.shape)):
        region[...] = fillvalue
    for box in itertools.product(*per_axis):
        index = tuple(run.samples for run in box)
        if isinstance(source, Npy) and region.dtype == source.dtype and all(r.step == 1 for r in box):
            source.read_into(region[tuple(run.places for run in box)], index)
            continue
        samples = np.asarray(source[index])
        turned = samples[tuple(slice(None, None, run.step or 1) for run in box)]
        region[tuple(run.places for run in box)] = turned  # one that is repeated broadcasts
    return region


def runs(low: int, high: int, length: int, boundary: str) -> Iterator[Run]:
    """Yield the places of an axis in runs; those that are filled are left out."""
    if boundary == "fill":
        first, last = max(low, 0), min(high, length)
        if first < last:
            yield Run(first - low, last - first, first, 1)
        return
    samples = standing(np.arange(low, high), length, boundary)
    steps = np.diff(samples)
    first = 0
    while first < len(samples):
        step = int(steps[first]) if first < len(steps) else 1
        step = step if step in (-1, 0, 1) else 1
        count = 1
        while first + count < len(samples) and steps[first + count - 1] == step:
            count += 1
        yield Run(first, count, int(samples[first]), step)
        first += count
