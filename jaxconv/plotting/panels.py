"""Panels: one picture each, drawn into given axes.

Each function takes `ax` (None: the current axes of pyplot) and returns the artists that it drew.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D

SIGNED = "RdBu_r"  # zero is white; distinct for the colour-blind
HEAT = "viridis"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito's


def filters(bank: Any, names: Sequence[str] = (), *, ax: "Axes | None" = None) -> "AxesImage":
    """Draw filters side by side, with one colour scale in which zero is white.

    Args:
        bank: the filters, with two axes each.
        names: names of the filters, written above them.
        ax: the axes to draw into; None: the current axes.

    Shapes:
        bank (k, m1, m2).

    Returns:
        The image.

    Example:
        >>> filters(np.eye(3)[None], ["a diagonal"]).get_cmap().name
        'RdBu_r'
    """
    kernels = [np.asarray(kernel, float) for kernel in bank]
    limit = max(np.abs(kernel).max() for kernel in kernels) or 1.0
    picture, middles = _side_by_side(kernels)
    ax = current(ax)
    drawn = ax.imshow(picture, cmap=SIGNED, vmin=-limit, vmax=limit)
    for name, middle in zip(names, middles):
        ax.text(middle, -1.0, name, ha="center", va="bottom")
    ax.set_axis_off()
    ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="weight")
    return drawn


def feature_maps(layers: Sequence[Any], names: Sequence[str] = (), *, ax: "Axes | None" = None) -> list:
    """Draw the feature maps of one image, layer after layer, each map with its own grey scale.

    Args:
        layers: the maps of each layer.
        names: names of the layers, written above them.
        ax: the axes to draw into; None: the current axes.

    Shapes:
        each layer (rows, columns, features).

    Returns:
        The images.

    Example:
        >>> len(feature_maps([np.ones((8, 8, 1)), np.ones((4, 4, 6))]))
        2
    """
    ax = current(ax)
    drawn, left = [], 0.0
    for number, layer in enumerate(layers):
        maps = np.moveaxis(np.asarray(layer, float), -1, 0)
        low, high = (f(maps, axis=(1, 2), keepdims=True) for f in (np.min, np.max))
        picture = _in_a_grid((maps - low) / np.maximum(high - low, 1e-12))
        width = picture.shape[1] / picture.shape[0]
        drawn.append(ax.imshow(picture, cmap="gray", extent=(left, left + width, 0, 1)))
        if number < len(names):
            ax.text(left + width / 2, 1.02, names[number], ha="center", va="bottom")
        left += width + 0.1
    ax.set(xlim=(0, left - 0.1), ylim=(0, 1.1))
    ax.set_axis_off()
    return drawn


def heat_map(
    response: Any, places: Any = (), *, extent: Any = None, ax: "Axes | None" = None
) -> "AxesImage":
    """Draw a map of responses with its scale, and rings around its peaks.

    Args:
        response: the map.
        places: row and column of each peak, in the units of the axes.
        extent: left, right, bottom, top in pixels, for a map that is smaller than its image.
        ax: the axes to draw into; None: the current axes.

    Shapes:
        response (rows, columns), places (k, 2).

    Returns:
        The image.

    Example:
        >>> heat_map(np.eye(5), [(2, 2)]).get_cmap().name
        'viridis'
    """
    ax = current(ax)
    drawn = ax.imshow(np.asarray(response), cmap=HEAT, extent=extent)
    for row, column in np.reshape(np.asarray(places, float), (-1, 2)):
        ax.plot(column, row, "o", color="tab:red", ms=12, mew=1.5, mfc="none")
    ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="response")
    return drawn


def spectrum(filter: Any, *, ax: "Axes | None" = None) -> Any:
    """Draw the magnitude of a filter's spectrum, relative to its maximum, frequency 0 in the middle.

    Args:
        filter: the filter, with one or two axes.
        ax: the axes to draw into; None: the current axes.

    Shapes:
        filter (m,) or (m1, m2).

    Units:
        cycles per sample.

    Returns:
        The line or the image.

    Example:
        >>> type(spectrum(np.ones(3))).__name__
        'Line2D'
    """
    ax = current(ax)
    values = magnitude(filter)
    if values.ndim == 1:
        (drawn,) = ax.plot(np.fft.fftshift(np.fft.fftfreq(values.size)), values, color=COLOURS[0])
        ax.set(xlabel="frequency (cycles per sample)", ylabel="magnitude, relative")
        return drawn
    drawn = ax.imshow(values, cmap=HEAT, extent=(-0.5, 0.5, 0.5, -0.5))
    ax.set(xlabel="frequency (cycles per pixel)", ylabel="frequency (cycles per pixel)")
    return drawn


def magnitude(filter: Any) -> np.ndarray:
    """Return the magnitude of a filter's spectrum relative to its maximum, frequency 0 in the middle."""
    values = np.asarray(filter, float)
    size = [4 * max(values.shape) + 1] * values.ndim
    out = np.abs(np.fft.fftshift(np.fft.fftn(values, size, range(values.ndim))))
    return out / (out.max() or 1.0)


