"""What the commands share: the program they belong to, its errors and its files."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import typer

from jaxconv import checks, files

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",  # which wraps paragraphs
)
Output = Annotated[Path, typer.Option(help="Folder for the output files.")]

CTRL_C = 130
MISTAKES = (ValueError, TypeError, OSError, RuntimeError, FloatingPointError)


@app.callback()
def jaxconv() -> None:
    """Convolution and matched filtering in JAX."""


@contextmanager
def one_line_errors(command: str) -> Iterator[None]:
    """Turn a user's mistake into one line and exit status 2."""
    try:
        yield
    except typer.Exit:  # which is a RuntimeError
        raise
    except MISTAKES as error:
        text = " ".join(str(error).split())
        prefix = "" if text.startswith(f"{command}:") else f"{command}: "
        print(f"jaxconv {prefix}{text}", file=sys.stderr)
        raise typer.Exit(2) from None


def write(path: Path, save: Callable[[Any], object]) -> None:
    """Write a file, and print its path."""
    print(f"wrote {files.write(path, save)}")


def load(command: str, argument: str, path: Path) -> jax.Array:
    """Load a picture as an array of brightness, in floats, or raise ValueError."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            grey = picture.mode in ("L", "I", "F") or picture.mode.startswith("I;16")
            pixels = np.asarray(picture if grey else picture.convert("RGB"), np.float32)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        got = f"{path} ({_reason(error)})"
        raise checks.value_error(command, argument, "be a picture that can be read", got) from None
    return jnp.asarray(pixels if grey else pixels.mean(-1))


def _reason(error: Exception) -> str:
    """Return in plain words why a picture cannot be read."""
    from PIL import Image, UnidentifiedImageError

    reasons = {
        FileNotFoundError: "no such file",
        IsADirectoryError: "a folder",
        PermissionError: "no permission to read it",
        UnidentifiedImageError: "not a picture file",
        Image.DecompressionBombError: f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels",
    }
    return reasons.get(type(error), f"damaged: {error}")
