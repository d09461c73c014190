"""The response of a cross filter is largest at the cross.

You will see an image of a cross, a square and a triangle, and the response of a filter that looks like
the cross: its maximum is at the cross, clearly above the second peak.
Try next: leave out `zero_mean=True`, and see the effect of brightness.

    python examples/05_cross.py --save out
"""

import jax.numpy as jnp
from judging import save

from jaxconv import correlate, matching, plotting, signals

KINDS = ("square", "cross", "triangle")
PLACES = ((17, 18), (17, 52), (17, 86))  # row and column of each


def image():
    """Draw the shapes side by side."""
    canvas = jnp.zeros((35, 105))
    for (row, column), kind in zip(PLACES, KINDS, strict=True):
        canvas = canvas.at[row - 10 : row + 11, column - 10 : column + 11].set(signals.SHAPES[kind](21))
    return canvas


def search(kind):
    """Return the image, the response of a shape's filter, and its two highest peaks."""
    picture = image()
    heat = correlate(picture, signals.SHAPES[kind](21, zero_mean=True), "same")
    return picture, heat, matching.find_peaks(heat, min_distance=12, max_peaks=2)


def main():
    picture, heat, peaks = search("cross")
    best, other = peaks.scores
    print(f"hottest spot: {tuple(peaks.places[0].tolist())}, the cross is at {PLACES[1]}")
    print(f"response there {best:.1f}, at the next best {other:.1f}")
    save(plotting.found(picture, heat, peaks.places[:1], "a cross"), "05_cross")


if __name__ == "__main__":
    main()
