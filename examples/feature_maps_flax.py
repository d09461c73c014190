"""The classifier of feature_maps.py in Flax NNX, with its convolutions planned by `accelerate`.

You will see that both give the same labels to the held-out fifth, from the same initial weights and the
same batches, and how long each takes to learn.
Try next: leave out `accelerate`.

    python examples/feature_maps_flax.py
"""

import time
from functools import partial

import feature_maps
import jax
import jax.numpy as jnp
from feature_maps import FEATURES, cross_entropy, digits, init, judge, learn, shift
from flax import nnx

from jaxconv import accelerate


class Network(nnx.Module):
    """Two convolutions with pooling, then a linear classifier of images of 8 x 8 pixels."""

    def __init__(self, rngs: nnx.Rngs):
        """Draw the weights."""
        sizes = zip((1, *FEATURES), FEATURES)
        self.layers = nnx.List([nnx.Conv(i, o, (3, 3), rngs=rngs) for i, o in sizes])
        self.classify = nnx.Linear(4 * FEATURES[-1], 10, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        """Return a score for each digit."""
        maps = images[..., None]
        for layer in self.layers:
            maps = nnx.max_pool(nnx.relu(layer(maps)), (2, 2), (2, 2))
        return self.classify(maps.reshape(len(images), -1))


def network(weights):
    """Return the network with the weights of `feature_maps.init`."""
    network = Network(nnx.Rngs(0))
    for layer, kernel, bias in zip(
        (*network.layers, network.classify), (*weights["kernels"], weights["linear"]), weights["biases"]
    ):
        layer.kernel[...], layer.bias[...] = kernel, bias
    return nnx.split(network)


def compare():
    """Learn with both; return the labels that each gives to the held-out digits."""
    known, held = digits()
    draw, weights = (
        partial(shift, images=known[0], kinds=known[1]),
        init(jax.random.key(0), 8, 10),
    )
    graph, state = network(weights)
    scores = accelerate(lambda state, images: nnx.merge(graph, state)(images))
    labels = []
    for name, start, score in (
        ("jaxconv and optax", weights, feature_maps.scores),
        ("Flax NNX", state, scores),
    ):
        begin = time.perf_counter()
        learned = learn(draw, start, partial(cross_entropy, scores=score))
        jax.block_until_ready(learned)
        print(f"{name}: learned in {time.perf_counter() - begin:.1f} s")
        labels.append(judge(name, learned, *held, scores=score))
    print(f"{int(jnp.sum(labels[0] == labels[1]))} of {len(labels[0])} labels are equal")
    return labels


if __name__ == "__main__":
    compare()
