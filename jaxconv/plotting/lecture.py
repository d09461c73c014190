"""Pictures for the lecture: a convolution at one shift, and at all shifts.

Each panel takes `ax` (None: the current axes of pyplot) and returns the artists that it drew.
"""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks, reference
from jaxconv.convolution.choosing import plan as choose_plan
from jaxconv.plotting.panels import COLOURS, current
from jaxconv.plotting.timings import METHOD_STYLES

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

ABOVE, BELOW = "#56B4E9", "#E69F00"  # colours of areas above and below zero
CELL: Any = {"ha": "center", "va": "center"}


def overlap(f: Any, g: Any, shift: float, *, t: Any = None, ax: "Axes | None" = None) -> list[Any]:
    """Draw f, the reflected and shifted g, and the area of their product at one shift.

    Areas above and below zero have different colours; the title shows their sum, which is the value of
    the convolution at that shift.

    Args:
        f: the signal that stays.
        g: the signal that is reflected and shifted.
        shift: the shift, in the unit of t.
        t: the times of the samples, evenly spaced; None: 0, 1, 2, ...
        ax: the axes to draw into; None: the current axes.

    Shapes:
        f, g and t (n,).

    Returns:
        Both lines and both areas.

    Raises:
        ValueError: if samples of f and g do not meet at this shift.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure().subplots()
        >>> _ = overlap([1.0, 1.0], [1.0, 2.0], 1, ax=ax)
        >>> ax.get_title()
        'shift 1: area 3'
    """
    times, moved, product, area = _compute_overlap(f, g, shift, t)
    ax = current(ax)
    artists: list[Any] = ax.plot(times, np.asarray(f), color="black", lw=3.5, label="f")
    artists += ax.plot(times, moved, color=COLOURS[1], lw=1.8, label="g, reflected and shifted")
    for where, colour, what in ((product >= 0, ABOVE, "above"), (product <= 0, BELOW, "below")):
        if what == "above" or (product < 0).any():
            options = {"color": colour, "alpha": 0.6, "lw": 0, "label": f"product, {what} zero"}
            artists.append(ax.fill_between(times, np.where(where, product, 0), **options))
    ax.set_title(f"shift {_number(shift)}: area {_number(area)}")
    ax.legend(loc="upper right", fontsize=8)
    return artists


def slide(f: Any, g: Any, shifts: Sequence[float], *, t: Any = None) -> "FuncAnimation":
    """Draw g sliding over f, and below it the area of their product against the shift.

    Args:
        f: the signal that stays.
        g: the signal that is reflected and shifted.
        shifts: the shifts, in the unit of t, one frame each.
        t: the times of the samples, evenly spaced; None: 0, 1, 2, ...

    Shapes:
        f, g and t (n,).

    Returns:
        A matplotlib animation; `save` writes it.

    Raises:
        ValueError: as for `overlap`.

    Example:
        >>> "<img" in slide([1.0, 1.0], [1.0, 2.0], [0, 1]).to_jshtml()
        True
    """
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

    overlaps = [_compute_overlap(f, g, shift, t) for shift in shifts]
    areas = [area for *_, area in overlaps]
    values = np.concatenate([np.ravel(f), *(part for _, *parts, _ in overlaps for part in parts)])
    figure = Figure(figsize=(7, 5), layout="constrained", dpi=80)
    top, bottom = figure.subplots(2, 1)
    margin = 0.1 * (np.ptp(areas) or 1.0)
    bottom.set(xlim=(min(shifts), max(shifts)), ylim=(min(areas) - margin, max(areas) + margin))
    bottom.set(xlabel="shift", ylabel="area of the product")
    (line,) = bottom.plot([], [], color=COLOURS[0], lw=2)
    (dot,) = bottom.plot([], [], "o", color=COLOURS[0])

    def draw(number: int) -> list[Any]:
        top.clear()
        artists = overlap(f, g, shifts[number], t=t, ax=top)
        top.set(xlabel="time", ylabel="value", ylim=(values.min() - 0.2, 1.25 * values.max() + 0.2))
        line.set_data(shifts[: number + 1], areas[: number + 1])
        dot.set_data([shifts[number]], [areas[number]])
        return [*artists, line, dot]

    return FuncAnimation(figure, draw, frames=len(shifts), interval=120, repeat_delay=1500)


