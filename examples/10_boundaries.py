"""Which values lie beyond the edge? Five answers, side by side.

You will see four numbers and one photograph extended beyond their edges in five ways, the photograph
blurred with one of them, and how the blurs with the others differ from it; and the value of each blur at
the corner, where most samples under the kernel are beyond the edges.
Try next: a kernel of 101 x 101, and see how far from the edge the results differ.

    python examples/10_boundaries.py --save out
"""

import jax.numpy as jnp
from judging import save
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
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
    reach = SIDE // 2
    inner = [result[reach:-reach, reach:-reach] for result in blurs.values()]
    difference = max(float(jnp.abs(part - inner[0]).max()) for part in inner)
    print(f"more than {reach} pixels from the edge they differ by {difference:.4f} at most")
    save(draw(image, blurs), "10_boundaries")


def draw(image, blurs):
    """Draw numbers and the photograph extended, and how its blurs differ from that by "reflect"."""
    figure = Figure(figsize=(14, 7.4), layout="constrained")
    grid = figure.subplots(3, len(NAMES), height_ratios=(0.3, 1, 1))
    last, reach = None, (-BEYOND - 0.5, 159.5 + BEYOND, 159.5 + BEYOND, -BEYOND - 0.5)
    for name, (numbers, top, bottom) in zip(NAMES, grid.T, strict=True):
        line = boundaries.extend(jnp.arange(1, 5), [(3, 3)], name)
        for place, value in enumerate(line.tolist()):
            inside = 3 <= place < 7
            numbers.add_patch(Rectangle((place, 0), 1, 1, fc="#FFE0B2" if inside else "white", ec="0.5"))
            numbers.text(place + 0.5, 0.5, str(value), ha="center", va="center")
        numbers.set(xlim=(-0.1, 10.1), ylim=(-0.1, 1.1), aspect="equal", title=name)
        numbers.set_axis_off()
        extended = boundaries.extend(image, [(BEYOND, BEYOND)] * 2, name)
        top.imshow(extended, cmap="gray", vmin=0, vmax=255, extent=reach)
        top.plot([0, 159, 159, 0, 0], [0, 0, 159, 159, 0], color="tab:orange", lw=1.5)
        bottom.set(xlabel="column (pixels)")
        if name == "reflect":
            bottom.imshow(blurs[name], cmap="gray", vmin=0, vmax=255)
            bottom.set_title(f"blurred over {SIDE} pixels")
        else:
            difference = blurs[name] - blurs["reflect"]
            last = bottom.imshow(difference, cmap="PuOr", vmin=-60, vmax=60)
            bottom.set_title('less the blur by "reflect"')
    for axes in grid[1:, 0]:
        axes.set(ylabel="row (pixels)")
    figure.colorbar(last, ax=grid[2, :], shrink=0.8, label="grey levels")
    return figure


if __name__ == "__main__":
    main()
