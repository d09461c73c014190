"""Npy: a file read and written by boxes, so that memory is what is held: none of its pages is mapped."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np


class Npy:
    """A .npy file as an array of slices."""

    def __init__(self, path: str | os.PathLike[str]):
        """Read the header of a file that is there."""
        header = np.lib.format.open_memmap(path, "r")
        self.shape, self.dtype, self.filename = header.shape, header.dtype, os.fspath(path)
        self._first, self._is_fortran = header.offset, not header.flags.c_contiguous

    def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
        """Read a box."""
        box = np.empty([len(range(*s.indices(n))) for s, n in zip(index, self.shape)], self.dtype)
        self.read_into(box, index)
        return box

    def read_into(self, box: np.ndarray, index: tuple[slice, ...]) -> None:
        """Read a box into an array of its shape, which may be a part of a larger one."""
        if self._is_fortran:
            box[...] = np.load(self.filename, mmap_mode="r")[index]
            return
        with Path(self.filename).open("rb", buffering=0) as file:
            for place, part in self._runs(index, box):
                file.seek(place)
                view = part.reshape(-1).view(np.uint8).data
                while view:  # one read returns 2 GB at most
                    count = file.readinto(view)
                    if not count:
                        raise OSError(f"{self.filename} ends before its last sample")
                    view = view[count:]

    def __setitem__(self, index: tuple[slice, ...], values: np.ndarray) -> None:
        """Write a box."""
        with Path(self.filename).open("r+b", buffering=0) as file:
            for place, part in self._runs(index, np.ascontiguousarray(values, self.dtype)):
                file.seek(place)
                view = part.reshape(-1).view(np.uint8).data
                while view:
                    view = view[file.write(view) :]

    def flush(self) -> None:
        """Let what was written reach the disk, and its memory serve what is written next."""
        with Path(self.filename).open("r+b") as file:
            os.fsync(file.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def _runs(self, index: tuple[slice, ...], box: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the byte in the file, and the part of the box, of each run that is whole in both."""
        ranges = [range(*s.indices(n)) for s, n in zip(index, self.shape)]
        split = len(ranges) - 1  # the last axis of which a part is taken: a run goes over all after it
        while split > 0 and len(ranges[split]) == self.shape[split]:
            if box.size and not box[(0,) * (split - 1)].flags.c_contiguous:
                break
            split -= 1
        strides = [self.dtype.itemsize * int(np.prod(self.shape[a + 1 :])) for a in range(len(ranges))]
        if not box.size:
            return
        for outer in np.ndindex(*(len(r) for r in ranges[:split])):
            places = [r[i] for r, i in zip(ranges, outer)] + [r[0] for r in ranges[split:]]
            start = self._first + sum(p * s for p, s in zip(places, strides))
            yield start, box[outer] if outer else box
