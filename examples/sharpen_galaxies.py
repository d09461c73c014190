"""How does a point look in this picture? The faintest stars tell, and the galaxies become sharper.

You will see galaxies of the Hubble ultra deep field before and after Richardson and Lucy's iterations.
The kernel of each colour is measured in the field: the median of the smallest of its lights, which are
points as far as the telescope can tell. (The bright stars are saturated, so their middle is lost, and as
kernels they would be too wide.) Lights that took no part in the measurement confirm it: they come
together into fewer pixels, and none of their light is lost.
Try next: total_variation=0, and the noise of the sky becomes stars.

    python examples/sharpen_galaxies.py --save out
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from judging import save
from matplotlib.figure import Figure
from skimage import data

from jaxconv import matching
from jaxconv.deconvolution import richardson_lucy

STRETCH = (
    80.0  # the picture is taken for a logarithm of the light, by this scale; its true one is unknown
)
HALF = 4  # pixels
MEASURED, HELD_OUT = 12, 30  # lights
SHOWN = (slice(550, 690), slice(720, 880)), (slice(50, 190), slice(210, 370))


def linear(picture):
    return STRETCH * jnp.expm1(picture / STRETCH)


def stretched(light):
    return STRETCH * jnp.log1p(light / STRETCH)


def surroundings(field, places):
    """Return squares of the field, (places, n, n, colours)."""
    near = np.arange(-HALF, HALF + 1)
    return field[places[:, 0, None, None] + near[:, None], places[:, 1, None, None] + near]


def lights(field, picture):
    """Return the places of all lights of medium brightness, smallest first."""
    peaks = matching.find_peaks(picture.mean(-1), threshold=90, min_distance=4, max_peaks=4000)
    places = np.asarray(peaks.places[: int(peaks.count)])
    inside = ((places >= 2 * HALF) & (places < np.array(field.shape[:2]) - 2 * HALF)).all(1)
    places = places[inside & (np.asarray(peaks.scores[: int(peaks.count)]) < 230)]  # not saturated
    near = np.arange(-HALF, HALF + 1)
    weight = jnp.maximum(surroundings(field, places), 0).sum(-1)
    weight /= weight.sum((1, 2), keepdims=True)
    y, x = jnp.einsum("lyx,y->l", weight, near), jnp.einsum("lyx,x->l", weight, near)
    size = jnp.einsum("lyx,yx->l", weight, near[:, None] ** 2 + near[None] ** 2) - y**2 - x**2
    return places[np.argsort(size)]


def together(field, places):
    """Return the part of the light of each place that its brightest pixel has, and all its light."""
    around = surroundings(field, places).sum(-1)
    return around.max((1, 2)) / around.sum((1, 2)), around.sum((1, 2))


@partial(jax.vmap, in_axes=(2, 2, 0), out_axes=2)
def sharpen(image, kernel, sky):
    """Return one colour without the blur and the sky."""
    return richardson_lucy(image, kernel, 20, background=sky, total_variation=0.003, acceleration=True)


def main():
    picture = jnp.asarray(data.hubble_deep_field(), jnp.float32)
    sky = jnp.median(linear(picture), (0, 1))
    field = linear(picture) - sky[None, None]
    places = lights(field, picture)
    points = jnp.maximum(surroundings(field, places[:MEASURED]), 0)
    kernel = jnp.median(points / points.sum((1, 2), keepdims=True), 0)
    sharp = sharpen(linear(picture), kernel / kernel.sum((0, 1), keepdims=True), sky)
    others = places[MEASURED : MEASURED + HELD_OUT]
    (before, light), (after, light_after) = together(field, others), together(sharp, others)
    print(
        f"of {HELD_OUT} other points, the brightest pixel had {jnp.median(before):.0%} of the light, "
        f"and has {jnp.median(after):.0%}; of the light {jnp.median(light_after / light):.0%} is there"
    )
    figure = Figure(figsize=(13, 12), layout="constrained")
    for row, window in zip(figure.subplots(2, 2), SHOWN, strict=True):
        for axes, shown in zip(row, (picture, stretched(sharp + sky[None, None])), strict=True):
            rows, columns = window
            axes.imshow(
                np.clip(shown[window] / 255, 0, 1),
                extent=(columns.start, columns.stop, rows.stop, rows.start),
            )
            axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
        row[0].set_title("the picture")
        row[1].set_title("sharpened, and stretched as before")
    save(figure, "sharpen_galaxies")


if __name__ == "__main__":
    main()
