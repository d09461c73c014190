"""Where is the letter e on a scanned page? Five of them, averaged, find the others.

You will see the letters found on scikit-image's scan of a page, and other letters taken for an e. The
reference list was made by eye. At a height of ten pixels an a is similar to an e.
Try next: a threshold of 0.8, which takes no other letter for an e but misses eight.

    python examples/find_letter.py --save out
"""

import jax.numpy as jnp
import numpy as np
from judging import judge, save
from matplotlib.figure import Figure
from skimage import data

from jaxconv import matching

LETTERS = [
    (55, 14), (57, 101), (57, 114), (57, 153), (58, 204), (58, 269), (56, 372),
    (75, 108), (75, 122), (75, 170), (76, 209), (76, 243), (75, 311), (73, 368),
    (93, 136), (93, 161), (94, 205), (91, 356), (90, 368),
    (106, 21), (109, 66), (110, 104), (112, 197), (112, 242), (112, 269), (112, 290), (107, 372),
    (128, 106), (129, 153),
]  # fmt: skip
MARKED = LETTERS[1:6]


def find(page, threshold=0.75):
    """Return the places of the letter, and the map of scores."""
    letter = jnp.stack([page[r - 6 : r + 6, c - 4 : c + 5] for r, c in MARKED]).mean(0)
    score = matching.normalized_correlation(page, letter, mode="same")
    peaks = matching.find_peaks(score, threshold=threshold, min_distance=3)
    return np.asarray(peaks.places[: int(peaks.count)]), score


def main():
    page = jnp.asarray(data.page(), jnp.float32)
    places, score = find(page)
    judge("letters e", places, LETTERS, reach=2, templates=MARKED)
    figure = Figure(figsize=(12, 9), layout="constrained")
    top, bottom = figure.subplots(2, 1)
    top.imshow(page, cmap="gray")
    top.set_title("found (ring), reference by eye (dot)")
    top.plot(*places.T[::-1], "o", mfc="none", color="tab:orange", ms=13)
    top.plot(*np.array(LETTERS).T[::-1], ".", color="tab:blue", ms=5)
    heat = bottom.imshow(score, cmap="viridis")
    bottom.set_title("normalized correlation with the mean of five")
    figure.colorbar(heat, ax=(top, bottom), shrink=0.5, label="score")
    for axes in (top, bottom):
        axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
    save(figure, "find_letter")


if __name__ == "__main__":
    main()
