"""`jaxconv find`: a shape in a picture, at any of several sizes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import typer

from jaxconv import checks, files, kernels, matching, plotting, progress, signals
from jaxconv.cli.shared import Output, app, load, one_line_errors, write


@dataclass(frozen=True)
class Template:
    """What to look for: its name, its side in pixels at a radius, and how to draw it at that radius."""

    name: str
    own_radius: float | None
    side: Callable[[float], float]
    draw: Callable[[int, float], jax.Array]


Image = Annotated[Path, typer.Argument(help="Picture file (PNG, JPEG, TIFF, ...).")]
Shape = Annotated[str | None, typer.Option(help=f"Shape to look for: {', '.join(signals.SHAPES)}.")]
Filter = Annotated[Path | None, typer.Option(help="Filter to look for, a file written by `learn`.")]
Radius = Annotated[str, typer.Option(help="Radius in pixels, or a range in steps of 1: 25 or 20..30.")]
Edges = Annotated[bool, typer.Option(help="Search the edges instead of the brightness.")]
Threshold = Annotated[float, typer.Option(help="Minimum score to report, -1 to 1.")]


@app.command()
def find(
    image: Image,
    template: Shape = None,
    filter: Filter = None,
    radius: Radius = "",
    edges: Edges = False,
    threshold: Threshold = 0.3,
    output: Output = Path("out"),
) -> None:
    """Find a shape in a picture, at any of several sizes, by normalized correlation.

    Prints the peaks, best first, and writes the heat map with the peaks marked (IMAGE-found.png).
    """
    with one_line_errors("find"):
        if not -1 <= threshold <= 1:
            raise checks.value_error("find", "threshold", "be a score, from -1 to 1", threshold)
        wanted = _template(template, filter)
        low, high = _range(radius, wanted)
        picture = load("find", "image", image)
        bank = _bank(wanted, low, high, picture.shape)

        score, best = _best_match(kernels.edges(picture) if edges else picture, bank)
        places, scores = _peaks(score, threshold, distance=max(1, round(0.75 * low)))
        radii = [float(best[tuple(place)]) for place in places]
        _print_peaks(places, radii, scores)
        print(f"{len(radii)} found: {wanted.name} in {image.name}, score above {threshold:g}")

        scored = "normalized correlation, the best of all radii"
        figure = plotting.found(picture, score, places, wanted.name, radii=radii, scored=scored)
        write(output / f"{image.stem}-found.png", lambda file: figure.savefig(file, dpi=110))


def _template(shape: str | None, filter: Path | None) -> Template:
    """Return the template that was asked for, a shape or a learned filter."""
    if shape and not filter:
        return _make_shape(shape)
    if filter and not shape:
        return _load_filter(filter)
    rule, got = "be given, or `filter`, and not both", repr(shape)
    raise checks.value_error("find", "template", rule, got, "Try --template circle.")


def _make_shape(name: str) -> Template:
    """Return a shape of `signals` as a template."""
    checks.one_of("find", "template", name, tuple(signals.SHAPES))

    def draw(side: int, radius: float) -> jax.Array:
        return signals.SHAPES[name](side, radius=radius, width=2.0)

    return Template(name, None, lambda r: 2 * float(np.rint(1.2 * r)) + 3, draw)


def _load_filter(path: Path) -> Template:
    """Return a learned filter as a template, which is scaled to each radius."""
    rule = "be an undamaged file that `jaxconv learn` wrote"
    got = path if path.exists() else f"{path} (no such file)"
    error = checks.value_error("find", "filter", rule, got)
    try:
        saved = files.arrays(path)
        kernel, own_radius = jnp.asarray(saved["filter"]), float(saved["radius"])
    except (OSError, ValueError, TypeError, KeyError):
        raise error from None
    rows = round(kernel.size**0.5)
    if rows == 0 or kernel.shape != (rows, rows) or not 0 < own_radius < np.inf:
        raise error

    def draw(side: int, radius: float) -> jax.Array:
        return jax.image.resize(kernel, (side, side), "linear")

    def side(radius: float) -> float:
        return 2 * float(np.rint((rows * radius / own_radius - 1) / 2)) + 1

    return Template(path.name, own_radius, side, draw)


def _range(text: str, template: Template) -> tuple[float, float]:
    """Read "25" or "20..30"."""
    if not text and template.own_radius is None:
        raise checks.value_error("find", "radius", "be given with `template`", "none", "Try 20..30.")
    first, dots, last = (text or str(template.own_radius)).partition("..")
    try:
        low, high = float(first), float(last if dots else first)
    except ValueError:
        low, high = 0.0, 0.0
    if not 0 < low <= high < np.inf:
        rule = "be a positive number or a range of them"
        raise checks.value_error("find", "radius", rule, repr(text), "Try 25 or 20..30.")
    return low, high


def _bank(template: Template, low: float, high: float, shape: tuple[int, ...]) -> dict[float, jax.Array]:
    """Draw the template at each radius, in steps of 1 pixel, or raise if the largest does not fit."""
    if template.side(high) > min(shape):
        side = f"{template.side(high):g}"
        rule = f"give a template no larger than the image {shape}"
        got = f"radius {high:g}, whose template is {side} x {side}"
        raise checks.value_error("find", "radius", rule, got)
    radii = [float(r) for r in np.arange(low, high + 1e-6)]
    return {r: template.draw(int(template.side(r)), r) for r in radii}


def _best_match(picture: jax.Array, bank: dict[float, jax.Array]) -> tuple[jax.Array, np.ndarray]:
    """Return the best score of all templates at each position, and the radius of that template."""
    match = jax.jit(partial(matching.normalized_correlation, mode="same"))
    maps = []
    with progress.bar("matching", len(bank)) as report:
        for done, (radius, kernel) in enumerate(bank.items(), 1):
            maps.append(match(picture, kernel))
            report(done, radius=radius)
    stack = jnp.stack(maps)
    return stack.max(0), np.array(list(bank))[stack.argmax(0)]


def _peaks(score: jax.Array, threshold: float, distance: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions and scores of all peaks, best first."""
    find_peaks = partial(matching.find_peaks, score, threshold=threshold, min_distance=distance)
    peaks = find_peaks(max_peaks=100)
    if peaks.total > peaks.count:
        peaks = find_peaks(max_peaks=int(peaks.total))
    count = int(peaks.count)
    return np.asarray(peaks.places[:count]), np.asarray(peaks.scores[:count])


def _print_peaks(places: np.ndarray, radii: list[float], scores: np.ndarray) -> None:
    """Print the peaks as a table."""
    print(f"{'':>4}{'row':>6}{'column':>8}{'radius':>8}{'score':>8}")
    for number, ((row, column), radius, score) in enumerate(zip(places, radii, scores), 1):
        print(f"{number:>4}{row:>6}{column:>8}{radius:>8g}{score:>8.3f}")
