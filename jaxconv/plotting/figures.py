"""Figures: several panels on one subject."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import jaxconv.plotting.stages as stages
from jaxconv.detection import roc as measure_roc
from jaxconv.learning import Evaluation, Fit
from jaxconv.plotting.panels import COLOURS, heat_map, learning, ring, roc
from jaxconv.signals import Scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learned(
    fit: Fit,
    optimum: Any,
    scene: Scene,
    target: str,
    *,
    least: float | None = None,
    seen: Evaluation | None = None,
    judged: str = "scenes not used for learning",
) -> "Figure":
    """Draw stages of a filter with its spectrum and heat map, then loss, similarity and ROC.

    Args:
        fit: a fit by `learning.fit` that watched {"filter": ..., "similarity": ...}.
        optimum: the filter in closed form.
        scene: a scene that was not used for learning; its first place is the target.
        target: name of the target.
        least: the loss of the optimum.
        seen: `learning.evaluate` of the first filter, the last one and the optimum, in that order.
        judged: what they were evaluated on.

    Shapes:
        optimum (m1, m2), scene.signal (rows, columns); or (m,) and (n,).

    Returns:
        A matplotlib figure.

    Example:
        see `jaxconv learn`, which draws it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 11), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=(2.2, 1))
    top, bottom = halves
    _stages(top, fit, optimum, scene)
    panels = bottom.subplots(1, 2 if seen else 1, squeeze=False)[0]
    learning(fit, least, ax=panels[0])
    panels[0].set_xscale("symlog", linthresh=10)  # most changes happen in the first epoch
    panels[0].set_xlim(0, len(fit.losses))
    ticks = [n for n in (0, 3, 10, 30, 100, 300, 1000, 3000, 10_000) if n <= len(fit.losses)]
    panels[0].set_xticks(ticks, [f"{n:,}" for n in ticks])
    panels[0].minorticks_off()
    panels[0].set_title("learning")
    if not seen:
        return figure
    right = panels[1]
    roc(curves(seen, ("random start", "learned", "optimum")), ax=right)
    right.set_title(f"{seen.at_targets.shape[1]} {judged}")
    return figure


def _stages(figure: Any, fit: Fit, optimum: Any, scene: Scene) -> None:
    """Draw the filter at some steps, and the optimum: one column each."""
    kernels = fit.watched["filter"]
    last = len(fit.steps) - 1
    chosen = np.unique([0, min(1, last), min(6, last), last])  # most is learned in the first epochs
    columns = [(f"after {int(fit.steps[i])} steps", np.asarray(kernels[i])) for i in chosen]
    columns[0] = ("random start", columns[0][1])
    columns.append(("optimum", np.asarray(optimum)))
    grid = figure.subplots(3, len(columns))
    limit = max(np.abs(kernel).max() for _, kernel in columns)
    for axes, (name, kernel) in zip(grid.T, columns, strict=True):
        stages.draw(axes, kernel, scene, limit)
        axes[0].set_title(name)
    for row, label in zip(grid[:, 0], stages.LABELS[np.ndim(optimum)]):
        row.text(-0.35, 0.5, label, rotation=90, ha="center", va="center", transform=row.transAxes)


def curves(seen: Evaluation, names: Sequence[str]) -> dict[str, Any]:
    """Return the `detection.roc` of each filter in an evaluation.

    Args:
        seen: what `learning.evaluate` returned.
        names: names of the filters.

    Returns:
        The curves, by name.

    Example:
        see `jaxconv learn`, which draws them.
    """
    out = {}
    for name, targets, others in zip(names, seen.at_targets, seen.elsewhere, strict=True):
        others = others[~np.isnan(others)]
        scores = np.concatenate([targets, others])
        out[name] = measure_roc(scores, np.arange(len(scores)) < len(targets))
    return out


