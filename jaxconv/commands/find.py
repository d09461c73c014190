"""`jaxconv find`: a shape in a picture, at any of several sizes."""

import zipfile
from functools import partial
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import typer

from jaxconv import checks, kernels, matching, plotting, progress, signals
from jaxconv.commands.shared import Output, app, load, one_line_errors, write


@app.command()
def find(
    image: Annotated[Path, typer.Argument(help="A picture (PNG, JPEG, TIFF, ...).")],
    template: Annotated[str | None, typer.Option(help="A shape to look for.")] = None,
    filter: Annotated[Path | None, typer.Option(help="A filter that `learn` wrote.")] = None,
    radius: Annotated[str, typer.Option(help="Its radius in pixels, as 25 or 20..30.")] = "",
    edges: Annotated[bool, typer.Option(help="Look at the edges, not the brightness.")] = False,
    threshold: Annotated[float, typer.Option(help="Least score of a find, -1 to 1.")] = 0.3,
    output: Output = Path("out"),
) -> None:
    """Find a shape in a picture, at any of several sizes, by normalized correlation.

    Prints the peaks, best first, and writes the heat map with the peaks marked (IMAGE-found.png).
    """
    with one_line_errors("find"):
        if template and not filter:
            bank, searched = _drawn(template, _radii(radius)), template
        elif filter and not template:
            bank, searched = _rescaled(filter, _radii(radius)), filter.name
        else:
            rule, got = "be given, or `filter`, and not both", repr(template)
            raise checks.value_error("find", "template", rule, got, "Try --template circle.")
        picture = load(image)
        _check_fit(bank, picture)
        score, best = _best_match(kernels.edges(picture) if edges else picture, bank)
        apart = max(1, round(0.75 * min(bank)))
        peaks = matching.find_peaks(score, threshold=threshold, min_distance=apart)
        places = np.asarray(peaks.places[: int(peaks.count)])
        radii = [float(best[tuple(place)]) for place in places]
        print(f"{'':>4}{'row':>6}{'column':>8}{'radius':>8}{'score':>8}")
        for number, r in enumerate(radii):
            row, column = peaks.places[number]
            print(f"{number + 1:>4}{row:>6}{column:>8}{r:>8g}{peaks.scores[number]:>8.3f}")
        print(f"{len(radii)} found: {searched} in {image.name}, score above {threshold:g}")
        scored = "normalized correlation, the best of all radii"
        figure = plotting.found(picture, score, places, searched, radii=radii, scored=scored)
        write(output / f"{image.stem}-found.png", lambda file: figure.savefig(file, dpi=110))


def _drawn(template: str, radii: list[float]) -> dict[float, jax.Array]:
    """Draw a shape at each radius."""
    checks.one_of("find", "template", template, tuple(signals.SHAPES))
    if not radii:
        raise checks.value_error("find", "radius", "be given with `template`", "none", "Try 20..30.")
    draw = signals.SHAPES[template]
    return {r: draw(2 * round(1.2 * r) + 3, radius=r, width=2.0) for r in radii}


def _rescaled(path: Path, radii: list[float]) -> dict[float, jax.Array]:
    """Load a learned filter and scale it to each radius."""
    try:
        with np.load(path, allow_pickle=False) as file:
            kernel, own = jnp.asarray(file["filter"]), float(file["radius"])
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, AttributeError):
        rule = "be a file that `jaxconv learn` wrote"
        raise checks.value_error("find", "filter", rule, path) from None
    bank = {}
    for r in radii or [own]:
        size = 2 * round((kernel.shape[0] * r / own - 1) / 2) + 1
        bank[r] = jax.image.resize(kernel, (size, size), "linear")
    return bank


def _check_fit(bank: dict[float, jax.Array], picture: jax.Array) -> None:
    """Raise ValueError where a template is larger than the picture."""
    for r, kernel in bank.items():
        if any(m > n for n, m in zip(picture.shape, kernel.shape, strict=True)):
            rule = f"give a template no larger than the image {picture.shape}"
            got = f"radius {r:g}, whose template is {kernel.shape}"
            raise checks.value_error("find", "radius", rule, got)


def _best_match(picture: jax.Array, bank: dict[float, jax.Array]) -> tuple[jax.Array, np.ndarray]:
    """Return the best score of all templates at each place, and the radius that gave it."""
    match = jax.jit(partial(matching.normalized_correlation, mode="same"))
    maps = []
    with progress.bar("matching", len(bank)) as report:
        for done, (r, kernel) in enumerate(bank.items(), 1):
            maps.append(match(picture, kernel))
            report(done, radius=r)
    stack = jnp.stack(maps)
    return stack.max(0), np.array(list(bank))[stack.argmax(0)]


def _radii(text: str) -> list[float]:
    """Read "25" or "20..30" (both ends, steps of one pixel)."""
    if not text:
        return []
    first, dots, last = text.partition("..")
    try:
        low, high = float(first), float(last if dots else first)
    except ValueError:
        low, high = 0.0, 0.0
    if not 0 < low <= high:
        rule = "be a positive number or a range of them"
        raise checks.value_error("find", "radius", rule, repr(text), "Try 25 or 20..30.")
    return [float(r) for r in np.arange(low, high + 0.5)]
