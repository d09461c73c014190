"""Comparing: two files of results, of one machine before and after or of two machines."""

import json
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from jaxconv import checks
from jaxconv.benchmarking.rows import OURS

ABOUT = ("about", "limits")
Results = dict[str, Any]


def load(path: Path) -> Results:
    """Return the results of a file."""
    try:
        found = json.loads(path.read_text())
        if set(ABOUT) <= set(found):
            return found
    except (ValueError, TypeError):
        pass
    raise checks.value_error("bench", "compare", "be files that `jaxconv bench` wrote", str(path))


def table(first: Results, second: Results) -> str:
    """Return as text how the second's times differ from the first's, case by case.

    A ratio above 1 says that the second is faster; beside ours stands that of JAX, in which a change of
    the machine shows.
    """
    lines = [f"{_title(first)}", f"{_title(second)}", ""]
    lines.append(f"{'':52}{'first':>12}{'second':>12}{'ratio':>8}{'JAX':>8}")
    for part in (part for part in first if part in second and part not in ABOUT):
        ratios = []
        for case in (case for case in first[part] if case in second[part]):
            pair = first[part][case]["seconds"], second[part][case]["seconds"]
            if not all(OURS in seconds for seconds in pair):
                continue
            (before, after), (jax_before, jax_after) = (
                [seconds.get(who) for seconds in pair] for who in (OURS, "JAX")
            )
            ratios.append(before / after)
            jaxs = f"{jax_before / jax_after:>8.2f}" if jax_before and jax_after else ""
            times = f"{before * 1e3:>9.3f} ms{after * 1e3:>9.3f} ms"
            lines.append(f"{f'{part}: {case}':52}{times}{ratios[-1]:>8.2f}{jaxs}")
        if ratios:
            lines += [f"{f'{part}: geometric mean':76}{geometric_mean(ratios):>8.2f}", ""]
    return "\n".join(lines).rstrip()


def _title(results: Results) -> str:
    """Return whose results these are."""
    about = results["about"]
    return f"{about['device']} ({about['processor']}), JAX {about['versions']['jax']}, {about['date']}"
