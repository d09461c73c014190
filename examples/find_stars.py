"""Which of these lights are stars? Those with the spikes of the point-spread function.

You will see the Hubble ultra deep field, which shows almost only galaxies. The image of a star is the
point-spread function of the telescope, with its spikes; the brightest star is the template. Galaxies are
as bright as stars, so the image is whitened first with its own spectrum, which leaves the spikes. The
reference list is the two stars with visible spikes.
Try next: match without whitening, and galaxies score as high as the star.

    python examples/find_stars.py --save out
"""

import jax.numpy as jnp
import numpy as np
from judging import judge, save
from matplotlib.figure import Figure
from skimage import data

from jaxconv import detection, matching

STARS = [(577, 754), (166, 253)]
HALF = 10


def find(field, whiten=True):
    """Return the places of stars, their scores, and the map of scores."""
    light = jnp.log(field.mean(-1) + 3)  # logarithm, so that the brightest objects do not dominate
    light = light - light.mean()
    if whiten:
        light = detection.whiten(light, detection.noise_spectrum(light, (64, 64)))
    row, column = STARS[0]
    star = light[row - HALF : row + HALF + 1, column - HALF : column + HALF + 1]
    score = matching.normalized_correlation(light, star, mode="same")
    peaks = matching.find_peaks(score, threshold=0.42 if whiten else 0.9, min_distance=10)
    count = int(peaks.count)
    return np.asarray(peaks.places[:count]), np.asarray(peaks.scores[:count]), score


def main():
    picture = data.hubble_deep_field()
    field = jnp.asarray(picture, jnp.float32)
    plain, *_ = find(field, whiten=False)
    judge("stars, not whitened, at 0.9", plain, STARS, reach=3, templates=STARS[:1])
    places, scores, score = find(field)
    judge("stars", places, STARS, reach=3, templates=STARS[:1])
    print("scores: " + ", ".join(f"{s:.2f}" for s in scores) + " (the first is the template)")
    figure = Figure(figsize=(13, 6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(picture)
    left.set_title("the field, with rings around the stars found")
    left.plot(*places.T[::-1], "o", mfc="none", color="tab:orange", ms=22, mew=2)
    blocks = (
        np.asarray(score[:870]).reshape(87, 10, 100, 10).max((1, 3))
    )  # otherwise a peak is one pixel
    heat = right.imshow(blocks, cmap="viridis", vmax=0.5, extent=(0, 1000, 870, 0))
    right.set_title("correlation with the star, whitened; the best in 10 × 10 pixels")
    figure.colorbar(heat, ax=right, shrink=0.8, extend="max")
    for axes in (left, right):
        axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
    save(figure, "find_stars")


if __name__ == "__main__":
    main()
