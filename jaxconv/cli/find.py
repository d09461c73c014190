"""`jaxconv find`: a template in a picture or a signal, turned and scaled if asked."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import typer

from jaxconv import checks, detection, files, kernels, matching, plotting, signals
from jaxconv.cli.reading import load, numbers, span
from jaxconv.cli.shared import Output, app, one_line_errors, write
from jaxconv.matching import Views

SHAPES = ", ".join(signals.SHAPES)
THRESHOLD = 0.3


@dataclass(frozen=True)
class Search:
    """What to look for: views of it, what each is called by, and its outline about its middle."""

    name: str
    views: Views
    labels: tuple[dict[str, float], ...]
    outlines: tuple[list[np.ndarray], ...]
    apart: int  # pixels between two that are found


Image = Annotated[
    Path, typer.Argument(help="Picture (PNG, JPEG, TIFF, ...), or signal (.npy, .wav, .csv).")
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
        signal = load("find", "image", image)
        if signal.ndim == 1 and edges:
            raise checks.value_error("find", "edges", "be left out for a signal", "a signal")
        prepare = kernels.edges if edges else lambda a: a
        wanted = _wanted(signal, template, crop, mask, angles, scales, filter, radius, prepare)
        if any(m > n for n, m in zip(signal.shape, wanted.views.templates.shape[1:])):
            rule = f"be no larger than the image {signal.shape}, turned and scaled"
            size = wanted.views.templates.shape[1:]
            raise checks.value_error("find", "radius" if radius else "template", rule, size)

        searched = prepare(signal)
        score, which = _best(searched, wanted.views)
        least = THRESHOLD if threshold is None else threshold
        if false_alarm is not None:
            chance, _ = _best(-searched, wanted.views)
            least = float(detection.score_threshold(chance, false_alarm))
        places, scores = _peaks(score, least, wanted.apart)
        found = [
            dict(zip(("row", "column") if signal.ndim == 2 else ("sample",), map(int, place)))
            | wanted.labels[which[tuple(place)]]
            | {"score": round(float(value), 4)}
            for place, value in zip(places, scores)
        ]
        _print(found)
        print(f"{len(found)} found: {wanted.name} in {image.name}, score above {least:.3g}")

        told = {"image": str(image), "template": wanted.name, "threshold": least, "found": found}
        _write_text(output / f"{image.stem}-found.json", json.dumps(told, indent=1) + "\n")
        if csv:
            _write_text(output / f"{image.stem}-found.csv", _table(found))
        title = "normalized correlation" + ", the best of all views" * (len(wanted.labels) > 1)
        if signal.ndim == 1:
            figure = plotting.found_in_line(signal, score, places, wanted.name, scored=title)
        else:
            outlines = [wanted.outlines[which[tuple(place)]] for place in places]
            figure = plotting.found(signal, score, places, wanted.name, outlines=outlines, scored=title)
        write(output / f"{image.stem}-found.png", lambda file: figure.savefig(file, dpi=110))


def _wanted(
    signal: jax.Array,
    template: str,
    crop: str,
    mask: Path | None,
    angles: str,
    scales: str,
    filter: Path | None,
    radius: str,
    prepare: Callable[[jax.Array], jax.Array],
) -> Search:
    """Return what was asked for: a shape, a picture or signal, a part of the image, or a filter."""
    given = [bool(template), bool(crop), filter is not None]
    if sum(given) != 1:
        rule, got = "be given, or `crop` or `filter`, and one of them only", repr(template)
        raise checks.value_error("find", "template", rule, got, "Try --template circle.")
    turned = numbers("find", "angles", angles)
    scaled = numbers("find", "scales", scales, least=0.0)
    if signal.ndim == 1 and turned != [0.0]:
        raise checks.value_error("find", "angles", "be left out for a signal", repr(angles))
    if template in signals.SHAPES or filter:
        if signal.ndim == 1:
            raise checks.value_error("find", "template", "be a file for a signal", repr(template))
        if mask is not None:
            raise checks.value_error("find", "mask", "be left out with a shape or a filter", str(mask))
        if scaled != [1.0]:
            raise checks.value_error("find", "scales", "be left out with `radius`", repr(scales))
        return _drawn(template, filter, radius, turned)
    if crop:
        part, name = signal[span("find", "crop", crop, signal.shape)], f"the part {crop}"
    elif Path(template).exists():
        part, name = load("find", "template", Path(template)), Path(template).name
    else:
        checks.one_of("find", "template", template, (*signals.SHAPES, "or a file"))
        raise AssertionError
    if radius:
        raise checks.value_error("find", "radius", "be left out with a picture", repr(radius))
    if part.ndim != signal.ndim:
        kinds = {1: "a signal", 2: "a picture"}
        rule = f"be {kinds[signal.ndim]} as the image is"
        raise checks.value_error("find", "template", rule, kinds[part.ndim])
    hidden = None if mask is None else load("find", "mask", mask) == 0
    return _seen(name, prepare(part), hidden, turned, scaled)


def _seen(name: str, part: jax.Array, hidden: Any, angles: list[float], scales: list[float]) -> Search:
    """Return the views of a picture or a signal."""
    if part.ndim == 1:
        views = matching.scales(part, jnp.array(scales))
        outlines = tuple([] for _ in scales)
    else:
        views = matching.views(part, angles=angles, scales=scales, mask=hidden)
        frame = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]) * np.array(part.shape) / 2
        outlines = tuple(
            [_turned(frame * factor, angle)]
            for angle, factor in zip(views.angles.tolist(), views.factors.tolist())
        )
    labels = tuple(
        ({"angle": angle} if part.ndim == 2 else {}) | {"scale": round(factor, 6)}
        for angle, factor in zip(views.angles.tolist(), views.factors.tolist())
    )
    return Search(name, views, labels, outlines, max(1, round(0.4 * min(part.shape) * min(scales))))


def _drawn(shape: str, filter: Path | None, radius: str, angles: list[float]) -> Search:
    """Return a shape, or a learned filter, at each radius and angle."""
    name, kernel, own = _learned(filter) if filter else (shape, None, None)
    if not radius and own is None:
        raise checks.value_error("find", "radius", "be given with `template`", "none", "Try 20..30.")
    radii = numbers("find", "radius", radius or str(own), least=0.0, step=1.0)
    if kernel is None:
        sides = [2 * round(1.2 * r) + 3 for r in radii]
        templates = [signals.SHAPES[shape](max(sides), radius=r, width=2.0) for r in radii]
        edges = [(max(sides) - side) // 2 for side in sides]
        masks = [np.pad(np.zeros((s, s), bool), e, constant_values=True) for s, e in zip(sides, edges)]
    else:
        sized = matching.scales(kernel, np.array(radii) / own)
        templates, masks = list(sized.templates), list(sized.masks)
    if angles != [0.0]:
        turned = [matching.views(t, angles=angles, mask=m) for t, m in zip(templates, masks)]
        templates, masks = (
            [v for each in turned for v in each.templates],
            [v for each in turned for v in each.masks],
        )
    labels, outlines = [], []
    for r, template in zip(radii, templates[:: len(angles)]):
        for angle in angles:
            labels.append({"radius": r} | ({"angle": angle} if angles != [0.0] else {}))
            outlines.append([_turned(line, angle) for line in _outline(template, r, shape)])
    zeros = jnp.zeros(len(templates))  # the labels tell more
    views = Views(jnp.stack(templates), jnp.stack(list(map(jnp.asarray, masks))), zeros, zeros)
    return Search(name, views, tuple(labels), tuple(outlines), max(1, round(0.75 * min(radii))))


def _learned(path: Path) -> tuple[str, jax.Array, float]:
    """Return the name of a learned filter, it, and its radius."""
    rule = "be an undamaged file that `jaxconv learn` wrote"
    got = path if path.exists() else f"{path} (no such file)"
    error = checks.value_error("find", "filter", rule, got)
    try:
        saved = files.arrays(path)
        kernel, own = jnp.asarray(saved["filter"]), float(saved["radius"])
    except (OSError, ValueError, TypeError, KeyError):
        raise error from None
    rows = round(kernel.size**0.5)
    if rows == 0 or kernel.shape != (rows, rows) or not 0 < own < np.inf:
        raise error
    return path.name, kernel, own


def _outline(kernel: jax.Array, radius: float, shape: str) -> list[np.ndarray]:
    """Return lines of (row, column) about the middle: a shape's contour, or a circle for a filter."""
    if shape not in signals.SHAPES or shape in ("circle", "disk"):
        turn = np.linspace(0, 2 * np.pi, 65)
        return [radius * np.stack([np.sin(turn), np.cos(turn)], -1)]
    import contourpy  # of matplotlib

    drawn = np.pad(np.asarray(kernel), 1)
    lines = contourpy.contour_generator(z=drawn, name="serial").lines(0.5 * drawn.max())
    return [np.asarray(line)[:, ::-1] - len(drawn) // 2 for line in lines]


def _turned(line: np.ndarray, angle: float) -> np.ndarray:
    """Turn a line of (row, column) about the middle, counterclockwise, rows growing downwards."""
    turn = np.deg2rad(angle)
    rows, columns = line.T
    return np.stack(
        [
            rows * np.cos(turn) - columns * np.sin(turn),
            rows * np.sin(turn) + columns * np.cos(turn),
        ],
        -1,
    )


def _best(signal: jax.Array, views: Views) -> tuple[jax.Array, np.ndarray]:
    """Return the best score of all views at each place, and which view has it."""
    masks = views.masks if bool(views.masks.any()) else None
    best = matching.best_match(signal, views.templates, mode="same", template_mask=masks)
    return best.score, np.asarray(best.which)


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


def _write_text(path: Path, text: str) -> None:
    write(path, lambda file: file.write(text.encode()))
