"""What the commands share: the program they belong to, its errors and how it writes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from jaxconv import files

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",  # which wraps paragraphs
)
Output = Annotated[Path, typer.Option(help="Folder for the output files.")]

CTRL_C = 130
MISTAKES = (ValueError, TypeError, OSError, RuntimeError, FloatingPointError)


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
