"""Goals: what was aimed at, and what was measured."""

import math
from statistics import geometric_mean

from tables import all_of, by_jax, regret

from jaxconv.benchmarking.cases import sides
from jaxconv.benchmarking.rows import OURS, gain, ours

TABLES = (
    "one channel, forward",
    "channels, forward",
    "one channel, value and both gradients",
    "channels, value and both gradients",
)
EPS = 2.0**-23  # of float32

Target = tuple[str, str, list[float]]  # what, the goal, the values


def goals(results: dict) -> list[str]:
    """Return the table of goals and measured values."""
    lines = ["| what | goal | geometric mean | minimum | maximum |", "|---|---|---|---|---|"]
    for what, aim, values in (*_speeds(results), *_costs(results)):
        mean, low, high = geometric_mean(max(v, 1e-9) for v in values), min(values), max(values)
        lines.append(f"| {what} | {aim} | {mean:.2f} | {low:.2f} | {high:.2f} |")
    (planning,) = results["planning"].values()
    for which, what, aim in (("fresh", "new problem", "≤ 5000"), ("cached", "cached", "≤ 50")):
        lines.append(f"| planning, {what}, µs | {aim} | {planning['seconds'][which] * 1e6:.1f} | | |")
    return lines


def _speeds(results: dict) -> list[Target]:
    """Return ratios of times to those of others."""
    single, layers, slopes, layer_slopes = (list(results[title].values()) for title in TABLES)
    dense = layers + layer_slopes
    copies = [row["seconds"]["copy"] / ours(row) for row in single if "copy" in row["seconds"]]
    over = "our time with gradients / forward, from 7 taps per axis"
    return [
        (
            "one channel, forward: time of the fastest peer / ours",
            "mean ≥ 1.5, minimum ≥ 1",
            all_of(gain, single),
        ),
        ("the same for JAX", "mean ≥ 30", all_of(by_jax, single)),
        (
            "value and both gradients: time of the fastest peer / ours",
            "mean ≥ 2, minimum ≥ 1",
            all_of(gain, slopes),
        ),
        (over, "maximum ≤ 3.5", _over_forward(results[TABLES[2]])),
        ("channels, both: time of the fastest peer / ours", "mean ≥ 1.3", all_of(gain, dense)),
        ("channels, both: time of JAX / ours", "minimum ≥ 1", all_of(by_jax, dense)),
        ("kernels up to 5 per axis: speed relative to a copy", "≥ 0.6", copies),
    ]


def _costs(results: dict) -> list[Target]:
    """Return what the speed costs: wrong choices, compilation, memory, error."""
    single = results[TABLES[0]]
    first = [
        max(row["first"][OURS] for title in titles for row in results[title].values())
        for titles in (TABLES[:2], TABLES[2:])
    ]
    blocks = [row["memory"] for row in single.values() if row["method"] == "overlap"]
    regrets = all_of(regret, list(single.values()))
    direct, by_fft = (
        [row["error"] / _bound(name, row) for name, row in single.items() if _is_direct(row) == kind]
        for kind in (True, False)
    )
    return [
        ("planner's regret: time of its choice / fastest method", "mean ≤ 1.05, maximum ≤ 1.3", regrets),
        ("first call, which compiles, forward and with gradients, s", "≤ 1.5, ≤ 4", first),
        ("memory by blocks, in sizes of the signal", "≤ 1", blocks),
        (
            "time per sample, 1e5 to 1e8 samples, longest / shortest",
            "≤ 1.5",
            _flatness(results["lengths"]),
        ),
        ("error / (4 eps √taps), direct methods", "maximum ≤ 1", direct),
        ("error / (16 eps log₂ n), FFT methods", "maximum ≤ 1", by_fft),
    ]


def _over_forward(rows: dict) -> list[float]:
    seven = [row for name, row in rows.items() if sides(name)[1] >= 7]
    return [ours(row) / row["seconds"]["forward"] for row in seven]


def _flatness(rows: dict) -> list[float]:
    """Return for each kernel the longest time per sample divided by the shortest."""
    times: dict[int, list[float]] = {}
    for name, row in rows.items():
        times.setdefault(sides(name)[1], []).append(ours(row) / row["samples"])
    return [max(each) / min(each) for each in times.values()]


def _bound(name: str, row: dict) -> float:
    """Return the goal of the error, relative to the sum of absolute products."""
    signal, kernel, rank = sides(name)
    return EPS * (4 * math.sqrt(kernel**rank) if _is_direct(row) else 16 * math.log2(signal**rank))


def _is_direct(row: dict) -> bool:
    return row["method"] in ("direct", "products", "shifts", "folded")
