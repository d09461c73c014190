"""How fast, measured fairly: all contestants in turn, in rounds, in one process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles

import jax

REST = 0.01  # seconds; after 5 ms a layer took 6.7 ms behind PyTorch, after 10 or more 4.8


@dataclass(frozen=True)
class Timing:
    """What one contestant took: its first call, which compiles; later calls' median and quartiles."""

    first: float
    seconds: float
    low: float
    high: float


def measure(
    contestants: dict[str, Callable[[], object]], rounds: int = 7, burst: float = 0.01, most: float = 0.4
) -> dict[str, Timing]:
    """Time each contestant in every round, as many calls in a row as fill a burst; medians of rounds.

    A round lets each in turn, so that what else the machine does falls on all alike; each after a rest,
    since threads of the one before (of OpenMP, in PyTorch) may still wait busily for more work. A
    contestant that has taken `most` seconds drops out of the later rounds; one that takes ten is called
    once.
    """
    first = {name: _seconds(run, 1) for name, run in contestants.items()}
    once = {
        name: first[name] if first[name] > 10 else _seconds(run, 1) for name, run in contestants.items()
    }
    calls = {name: max(1, int(burst / seconds)) for name, seconds in once.items()}
    taken = {name: [seconds] if seconds > burst else [] for name, seconds in once.items()}
    for _ in range(rounds):
        for name, run in contestants.items():
            if sum(taken[name]) * calls[name] < most or not taken[name]:
                time.sleep(REST)
                if calls[name] > 1:
                    _seconds(run, 1)
                taken[name].append(_seconds(run, calls[name]))
    return {name: Timing(first[name], *_quartiles(taken[name])) for name in contestants}


def _quartiles(seconds: list[float]) -> tuple[float, float, float]:
    """Return the median and both quartiles."""
    low, high = quantiles(seconds, method="inclusive")[::2] if len(seconds) > 1 else (seconds[0],) * 2
    return median(seconds), low, high


def _seconds(run: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        jax.block_until_ready(run())
    return (time.perf_counter() - start) / calls
