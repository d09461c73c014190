"""Where does the filter stand, and how many outputs are there? Padding and stride, by numbers.

You will see one image three times: without padding, with one zero around it, and so with a stride of 2;
the first two places of the filter, and the outputs that they give.
Try next: STRIDE = 3, and count the outputs before you look.

    python examples/padding_and_stride.py --save out
"""

import jax.numpy as jnp
import numpy as np
from judging import save
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from jaxconv import boundaries, correlate

IMAGE = np.array([
    [0, 0, 1, 1, 0, 0],
    [0, 0, 1, 1, 0, 0],
    [1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1],
    [0, 0, 1, 1, 0, 0],
    [0, 0, 1, 1, 0, 0],
])  # fmt: skip
FILTER = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
STRIDE = 2
CASES = (("valid", 0, 1), ("same", 1, 1), ("same", 1, STRIDE))  # mode, padding, stride
FIRST, SECOND, PADDED = "#0072B2", "#D55E00", "0.9"


def main():
    figure = Figure(figsize=(15, 3.3), layout="constrained")
    left, *panels = figure.subplots(1, 1 + len(CASES), width_ratios=(4, *[17] * len(CASES)))
    cells(left, FILTER, 0.5, 2.5, np.full(FILTER.shape, "white"))
    left.set(title="filter\n", xlim=(0, 4), ylim=(8.2, -0.2), aspect="equal")
    left.set_axis_off()
    for (mode, padding, stride), axes in zip(CASES, panels, strict=True):
        out = correlate(IMAGE, FILTER, mode, stride=stride)
        n, m = len(IMAGE), len(FILTER)
        told = f"({n} + 2 · {padding} − {m}) // {stride} + 1 = {len(out)}"
        print(f"mode {mode}, stride {stride}: {told} rows and columns")
        axes.set_title(f'mode "{mode}", padding {padding}, stride {stride}\n{told}')
        draw(axes, padding, stride, np.asarray(out))
    save(figure, "padding_and_stride")


def draw(axes, padding, stride, out):
    """Draw the padded image with the first two places of the filter, and the outputs beside it."""
    longer = np.asarray(boundaries.extend(jnp.asarray(IMAGE), [(padding, padding)] * 2, "fill"))
    inside = np.zeros(longer.shape, bool)
    inside[padding : padding + len(IMAGE), padding : padding + len(IMAGE)] = True
    top = left = (8 - len(longer)) / 2
    cells(axes, longer, left, top, np.where(inside, "white", PADDED))
    axes.text(8.8, 4, "→", ha="center", va="center", fontsize=16)
    right = 9.6
    cells(axes, out, right, 4 - len(out) / 2, np.full(out.shape, "white"))
    for column, colour in enumerate((FIRST, SECOND)):
        style = {"fill": False, "ec": colour, "lw": 3 - column, "ls": ("-", "--")[column]}
        axes.add_patch(Rectangle((left + column * stride, top), len(FILTER), len(FILTER), **style))
        axes.add_patch(Rectangle((right + column, 4 - len(out) / 2), 1, 1, **style))
    axes.set(xlim=(-0.7, 16.3), ylim=(8.2, -0.2), aspect="equal")
    axes.set_axis_off()


def cells(axes, numbers, left, top, colours):
    """Draw numbers in cells."""
    for (row, column), number in np.ndenumerate(numbers):
        corner = left + column, top + row
        axes.add_patch(Rectangle(corner, 1, 1, fc=colours[row, column], ec="0.6", lw=0.8))
        axes.text(corner[0] + 0.5, corner[1] + 0.5, f"{number:g}", ha="center", va="center")


if __name__ == "__main__":
    main()
