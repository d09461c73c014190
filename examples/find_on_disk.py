"""One coin in an image larger than memory: 32,768 x 32,768 pixels on disk, searched by tiles.

You will see thousands of frames cut out of scikit-image's photographs and laid side by side, darker and
lighter, with noise. The photograph of coins is one in twenty; its largest coin is searched for. The
reference list is where those photographs were put.
Try next: stop the program while it searches, and look at how much memory it held; or search for another
coin, and see which others look like it.

    python examples/find_on_disk.py --save out
"""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from judging import judge, save
from matplotlib.figure import Figure
from skimage import data

from jaxconv import tiled
from jaxconv.tiled.overview import overview

SIDE = 32_768
FRAME = (300, 384)
COIN = (155, 314, 64, 64)  # row, column, rows and columns in the photograph of coins
SHARE, NOISE = 0.05, 15.0  # of frames that show the coins; grey levels
THRESHOLD = 0.7  # other coins score up to 0.65, this one 0.8 and more
OTHERS = ("camera", "moon", "brick", "grass", "gravel")


def build(path, side, seed=0):
    """Write the image, row of frames by row; return the middles of the coin."""
    random = np.random.default_rng(seed)
    photographs = [getattr(data, name)() for name in OTHERS]
    image = np.lib.format.open_memmap(path, "w+", np.uint8, (side, side))
    middles = []
    for top in range(0, side, FRAME[0]):
        rows = np.zeros((FRAME[0], side), np.float32)
        for left in range(0, side, FRAME[1]):
            shows_coins = random.random() < SHARE
            photograph = data.coins() if shows_coins else photographs[random.integers(len(OTHERS))]
            first, second = (
                random.integers(n - m + 1) for n, m in zip(photograph.shape, FRAME, strict=True)
            )
            frame = photograph[first : first + FRAME[0], second : second + FRAME[1]]
            width = min(FRAME[1], side - left)
            rows[:, left : left + width] = frame[:, :width] * random.uniform(0.4, 1.0)
            middle = top + COIN[0] - first + COIN[2] // 2, left + COIN[1] - second + COIN[3] // 2
            if shows_coins and all(m < side - 32 for m in middle):
                middles.append(middle)
        rows += NOISE * random.standard_normal(rows.shape, np.float32)
        height = min(FRAME[0], side - top)
        image[top : top + height] = np.clip(rows, 0, 255)[:height]
    image.flush()
    return np.array(middles)


def main():
    row, column, rows, columns = COIN
    coin = data.coins()[row : row + rows, column : column + columns]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photographs.npy"
        middles = build(path, SIDE)
        before = time.perf_counter()
        found = tiled.find(path, coin, threshold=THRESHOLD, min_distance=20, mode="same")
        seconds = time.perf_counter() - before
        small = overview(tiled.targets.opened(path))
    judge("coins", found.places, middles, reach=2)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{SIDE:,} x {SIDE:,} pixels in {seconds:.0f} s; the process held {held:.1f} GB at most")
    save(draw(small, found, coin), "find_on_disk")


def draw(small, found, coin):
    """Draw the image in small with what was found, and the coin."""
    figure = Figure(figsize=(11, 9), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(6, 1))
    side = len(small.means) * small.block
    left.imshow(small.means, cmap="gray", extent=(0, side, side, 0))
    left.plot(*found.places.T[::-1], "o", mec="tab:orange", mfc="none", ms=9, mew=1.5)
    left.set(xlabel="column (pixels)", ylabel="row (pixels)")
    left.set_title(f"{len(found.places)} found, in an image of {SIDE:,} x {SIDE:,} pixels")
    right.imshow(coin, cmap="gray")
    right.set(title="the coin", xticks=[], yticks=[])
    return figure


if __name__ == "__main__":
    main()
