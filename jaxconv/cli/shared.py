"""What the commands share: the program they belong to, its errors and how it writes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import jax
import typer

from jaxconv import files
from jaxconv.engine import device

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",  # which wraps paragraphs
)
Output = Annotated[Path, typer.Option(help="Folder for the output files.")]

CTRL_C = 130
MISTAKES = (ValueError, TypeError, OSError, RuntimeError, FloatingPointError)


def _version(asked: bool) -> None:
    """Print the versions and the device, as a report of an error wants them."""
    if asked:
        about = device.about()
        for name, told in about["versions"].items():
            print(f"{name} {told}")
        print(f"Python {about['python']}")
        count = jax.device_count()
        print(f"{count} x {about['device']}; {about['processor']}, {about['cores']} cores")
        raise typer.Exit


@app.callback()
def jaxconv(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_version, help="Print versions and device."),
    ] = False,
) -> None:
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
