"""`jaxconv lesson`: the lecture in ten figures, one after another."""

import ast
import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer

import jaxconv
from jaxconv import checks
from jaxconv.cli.shared import Output, app, one_line_errors

PLACES = ("examples", "../examples")  # in an installed package; in a checkout


@app.command()
def lesson(
    only: Annotated[str, typer.Option(help="Only the figures of these numbers, as 1,4.")] = "",
    output: Output = Path("out"),
) -> None:
    """Walk through the lecture in ten figures.

    Each tells what you will see, runs, prints the fact that it proves, and writes its figure. On a
    terminal it waits for Enter between two. The programs are short: read them, and change them.
    """
    with one_line_errors("lesson"):
        chosen = _chosen(only)
        for number, path in enumerate(chosen):
            if number and sys.stdin.isatty():
                input("\nEnter for the next, Ctrl-C to stop ")
            told = ast.get_docstring(ast.parse(path.read_text())) or ""
            print(f"\n{path.stem[:2]}  {told.partition('    python ')[0].strip()}\n\n> {path}")
            _run(path, output)


def _chosen(only: str) -> list[Path]:
    """Return the programs of these numbers, or all."""
    root = Path(jaxconv.__file__).parent
    found = [
        path for place in PLACES for path in sorted((root / place).resolve().glob("[01][0-9]_*.py"))
    ]
    numbers = [path.stem[:2] for path in found]
    wanted = [number.strip().zfill(2) for number in only.split(",")] if only else numbers
    for number in wanted:
        if number not in numbers:
            raise checks.value_error(
                "lesson", "only", f"name figures of {', '.join(numbers)}", repr(only)
            )
    return [path for path in found if path.stem[:2] in wanted]


def _run(path: Path, output: Path) -> None:
    """Run a program as if from the command line."""
    arguments, places = sys.argv, sys.path[:]
    sys.argv, sys.path = [str(path), "--save", str(output)], [str(path.parent), *sys.path]
    try:
        runpy.run_path(str(path), run_name="__main__")
    except ModuleNotFoundError as error:
        raise RuntimeError(f"needs {error.name}; install it with: pip install 'jaxconv[demo]'") from None
    finally:
        sys.argv, sys.path = arguments, places
