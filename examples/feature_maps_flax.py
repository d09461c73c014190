"""The classifier of feature_maps.py written in Flax NNX, its convolutions planned by `accelerate`.

You will see that both read the same digits of the held-out fifth right, from the same first weights and
the same batches, and how long each takes to learn.
Try next: leave `accelerate` out.

    python examples/feature_maps_flax.py
"""

import time
from functools import partial

import feature_maps
import jax
import jax.numpy as jnp
from feature_maps import FEATURES, cross_entropy, digits, init, judge, learn, shifted
from flax import nnx

from jaxconv import accelerate


class Network(nnx.Module):
    """Two convolutions with pooling, then a linear classifier of images of 8 x 8 pixels."""

    def __init__(self, rngs: nnx.Rngs):
        """Draw the weights."""
        ways = zip((1, *FEATURES), FEATURES)
        self.layers = nnx.List([nnx.Conv(i, o, (3, 3), rngs=rngs) for i, o in ways])
        self.classify = nnx.Linear(4 * FEATURES[-1], 10, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        """Return a score for each digit."""
        maps = images[..., None]
        for layer in self.layers:
            maps = nnx.max_pool(nnx.relu(layer(maps)), (2, 2), (2, 2))
        return self.classify(maps.reshape(len(images), -1))


def network(weights):
    """Return the network with the weights of `feature_maps.init`."""
    made = Network(nnx.Rngs(0))
    for layer, kernel, bias in zip(
        (*made.layers, made.classify), (*weights["kernels"], weights["linear"]), weights["biases"]
    ):
        layer.kernel[...], layer.bias[...] = kernel, bias
    return nnx.split(made)


def compare():
    """Learn both ways; return what each takes the held-out digits for."""
    known, held = digits()
    draw, weights = (
        partial(shifted, images=known[0], kinds=known[1]),
        init(jax.random.key(0), 8, 10),
    )
    graph, state = network(weights)
    scores = accelerate(lambda state, images: nnx.merge(graph, state)(images))
    given = []
    for name, start, how in (
        ("jaxconv and optax", weights, feature_maps.scores),
        ("Flax NNX", state, scores),
    ):
        begin = time.perf_counter()
        learned = learn(draw, start, partial(cross_entropy, scores=how))
        jax.block_until_ready(learned)
        print(f"{name}: learned in {time.perf_counter() - begin:.1f} s")
        given.append(judge(name, learned, *held, scores=how))
    print(f"{int(jnp.sum(given[0] == given[1]))} of {len(given[0])} digits are taken for the same")
    return given


if __name__ == "__main__":
    compare()