def matched_and_mismatched(
    signal: Any, filters: dict[str, Any], *, t: Any = None, ax: "Axes | None" = None
) -> list[Any]:
    """Draw the responses of several filters to one signal, and mark their maxima.

    Args:
        signal: the signal.
        filters: filters by name, no longer than the signal; they are scaled to unit energy.
        t: the times of the samples; None: 0, 1, 2, ...
        ax: the axes to draw into; None: the current axes.

    Shapes:
        signal and t (n,), filters (m,).

    Returns:
        A line for each filter.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure().subplots()
        >>> lines = matched_and_mismatched([0.0, 1, -1, 0], {"itself": [1.0, -1]}, ax=ax)
        >>> [line.get_label() for line in lines]
        ['itself: 1.41 at 2']
    """
    signal, ax = jnp.asarray(signal), current(ax)
    times, lines = np.arange(signal.size) if t is None else np.asarray(t), []
    for number, (name, kernel) in enumerate(filters.items()):
        kernel = jnp.asarray(kernel) / jnp.linalg.norm(jnp.asarray(kernel))
        response = np.asarray(reference.correlate(signal, kernel, "same"))
        best = int(response.argmax())
        label = f"{name}: {response[best]:.3g} at {times[best]:.3g}"
        lines += ax.plot(times, response, color=COLOURS[number], lw=2, label=label)
        ax.plot(times[best], response[best], "o", color=COLOURS[number])
    ax.axhline(0, color="0.7", lw=0.8, zorder=0)
    ax.legend(loc="upper right")
    return lines


def patch(image: Any, filter: Any, place: tuple[int, int], *, ax: "Axes | None" = None) -> list[Any]:
    """Draw a filter on an image at one place: the products, their sum, and its place in the result.

    Args:
        image: the image, small enough that its numbers can be read.
        filter: the filter, which is not reflected (a correlation).
        place: row and column of the image under the filter's first element.
        ax: the axes to draw into; None: the current axes.

    Shapes:
        image (rows, columns), filter (m1, m2), place (2,).

    Returns:
        The artists.

    Raises:
        ValueError: if the filter at this place is not completely inside the image.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure().subplots()
        >>> _ = patch([[1, 2], [3, 4]], [[1, 1]], (1, 0), ax=ax)
        >>> ax.get_title()
        '1·3 + 1·4 = 7'
    """
    image, filter, ax = np.asarray(image), np.asarray(filter), current(ax)
    (rows, columns), (height, width) = image.shape, filter.shape
    row, column = place
    if not (0 <= row <= rows - height and 0 <= column <= columns - width):
        rule = f"keep the filter {filter.shape} inside the image {image.shape}"
        raise checks.value_error("patch", "place", rule, place)
    window = image[row : row + height, column : column + width]
    sums = np.asarray(reference.correlate(jnp.asarray(image), jnp.asarray(filter), "valid"))
    middle = (rows - height) / 2
    artists, left = [], 0.0
    for title, values, top, marked in (
        ("image", image, 0.0, np.s_[row : row + height, column : column + width]),
        ("× filter", filter, middle, None),
        ("= products", window * filter, middle, None),
        ("sums at all places", sums, (rows - sums.shape[0]) / 2, np.s_[row, column]),
    ):
        artists += _cells(ax, values, left, top, marked)
        ax.text(left + values.shape[1] / 2, top - 0.2, title, ha="center", va="bottom")
        left += values.shape[1] + 0.8
    terms = " + ".join(f"{w}·{x}" for w, x in zip(filter.ravel(), window.ravel()))
    ax.set_title(f"{terms} = {sums[row, column]}", pad=14)
    ax.set(xlim=(-0.1, left - 0.7), ylim=(rows + 0.1, -1.0), aspect="equal")
    ax.set_axis_off()
    return artists


