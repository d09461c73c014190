"""Write docs/benchmarks.md and its picture from what `jaxconv bench` saved, rows where we lose included.

python benchmarks/page.py out/benchmarks.json docs
"""

import json
import math
import sys
from pathlib import Path
from statistics import geometric_mean

from jaxconv import plotting

OURS = "jaxconv"
INTRODUCTION = """\
Written by `make bench`. Times are medians in ms of calls that alternate with all others' in one process;
float32, mode 'same'; compile time apart. The error is against float64, relative to the greatest sum of
absolute products; memory is what XLA allots beyond the operands and the result, in signals. **Bold** is
the fastest. JAX is `jax.scipy.signal.convolve` (from 1e10 products on by its `method="fft"`, since its
default would take up to hours) or `jax.lax.conv_general_dilated`; SciPy is `convolve`, which chooses for
itself, and `oaconvolve`.""".splitlines()
TABLES = (
    "one channel, forward",
    "channels, forward",
    "one channel, value and both gradients",
    "channels, value and both gradients",
)
EPS = 2.0**-23  # of float32


def write(results: dict, folder: Path) -> None:
    """Write the page and the picture."""
    about, limits = results["about"], results["limits"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    text = [
        "# Benchmarks",
        "",
        *INTRODUCTION,
        "",
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}; {versions};",
        f"{about['date']}. Through XLA this machine copies {limits['copy, GB/s']:.0f} GB/s (read and",
        f"written) and multiplies matrices at {limits['matrix product, GFLOP/s']:.0f} GFLOP/s.",
        "",
        "![Each method's time, and the fastest peer's, against the kernel's size](images/methods.png)",
        "",
        "## What was aimed at",
        "",
        *_targets(results),
        "",
        *(Path(__file__).parent / "missed.md").read_text().splitlines(),
    ]
    for title in TABLES:
        text += ["", f"## {title[0].upper()}{title[1:]}", "", *_table(results[title])]
    text += ["", "## What users found slow", "", *_reported(results["reported"])]
    text += ["", "## Prepared kernels", "", *_prepared(results["prepared"])]
    text += ["", "## The same kernel, longer signals", "", *_lengths(results["lengths"])]
    (folder / "benchmarks.md").write_text("\n".join(text) + "\n")
    (folder / "images").mkdir(exist_ok=True)
    plotting.methods(results["one channel, forward"]).savefig(folder / "images" / "methods.png", dpi=110)


def _targets(results: dict) -> list[str]:
    """Return the table of what was aimed at and what was measured."""
    single, layers, slopes, layer_slopes = (results[title] for title in TABLES)
    dense = [*layers.values(), *layer_slopes.values()]
    peers = [
        [_best_peer(row) / _ours(row) for row in rows] for rows in (single.values(), slopes.values())
    ]
    copies = [row["seconds"]["copy"] / _ours(row) for row in single.values() if "copy" in row["seconds"]]
    first = [
        max(row["first"][OURS] for title in titles for row in results[title].values())
        for titles in (TABLES[:2], TABLES[2:])
    ]
    blocks = [row["memory"] for row in single.values() if row["method"] == "overlap"]
    over = [
        [row["error"] / _bound(name, row) for name, row in single.items() if _is_direct(row) == direct]
        for direct in (True, False)
    ]
    rows = [
        ("one channel, forward: the fastest peer's time over ours", "mean ≥ 1.5, least ≥ 1", peers[0]),
        ("the same, against JAX", "mean ≥ 30", [_jax(row) for row in single.values()]),
        ("value and both gradients: the fastest peer's time over ours", "mean ≥ 2, least ≥ 1", peers[1]),
        ("the same over our forward, from 7 taps an axis", "most ≤ 3.5", _over_forward(slopes)),
        ("channels, both: the fastest peer's time over ours", "mean ≥ 1.3", list(map(_peer, dense))),
        ("channels, both: JAX's time over ours", "least ≥ 1", list(map(_jax, dense))),
        ("kernels up to 5 an axis: share of the speed of a copy", "≥ 0.6", copies),
        (
            "planner's regret: its pick's time over the fastest's",
            "mean ≤ 1.05, most ≤ 1.3",
            _regrets(single),
        ),
        ("first call, which compiles, forward and with gradients, s", "≤ 1.5, ≤ 4", first),
        ("memory by blocks, in signals", "≤ 1", blocks),
        ("a sample's time, 1e5 to 1e8, longest over shortest", "≤ 1.5", _flatness(results["lengths"])),
        ("error over 4 eps √taps, direct kinds", "most ≤ 1", over[0]),
        ("error over 16 eps log₂ n, FFT kinds", "most ≤ 1", over[1]),
    ]
    lines = ["| what | aimed at | geometric mean | least | most |", "|---|---|---|---|---|"]
    for what, aim, values in rows:
        mean, least, most = geometric_mean(max(v, 1e-9) for v in values), min(values), max(values)
        lines.append(f"| {what} | {aim} | {mean:.2f} | {least:.2f} | {most:.2f} |")
    for which, seconds in _only(results["planning"])["seconds"].items():
        aim = {"fresh": "≤ 5000", "cached": "≤ 50"}[which]
        lines.append(f"| planning, {which}, µs | {aim} | {seconds * 1e6:.1f} | | |")
    return lines


