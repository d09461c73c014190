"""Animations: drawing and saving them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import jaxconv.plotting.stages as stages
from jaxconv import checks, files
from jaxconv.learning import Fit
from jaxconv.signals import Scene

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation

SUFFIXES = (".gif", ".mp4", ".html")
FRAMES = 24


def evolution(fit: Fit, scene: Scene, target: str = "target") -> "FuncAnimation":
    """Draw a filter, its spectrum and its heat map as they develop during learning.

    Args:
        fit: a fit by `learning.fit` that watched {"filter": ..., "similarity": ...}.
        scene: a scene that was not used for learning; its first place is the target.
        target: name of the target.

    Shapes:
        filter (m1, m2), scene.signal (rows, columns); or (m,) and (n,).

    Returns:
        A matplotlib animation, with more frames at the beginning than towards the end.

    Example:
        see `jaxconv learn`, which draws it.
    """
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

    kernels, steps = np.asarray(fit.watched["filter"]), np.asarray(fit.steps)
    similarity = np.asarray(fit.watched["similarity"])
    epochs = np.geomspace(1, len(steps), FRAMES).round().astype(int) - 1  # most changes happen early
    chosen = np.unique(epochs)
    figure = Figure(figsize=(9.6, 3.6), layout="constrained", dpi=64)
    axes = figure.subplots(1, 3)
    drawn = stages.draw(axes, kernels[-1], scene, np.abs(kernels).max())
    marked = "marked" if kernels[-1].ndim == 1 else "ringed"
    for ax, title in zip(axes, ("filter", "its spectrum", f"response, the {target} {marked}")):
        ax.set_title(title)
    heading = figure.suptitle(" ")

    def draw(frame: int) -> list[Any]:
        number = chosen[frame]
        heading.set_text(f"after {steps[number]:>4} steps, similarity {similarity[number]:.3f}")
        stages.redraw(drawn, kernels[number], scene)
        return drawn

    return FuncAnimation(figure, draw, frames=len(chosen), interval=250, repeat_delay=2000)


def save(animation: "FuncAnimation", path: Path | str, *, dpi: int = 64) -> Path:
    """Write an animation, completely or not at all, in the format given by the file name.

    Args:
        animation: the animation.
        path: a name that ends with .gif, .mp4 (needs ffmpeg) or .html (self-contained).
        dpi: dots per inch.

    Returns:
        The path.

    Raises:
        ValueError: if the name has another ending.
        RuntimeError: if ffmpeg is missing for .mp4.

    Example:
        see `jaxconv learn`, which writes a GIF.
    """
    from matplotlib.animation import writers

    path = Path(path)
    checks.one_of("save", "path", path.suffix, SUFFIXES)
    if path.suffix == ".html":
        text = animation.to_jshtml(embed_frames=True)
        return files.write(path, files.text(text))
    writer = "pillow" if path.suffix == ".gif" else "ffmpeg"
    if not writers.is_available(writer):
        raise RuntimeError(
            f"save: {path.suffix} needs {writer}, which is not installed; use .gif or .html"
        )
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        animation.save(part, writer=writer, dpi=dpi)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
