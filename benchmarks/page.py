"""Write docs/benchmarks.md and its picture from what `jaxconv bench` saved, rows where we lose included.

python benchmarks/page.py out/benchmarks.json docs
"""

import json
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
SMALL_ERROR = {"direct", "products", "shifts", "folded"}


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
        "## In one number each",
        "",
        *_summary(results),
    ]
    for title in TABLES:
        text += ["", f"## {title[0].upper()}{title[1:]}", "", *_table(results[title])]
    text += ["", "## What users found slow", "", *_reported(results["reported"])]
    text += ["", "## Prepared kernels", "", *_prepared(results["prepared"])]
    text += ["", "## The same kernel, longer signals", "", *_lengths(results["lengths"])]
    (folder / "benchmarks.md").write_text("\n".join(text) + "\n")
    (folder / "images").mkdir(exist_ok=True)
    plotting.methods(results["one channel, forward"]).savefig(folder / "images" / "methods.png", dpi=110)


def _summary(results: dict) -> list[str]:
    single, layers, slopes, layer_slopes = (results[title] for title in TABLES)
    lines = ["| what | geometric mean | least | most |", "|---|---|---|---|"]
    for title in TABLES:
        rows = results[title].values()
        for who, best in (("the fastest peer", _best_peer), ("JAX", lambda row: row["seconds"]["JAX"])):
            lines.append(_line(f"{title}: {who}'s time over ours", [best(r) / _ours(r) for r in rows]))
    for title, rows in (
        ("one channel, from 7 taps an axis", _from_seven(slopes)),
        ("channels", layer_slopes),
    ):
        ratios = [_ours(row) / row["seconds"]["forward"] for row in rows.values()]
        lines.append(_line(f"{title}: value and both gradients over forward", ratios))
    lines.append(_line("planner's regret: its pick's time over the fastest method's", _regrets(single)))
    copies = [row["seconds"]["copy"] / _ours(row) for row in single.values() if "copy" in row["seconds"]]
    lines.append(_line("kernels up to 5 an axis: share of the speed of a copy", copies))
    for parts, what in ((TABLES[:2], "forward"), (TABLES[2:], "with gradients")):
        first = [row["first"][OURS] for title in parts for row in results[title].values()]
        lines.append(_line(f"first call, which compiles, {what}, s", first))
    memory = [max(row["memory"], 1e-3) for row in single.values()]
    lines.append(_line("memory beyond operands and result, in signals", memory))
    both = [*single.values(), *layers.values()]
    for what, rows in (
        ("direct, products, shifts, folded", [r for r in both if r["method"] in SMALL_ERROR]),
        ("FFT kinds", [r for r in both if r["method"] not in SMALL_ERROR]),
    ):
        errors = [max(row["error"], 1e-12) for row in rows]
        mean, least, most = geometric_mean(errors), min(errors), max(errors)
        lines.append(f"| error, {what} | {mean:.0e} | {least:.0e} | {most:.0e} |")
    told = {
        name: seconds * 1e6
        for name, seconds in next(iter(results["planning"].values()))["seconds"].items()
    }
    lines.append(f"| planning, µs | {told['fresh']:.0f} fresh, {told['cached']:.1f} cached | | |")
    return lines


def _line(what: str, values: list[float]) -> str:
    return f"| {what} | {geometric_mean(values):.2f} | {min(values):.2f} | {max(values):.2f} |"


def _from_seven(rows: dict) -> dict:
    return {name: row for name, row in rows.items() if int(name.split(" × ")[1].strip("²³")) >= 7}


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
