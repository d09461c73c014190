"""Parts: which places of a full convolution are wanted, by a mode or by lags.

Along an axis the full convolution of n samples with m taps has places 0 to n + m - 2; the lag of a
correlation there is the place less m - 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxconv import checks


@dataclass(frozen=True)
class Part:
    """Which outputs are wanted along an axis: every `step`-th of the full output, from `start` on."""

    start: int
    count: int
    step: int

    def padding(self, length: int, reach: int) -> tuple[int, int]:
        """Return how far the windows of these places reach beyond a signal, before and behind it."""
        last = self.start + max(self.count - 1, 0) * self.step if self.count else self.start - 1
        return reach - 1 - self.start, last + 1 - length


def in_mode(mode: str, n: int, m: int, centre: int, step: int) -> Part:
    """Return the part of a full convolution of n samples with m taps that a mode names."""
    start, count = {
        "full": (0, n + m - 1),
        "same": (centre, n),
        "valid": (min(n, m) - 1, abs(n - m) + 1),
    }[mode]
    return Part(start, -(-count // step), step)


def at_lags(function: str, lags: Any, reach: Sequence[int]) -> list[Part]:
    """Return the parts at these lags: the largest lag, or a range, or one of these per axis."""
    rule = "be an int (the largest lag) or an increasing range, or a tuple with one of these per axis"
    given = lags if isinstance(lags, tuple) else (lags,) * len(reach)
    if len(given) != len(reach):
        raise checks.value_error(function, "lags", rule, lags)
    found = []
    for asked, m in zip(given, reach):
        if isinstance(asked, int | np.integer) and not isinstance(asked, bool) and asked >= 0:
            asked = range(-int(asked), int(asked) + 1)
        if not isinstance(asked, range) or asked.step < 1:
            raise checks.value_error(function, "lags", rule, lags, "Try 100, or range(-100, 101).")
        found.append(Part(asked.start + m - 1, len(asked), asked.step))
    return found
