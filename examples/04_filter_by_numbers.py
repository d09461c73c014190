"""The same in two dimensions: a 3 x 3 filter on an image, at every place where it fits.

You will see the numbers at one place, nine products whose sum is 4, and the sums at all nine places.
Try next: PLACE = (0, 1). Work out the sum before you look.

    python examples/04_filter_by_numbers.py --save out
"""

import numpy as np
from judging import save
from matplotlib.figure import Figure

from jaxconv import correlate, plotting

IMAGE = np.array([
    [1, 1, 1, 0, 0],
    [0, 1, 1, 1, 0],
    [0, 0, 1, 1, 1],
    [0, 0, 1, 1, 0],
    [0, 1, 1, 0, 0],
])  # fmt: skip
FILTER = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
PLACE = (0, 0)


def main():
    sums = correlate(IMAGE, FILTER, "valid")
    print(f"sum at {PLACE}: {sums[PLACE]}")
    print("sums at all places:", sums.tolist())
    figure = Figure(figsize=(12, 3.9), layout="constrained")
    plotting.patch(IMAGE, FILTER, PLACE, ax=figure.subplots())
    save(figure, "04_filter_by_numbers")


if __name__ == "__main__":
    main()
