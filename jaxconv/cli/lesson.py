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

PACKAGES = {"skimage": "scikit-image", "sklearn": "scikit-learn"}  # as an index knows them
FOLDERS = ("examples", "../examples")  # in an installed package; in a checkout


@app.command()
def lesson(
    only: Annotated[str, typer.Option(help="Only the figures with these numbers, as in 1,4.")] = "",
    output: Output = Path("out"),
) -> None:
    """Walk through the lecture in ten figures.

    Each program says what you will see, runs, prints the fact that it proves, and writes its figure. On
    a terminal it waits for Enter before the next one. The programs are short: read them, change them.
    """
    with one_line_errors("lesson"):
        chosen, missing = _choose(only), dict[str, list[str]]()
        for number, path in enumerate(chosen):
            if number and sys.stdin.isatty():
                input("\nEnter for the next, Ctrl-C to stop ")
            text = ast.get_docstring(ast.parse(path.read_text())) or ""
            print(f"\n{path.stem[:2]}  {text.partition('    python ')[0].strip()}\n\n> {path}")
            try:
                _run(path, output)
            except ModuleNotFoundError as error:
                missing.setdefault(str(error.name), []).append(path.stem[:2])
                print(f"left out: it needs {error.name}")
        if missing:
            told = "; ".join(f"{', '.join(figures)} need {name}" for name, figures in missing.items())
            packages = " ".join(PACKAGES.get(name, name) for name in missing)
            raise RuntimeError(f"figures {told}. Install: pip install {packages}")


def _choose(only: str) -> list[Path]:
    """Return the programs with these numbers, or all programs."""
    root = Path(jaxconv.__file__).parent
    programs = [
        path for folder in FOLDERS for path in sorted((root / folder).resolve().glob("[01][0-9]_*.py"))
    ]
    numbers = [path.stem[:2] for path in programs]
    wanted = [number.strip().zfill(2) for number in only.split(",")] if only else numbers
    for number in wanted:
        if number not in numbers:
            raise checks.value_error(
                "lesson", "only", f"name figures of {', '.join(numbers)}", repr(only)
            )
    return [path for path in programs if path.stem[:2] in wanted]


def _run(path: Path, output: Path) -> None:
    """Run a program as if from the command line."""
    arguments, paths = sys.argv, sys.path[:]
    sys.argv, sys.path = [str(path), "--save", str(output)], [str(path.parent), *sys.path]
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv, sys.path = arguments, paths