def found(
    image: Any,
    score: Any,
    places: Any,
    searched: str,
    *,
    radii: Sequence[float] | None = None,
    outlines: Sequence[Sequence[Any]] | None = None,
    scored: str = "response",
    block: int = 1,
) -> "Figure":
    """Draw an image and the heat map of a search side by side, with the peaks marked.

    Args:
        image: the image that was searched.
        score: the map of responses or scores; None: the image alone.
        places: row and column of each peak.
        searched: name of what was searched for.
        radii: radii of the rings to draw, and number, on the image, in pixels; None: no rings.
        outlines: instead of rings, for each peak lines of rows and columns about it.
        scored: title of the map.
        block: pixels along a side of what the image shows as one, if it was made small.

    Shapes:
        image and score (rows, columns), places (k, 2).

    Returns:
        A matplotlib figure.

    Example:
        >>> figure = found(np.eye(9), np.eye(9), [(4, 4)], "a corner", radii=[2.0])
        >>> figure.axes[0].get_title(), figure.axes[1].get_title()
        ('1 found: a corner', 'response')
    """
    from matplotlib.figure import Figure

    places = np.reshape(np.asarray(places), (-1, 2))
    rows, columns = (block * n for n in np.shape(image))
    width, each = (10, 9) if score is None else (13, 5.6)  # of the figure, and of what a panel shows
    figure = Figure(figsize=(width, each * rows / columns + 0.7), layout="constrained")
    left, *others = axes = figure.subplots(1, 1 if score is None else 2, squeeze=False)[0]
    left.imshow(image, cmap="gray", extent=(-0.5, columns - 0.5, rows - 0.5, -0.5))
    left.set_title(f"{len(places)} found: {searched}")
    for right in others:
        heat_map(score, places, ax=right)
        right.set_title(scored)
    for number, (place, radius) in enumerate(zip(places, radii if radii is not None else ())):
        ring(place, radius, ax=left)
        _number(left, number, place, 0.8 * radius)
    for number, (place, lines) in enumerate(zip(places, outlines if outlines is not None else ())):
        for line in lines:
            rows_, columns_ = (np.asarray(line) + place).T
            left.plot(columns_, rows_, color="tab:orange", lw=1.5)
        _number(left, number, place, 0.8 * max((np.abs(line).max() for line in lines), default=0))
    for panel in axes:
        panel.set(xlabel="column (pixels)", ylabel="row (pixels)")
        panel.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    return figure


def _number(axes: Any, number: int, place: Any, away: float) -> None:
    """Write the number of a peak beside what is drawn around it."""
    from matplotlib.patheffects import Normal, Stroke

    text = axes.text(place[1] - away, place[0] - away, str(number + 1), color="white", fontsize=8)
    text.set(
        ha="right",
        va="bottom",
        clip_on=True,
        path_effects=[Stroke(linewidth=2, foreground="0.2"), Normal()],
    )


def found_in_line(
    signal: Any, score: Any, places: Any, searched: str, *, scored: str = "response", block: int = 1
) -> "Figure":
    """Draw a signal above the scores of a search in it, with the peaks marked.

    Args:
        signal: the signal that was searched.
        score: the responses or scores; None: the signal alone.
        places: the sample of each peak.
        searched: name of what was searched for.
        scored: title of the scores.
        block: samples of what the signal shows as one, if it was made small.

    Shapes:
        signal and score (n,), places (k,) or (k, 1).

    Returns:
        A matplotlib figure.

    Example:
        >>> figure = found_in_line(np.eye(9)[4], np.eye(9)[4], [4], "a spike")
        >>> figure.axes[0].get_title()
        '1 found: a spike'
    """
    from matplotlib.figure import Figure

    places = np.asarray(places, int).reshape(-1)
    figure = Figure(figsize=(12, 5.5), layout="constrained")
    lines = [("signal", np.asarray(signal), f"{len(places)} found: {searched}")]
    if score is not None:
        lines.append(("score", np.asarray(score), scored))
    panels = figure.subplots(len(lines), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (label, values, title) in zip(panels, lines):
        axes.plot(block * np.arange(len(values)), values, lw=0.8, color=COLOURS[0])
        axes.plot(places, values[places // block], "v", color=COLOURS[1], ms=7)
        axes.set_title(title)
        axes.set(ylabel=label)
        axes.grid(alpha=0.3)
    panels[-1].set(xlabel="sample", xlim=(0, max(block * len(np.asarray(signal)) - 1, 1)))
    return figure
