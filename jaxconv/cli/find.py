"""`jaxconv find`: a template in a picture or a signal, turned and scaled if asked."""

import csv
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import typer

from jaxconv import checks, detection, files, kernels, matching, plotting, signals, tiled
from jaxconv.cli.reading import load, too_large
from jaxconv.cli.shared import Output, app, one_line_errors, write
from jaxconv.cli.wanted import Order, Search, wanted
from jaxconv.matching import Views
from jaxconv.matching.windows import extreme_within
from jaxconv.tiled.overview import overview

SHAPES = ", ".join(signals.SHAPES)
THRESHOLD = 0.3

Image = Annotated[
    Path,
    typer.Argument(
        help="Picture (PNG, JPEG, TIFF, ...), or signal (.npy, .wav, .csv); .zarr of any size."
    ),
]
Template = Annotated[
    str, typer.Option(help=f"What to look for: {SHAPES}, or a file of the same kind as the image.")
]
Crop = Annotated[
    str, typer.Option(help="Look for this part of the image: ROW,COLUMN,ROWS,COLUMNS, or START,COUNT.")
]
Mask = Annotated[
    Path | None, typer.Option(help="Picture as large as the template, black where that has no say.")
]
Angles = Annotated[str, typer.Option(help="Turn it, in degrees: 90, or 0..350/10 for every 10.")]
Scales = Annotated[str, typer.Option(help="Scale it: 1.5, or 0.8..1.2/0.1 for every 0.1.")]
Filter = Annotated[Path | None, typer.Option(help="Filter to look for, a file written by `learn`.")]
Radius = Annotated[
    str, typer.Option(help="Radius of a shape or filter in pixels, or a range: 25 or 20..30.")
]
Edges = Annotated[bool, typer.Option("--edges", help="Search the edges instead of the brightness.")]
Threshold = Annotated[
    float | None, typer.Option(help=f"Minimum score to report, -1 to 1; by default {THRESHOLD}.")
]
FalseAlarm = Annotated[
    float | None,
    typer.Option(help="Instead of a score: the share of places that may be found by chance, as 1e-6."),
]
Csv = Annotated[bool, typer.Option("--csv", help="Write what is found as a table too.")]


@app.command()
def find(
    image: Image,
    template: Template = "",
    crop: Crop = "",
    mask: Mask = None,
    angles: Angles = "0",
    scales: Scales = "1",
    filter: Filter = None,
    radius: Radius = "",
    edges: Edges = False,
    threshold: Threshold = None,
    false_alarm: FalseAlarm = None,
    csv: Csv = False,
    output: Output = Path("out"),
) -> None:
    """Find a template in a picture or a signal, at any angle and scale, by normalized correlation.

    Prints what is found, best first, and writes it (IMAGE-found.json) with the map of scores and what is
    found in its own outline (IMAGE-found.png).
    """
    with one_line_errors("find"):
        if threshold is not None and not -1 <= threshold <= 1:
            raise checks.value_error("find", "threshold", "be a score, from -1 to 1", threshold)
        if threshold is not None and false_alarm is not None:
            raise checks.value_error("find", "threshold", "be left out with `false-alarm`", threshold)
        if false_alarm is not None and not 0 < false_alarm < 1:
            raise checks.value_error("find", "false-alarm", "be a share, between 0 and 1", false_alarm)
        source = too_large("find", "image", image)
        signal = load("find", "image", image) if source is None else source
        rank = len(signal.shape)
        if rank == 1 and edges:
            raise checks.value_error("find", "edges", "be left out for a signal", "a signal")
        order = Order(template, crop, mask, angles, scales, filter, radius)
        least = THRESHOLD if threshold is None else threshold
        if source is None:
            outcome = _in_memory(signal, order, edges, least, false_alarm)
        else:
            for name, given in (("edges", edges), ("false-alarm", false_alarm)):
                if given:
                    rule = "be left out for an array larger than memory"
                    raise checks.value_error("find", name, rule, given)
            outcome = _in_tiles(source, order, least)
        _tell(outcome, rank, image, output, csv)


class Outcome(NamedTuple):
    """What was found."""

    places: np.ndarray
    scores: np.ndarray
    views: np.ndarray  # which of them each is
    search: Search
    least: float  # score that a peak exceeds
    draw: Callable[..., Any]  # a figure


def _in_memory(
    signal: jax.Array, order: Order, edges: bool, least: float, false_alarm: float | None
) -> Outcome:
    """Search a picture or a signal."""
    prepare = kernels.edges if edges else lambda a: a
    search = wanted(order, signal, prepare)
    searched = prepare(signal)
    score, which = _best(searched, search.views)
    if false_alarm is not None:
        chance = _chance(searched, score, search, false_alarm)
        least = float(detection.score_threshold(chance, false_alarm))
    places, scores = _peaks(score, least, search.apart)
    views = which[tuple(places.T)]
    return Outcome(places, scores, views, search, least, partial(_figure, signal, score))