def _over_forward(rows: dict) -> list[float]:
    seven = [row["seconds"] for name, row in rows.items() if _sizes(name)[2] >= 7]
    return [seconds[OURS] / seconds["forward"] for seconds in seven]


def _flatness(rows: dict) -> list[float]:
    """Return, for each kernel, the dearest sample's time over the cheapest's."""
    dear: dict[int, list[float]] = {}
    for name, row in rows.items():
        dear.setdefault(_sizes(name)[1], []).append(_ours(row) / row["samples"])
    return [max(times) / min(times) for times in dear.values()]


def _bound(name: str, row: dict) -> float:
    """Return the error that is aimed at, relative to the sum of absolute products."""
    samples, taps, _ = _sizes(name)
    return EPS * (4 * math.sqrt(taps) if _is_direct(row) else 16 * math.log2(samples))


def _sizes(name: str) -> tuple[int, int, int]:
    """Read a case's samples, its taps, and its taps an axis off its name."""
    signal, kernel = name.split(" × ")
    rank = {"²": 2, "³": 3}.get(signal[-1], 1)
    n, m = (int(float(part.strip("²³"))) for part in (signal, kernel))
    return n**rank, m**rank, m


def _is_direct(row: dict) -> bool:
    return row["method"] in ("direct", "products", "shifts", "folded")


def _jax(row: dict) -> float:
    return row["seconds"]["JAX"] / _ours(row)


def _peer(row: dict) -> float:
    return _best_peer(row) / _ours(row)


def _only(rows: dict) -> dict:
    (row,) = rows.values()
    return row


def _table(rows: dict) -> list[str]:
    names = list(dict.fromkeys(n for row in rows.values() for n in row["seconds"] if not _is_ours(n)))
    told = "method" in next(iter(rows.values()))
    memory = any("memory" in row for row in rows.values())
    head = ["case", OURS, *names, "fastest peer / ours", *(["method", "error"] if told else [])]
    head += ["memory"] * memory
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, row in rows.items():
        seconds = row["seconds"]
        best = min(seconds[n] for n in (OURS, *names) if n in seconds)
        cells = [_cell(seconds.get(n), best) for n in (OURS, *names)]
        cells.append(f"{_best_peer(row) / _ours(row):.2f}")
        if told:
            cells += [row["method"], f"{row['error']:.0e}"]
        if memory:
            cells.append(f"{row['memory']:.1f}")
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return lines


def _reported(rows: dict) -> list[str]:
    lines = [
        "A user's function as reported (smaller, where it would take minutes), and under `accelerate`;",
        "the difference is relative to the largest element.",
        "",
        "| thread | what | JAX, ms | accelerated, ms | times as fast | difference |",
        "|---|---|---|---|---|---|",
    ]
    for what, row in rows.items():
        seconds, (*_, owner, name, _, number) = row["seconds"], row["thread"].split("/")
        link = f"[{owner}/{name} {number}]({row['thread']})"
        times = [f"{seconds[who] * 1e3:.3g}" for who in ("JAX", OURS)]
        ratio = f"{seconds['JAX'] / seconds[OURS]:.1f}"
        lines.append("| " + " | ".join([link, what, *times, ratio, f"{row['difference']:.0e}"]) + " |")
    return lines


def _prepared(rows: dict) -> list[str]:
    lines = [
        "| case | method | unprepared, ms | prepared, ms | times as fast |",
        "|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        plain, prepared = row["seconds"][OURS], row["seconds"]["prepared"]
        times = f"{plain * 1e3:.3g} | {prepared * 1e3:.3g} | {plain / prepared:.2f}"
        lines.append(f"| {name} | {row['method']} | {times} |")
    return lines


def _lengths(rows: dict) -> list[str]:
    lines = ["| case | ms | ns a sample |", "|---|---|---|"]
    for name, row in rows.items():
        seconds = row["seconds"][OURS]
        lines.append(f"| {name} | {seconds * 1e3:.3g} | {seconds / row['samples'] * 1e9:.2f} |")
    return lines


def _cell(seconds: float | None, best: float) -> str:
    if seconds is None:
        return ""
    text = f"{seconds * 1e3:.3g}"
    return f"**{text}**" if seconds == best else text


def _is_ours(name: str) -> bool:
    return name in (OURS, "copy", "forward") or name.startswith("method ")


def _ours(row: dict) -> float:
    return row["seconds"][OURS]


def _best_peer(row: dict) -> float:
    return min(s for name, s in row["seconds"].items() if not _is_ours(name))


def _regrets(rows: dict) -> list[float]:
    """Return the pick's own time, timed as a method among the others, over the fastest of them."""
    regrets = []
    for row in rows.values():
        methods = {name: s for name, s in row["seconds"].items() if name.startswith("method ")}
        regrets.append(methods[f"method {row['method']}"] / min(methods.values()))
    return regrets


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
