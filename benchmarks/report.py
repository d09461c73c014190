"""The page that tells the results, rows where we lose included."""

from pathlib import Path
from statistics import geometric_mean

OURS = "jaxconv"
INTRODUCTION = """\
Written by `make bench`. Times are medians in ms of calls that alternate with all others' in one process;
float32, mode 'same'; compile time apart. The error is against float64, relative to the greatest sum of
absolute products. **Bold** is the fastest. JAX is `jax.scipy.signal.convolve` (from 1e10 products on by
its `method="fft"`, since its default would take up to hours) or `jax.lax.conv_general_dilated`; SciPy is
`convolve`, which chooses for itself, and `oaconvolve`.""".splitlines()


def write(results: dict, path: Path) -> None:
    """Write the page."""
    about = results["about"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    limits = results["limits"]
    text = [
        "# Benchmarks",
        "",
        *INTRODUCTION,
        "",
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}; {versions};",
        f"{about['date']}. Through XLA this machine copies {limits['copy, GB/s']:.0f} GB/s (read and",
        f"written) and multiplies matrices at {limits['matrix product, GFLOP/s']:.0f} GFLOP/s.",
        "",
        "## In one number each",
        "",
        *_summary(results),
    ]
    titles = {"single": "one channel", "channels": "channels"}
    for part in ("forward", "gradients"):
        for group, rows in results[part].items():
            what = "forward" if part == "forward" else "value and both gradients"
            text += ["", f"## {titles[group].capitalize()}, {what}", "", *_table(rows)]
    path.write_text("\n".join(text) + "\n")


def _summary(results: dict) -> list[str]:
    lines = ["| what | geometric mean | least | most |", "|---|---|---|---|"]
    for part in ("forward", "gradients"):
        for group, rows in results[part].items():
            peers = [_best_peer(row) / row["seconds"][OURS] for row in rows.values()]
            jaxs = [row["seconds"]["JAX"] / row["seconds"][OURS] for row in rows.values()]
            for who, ratios in (("the fastest peer", peers), ("JAX", jaxs)):
                what = f"{group}, {part}: {who}'s time over ours"
                lines.append(_line(what, ratios))
    regrets = [_regret(row) for row in results["forward"]["single"].values()]
    lines.append(_line("planner's regret: its pick's time over the fastest method's", regrets))
    for part, title in (("forward", "forward"), ("gradients", "with gradients")):
        first = [row["first"][OURS] for rows in results[part].values() for row in rows.values()]
        lines.append(_line(f"first call, which compiles, {title}, s", first))
    return lines


def _line(what: str, values: list[float]) -> str:
    return f"| {what} | {geometric_mean(values):.2f} | {min(values):.2f} | {max(values):.2f} |"


def _table(rows: dict) -> list[str]:
    names = [
        n for n in dict.fromkeys(n for row in rows.values() for n in row["seconds"]) if "method" not in n
    ]
    told = "chosen" in next(iter(rows.values()))
    head = ["case", *names, "fastest peer / ours", *(["method", "error"] if told else [])]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, row in rows.items():
        seconds = row["seconds"]
        best = min(seconds[n] for n in names if n in seconds)
        cells = [_cell(seconds.get(n), best) for n in names]
        cells.append(f"{_best_peer(row) / seconds[OURS]:.2f}")
        if told:
            cells += [row["chosen"], f"{row['error']:.0e}" if row["error"] is not None else ""]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return lines


def _cell(seconds: float | None, best: float) -> str:
    if seconds is None:
        return ""
    text = f"{seconds * 1e3:.3g}"
    return f"**{text}**" if seconds == best else text


def _best_peer(row: dict) -> float:
    return min(s for name, s in row["seconds"].items() if name != OURS and "method" not in name)


def _regret(row: dict) -> float:
    """Return the pick's own time, timed as a method among the others, over the fastest of them."""
    methods = {name: s for name, s in row["seconds"].items() if name.startswith("method ")}
    return methods[f"method {row['chosen']}"] / min(methods.values())