def roc(curves: dict[str, Any], *, least: float = 1e-4, ax: "Axes | None" = None) -> "list[Line2D]":
    """Draw receiver operating characteristics: the share detected against the share of false alarms.

    Args:
        curves: results of `detection.roc`, by name.
        least: smallest share of false alarms to show, on a logarithmic scale.
        ax: the axes to draw into; None: the current axes.

    Returns:
        The lines.

    Example:
        >>> from jaxconv import detection
        >>> curve = detection.roc([2.0, 1.0], [True, False])
        >>> [line.get_label() for line in roc({"mine": curve})]
        ['mine']
    """
    ax = current(ax)
    lines = []
    for number, (name, curve) in enumerate(curves.items()):
        false_alarm, detected = (np.asarray(rate) for rate in (curve.false_alarm, curve.detection))
        style = "-" if number < 2 else "--"  # so that equal curves are both visible
        options: Any = {"color": COLOURS[number], "ls": style, "label": name, "drawstyle": "steps-post"}
        lines += ax.plot(np.maximum(false_alarm, least / 10), detected, lw=2, **options)
    ax.set(xscale="log", xlim=(least, 1), ylim=(0, 1.02))
    ax.set(xlabel="false alarms, share of places", ylabel="detected, share of targets")
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right")
    return lines


def learning(fit: Any, optimum: float | None = None, *, ax: "Axes | None" = None) -> "list[Line2D]":
    """Draw the loss at each step and, if it was watched, the similarity to the optimum.

    Args:
        fit: a fit by `learning.fit`; its `watched["similarity"]` is drawn on a scale at the right.
        optimum: the loss of the optimum, drawn as a line.
        ax: the axes to draw into; None: the current axes.

    Returns:
        The lines.

    Example:
        >>> from jaxconv.learning import Fit
        >>> len(learning(Fit(None, None, np.ones(20), {}, np.array([0, 10, 20]))))
        1
    """
    ax = current(ax)
    steps, losses = np.arange(1, len(fit.losses) + 1), np.asarray(fit.losses)
    lines = ax.plot(steps, losses, color=COLOURS[0], lw=1, label="loss")
    if optimum is not None:
        lines.append(ax.axhline(optimum, color=COLOURS[0], ls="--", label="loss of the optimum"))
    ax.set(xlabel="step", ylabel="loss")
    if isinstance(fit.watched, dict) and "similarity" in fit.watched:
        right, similarity = ax.twinx(), np.asarray(fit.watched["similarity"])
        lines += right.plot(fit.steps, similarity, color=COLOURS[1], label="similarity")
        right.set(ylabel="similarity to the optimum", ylim=(min(0.0, similarity.min()), 1.02))
    ax.legend(lines, [str(line.get_label()) for line in lines], loc="center right")
    return lines


def ring(place: Any, radius: float, *, ax: "Axes | None" = None, colour: str = "tab:orange") -> Any:
    """Draw a circle around a place.

    Args:
        place: row and column.
        radius: radius in pixels.
        ax: the axes to draw into; None: the current axes.
        colour: colour of the line.

    Returns:
        The patch.

    Example:
        >>> ring((5, 5), 2.0).get_radius()
        2.0
    """
    from matplotlib.patches import Circle

    row, column = (float(x) for x in place)
    return current(ax).add_patch(Circle((column, row), radius, fill=False, color=colour, lw=1.5))


def current(ax: "Axes | None") -> "Axes":
    """Return `ax`, or if it is None the current axes of pyplot."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.gca()


def _side_by_side(pictures: Sequence[np.ndarray]) -> tuple[np.ndarray, list[float]]:
    """Return pictures in a row with gaps, and the column of the middle of each."""
    gap = max(1, round(pictures[0].shape[1] * 0.12))
    height = max(picture.shape[0] for picture in pictures)
    parts, middles, column = [], [], 0
    for picture in pictures:
        rows, columns = picture.shape
        padded = np.full((height, columns + gap), np.nan)
        padded[:rows, :columns] = picture
        parts.append(padded)
        middles.append(column + (columns - 1) / 2)
        column += columns + gap
    return np.concatenate(parts, 1)[:, :-gap], middles


def _in_a_grid(maps: np.ndarray) -> np.ndarray:
    """Return maps in rows and columns, as close to a square as possible, with gaps."""
    columns = int(np.ceil(np.sqrt(len(maps) * maps.shape[1] / maps.shape[2])))
    rows = -(-len(maps) // columns)
    fine = max(1, 16 // max(maps.shape[1:]))  # so that a gap of one pixel is thin
    tiles = np.full((rows * columns, fine * maps.shape[1] + 1, fine * maps.shape[2] + 1), np.nan)
    tiles[: len(maps), :-1, :-1] = np.kron(maps, np.ones((1, fine, fine)))
    height, width = tiles.shape[1], tiles.shape[2]
    grid = tiles.reshape(rows, columns, height, width).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width)[:-1, :-1]
