"""Pictures (matplotlib, which is imported when one is drawn)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxconv.benchmarking.cases import sides
from jaxconv.benchmarking.rows import methods as timed
from jaxconv.benchmarking.rows import peers
from jaxconv.learning import Fit, responses
from jaxconv.matching import Peaks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIGNED = "RdBu_r"  # zero is white; told apart by the colour-blind
HEAT = "viridis"
METHOD_STYLES = {  # Okabe and Ito's colours, and a marker each
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


def learned(fit: Fit, optimum, image, place, target: str) -> "Figure":
    """Draw a filter before, during and after learning, the optimum, a scene and its heat map.

    Args:
        fit: what `learning.fit` returned.
        optimum: the filter in closed form.
        image: a scene that was not learned from.
        place: the row and column of the target in it.
        target: the target's name.

    Shapes:
        optimum as the fit's filter, image (rows, columns).

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    row, column = (int(x) for x in place)
    figure = Figure(figsize=(11, 6.6), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(1, 1.5))
    top, bottom = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    last = len(fit.steps) - 1
    shown = [
        (f"after {int(fit.steps[i])} steps", fit.filters[i])
        for i in np.unique([1, min(4, last), last])  # it learns most of it in the first few
    ]
    shown.insert(0, ("random start", fit.filters[0]))
    filters(top.subplots(1, len(shown) + 1), [*shown, ("optimum, closed form", optimum)])

    scene_axes, heat_axes, loss_axes = bottom.subplots(1, 3)
    scene_axes.imshow(image, cmap="gray")
    scene_axes.set_title(f"a new scene, its {target} at ({row}, {column})")
    half = fit.filter.shape[0] // 2
    rows, columns = image.shape
    response = responses(fit.filter, image[None])[0]
    extent = (half - 0.5, columns - half - 0.5, rows - half - 0.5, half - 0.5)
    heat_map(heat_axes, response, "the learned filter's response, where it fits", extent)
    for axes in (scene_axes, heat_axes):
        _ring(axes, place, 13, "tab:orange")
        axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
        axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
    loss_axes.plot(np.arange(1, len(fit.losses) + 1), -np.asarray(fit.losses), lw=1)
    loss_axes.set(xlabel="step", xscale="log", ylabel="deflection (standard deviations)")
    loss_axes.set_title(f"how far the {target} stands out")
    return figure


def found(image, score, peaks: Peaks, radii: Sequence[float], searched: str) -> "Figure":
    """Draw an image and the heat map of a search, its peaks marked and numbered on both.

    Args:
        image: where was searched.
        score: the map of scores.
        peaks: what `matching.find_peaks` found in it.
        radii: the radius to draw at each peak, in pixels.
        searched: what was looked for.

    Shapes:
        image and score (rows, columns).

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    count = int(peaks.count)
    aspect = image.shape[0] / image.shape[1]
    figure = Figure(figsize=(13, 5.6 * aspect + 0.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(image, cmap="gray")
    left.set_title(f"{count} found: {searched}")
    heat_map(right, score, "normalized correlation, the best of all radii")
    for number, place in enumerate(np.asarray(peaks.places[:count])):
        _ring(left, place, radii[number], "tab:orange")
        corner = (place[1] - 0.8 * radii[number], place[0] - 0.8 * radii[number])
        left.text(*corner, str(number + 1), color="white", fontsize=8, ha="right", va="bottom")
        right.plot(*place[::-1], "x", color="tab:red", ms=7, mew=1.5)
    for axes in (left, right):
        axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
        axes.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    return figure


def filters(axes: Sequence["Axes"], named: Sequence[tuple[str, object]]) -> None:
    """Draw filters side by side on one scale of colour, zero white.

    Args:
        axes: where, one for each.
        named: title and filter.
    """
    arrays = [np.asarray(kernel) for _, kernel in named]
    most = max(np.abs(kernel).max() for kernel in arrays)
    pictures = []
    for ax, (name, _), kernel in zip(axes, named, arrays, strict=True):
        pictures.append(ax.imshow(kernel, cmap=SIGNED, vmin=-most, vmax=most))
        ax.set_title(name, fontsize=10)
        ax.set_xticks([])
        ax.set_yticks([])
    axes[0].figure.colorbar(pictures[0], ax=list(axes), shrink=0.8, label="weight")


def heat_map(axes: "Axes", score, title: str, extent=None) -> None:
    """Draw a map of scores with its scale.

    Args:
        axes: where.
        score: the map.
        title: what it shows.
        extent: left, right, bottom, top in pixels, where the map is smaller than its image.
    """
    picture = axes.imshow(score, cmap=HEAT, extent=extent)
    axes.set_title(title)
    axes.figure.colorbar(picture, ax=axes, shrink=0.8)


def _ring(axes: "Axes", place, radius: float, colour: str) -> None:
    from matplotlib.patches import Circle

    row, column = (float(x) for x in place)
    axes.add_patch(Circle((column, row), radius, fill=False, color=colour, lw=1.5))


def methods(rows: dict[str, Any]) -> "Figure":
    """Draw the time of each method and of the fastest peer against the size of the kernel.

    One panel for each number of axes, at the signal for which most kernels were timed.

    Args:
        rows: the forward results of one channel that `jaxconv bench` saved, by case ("1024² × 9²").

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
    """Draw one panel: kernels along, times up, a line for each method."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for taps, row in sorted(by_kernel.items()):
        for name, seconds in {"fastest peer": min(peers(row).values()), **timed(row)}.items():
            lines.setdefault(name, []).append((taps, seconds * 1e3))
    for name in ("fastest peer", *METHOD_STYLES):
        colour, marker = METHOD_STYLES.get(name, ("0.6", "."))
        style = "--" if name == "fastest peer" else "-"
        if name in lines:
            axes.plot(*zip(*lines[name]), style, color=colour, marker=marker, label=name)
    axes.set(xscale="log", yscale="log", xlabel="kernel, taps along each axis", ylabel="time (ms)")
    shown: list[int] = []
    for taps in sorted(by_kernel):  # not so close that their labels would touch
        shown += [taps] if not shown or taps > 1.5 * shown[-1] else []
    axes.set_xticks(shown, [f"{taps:,}" for taps in shown], rotation=60)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(alpha=0.3)
