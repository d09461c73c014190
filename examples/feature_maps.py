"""From convolution to classifier: convolution, nonlinearity, pooling, again, then a linear classifier.

You will see scikit-learn's handwritten digits classified by two layers of filters, learned with only
jaxconv and optax: the share of a held-out fifth that is correct, which digits are confused, and the
feature maps of one image. Then the same for scenes of shapes.
Try next: STEPS = 100, and see how the share falls.

    python examples/feature_maps.py --save out
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from judging import save
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from jaxconv import conv_general_dilated, learning, plotting, signals

FEATURES = (32, 64)  # of each layer
STEPS, BATCH = 1500, 64
SHAPES = ("circle", "cross", "square", "triangle")


@partial(jax.jit, static_argnums=(1, 2))
def init(key, side, classes):
    """Return random weights (He's scale) for images of one feature."""
    keys, features = jax.random.split(key, 3), (1, *FEATURES)
    kernels = [
        jax.random.normal(k, (3, 3, i, o)) * np.sqrt(2 / (9 * i))
        for k, i, o in zip(keys, features, FEATURES)
    ]
    inputs = (side // 4) ** 2 * FEATURES[1]
    linear = jax.random.normal(keys[2], (inputs, classes)) / np.sqrt(inputs)
    biases = [jnp.zeros(o) for o in (*FEATURES, classes)]
    return {"kernels": kernels, "linear": linear, "biases": biases}


def layer(maps, kernel, bias):
    """Convolve, set negative values to 0, keep the maximum of each 2 x 2 places."""
    options = {
        "window_strides": (1, 1),
        "padding": "SAME",
        "dimension_numbers": ("NHWC", "HWIO", "NHWC"),
    }
    maps = jax.nn.relu(conv_general_dilated(maps, kernel, **options) + bias[None, None, None])
    return jax.lax.reduce_window(maps, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


@jax.jit
def layers(weights, images):
    """Return the images, and their maps after each layer."""
    out = [images[..., None]]
    for kernel, bias in zip(weights["kernels"], weights["biases"]):
        out.append(layer(out[-1], kernel, bias))
    return out


def scores(weights, images):
    """Return a score for each class."""
    last = layers(weights, images)[-1]
    return last.reshape(len(images), -1) @ weights["linear"] + weights["biases"][-1][None]


def cross_entropy(weights, batch, scores=scores):
    images, kinds = batch
    return optax.softmax_cross_entropy_with_integer_labels(scores(weights, images), kinds).mean()


def shift(key, images, kinds):
    """Draw one image, shifted by up to a pixel: it is still the same digit."""
    which, where = jax.random.split(key)
    number, move = jax.random.randint(which, (), 0, len(images)), jax.random.randint(where, (2,), 0, 3)
    padded = jnp.pad(images[number], 1)
    return jax.lax.dynamic_slice(padded, move, images.shape[1:]), kinds[number]


def learn(draw, weights, loss=cross_entropy, seed=0):
    optimizer = optax.adam(optax.cosine_decay_schedule(2e-3, STEPS))
    options = {"steps": STEPS, "batch": BATCH, "every": 50, "optimizer": optimizer}
    return learning.fit(jax.random.key(seed), loss, draw, weights, **options).parameters


def digits():
    """Return images with values 0 to 1 and their digits: one set to learn from, and a fifth to test."""
    images, kinds = load_digits(return_X_y=True)
    images = (images / 16).reshape(-1, 8, 8).astype(np.float32)
    split = train_test_split(images, kinds, test_size=0.2, random_state=0, stratify=kinds)
    learned, held, *both = (jnp.asarray(part) for part in split)
    return (learned, both[0]), (held, both[1])


def one_shape(key):
    drawn = signals.scene(key, (24, 24), SHAPES, size=15, count=1, noise=0.5)
    return drawn.signal, drawn.kinds[0]


def judge(what, weights, images, kinds, scores=scores):
    """Print the share of correct labels; return the labels."""
    labels = jax.jit(scores)(weights, images).argmax(-1)
    right = labels == kinds
    print(f"{what}: {int(right.sum())} of {len(kinds)} right, {right.mean():.2%}")
    return labels


def main():
    known, held = digits()
    weights = learn(partial(shift, images=known[0], kinds=known[1]), init(jax.random.key(0), 8, 10))
    labels = judge("digits", weights, *held)
    wrong = np.flatnonzero(np.asarray(labels != held[1]))
    print("confused:", *(f"{held[1][i]} read as {labels[i]}" for i in wrong))
    shapes = learn(one_shape, init(jax.random.key(1), 24, len(SHAPES)))
    scenes = jax.jit(jax.vmap(one_shape))(jax.random.split(jax.random.key(2), 1000))
    judge("shapes", shapes, *scenes)

    figure = Figure(figsize=(11, 8), layout="constrained")
    for axes, (image, net, what) in zip(
        figure.subplots(2, 1),
        ((held[0][0], weights, f"a {held[1][0]}"), (scenes[0][0], shapes, f"a {SHAPES[scenes[1][0]]}")),
    ):
        names = (what, *(f"layer {n + 1}: {f} maps" for n, f in enumerate(FEATURES)))
        plotting.feature_maps([maps[0] for maps in layers(net, image[None])], names, ax=axes)
    save(figure, "feature_maps")


if __name__ == "__main__":
    main()
