"""Which values lie beyond the edge? Five answers, side by side.

You will see one photograph extended beyond its edges in five ways, and blurred with each; and the value
of the blur at the corner, where most samples under the kernel are beyond the edges.
Try next: a kernel of 101 x 101, and see how far from the edge the results differ.

    python examples/10_boundaries.py --save out
"""

import jax.numpy as jnp
from judging import save
from matplotlib.figure import Figure
from skimage import data

from jaxconv import boundaries, convolve, kernels

NAMES = ("fill", "edge", "reflect", "symmetric", "wrap")
BEYOND, SIDE = 60, 41


def blur(image):
    """Return the blur of the image by a box, for each boundary."""
    box = kernels.box((SIDE, SIDE))
    return {name: convolve(image, box, "same", boundary=name) for name in NAMES}


def main():
    image = jnp.asarray(data.camera()[100:260, 100:260], jnp.float32)
    blurs = blur(image)
    corners = ", ".join(f"{name} {result[0, 0]:.0f}" for name, result in blurs.items())
    print(f"the blur at the corner, where the image is {image[0, 0]:.0f}: {corners}")
    inner = [result[SIDE:-SIDE, SIDE:-SIDE] for result in blurs.values()]
    difference = max(float(jnp.abs(part - inner[0]).max()) for part in inner)
    print(f"more than {SIDE} pixels from the edge they differ by {difference:.4f} at most")
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
