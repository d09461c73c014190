"""Write the benchmark pages in docs/ and their pictures from the results of `jaxconv bench`.

Keeps the results in benchmarks/results/, of which docs/benchmarks.md tells all devices; those of another
device than a CPU get a page of their own. Rows where we are slower are included; a page whose parts were
not run stays unchanged.

python benchmarks/page.py out/benchmarks.json docs
"""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import geometric_mean

from matplotlib.figure import Figure

from jaxconv import plotting
from jaxconv.benchmarking.cases import sides
from jaxconv.benchmarking.rows import OURS, gain, machine, methods, ours, peers, slug

INTRODUCTION = """\
Written by `make bench`. Times are medians in ms; all contestants run in turn in one process; float32,
mode 'same'; without compilation. The error is the difference to float64, relative to the largest sum of
absolute products; memory is what XLA allocates besides the operands and the result, in sizes of the
signal. **Bold** is the fastest. JAX is `jax.scipy.signal.convolve` (with `method="fft"` from 1e10
products on, where its default would take up to hours) or `jax.lax.conv_general_dilated`; SciPy is
`convolve`, which chooses its method, and `oaconvolve`.""".splitlines()
TABLES = (
    "one channel, forward",
    "channels, forward",
    "one channel, value and both gradients",
    "channels, value and both gradients",
)
FINDING = ("finding: matching", "finding: matching, value and both gradients", "finding: banks")
LEARNING = "learning"
LEARNING_INTRODUCTION = """\
Written by `make bench`, or by `jaxconv bench --suite learning` and `python benchmarks/page.py`. A
circle is learned among a cross and a square, in noise of 0.5, with the negative deflection. All start
from the same filter, get the same batches in the same order and use the same Adam, in turn in one
process; float32. The others, JAX with `lax.conv_general_dilated` and optax, and PyTorch, get
precomputed masks of the places elsewhere, which jaxconv computes within the measured time. Times are
medians of steps; the time until the filter has a similarity of 0.99 to the optimum is without the first
step, which compiles.""".splitlines()
FINDING_INTRODUCTION = """\
Written by `make bench`, or by `jaxconv bench --suite matching` and `python benchmarks/page.py`. Times
are medians; all contestants run in turn in one process; float32; without compilation. **Bold** is the
fastest. Matching is `normalized_correlation`, OpenCV's `matchTemplate` with `TM_CCOEFF_NORMED` and
scikit-image's `match_template`; gradients are of the sum of squared scores, compared with plain JAX and
PyTorch, by FFT. Banks are `matching.loudest` (peaks) and `correlate` (all lags), compared with the
hand-written kernels of the package [matchedfilter](https://github.com/ahnitz/matchedfilter), SciPy and
plain JAX; matchedfilter and SciPy get precomputed spectra. EQcorrscan could not be built for this
Python.""".splitlines()
DEVICES_INTRODUCTION = """\
Time of the fastest peer, and of JAX, divided by ours: geometric means. Results of a device that is not
here are welcome: `jaxconv bench` writes one file, which goes into `benchmarks/results/`.""".splitlines()
DEVICE_INTRODUCTION = """\
Written by `benchmarks/page.py` from `benchmarks/results/`. Times are medians in ms of calls that are
each waited for, of which some 0.06 ms are the way there and back; all contestants run in turn in one
process, on this device; float32 in JAX's default precision, which on GPUs rounds the operands of
products and of its own convolution to 11 bits (the column of errors shows where). JAX is compiled as
we are, PyTorch and CuPy are called eagerly. **Bold** is the fastest.""".splitlines()
EPS = 2.0**-23  # of float32
RESULTS = Path(__file__).parent / "results"


def write(results: dict, folder: Path) -> None:
    """Write the page and the picture."""
    about, limits = results["about"], results["limits"]
    text = [
        "# Benchmarks",
        "",
        *INTRODUCTION,
        "",
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}; {_versions(about)};",
        f"{about['date']}. Through XLA this machine copies {limits['copy, GB/s']:.0f} GB/s (read and",
        f"written) and multiplies matrices at {limits['matrix product, GFLOP/s']:.0f} GFLOP/s.",
        "",
        "![Each method's time, and the fastest peer's, against the kernel's size](images/methods.png)",
        "",
        *_devices(),
        "",
        "## Goals",
        "",
        *_targets(results),
        "",
        *(Path(__file__).parent / "missed.md").read_text().splitlines(),
    ]
    for title in TABLES:
        text += _section(title, _table(results[title]))
    text += _section("SciPy's family", _family(results["SciPy's family"]))
    text += _section("slow convolutions reported by users", _reported(results["reported"]))
    text += _section("prepared kernels", _prepared(results["prepared"]))
    text += _section("the same kernel, longer signals", _lengths(results["lengths"]))
    (folder / "benchmarks.md").write_text("\n".join(text) + "\n")
    (folder / "images").mkdir(exist_ok=True)
    plotting.methods(results["one channel, forward"]).savefig(folder / "images" / "methods.png", dpi=110)


