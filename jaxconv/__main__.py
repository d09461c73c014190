"""The command line: `jaxconv learn`, `find`, `calibrate` and `bench`."""

import json
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import typer

from jaxconv import checks, detection, files, kernels, learning, matching, plotting, signals
from jaxconv.benchmarking import rows
from jaxconv.engine import store

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
Output = Annotated[Path, typer.Option(help="Folder for the files that it writes.")]

CTRL_C = 130
COMPANIONS = ("circle", "cross", "square")  # what a scene shows beside the target


@app.callback()
def _jaxconv() -> None:
    """Convolution and matched filtering in JAX."""


@app.command()
def learn(
    target: Annotated[str, typer.Argument(help="What to find: " + ", ".join(signals.SHAPES))],
    steps: Annotated[int, typer.Option(help="Gradient steps.")] = 300,
    size: Annotated[int, typer.Option(help="Side of the filter in pixels, odd.")] = 21,
    noise: Annotated[float, typer.Option(help="Standard deviation of the noise; ink is 1.")] = 0.5,
    batch: Annotated[int, typer.Option(help="Scenes a step.")] = 64,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    output: Output = Path("out"),
) -> None:
    """Learn a filter that finds a shape among others in noise, from random values.

    Prints how it compares with the optimum in closed form, and writes the filter (TARGET.npz) and
    a picture (TARGET.png).
    """
    with _one_line_errors("learn"):
        checks.one_of("learn", "target", target, tuple(signals.SHAPES))
        if noise <= 0:
            raise checks.value_error("learn", "noise", "be positive", noise)
        kinds = (target, *(kind for kind in COMPANIONS if kind != target))
        draw = partial(signals.scenes, kinds=kinds, size=size)
        fit_key, optimum_key, test_key = jax.random.split(jax.random.key(seed), 3)
        with _progress("learning", steps) as report:
            fit = learning.fit(
                fit_key, draw(noise=noise), size=size, steps=steps, batch=batch, report=report
            )
        optimize = partial(learning.optimum, draw=draw(noise=0.0), size=size, noise=noise)
        optimum = jax.jit(optimize)(optimum_key)
        template = signals.SHAPES[target](size, zero_mean=True)
        snr = detection.output_snr(template, noise)
        print(f"{target} among {' and '.join(kinds[1:])}, noise {noise:g}")
        print(f"output SNR of the {target}: {snr:.1f} ({20 * jnp.log10(snr):.1f} dB)")
        compared = {
            "random start": fit.filters[0],
            "learned": fit.filter,
            "optimum (Fisher)": optimum,
            "zero-mean template": template,
        }
        _compare(test_key, draw, noise, optimum, compared)
        scene = draw(noise=noise)(jax.random.fold_in(test_key, 1))
        figure = plotting.learned(fit, optimum, scene.signal, scene.places[0], target)
        made = {"filter": fit.filter, "radius": signals.default_radius(size), "target": target}
        _write(output / f"{target}.npz", lambda file: np.savez(file, **made))
        _write(output / f"{target}.png", lambda file: figure.savefig(file, dpi=110))


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
    with _one_line_errors("find"):
        if template and not filter:
            bank, searched = _drawn(template, _radii(radius)), template
        elif filter and not template:
            bank, searched = _rescaled(filter, _radii(radius)), filter.name
        else:
            rule, got = "be given, or `filter`, and not both", repr(template)
            raise checks.value_error("find", "template", rule, got, "Try --template circle.")
        picture = _load(image)
        _check_fit(bank, picture)
        score, best = _best_match(kernels.edges(picture) if edges else picture, bank)
        apart = max(1, round(0.75 * min(bank)))
        peaks = matching.find_peaks(score, threshold=threshold, min_distance=apart)
        radii = [float(best[tuple(place)]) for place in np.asarray(peaks.places[: int(peaks.count)])]
        print(f"{'':>4}{'row':>6}{'column':>8}{'radius':>8}{'score':>8}")
        for number, r in enumerate(radii):
            row, column = peaks.places[number]
            print(f"{number + 1:>4}{row:>6}{column:>8}{r:>8g}{peaks.scores[number]:>8.3f}")
        print(f"{len(radii)} found: {searched} in {image.name}, score above {threshold:g}")
        figure = plotting.found(picture, score, peaks, radii, searched)
        _write(output / f"{image.stem}-found.png", lambda file: figure.savefig(file, dpi=110))


@app.command()
def calibrate(
    platform: Annotated[str | None, typer.Option(help="cpu, cuda, rocm or tpu.")] = None,
) -> None:
    """Measure the planner's constants on this device, in about two minutes, and keep them.

    Later processes on this device with these versions plan by them.
    """
    from jaxconv import calibration  # with scipy's optimizer

    with _one_line_errors("calibrate"):
        number = len(list(calibration.problems("cpu")))
        with _progress("calibrating", number) as report:
            found = calibration.calibrate(platform, report=report)
        print(found)
        print(f"wrote {store.path(platform or jax.default_backend())}")