def plan(
    sides: Sequence[int], taps: Sequence[int], *, rank: int = 2, ax: "Axes | None" = None
) -> "QuadMesh":
    """Draw which method the planner chooses, for sizes of signals and of kernels.

    Args:
        sides: lengths of the signals along each axis.
        taps: lengths of the kernels along each axis.
        rank: number of axes of both.
        ax: the axes to draw into; None: the current axes.

    Returns:
        The mesh; blank if the kernel is longer than the signal.

    Example:
        >>> from matplotlib.figure import Figure
        >>> plan([64, 512], [3, 9, 31], ax=Figure().subplots()).get_array().shape
        (2, 3)
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    ax, names = current(ax), list(METHOD_STYLES)
    picture = np.full((len(sides), len(taps)), np.nan)
    for (row, n), (column, m) in itertools.product(enumerate(sides), enumerate(taps)):
        if m <= n:
            picture[row, column] = names.index(choose_plan((n,) * rank, (m,) * rank, "same").method)
    colours = ListedColormap([colour for colour, _ in METHOD_STYLES.values()])
    limits: Any = {"vmin": -0.5, "vmax": len(names) - 0.5}
    drawn = ax.pcolormesh(picture, cmap=colours, **limits, edgecolors="white", lw=0.5)
    power = "" if rank == 1 else f" (each of {rank} axes)"
    ax.set_xticks(np.arange(len(taps)) + 0.5, [f"{m:,}" for m in taps], rotation=60)
    ax.set_yticks(np.arange(len(sides)) + 0.5, [f"{n:,}" for n in sides])
    ax.set(xlabel=f"kernel, taps{power}", ylabel=f"signal, samples{power}")
    used = [name for number, name in enumerate(names) if (picture == number).any()]
    handles = [Patch(color=METHOD_STYLES[name][0], label=name) for name in used]
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), title="method")
    return drawn


def _compute_overlap(
    f: Any, g: Any, shift: float, t: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the times, the reflected and shifted g, its product with f, and the area of the product."""
    f, g = jnp.asarray(f, float), jnp.asarray(g, float)
    times = np.arange(f.size, dtype=float) if t is None else np.asarray(t, float)
    step = float(times[-1] - times[0]) / (times.size - 1)
    index = (shift - 2 * times[0]) / step  # of the full convolution
    if abs(index - round(index)) > 1e-3:
        rule = f"be a shift at which samples meet, {2 * times[0]:g} plus a multiple of {step:g}"
        raise checks.value_error("overlap", "shift", rule, shift)
    overlap = _overlap(f, g, round(index))
    return times, np.asarray(overlap.moved), np.asarray(overlap.product), float(overlap.total) * step


_overlap = jax.jit(reference.overlap)


def _number(value: float) -> str:
    """Format a number without the digits that are rounding noise of single precision."""
    return f"{round(value, 3) + 0.0:g}"


def _cells(ax: "Axes", values: np.ndarray, left: float, top: float, marked: Any) -> list[Any]:
    """Draw numbers in cells, some of them marked."""
    from matplotlib.patches import Rectangle

    is_marked = np.zeros(values.shape, bool)
    if marked is not None:
        is_marked[marked] = True
    artists: list[Any] = []
    for (row, column), value in np.ndenumerate(values):
        corner, colour = (left + column, top + row), "#FFE0B2" if is_marked[row, column] else "white"
        artists.append(ax.add_patch(Rectangle(corner, 1, 1, fc=colour, ec="0.5")))
        artists.append(ax.text(left + column + 0.5, top + row + 0.5, f"{value:g}", **CELL))
    return artists
