"""Progress: a bar for long work, on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def bar(what: str, total: int) -> Iterator[Any]:
    """Show a bar on standard error, if that is a terminal; yield a function `report(done, **values)`."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as display:
        task = display.add_task(what, total=total)

        def report(done: int, **values: float) -> None:
            text = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
            display.update(task, completed=done, description=f"{what} ({text})")

        yield report
