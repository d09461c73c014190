"""Stages of a filter while it is learned: it, its spectrum and its responses, in three axes."""

from typing import Any

import numpy as np

from jaxconv.learning import responses
from jaxconv.plotting.panels import COLOURS, HEAT, SIGNED, magnitude, ring, spectrum
from jaxconv.signals import Scene

LABELS = {  # by axes of the filter
    1: (
        "filter\n(samples)",
        "its spectrum\n(cycles per sample)",
        "response, the target marked\n(samples)",
    ),
    2: (
        "filter",
        "its spectrum\n(cycles per pixel)",
        "response, the target ringed\n(pixels; grey: none)",
    ),
}


def draw(axes: Any, kernel: Any, scene: Scene, limit: float) -> list[Any]:
    """Draw a stage; the weights reach from `-limit` to `limit`. Return what `redraw` changes."""
    drawn = (_line if kernel.ndim == 1 else _picture)(axes, kernel, scene, limit)
    ticks = {"xlabel": "", "ylabel": "", "xticks": [-0.4, 0, 0.4]}
    axes[1].set(**ticks, **({} if kernel.ndim == 1 else {"yticks": [-0.4, 0, 0.4]}))
    return drawn


def redraw(drawn: list[Any], kernel: Any, scene: Scene) -> None:
    """Draw another stage in place of one."""
    response = _response(kernel, scene)
    for artist, values in zip(drawn, (kernel, magnitude(kernel), response), strict=True):
        if kernel.ndim == 1:
            artist.set_ydata(values)
        else:
            artist.set_data(values)
    if kernel.ndim == 1:
        drawn[2].axes.set_ylim(response.min() - 0.5, response.max() + 0.5)
    else:
        drawn[2].set_clim(response.min(), response.max())


def _line(axes: Any, kernel: Any, scene: Scene, limit: float) -> list[Any]:
    half, samples = len(kernel) // 2, len(scene.signal)
    axes[0].axhline(0, color="0.7", lw=0.8)
    weights = axes[0].plot(np.arange(len(kernel)) - half, kernel, color=COLOURS[0])
    axes[0].set(ylim=(-1.05 * limit, 1.05 * limit))
    power = spectrum(kernel, ax=axes[1])
    response = _response(kernel, scene)
    places = np.arange(len(response)) + half
    heat = axes[2].plot(places, response, color=COLOURS[0], lw=0.8)
    axes[2].axvline(float(scene.places[0, 0]), color=COLOURS[1], ls="--", lw=1, zorder=0)
    axes[2].set(xlim=(-0.5, samples - 0.5))
    return [*weights, power, *heat]


def _picture(axes: Any, kernel: Any, scene: Scene, limit: float) -> list[Any]:
    weights = axes[0].imshow(kernel, cmap=SIGNED, vmin=-limit, vmax=limit)
    axes[0].set(xticks=[], yticks=[])
    power = spectrum(kernel, ax=axes[1])
    half, (rows, columns) = np.array(kernel.shape) // 2, scene.signal.shape
    extent = (half[1] - 0.5, columns - half[1] - 0.5, rows - half[0] - 0.5, half[0] - 0.5)
    heat = axes[2].imshow(_response(kernel, scene), cmap=HEAT, extent=extent)
    axes[2].set_facecolor("0.8")  # where the filter would leave the scene there is no response
    axes[2].set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    ring(scene.places[0], 0.62 * kernel.shape[0], ax=axes[2])
    return [weights, power, heat]


def _response(kernel: Any, scene: Scene) -> np.ndarray:
    """Return the responses of a filter in one scene, scaled to mean 0 and deviation 1."""
    heat = np.asarray(responses(kernel, scene.signal[None])[0])
    return (heat - heat.mean()) / (heat.std() or 1.0)
