"""Many filters, learned together, layer upon layer: a convolutional network reads digits.

You will see how many of 360 new digits are classified correctly, after a few seconds of learning, and
one of them; and, on a photograph, which is large enough to be read, what the same filters respond to
least evenly: edges and corners of every direction. The network is in feature_maps.py.
Try next: feature_maps.STEPS = 50, and see which digits are confused.

    python examples/09_feature_maps.py --save out
"""

from functools import partial

import feature_maps
import jax
import numpy as np
from feature_maps import FEATURES, digits, init, judge, layers, learn, shift
from judging import save
from matplotlib.figure import Figure
from skimage import data
from skimage.transform import resize

feature_maps.STEPS = 400
SHOWN = 8


def main():
    known, held = digits()
    weights = learn(partial(shift, images=known[0], kinds=known[1]), init(jax.random.key(0), 8, 10))
    labels = judge("digits", weights, *held)
    wrong = np.flatnonzero(np.asarray(labels != held[1]))
    print("confused:", ", ".join(f"{held[1][i]} read as {labels[i]}" for i in wrong) or "none")
    save(draw(weights, held[0][0], f"a {held[1][0]}, read as {labels[0]}"), "09_feature_maps")


def uneven(maps):
    """Return how far each map is from even, of those that respond at a hundredth of the places."""
    return np.where((maps > 0).mean((0, 1)) > 0.01, maps.std((0, 1)) / (maps.mean((0, 1)) + 1e-6), 0)


def draw(weights, digit, title):
    """Draw a digit; and of a photograph the maps of both layers that are least even."""
    photograph = resize(data.camera(), (192, 192), anti_aliasing=True).astype(np.float32)
    _, first, second = (np.asarray(layer[0]) for layer in layers(weights, photograph[None]))
    first, second = (maps[2:-2, 2:-2] for maps in (first, second))  # without the photograph's border
    figure = Figure(figsize=(14, 5.9), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 4.6))
    for axes, image, words in zip(left.subplots(2, 1), (digit, photograph), (title, "a photograph")):
        axes.imshow(image, cmap="gray")
        axes.set(xticks=[], yticks=[], title=words)
    grid = right.subplots(3, SHOWN, height_ratios=(0.5, 1, 1))
    chosen = [np.argsort(-uneven(maps))[:SHOWN] for maps in (first, second)]
    kernels = np.asarray(weights["kernels"][0])[:, :, 0, chosen[0]]
    limit = np.abs(kernels).max()
    for column, axes in enumerate(grid.T):
        axes[0].imshow(kernels[..., column], cmap="PuOr_r", vmin=-limit, vmax=limit)
        for ax, maps, numbers in zip(axes[1:], (first, second), chosen):
            shown = maps[..., numbers[column]]
            ax.imshow(shown, cmap="viridis", vmax=np.quantile(shown, 0.997))
    for axes in grid.ravel():
        axes.set(xticks=[], yticks=[])
    for axes, words in zip(grid[:, 0], ("filters 3 x 3,\nlayer 1", "their maps", "maps of layer 2")):
        axes.set_ylabel(words)
    right.suptitle(f"{SHOWN} of {FEATURES[0]} and of {FEATURES[1]} maps; positive weights are orange")
    return figure


if __name__ == "__main__":
    main()
