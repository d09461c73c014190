"""Timings: results of `jaxconv bench`."""

from typing import TYPE_CHECKING, Any

from jaxconv.benchmarking.cases import sides
from jaxconv.benchmarking.rows import methods as method_times
from jaxconv.benchmarking.rows import peers

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
