"""Targets: where results are written tile by tile, and a journal of what is written.

A path gets its name only when all of it is written; until then it is called NAME.part. Beside an array
of the user's lies a journal for as long as it is not whole. After an interruption the same call goes on
with the tiles that the journal does not list.
"""

import json
import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxconv import checks
from jaxconv.tiled.npy import Npy

Box = tuple[slice, ...]
FLUSH_SECONDS = 2


class Target:
    """A result that is being written."""

    def __init__(self, function: str, target: Any, shape: Sequence[int], dtype: Any, journal: Any):
        """Open a target, or what an interrupted call left of it.

        Raises:
            ValueError: if it is of another shape or type than the result, or a path of no known kind.
        """
        self.path = Path(target) if isinstance(target, str | os.PathLike) else None
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.written, self.flushed = [], time.monotonic()  # tiles that are not noted yet
        self.flusher = ThreadPoolExecutor(1)
        self.flushing = self.flusher.submit(int)
        self.array: Any = target
        if self.path is None:
            self.part = None
            self.journal = Path(journal) if journal is not None else None
            found = tuple(self.array.shape), np.dtype(self.array.dtype)
            if found != (self.shape, self.dtype):
                rule = f"be of shape {self.shape} and of {self.dtype}"
                raise checks.value_error(function, "target", rule, "{}, {}".format(*found))
            return
        if self.path.suffix not in (".npy", ".zarr"):
            remedy = "Any array that takes slices may be given: a dataset of h5py, an array of Zarr."
            raise checks.value_error(function, "target", "be NAME.npy or NAME.zarr", target, remedy)
        self.part = self.path.with_name(self.path.name + ".part")
        self.journal = self.path.with_name(self.path.name + ".journal")

    def begin(self, call: dict[str, Any], tile: Sequence[int]) -> tuple[tuple[int, ...], set[int]]:
        """Return the size of tiles, and which an interrupted call that was the same has written.

        Raises:
            ValueError: if what is there belongs to another call.
        """
        found = _read(self.journal) if self.journal else None
        if found is not None and (self.part is None or self.part.exists()):
            if found.call != call:
                rule = "be what the same call left, or a new one"
                remedy = f"Delete {self.journal}, which tells of another call."
                raise checks.value_error(call["function"], "target", rule, found.call, remedy)
            tile, done = found.tile, found.done
            self._open(new=False)
        else:
            done: set[int] = set()
            if self.journal:  # before there is anything that it would tell of
                self.journal.unlink(missing_ok=True)
            self._open(new=True)
            if self.journal:
                self.journal.write_text(json.dumps({"call": call, "tile": list(tile)}) + "\n")
        return tuple(tile), done

    def write(self, box: Box, values: np.ndarray, number: int) -> None:
        """Write a tile; every few seconds what was written is flushed, and only then noted."""
        self.array[box] = values
        self.written.append(number)
        if self.flushing.done() and time.monotonic() - self.flushed > FLUSH_SECONDS:
            self._note()

    def settle(self) -> None:
        """Wait until all that was written is flushed and noted."""
        self._note()
        self.flushing.result()
        self.flusher.shutdown()

    def _note(self) -> None:
        """Let what was written be flushed and noted, while more is written."""
        self.flushing.result()
        numbers, self.written, self.flushed = self.written, [], time.monotonic()
        self.flushing = self.flusher.submit(self._flush, numbers)

    def _flush(self, numbers: list[int]) -> None:
        """Flush what was written to disk, and note tiles in the journal."""
        if hasattr(self.array, "flush"):
            self.array.flush()
        if self.journal and numbers:
            with self.journal.open("a") as file:
                file.write("".join(f"{number}\n" for number in numbers))

    def end(self) -> Any:
        """Give the target its name, now that it is whole; return it, to be read."""
        if self.part is not None and self.path is not None:
            if self.path.is_dir():
                shutil.rmtree(self.path)
            self.part.replace(self.path)
        if self.journal:
            self.journal.unlink(missing_ok=True)
        if self.path is None:
            return self.array
        return opened(self.path) if self.path.suffix == ".zarr" else np.load(self.path, mmap_mode="r")

    def _open(self, new: bool) -> None:
        if self.part is None or self.path is None:
            return
        if self.path.suffix == ".zarr":
            import zarr

            if new:
                shutil.rmtree(self.part, ignore_errors=True)
                self.array = zarr.create_array(str(self.part), shape=self.shape, dtype=self.dtype)
            else:
                self.array = zarr.open_array(str(self.part), mode="r+")
        else:
            if new:
                self.part.parent.mkdir(parents=True, exist_ok=True)
                np.lib.format.open_memmap(self.part, "w+", self.dtype, self.shape)
            self.array = Npy(self.part)


class Journal(NamedTuple):
    """What an interrupted call left."""

    call: dict[str, Any]
    tile: tuple[int, ...]
    done: set[int]


def _read(path: Path) -> Journal | None:
    """Read a journal; None if there is none. A line that was cut short does not count."""
    try:
        first, *rest = path.read_text().split("\n")
        head = json.loads(first)
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return Journal(head["call"], tuple(head["tile"]), {int(line) for line in rest[:-1]})


def opened(path: Any) -> Any:
    """Open NAME.npy or NAME.zarr to be read, without reading it; an array is returned as it is."""
    if not isinstance(path, str | os.PathLike):
        return path
    if Path(path).suffix == ".zarr":
        import zarr

        return zarr.open_array(str(path), mode="r")
    return Npy(path)
