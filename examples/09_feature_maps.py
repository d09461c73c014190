"""Many filters, learned together, layer upon layer: a convolutional network reads digits.

You will see the feature maps of one handwritten digit after each of two layers of filters, and how many
of 360 new digits are classified correctly, after a few seconds of learning. The network is in
feature_maps.py.
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

from jaxconv import plotting

feature_maps.STEPS = 400


def main():
    known, held = digits()
    weights = learn(partial(shift, images=known[0], kinds=known[1]), init(jax.random.key(0), 8, 10))
    labels = judge("digits", weights, *held)
    wrong = np.flatnonzero(np.asarray(labels != held[1]))
    print("confused:", ", ".join(f"{held[1][i]} read as {labels[i]}" for i in wrong) or "none")
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    names = [f"a {held[1][0]}, read as {labels[0]}"]
    names += [f"layer {n + 1}: {f} maps" for n, f in enumerate(FEATURES)]
    maps = [layer[0] for layer in layers(weights, held[0][:1])]
    plotting.feature_maps(maps, names, ax=figure.subplots())
    save(figure, "09_feature_maps")


if __name__ == "__main__":
    main()
