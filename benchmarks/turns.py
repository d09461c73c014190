"""What the benchmarks share: functions timed in turn, the machine's name, a table."""

import platform
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import jax

from jaxconv.engine.device import processor

ROUNDS = 5


def in_turn(runs: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median seconds of each, run in turn and waited for, after one call that compiles."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            before = time.perf_counter()
            jax.block_until_ready(run())
            if number:
                seconds[name].append(time.perf_counter() - before)
    return {name: statistics.median(each) for name, each in seconds.items()}


def machine() -> str:
    """Return what a page says of where it was measured."""
    device = jax.devices()[0]
    where = processor() if device.platform == "cpu" else device.device_kind
    return f"{where}; Python {platform.python_version()}, JAX {jax.__version__}; {date.today()}."


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table in Markdown."""
    cells = [list(head), ["---"] * len(list(head)), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