@app.command()
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer cases: some four minutes.")] = False,
    platform: Annotated[str | None, typer.Option(help="cpu, cuda, rocm or tpu.")] = None,
    only: Annotated[str, typer.Option(help="Only parts whose name contains this.")] = "",
    output: Output = Path("out"),
) -> None:
    """Time jaxconv beside JAX, SciPy, OpenCV and PyTorch, if installed: a quarter of an hour.

    Prints each case's time and the fastest peer's; writes everything (benchmarks.json, after each case
    what there is so far) and a picture of each method's time against the kernel's size (methods.png).
    """
    from jaxconv.benchmarking import running  # peers take long to import

    with _one_line_errors("bench"):
        chosen = running.parts(only)
        if not chosen:
            names = ", ".join(part for part, *_ in running.PARTS)
            raise checks.value_error("bench", "only", f"be in the name of a part: {names}", repr(only))
        total = sum(len(running.quickly(cases) if quick else cases) for _, cases, _ in chosen)
        results = {}
        print(f"{'':52}{'jaxconv':>12}{'peer':>12}{'ratio':>8}")
        with _progress("timing", total) as report:
            for done, (part, name, results) in enumerate(running.run(platform, quick, only), 1):
                row = results[part][name]
                print(_benched(f"{part}: {name}", row))
                report(done, row["seconds"].get(rows.OURS, 0.0))
                text = json.dumps(results, indent=1)
                files.write(
                    output / "benchmarks.json", lambda file, text=text: file.write(text.encode())
                )
        print(f"wrote {output / 'benchmarks.json'}")
        if "one channel, forward" in results:
            figure = plotting.methods(results["one channel, forward"])
            _write(output / "methods.png", lambda file: figure.savefig(file, dpi=110))


def _benched(title: str, row: dict[str, Any]) -> str:
    """Return a line of the table: our time, the fastest peer's, their ratio."""
    seconds, peers = row["seconds"], rows.peers(row).values() if rows.OURS in row["seconds"] else ()
    ours = seconds.get(rows.OURS, min(seconds.values()))
    peer = f"{min(peers) * 1e3:>9.3f} ms{min(peers) / ours:>8.2f}" if peers else ""
    return f"{title:52}{ours * 1e3:>9.3f} ms{peer}"


def _compare(key, draw, noise: float, optimum, filters: dict[str, jax.Array]) -> None:
    """Print each filter's similarity to the optimum and its detection rates on fresh scenes."""
    levels, stack = (noise, 2 * noise), jnp.stack(list(filters.values()))
    rates = [jax.jit(partial(learning.evaluate, draw=draw(noise=n)))(key, filters=stack) for n in levels]
    print(f"{'':20}{'cosine with':>12}" + "".join(f"{f'noise {n:g}':>22}" for n in levels))
    print(f"{'':20}{'the optimum':>12}" + f"{'detected':>11}{'first':>11}" * 2)
    for number, (name, kernel) in enumerate(filters.items()):
        columns = [x[number] for rate in rates for x in (rate.detected, rate.ranked_first)]
        cosine = learning.cosine_similarity(kernel, optimum)
        print(f"{name:20}{cosine:>12.4f}" + "".join(f"{x:>11.3f}" for x in columns))
    print("detected: share of 1000 new scenes above the threshold that 1 % exceed falsely")
    print("first: share of them whose highest response is at the target")


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
    with _progress("matching", len(bank)) as report:
        for done, (r, kernel) in enumerate(bank.items(), 1):
            maps.append(match(picture, kernel))
            report(done, r)
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


def _load(path: Path) -> jax.Array:
    """Load a picture as brightness, floats."""
    from PIL import Image

    with Image.open(path) as picture:
        grey = picture.mode in ("L", "I", "F") or picture.mode.startswith("I;16")
        pixels = np.asarray(picture if grey else picture.convert("RGB"), np.float32)
    return jnp.asarray(pixels if grey else pixels.mean(-1))


def _write(path: Path, save) -> None:
    """Write a file and say so."""
    print(f"wrote {files.write(path, save)}")


@contextmanager
def _progress(what: str, total: int) -> Iterator[Any]:
    """Show a bar on standard error, if that is a terminal; yields report(done, value)."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, value: bar.update(task, completed=done, description=f"{what} ({value:.3g})")


@contextmanager
def _one_line_errors(command: str) -> Iterator[None]:
    """Turn a user's mistake into one line and exit status 2."""
    try:
        yield
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        text = " ".join(str(error).split())
        prefix = "" if text.startswith(f"{command}:") else f"{command}: "
        print(f"jaxconv {prefix}{text}", file=sys.stderr)
        raise typer.Exit(2) from None


def main() -> None:
    """Run a command; end at once on Ctrl-C, without waiting for what XLA's threads are at."""
    try:
        app()
    except SystemExit as end:
        if end.code != CTRL_C:
            raise
        sys.stdout.flush()
        os._exit(CTRL_C)  # an interpreter that is taken down under running threads may crash


if __name__ == "__main__":
    main()
