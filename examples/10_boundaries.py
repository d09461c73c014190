"""What lies beyond the edge? Five answers, side by side.

You will see one photograph extended beyond its edges in five ways, and blurred with each; and what the
blur is at the corner, where most of what it looks at is not there.
Try next: a kernel of 101 x 101, and watch how far the choice reaches.

    python examples/10_boundaries.py --save out
"""

import jax.numpy as jnp
from judging import save
from matplotlib.figure import Figure
from skimage import data

from jaxconv import boundaries, convolve, kernels

NAMES = ("fill", "edge", "reflect", "symmetric", "wrap")
BEYOND, SIDE = 60, 41


def blurred(image):
    """Return the blur of the image by a box, for each boundary."""
    box = kernels.box((SIDE, SIDE))
    return {name: convolve(image, box, "same", boundary=name) for name in NAMES}


def main():
    image = jnp.asarray(data.camera()[100:260, 100:260], jnp.float32)
    blurs = blurred(image)
    corners = ", ".join(f"{name} {blur[0, 0]:.0f}" for name, blur in blurs.items())
    print(f"the blur at the corner, where the image is {image[0, 0]:.0f}: {corners}")
    inner = [blur[SIDE:-SIDE, SIDE:-SIDE] for blur in blurs.values()]
    apart = max(float(jnp.abs(part - inner[0]).max()) for part in inner)
    print(f"farther than {SIDE} pixels from the edge they differ by {apart:.4f} at most")
    figure = Figure(figsize=(14, 6), layout="constrained")
    for name, (top, bottom) in zip(NAMES, figure.subplots(2, len(NAMES)).T, strict=True):
        extended = boundaries.extend(image, [(BEYOND, BEYOND)] * 2, name)
        reach = (
            -BEYOND - 0.5,
            image.shape[1] + BEYOND - 0.5,
            image.shape[0] + BEYOND - 0.5,
            -BEYOND - 0.5,
        )
        top.imshow(extended, cmap="gray", vmin=0, vmax=255, extent=reach)
        top.plot([0, 159, 159, 0, 0], [0, 0, 159, 159, 0], color="tab:orange", lw=1.5)
        top.set_title(name)
        bottom.imshow(blurs[name], cmap="gray", vmin=0, vmax=255)
        bottom.set_title(f"blurred over {SIDE} pixels")
        bottom.set_xlabel("column (pixels)")
    save(figure, "10_boundaries")


if __name__ == "__main__":
    main()
