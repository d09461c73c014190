"""What is a convolution? Reflect one signal, shift it over the other, multiply, sum.

You will see a sawtooth slide over a square wave and the area of their product at each shift, a 3x3
filter laid on a 5x5 image, and a cross filter and a circle filter each finding their own shape.
Try next: another shape for g, or a filter of your own.

    python examples/01_first_convolution.py --save out
"""

import argparse
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from jaxconv import correlate, reference, signals

STEP = 0.1
SHIFTS = (-10.0, -7.5, -5.0, 0.0, 5.0, 7.5, 10.0, 12.0)


def slide():
    """Return the times, both signals, their convolution and its value at each shift."""
    t = signals.midpoints(-15, 15, STEP)
    f, g = signals.square_wave(t), signals.sawtooth(t)
    area = reference.convolve(f, g) * STEP
    return t, f, g, area, {s: round(float(area[t.size - 1 + round(s / STEP)]), 6) for s in SHIFTS}


def lay_by_hand():
    """Lay a 3x3 filter on a 5x5 image at every place where it fits."""
    image = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    return correlate(image, [[1, 0, 1], [0, 1, 0], [1, 0, 1]], "valid")


def find_hot_spots():
    """Look for two shapes in one image; return the image, the heat maps and their peaks."""
    image = np.zeros((35, 120))
    for number, kind in enumerate(("square", "cross", "circle", "triangle")):
        image[7:28, 6 + 29 * number :][:, :21] = signals.SHAPES[kind](21)
    heat = {
        k: correlate(image, signals.SHAPES[k](21, zero_mean=True), "same") for k in ("cross", "circle")
    }
    return (
        image,
        heat,
        {k: tuple(int(i) for i in jnp.unravel_index(h.argmax(), h.shape)) for k, h in heat.items()},
    )


def draw(t, f, g, area, image, heat) -> Figure:
    """Draw three shifts, the whole convolution, and the two heat maps."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    grid = figure.add_gridspec(2, 6)
    for column, shift in enumerate((-5.0, 0.0, 5.0)):
        laid = reference.overlap(f, g, t.size - 1 + round(shift / STEP))
        axes = figure.add_subplot(grid[0, 2 * column : 2 * column + 2], xlabel="time", ylim=(-0.2, 5.8))
        axes.plot(t, f, label="f")
        axes.plot(t, laid.moved, label="g, reflected and shifted")
        axes.fill_between(t, laid.product, alpha=0.3, color="tab:green", label="their product")
        axes.set_title(f"shift {shift:g}: area {laid.total * STEP:.0f}")
        axes.legend(fontsize=8, loc="upper left")
    axes = figure.add_subplot(grid[1, :3], xlabel="shift", ylabel="area", xlim=(-15, 15))
    axes.plot((np.arange(area.size) - t.size + 1) * STEP, area)
    axes.set_title("the convolution: the area at every shift")
    pictures = {"an image": image} | {f"the {kind} filter's response": heat[kind] for kind in heat}
    stack = grid[1, 3:].subgridspec(3, 1).subplots()
    for axes, (title, picture) in zip(stack, pictures.items(), strict=True):
        axes.imshow(picture, cmap="gray" if picture is image else "viridis")
        axes.set_axis_off()
        axes.set_title(title, fontsize=9)
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--save", type=Path, help="folder for the figure")
    folder = parser.parse_args().save
    *waves, values = slide()
    image, heat, peaks = find_hot_spots()
    print("area at each shift:", values)
    print("3x3 filter on the 5x5 image:", lay_by_hand().tolist())
    print("hot spots:", peaks)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        draw(*waves, image, heat).savefig(folder / "01_first_convolution.png", dpi=110)
