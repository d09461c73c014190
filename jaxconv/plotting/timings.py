"""Timings: results of `jaxconv bench`."""

from typing import TYPE_CHECKING, Any

from jaxconv.benchmarking.cases import sides
from jaxconv.benchmarking.rows import machine, peers
from jaxconv.benchmarking.rows import methods as method_times

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHOD_STYLES = {  # a colour (Okabe and Ito) and a marker for each
    "direct": ("#000000", "o"),
    "products": ("#999999", "X"),
    "shifts": ("#E69F00", "s"),
    "folded": ("#56B4E9", "^"),
    "lines": ("#009E73", "D"),
    "overlap": ("#0072B2", "v"),
    "fft": ("#D55E00", "P"),
    "lags": ("#CC79A7", "*"),
    "phases": ("#F0E442", "<"),
    "circular": ("#882255", "h"),
    "onednn": ("#44AA99", ">"),
    "matmul": ("#332288", "p"),
}


def methods(rows: dict[str, Any]) -> "Figure":
    """Draw the time of each method and of the fastest peer against the size of the kernel.

    One panel per number of axes, for the signal that was timed with the most kernels.

    Args:
        rows: the results "one channel, forward" of `jaxconv bench`, by case ("1024² × 9²").

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    panels: dict[int, dict[int, dict[int, dict]]] = {1: {}, 2: {}, 3: {}}
    for name, row in rows.items():
        signal, kernel, rank = sides(name)
        panels[rank].setdefault(signal, {})[kernel] = row
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    for axes, (rank, by_signal) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        if by_signal:
            signal, by_kernel = max(by_signal.items(), key=lambda item: len(item[1]))
            _times(axes, by_kernel)
            axes.set_title(f"{' × '.join([f'{signal:,}'] * rank)} samples")
    handles = {str(line.get_label()): line for axes in figure.axes for line in axes.get_lines()}
    figure.legend(list(handles.values()), list(handles), loc="outside right upper")
    return figure


def roofline(results: dict[str, Any]) -> "Figure":
    """Draw how near each convolution comes to what the device can do.

    Across, the operations of the definition for each byte of the operands and the result; upwards, how
    many of them are done a second. The line is what the device's measured copy and measured matrix
    product allow the definition; an FFT, which does fewer operations, may lie above it.

    Args:
        results: all results of `jaxconv bench`.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.subplots()
    copy = results["limits"]["copy, GB/s"]
    product = results["limits"]["matrix product, GFLOP/s"]
    intensities: list[float] = []
    by_method: dict[str, list[tuple[float, float]]] = {}
    for part in ("one channel, forward", "channels, forward"):
        for row in results.get(part, {}).values():
            intensity = 2 * row["products"] / row["bytes"]
            speed = 2e-9 * row["products"] / row["seconds"]["jaxconv"]
            by_method.setdefault(row["method"], []).append((intensity, speed))
            intensities.append(intensity)
    for method, (colour, marker) in METHOD_STYLES.items():
        if method in by_method:
            axes.plot(*zip(*by_method[method]), marker, color=colour, label=method, alpha=0.8)
    ends = [min(intensities, default=1) / 2, product / copy, max(intensities, default=1) * 2]
    roof = sorted({*ends})
    axes.plot(roof, [min(copy * i, product) for i in roof], color="0.4", label="copy and product")
    axes.set(xscale="log", yscale="log", xlabel="operations of the definition per byte")
    axes.set(ylabel="operations of the definition (GFLOP/s)", title=machine(results["about"]))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize="small")
    return figure


def _times(axes: "Axes", by_kernel: dict[int, dict[str, Any]]) -> None:
    """Draw one panel: time against the size of the kernel, one line per method."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for taps, row in sorted(by_kernel.items()):
        for name, seconds in {"fastest peer": min(peers(row).values()), **method_times(row)}.items():
            lines.setdefault(name, []).append((taps, seconds * 1e3))
    for name in ("fastest peer", *METHOD_STYLES):
        colour, marker = METHOD_STYLES.get(name, ("0.6", "."))
        style = "--" if name == "fastest peer" else "-"
        if name in lines:
            axes.plot(*zip(*lines[name]), style, color=colour, marker=marker, label=name)
    axes.set(xscale="log", yscale="log", xlabel="kernel, taps along each axis", ylabel="time (ms)")
    ticks: list[int] = []
    for taps in sorted(by_kernel):  # far enough apart that their labels do not touch
        ticks += [taps] if not ticks or taps > 1.5 * ticks[-1] else []
    axes.set_xticks(ticks, [f"{taps:,}" for taps in ticks], rotation=60)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(alpha=0.3)
