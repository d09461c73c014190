"""Files that are written completely or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np


def write(path: Path, save: Callable[[BinaryIO], object]) -> Path:
    """Let `save` write a file, create its folder if necessary, and return the path.

    If the call is interrupted, the previous file, if any, stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            save(file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def text(words: str) -> Callable[[BinaryIO], object]:
    """Return what `write` saves a text by."""
    return lambda file: file.write(words.encode())


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file; raise ValueError if it is damaged or not an .npz file."""
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                return dict(archive)
        except Exception:  # zipfile, zlib and NumPy raise many kinds
            raise ValueError(f"{path} is damaged, or not an .npz file") from None
