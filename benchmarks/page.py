"""Write the benchmark pages in docs/ and their pictures from the results of `jaxconv bench`.

Keeps the results in benchmarks/results/, of which docs/benchmarks.md tells all devices; those of another
device than a CPU get a page of their own. Rows where we are slower are included; a page whose parts were
not run stays unchanged.

python benchmarks/page.py out/benchmarks.json docs
"""

import json
import sys
from pathlib import Path
from statistics import geometric_mean

from goals import TABLES, goals
from matplotlib.figure import Figure
from tables import (
    all_of,
    by_jax,
    family,
    lengths,
    prepared,
    regret,
    reported,
    searches,
    section,
    timings,
    versions,
)

from jaxconv import plotting
from jaxconv.benchmarking.rows import gain, machine, methods, ours, slug

INTRODUCTION = """\
Written by `make bench`. Times are medians in ms; all contestants run in turn in one process; float32,
mode 'same'; without compilation. The error is the difference to float64, relative to the largest sum of
absolute products; memory is what XLA allocates besides the operands and the result, in sizes of the
signal. **Bold** is the fastest. JAX is `jax.scipy.signal.convolve` (with `method="fft"` from 1e10
products on, where its default would take up to hours) or `jax.lax.conv_general_dilated`; SciPy is
`convolve`, which chooses its method, and `oaconvolve`.""".splitlines()
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
STREAMS_INTRODUCTION = """\
Times in ms of all chunks of a case, inside one `scan`. JAX is `jax.scipy.signal.convolve` of what came
before with the chunk, direct where that is short, else by FFT; SciPy is `lfilter` with its
state.""".splitlines()
DEVICES_INTRODUCTION = """\
Time of the fastest peer, and of JAX, divided by ours: geometric means. Results of a device that is not
here are welcome: `jaxconv bench` writes one file, which goes into `benchmarks/results/`.""".splitlines()
DEVICE_INTRODUCTION = """\
Written by `benchmarks/page.py` from `benchmarks/results/`. Times are medians in ms of calls that are
each waited for, of which some 0.06 ms are the way there and back; all contestants run in turn in one
process, on this device; float32 in JAX's default precision, which on GPUs rounds the operands of
products and of its own convolution to 11 bits (the column of errors shows where). JAX is compiled as
we are, PyTorch and CuPy are called eagerly. **Bold** is the fastest.""".splitlines()
RESULTS = Path(__file__).parent / "results"


def write(results: dict, folder: Path) -> None:
    """Write the page and the picture."""
    about, limits = results["about"], results["limits"]
    text = [
        "# Benchmarks",
        "",
        *INTRODUCTION,
        "",
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}; {versions(about)};",
        f"{about['date']}. Through XLA this machine copies {limits['copy, GB/s']:.0f} GB/s (read and",
        f"written) and multiplies matrices at {limits['matrix product, GFLOP/s']:.0f} GFLOP/s.",
        "",
        "![Each method's time, and the fastest peer's, against the kernel's size](images/methods.png)",
        "",
        *_devices(),
        "",
        "## Goals",
        "",
        *goals(results),
        "",
        *(Path(__file__).parent / "missed.md").read_text().splitlines(),
    ]
    for title in TABLES:
        text += section(title, timings(results[title]))
    for other in kept():
        version = other["about"]["versions"]["jax"]
        if machine(other["about"]) == machine(about) and version != about["versions"]["jax"]:
            for title in (TABLES[1], TABLES[3]):
                text += section(f"{title}, with JAX {version}", timings(other[title]))
    text += section("SciPy's family", family(results["SciPy's family"]))
    text += section("slow convolutions reported by users", reported(results["reported"]))
    text += section("prepared kernels", prepared(results["prepared"]))
    text += section("the same kernel, longer signals", lengths(results["lengths"]))
    if "streams" in results:
        text += section("streams", [*STREAMS_INTRODUCTION, "", *timings(results["streams"])])
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
            both = all_of(gain, rows), all_of(by_jax, jaxs)
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
    regrets = [regret(row) for row in single.values() if row["method"] in methods(row)]
    text = [
        f"# Benchmarks on an {about['device']}",
        "",
        *DEVICE_INTRODUCTION,
        "",
        f"{machine(about)}, on a host with {about['cores']} cores of {about['processor']}; Python",
        f"{about['python']}; {versions(about)}; {about['date']}. The device copies",
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
            text += section(title, timings(results[title]))
    for title in FINDING:
        if title in results:
            text += section(title, searches(results[title]))
    if "reported" in results:
        text += section("slow convolutions reported by users", reported(results["reported"]))
    (folder / f"benchmarks-{slug(about)}.md").write_text("\n".join(text) + "\n")
    (folder / "images").mkdir(exist_ok=True)
    picture = folder / "images" / f"roofline-{slug(about)}.png"
    plotting.roofline(results).savefig(picture, dpi=110)


def write_finding(results: dict, folder: Path) -> None:
    """Write the page on finding: template matching and banks of templates."""
    matches, slopes, banks = (list(results[title].values()) for title in FINDING)
    lines = ["| what | goal | geometric mean | minimum | maximum |", "|---|---|---|---|---|"]
    matched = [row for row in banks if "matchedfilter" in row["seconds"]]
    for what, aim, values in (
        ("matching: time of the fastest peer / ours", "mean ≥ 1.5, minimum ≥ 1", all_of(gain, matches)),
        ("value and both gradients: time of the fastest peer / ours", "", all_of(gain, slopes)),
        ("banks of segments: our time / matchedfilter", "≤ 1.5", _over(matched, "matchedfilter")),
        ("banks of segments: our time / SciPy", "< 1", _over(matched, "SciPy")),
    ):
        if values:
            spread = f"{geometric_mean(values):.2f} | {min(values):.2f} | {max(values):.2f}"
            lines.append(f"| {what} | {aim} | {spread} |")
    about = results["about"]
    text = [
        *("# Finding, compared with other libraries", "", *FINDING_INTRODUCTION, ""),
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}; {versions(about)};",
        f"{about['date']}.",
        *("", "## Goals", "", *lines, ""),
        *(Path(__file__).parent / "finding-missed.md").read_text().splitlines(),
    ]
    for title in FINDING:
        text += section(title.removeprefix("finding: "), searches(results[title]))
    (folder / "finding-benchmarks.md").write_text("\n".join(text) + "\n")


def _over(rows: list[dict], peer: str) -> list[float]:
    return [ours(row) / row["seconds"][peer] for row in rows]


def write_learning(results: dict, folder: Path) -> None:
    """Write the page on learning."""
    about = results["about"]
    text = [
        *("# Learning, compared with other libraries", "", *LEARNING_INTRODUCTION, ""),
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}; {versions(about)};",
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
    if set(TABLES) <= set(saved):
        keep(saved)
    if {*TABLES, "SciPy's family", "reported", "prepared", "lengths", "planning"} <= set(saved):
        write(saved, docs)
    for device in kept():
        if device["about"]["device"] != "cpu":
            write_device(device, docs)
    if set(FINDING) <= set(saved):
        write_finding(saved, docs)
    if LEARNING in saved:
        write_learning(saved, docs)
    write_plans(docs)
