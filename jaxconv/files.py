"""Files that are written whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np


def write(path: Path, save: Callable[[BinaryIO], object]) -> Path:
    """Let `save` write a file, make its folder if need be, and return the path.

    What an interrupted call leaves is the file of before, or none.
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


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file; ValueError where it is damaged or of another kind."""
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as kept:
                return dict(kept)
        except Exception:  # zipfile, zlib and NumPy raise a dozen kinds
            raise ValueError(f"{path} is damaged, or no .npz file") from None
