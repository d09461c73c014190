"""Where are the coins, and how large is each? A bank of rings on the edges of a photograph.

You will see the 24 coins of scikit-image's photograph, each with the ring that fits best. The reference
list was fitted to the outlines of the coins and checked by eye.
Try next: masks of 1.2 times the radius, and see what else is found.

    python examples/find_coins.py --save out
"""

import jax.numpy as jnp
import numpy as np
from judging import judge, save
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from skimage import data

from jaxconv import kernels, matching, signals

SIZE = 79
RADII = np.arange(17.0, 33.0)
COINS = [  # row, column, radius
    (43.5, 334.7, 28.8), (50.8, 155.3, 22.9), (51.1, 215.2, 22.7), (52.4, 276.1, 19.7),
    (54.4, 44.2, 20.8), (56.1, 100.2, 18.7), (118.8, 270.6, 24.7), (124.3, 44.7, 20.3),
    (123.7, 205.3, 19.6), (124.5, 336.2, 19.3), (125.6, 102.3, 18.8), (127.2, 153.5, 18.5),
    (186.7, 347.0, 31.6), (193.1, 212.4, 23.5), (193.6, 273.5, 21.8), (195.6, 101.7, 21.6),
    (197.4, 43.7, 18.9), (197.7, 154.1, 19.1), (259.8, 45.9, 28.0), (261.2, 172.3, 27.4),
    (263.2, 300.6, 25.2), (263.3, 244.0, 23.7), (265.5, 113.9, 21.2), (267.9, 358.2, 21.7),
]  # fmt: skip


def find(image):
    """Return the places, radii and scores of coins, and the map of scores."""
    rings = jnp.stack([signals.circle(SIZE, radius=r, width=2.0) for r in RADII])
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    outside = np.hypot(y, x)[None] > 1.3 * RADII[:, None, None]  # compare only the ring and its inside
    edges = jnp.pad(kernels.edges(image), SIZE // 2)
    best = matching.best_match(edges, rings, template_mask=outside)
    peaks = matching.find_peaks(best.score, threshold=0.3, min_distance=15)
    places = np.asarray(peaks.places[: int(peaks.count)])
    return places, RADII[np.asarray(best.which)[tuple(places.T)]], best.score


def main():
    image = data.coins()
    places, radii, score = find(jnp.asarray(image, jnp.float32))
    judge("coins", places, np.array(COINS)[:, :2], reach=6)
    nearest = np.hypot(*(places[:, None] - np.array(COINS)[None, :, :2]).transpose(2, 0, 1)).argmin(1)
    error = np.abs(radii - np.array(COINS)[nearest, 2])
    print(f"error of the radius: {np.median(error):.1f} pixels (median), {error.max():.1f} at most")
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(image, cmap="gray")
    left.set_title("coins found, and their radii in pixels")
    for (row, column), radius in zip(places, radii, strict=True):
        left.add_patch(Circle((column, row), radius, fill=False, color="tab:orange"))
        left.text(column, row, f"{radius:.0f}", color="white", ha="center", va="center")
    heat = right.imshow(score, cmap="viridis")
    right.set_title("normalized correlation with the best ring")
    figure.colorbar(heat, ax=right, shrink=0.8)
    for axes in (left, right):
        axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
    save(figure, "find_coins")


if __name__ == "__main__":
    main()
