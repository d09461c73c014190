"""Tables of the results of `jaxconv bench`, in Markdown."""

from collections.abc import Callable

from jaxconv.benchmarking.rows import OURS, gain, methods, ours, peers


def section(title: str, lines: list[str]) -> list[str]:
    """Return lines below a heading."""
    return ["", f"## {title[0].upper()}{title[1:]}", "", *lines]


def timings(rows: dict) -> list[str]:
    """Return the times of all contestants, the fastest in bold, with what else is known of our run."""
    names = list(dict.fromkeys(name for row in rows.values() for name in peers(row)))
    has_method = "method" in next(iter(rows.values()))
    memory = any("memory" in row for row in rows.values())
    head = ["case", OURS, *names, "fastest peer / ours", *(["method", "error"] if has_method else [])]
    head += ["memory"] * memory
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, row in rows.items():
        seconds = row["seconds"]
        best = min(seconds[n] for n in (OURS, *names) if n in seconds)
        cells = [_cell(seconds.get(n), best) for n in (OURS, *names)]
        cells.append(f"{gain(row):.2f}")
        if has_method:
            cells += [row["method"], f"{row['error']:.0e}"]
        if memory:
            cells.append(f"{row['memory']:.1f}")
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return lines


def searches(rows: dict) -> list[str]:
    """Return the times of searches, per pair of signal and template where there are several."""
    names = list(dict.fromkeys(name for row in rows.values() for name in peers(row)))
    pairs = any(row["pairs"] > 1 for row in rows.values())
    head = ["case", OURS, *names, "fastest peer / ours", "difference"]
    lines = ["Times in µs per pair of signal and template." if pairs else "Times in ms.", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, row in rows.items():
        unit = {n: s / row["pairs"] * (1e3 if pairs else 1) for n, s in row["seconds"].items()}
        best = min(unit[n] for n in (OURS, *names) if n in unit)
        cells = [_cell(unit.get(n), best) for n in (OURS, *names)]
        differ = f"{row['difference']:.0e}" if "difference" in row else ""
        ratio = f"{gain(row):.2f}" if peers(row) else ""
        lines.append("| " + " | ".join([name, *cells, ratio, differ]) + " |")
    return lines


def family(rows: dict) -> list[str]:
    """Return the times of the functions of SciPy's family."""
    lines = [
        "The same call in SciPy, or what one would write there instead; the difference is to the",
        "result of SciPy, relative to its largest element.",
        "",
        "| case | jaxconv, ms | SciPy, ms | OpenCV, ms | fastest peer / ours | difference |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        who = (OURS, "SciPy", "OpenCV")
        times = [f"{row['seconds'][n] * 1e3:.3g}" if n in row["seconds"] else "" for n in who]
        lines.append("| " + " | ".join([name, *times, f"{gain(row):.1f}", f"{row['error']:.0e}"]) + " |")
    return lines


def reported(rows: dict) -> list[str]:
    """Return what users reported as slow, and the same accelerated."""
    lines = [
        "The function as a user reported it (smaller, if it would take minutes), and under",
        "`accelerate`; the difference is relative to the largest element.",
        "",
        "| thread | what | JAX, ms | accelerated, ms | times as fast | difference |",
        "|---|---|---|---|---|---|",
    ]
    for what, row in rows.items():
        seconds, (*_, owner, name, _, number) = row["seconds"], row["thread"].split("/")
        link = f"[{owner}/{name} {number}]({row['thread']})"
        times = [f"{seconds[who] * 1e3:.3g}" for who in ("JAX", OURS)]
        ratio = f"{by_jax(row):.1f}"
        lines.append("| " + " | ".join([link, what, *times, ratio, f"{row['difference']:.0e}"]) + " |")
    return lines


def prepared(rows: dict) -> list[str]:
    """Return the times with and without a prepared kernel."""
    lines = [
        "| case | method | unprepared, ms | prepared, ms | times as fast |",
        "|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        plain, prepared = row["seconds"][OURS], row["seconds"]["prepared"]
        times = f"{plain * 1e3:.3g} | {prepared * 1e3:.3g} | {plain / prepared:.2f}"
        lines.append(f"| {name} | {row['method']} | {times} |")
    return lines


def lengths(rows: dict) -> list[str]:
    """Return the times of one kernel over signals of growing length."""
    lines = ["| case | ms | ns per sample |", "|---|---|---|"]
    for name, row in rows.items():
        seconds = row["seconds"][OURS]
        lines.append(f"| {name} | {seconds * 1e3:.3g} | {seconds / row['samples'] * 1e9:.2f} |")
    return lines


def _cell(seconds: float | None, best: float) -> str:
    if seconds is None:
        return ""
    text = f"{seconds * 1e3:.3g}"
    return f"**{text}**" if seconds == best else text


def versions(about: dict) -> str:
    """Return the versions of all that was installed."""
    return ", ".join(f"{name} {version}" for name, version in about["versions"].items())


def all_of(of: Callable[[dict], float], rows: list[dict]) -> list[float]:
    """Return a figure of each row."""
    return [of(row) for row in rows]


def by_jax(row: dict) -> float:
    """Return JAX's time divided by ours."""
    return row["seconds"]["JAX"] / ours(row)


def regret(row: dict) -> float:
    """Return the time of the planned method divided by that of the fastest."""
    return methods(row)[row["method"]] / min(methods(row).values())