def keep(results: dict) -> None:
    """Keep the results of a device beside those of others."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{slug(results['about'])}.json").write_text(json.dumps(results, indent=1) + "\n")


def kept() -> list[dict]:
    """Return the results of all devices."""
    return [json.loads(file.read_text()) for file in sorted(RESULTS.glob("*.json"))]


def _devices() -> list[str]:
    """Return a table of all devices whose results are kept."""
    parts = (TABLES[0], TABLES[2], TABLES[1], FINDING[0])
    lines = [
        "## Devices",
        "",
        *DEVICES_INTRODUCTION,
        "",
        f"| device | JAX | date | {' | '.join(parts)} |",
        "|---|---|---|" + "---|" * len(parts),
    ]
    for results in kept():
        about, cells = results["about"], []
        for part in parts:
            rows = list(results.get(part, {}).values())
            jaxs = [row for row in rows if "JAX" in row["seconds"]]
            both = _all(gain, rows), _all(_jax, jaxs)
            cells.append(", ".join(f"{geometric_mean(ratios):.2g}" for ratios in both if ratios))
        name = machine(about)
        if about["device"] != "cpu":
            name = f"[{name}](benchmarks-{slug(about)}.md)"
        cells = [name, about["versions"]["jax"], about["date"], *cells]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def write_device(results: dict, folder: Path) -> None:
    """Write the page of a device that is no CPU: what there is, and how near it comes to the device."""
    about, limits = results["about"], results["limits"]
    single = results[TABLES[0]]
    regrets = [_regret(row) for row in single.values() if row["method"] in methods(row)]
    text = [
        f"# Benchmarks on an {about['device']}",
        "",
        *DEVICE_INTRODUCTION,
        "",
        f"{machine(about)}, on a host with {about['cores']} cores of {about['processor']}; Python",
        f"{about['python']}; {_versions(about)}; {about['date']}. The device copies",
        f"{limits['copy, GB/s']:.0f} GB/s (read and written) and multiplies matrices at",
        f"{limits['matrix product, GFLOP/s'] / 1e3:.0f} TFLOP/s. The planner's regret, the time of its",
        f"choice / the fastest method's, is {geometric_mean(regrets):.2f} in the mean and",
        f"{max(regrets):.2f} at worst.",
        *([f"Gathered from {about['gathered from']}."] if "gathered from" in about else []),
        "",
        f"![Operations a second against operations per byte](images/roofline-{slug(about)}.png)",
    ]
    for title in TABLES:
        if title in results:
            text += _section(title, _table(results[title]))
    for title in FINDING:
        if title in results:
            text += _section(title, _searches(results[title]))
    if "reported" in results:
        text += _section("slow convolutions reported by users", _reported(results["reported"]))
    (folder / f"benchmarks-{slug(about)}.md").write_text("\n".join(text) + "\n")
    (folder / "images").mkdir(exist_ok=True)
    picture = folder / "images" / f"roofline-{slug(about)}.png"
    plotting.roofline(results).savefig(picture, dpi=110)


def _regret(row: dict) -> float:
    return methods(row)[row["method"]] / min(methods(row).values())


def _versions(about: dict) -> str:
    return ", ".join(f"{name} {version}" for name, version in about["versions"].items())


def _section(title: str, lines: list[str]) -> list[str]:
    """Return lines below a heading."""
    return ["", f"## {title[0].upper()}{title[1:]}", "", *lines]


Target = tuple[str, str, list[float]]  # what, the goal, the values


def _targets(results: dict) -> list[str]:
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
            _all(gain, single),
        ),
        ("the same for JAX", "mean ≥ 30", _all(_jax, single)),
        (
            "value and both gradients: time of the fastest peer / ours",
            "mean ≥ 2, minimum ≥ 1",
            _all(gain, slopes),
        ),
        (over, "maximum ≤ 3.5", _over_forward(results[TABLES[2]])),
        ("channels, both: time of the fastest peer / ours", "mean ≥ 1.3", _all(gain, dense)),
        ("channels, both: time of JAX / ours", "minimum ≥ 1", _all(_jax, dense)),
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
    regrets = _all(_regret, list(single.values()))
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


def _all(of: Callable[[dict], float], rows: list[dict]) -> list[float]:
    return [of(row) for row in rows]


def _jax(row: dict) -> float:
    return row["seconds"]["JAX"] / ours(row)


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


def _table(rows: dict) -> list[str]:
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


def _family(rows: dict) -> list[str]:
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


def _reported(rows: dict) -> list[str]:
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
        ratio = f"{_jax(row):.1f}"
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


def write_finding(results: dict, folder: Path) -> None:
    """Write the page on finding: template matching and banks of templates."""
    matches, slopes, banks = (list(results[title].values()) for title in FINDING)
    lines = ["| what | goal | geometric mean | minimum | maximum |", "|---|---|---|---|---|"]
    matched = [row for row in banks if "matchedfilter" in row["seconds"]]
    for what, aim, values in (
        ("matching: time of the fastest peer / ours", "mean ≥ 1.5, minimum ≥ 1", _all(gain, matches)),
        ("value and both gradients: time of the fastest peer / ours", "", _all(gain, slopes)),
        ("banks of segments: our time / matchedfilter", "≤ 1.5", _over(matched, "matchedfilter")),
        ("banks of segments: our time / SciPy", "< 1", _over(matched, "SciPy")),
    ):
        if values:
            spread = f"{geometric_mean(values):.2f} | {min(values):.2f} | {max(values):.2f}"
            lines.append(f"| {what} | {aim} | {spread} |")
    about = results["about"]
    text = [
        *("# Finding, compared with other libraries", "", *FINDING_INTRODUCTION, ""),
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}; {_versions(about)};",
        f"{about['date']}.",
        *("", "## Goals", "", *lines, ""),
        *(Path(__file__).parent / "finding-missed.md").read_text().splitlines(),
    ]
    for title in FINDING:
        text += _section(title.removeprefix("finding: "), _searches(results[title]))
    (folder / "finding-benchmarks.md").write_text("\n".join(text) + "\n")


def _over(rows: list[dict], peer: str) -> list[float]:
    return [ours(row) / row["seconds"][peer] for row in rows]


def _searches(rows: dict) -> list[str]:
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


def write_learning(results: dict, folder: Path) -> None:
    """Write the page on learning."""
    about = results["about"]
    text = [
        *("# Learning, compared with other libraries", "", *LEARNING_INTRODUCTION, ""),
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}; {_versions(about)};",
        f"{about['date']}.",
        "",
        "| case | library | ms per step | steps / s | s to 0.99 | steps to 0.99 | time / ours |",
        "|---|---|---|---|---|---|---|",
    ]
    for case, row in results[LEARNING].items():
        for name, seconds in row["seconds"].items():
            cells = f"{seconds * 1e3:.3g} | {1 / seconds:.3g} | {row['until'][name]:.3g}"
            ratio = f"{seconds / ours(row):.1f}"
            text.append(f"| {case} | {name} | {cells} | {row['steps'][name]} | {ratio} |")
    (folder / "learning-benchmarks.md").write_text("\n".join(text) + "\n")


def write_plans(folder: Path) -> None:
    """Draw which method is planned for which sizes, for 1-D signals and for images."""
    figure = Figure(figsize=(13, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    powers = [round(10 ** (n / 2)) for n in range(2, 15)]
    plotting.plan(powers, [m for m in powers if m <= 1e6], rank=1, ax=left)
    sides = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
    plotting.plan(sides, [2, 3, 5, 7, 9, 11, 15, 21, 31, 45, 63, 127, 255], rank=2, ax=right)
    (folder / "images").mkdir(exist_ok=True)
    figure.savefig(folder / "images" / "plan.png", dpi=90)


if __name__ == "__main__":
    saved, docs = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    if {*TABLES, "SciPy's family", "reported", "prepared", "lengths", "planning"} <= set(saved):
        keep(saved)
        write(saved, docs)
    for device in kept():
        if device["about"]["device"] != "cpu":
            write_device(device, docs)
    if set(FINDING) <= set(saved):
        write_finding(saved, docs)
    if LEARNING in saved:
        write_learning(saved, docs)
    write_plans(docs)