def _in_tiles(source: Any, order: Order, least: float) -> Outcome:
    """Search an array that does not fit into memory."""
    search = wanted(order, source, lambda a: a)
    seen = overview(source)
    found = tiled.find(
        source,
        search.views.templates,
        threshold=least,
        min_distance=search.apart,
        mode="same",
        template_mask=_masks(search.views),
    )
    draw = partial(_figure, seen.means, None, block=seen.block)
    return Outcome(found.places, found.scores, found.which, search, least, draw)


def _tell(outcome: Outcome, rank: int, image: Path, output: Path, as_table: bool) -> None:
    """Print what was found, write it and draw it."""
    places, scores, views, search, least, draw = outcome
    axes = ("row", "column") if rank == 2 else ("sample",)
    found = [
        dict(zip(axes, place)) | search.labels[view] | {"score": round(value, 4)}
        for place, view, value in zip(places.tolist(), views.tolist(), scores.tolist())
    ]
    _print(found)
    print(f"{len(found)} found: {search.name} in {image.name}, score above {least:.3g}")
    told = {"image": str(image), "template": search.name, "threshold": least, "found": found}
    write(output / f"{image.stem}-found.json", files.text(json.dumps(told, indent=1) + "\n"))
    if as_table:
        write(output / f"{image.stem}-found.csv", files.text(_table(found)))
    figure = draw(places, views, search)
    write(output / f"{image.stem}-found.png", lambda file: figure.savefig(file, dpi=110))


def _figure(signal: Any, score: Any, places: Any, views: Any, search: Search, block: int = 1) -> Any:
    """Draw what was searched, with what was found in its own outline, and the map of scores."""
    title = "normalized correlation" + ", the best of all views" * (len(search.labels) > 1)
    if signal.ndim == 1:
        return plotting.found_in_line(signal, score, places, search.name, scored=title, block=block)
    outlines = [search.outlines[view] for view in views]
    return plotting.found(
        signal, score, places, search.name, outlines=outlines, scored=title, block=block
    )


def _best(signal: jax.Array, views: Views) -> tuple[jax.Array, np.ndarray]:
    """Return the best score of all views at each place, and which view has it."""
    best = matching.best_match(signal, views.templates, mode="same", template_mask=_masks(views))
    return best.score, np.asarray(best.which)


def _masks(views: Views) -> Any:
    """Return where the views have no say; None if each has it everywhere."""
    return views.masks if bool(views.masks.any()) else None


def _chance(signal: jax.Array, score: jax.Array, search: Search, share: float) -> jax.Array:
    """Return scores of chance: a picture's negative; or a signal's own away from all that stands out.

    A wave's negative is nearly the wave itself, half a period later; so what exceeds the threshold of
    Gaussian noise as wide as the middle half of the scores is left out, with what overlaps it.
    """
    if signal.ndim == 2:
        return _best(-signal, search.views)[0]
    z = np.arctanh(np.clip(np.asarray(score), -0.999999, 0.999999))
    low, middle, high = np.quantile(z, (0.25, 0.5, 0.75))
    quartile, least = detection.threshold(jnp.array([0.25, min(share, 0.5)])).tolist()
    stands_out = jnp.asarray(z > middle + (high - low) / (2 * quartile) * least)
    near = extreme_within(stands_out, search.views.templates.shape[-1], jnp.logical_or, False)
    return score if near.all() else jnp.where(near, jnp.nan, score)


def _peaks(score: jax.Array, threshold: float, distance: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions and scores of all peaks, best first."""
    find_peaks = partial(matching.find_peaks, score, threshold=threshold, min_distance=distance)
    peaks = find_peaks(max_peaks=100)
    if peaks.left_out:
        peaks = find_peaks(max_peaks=int(peaks.total))
    count = int(peaks.count)
    return np.asarray(peaks.places[:count]), np.asarray(peaks.scores[:count])


def _print(found: list[dict[str, float]]) -> None:
    """Print what was found as a table."""
    names = list(found[0]) if found else []
    print(f"{'':>4}" + "".join(f"{name:>8}" for name in names))
    for number, row in enumerate(found, 1):
        print(f"{number:>4}" + "".join(f"{row[name]:>8g}" for name in names))


def _table(found: list[dict[str, float]]) -> str:
    """Return what was found as comma-separated values."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(found[0]) if found else ["score"], lineterminator="\n")
    table.writeheader()
    table.writerows(found)
    return text.getvalue()
