"""Files that are written whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


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
