"""A ConvNeXt-like network in Flax NNX, unchanged, and with its convolutions planned.

    python examples/accelerate_flax.py

Prints the plans, the differences of outputs and of gradients, and the times.
"""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

import jaxconv
from jaxconv.engine.acceleration import Explanation
from jaxconv.engine.timing import measure


class Block(nnx.Module):
    """A depthwise 7 x 7 convolution, then a perceptron at each pixel, added to the input."""

    def __init__(self, features: int, rngs: nnx.Rngs):
        """Draw the weights."""
        self.depthwise = nnx.Conv(features, features, (7, 7), feature_group_count=features, rngs=rngs)
        self.norm = nnx.LayerNorm(features, rngs=rngs)
        self.widen = nnx.Linear(features, 4 * features, rngs=rngs)
        self.narrow = nnx.Linear(4 * features, features, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map images (batch, rows, columns, features) to the same shape."""
        return x + self.narrow(nnx.gelu(self.widen(self.norm(self.depthwise(x)))))


class Network(nnx.Module):
    """Features of patches of 4 x 4 pixels, two blocks, and a classifier of their mean."""

    def __init__(self, features: int, classes: int, rngs: nnx.Rngs):
        """Draw the weights."""
        self.patches = nnx.Conv(3, features, (4, 4), strides=(4, 4), padding="VALID", rngs=rngs)
        self.blocks = nnx.List([Block(features, rngs), Block(features, rngs)])
        self.classify = nnx.Linear(features, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map images (batch, rows, columns, 3) to a score for each class."""
        x = self.patches(x)
        for block in self.blocks:
            x = block(x)
        return self.classify(x.mean((1, 2)))


def compare() -> tuple[Explanation, float, float]:
    """Print times; return the plans and the largest differences of scores and of gradients."""
    graph, weights = nnx.split(Network(64, 10, nnx.Rngs(0)))
    images = jax.random.normal(jax.random.key(1), (8, 128, 128, 3))

    def scores(weights, images):
        return nnx.merge(graph, weights)(images)

    def loss(weights, images):
        return -jax.nn.log_softmax(scores(weights, images))[:, 0].mean()

    plans, differences = jaxconv.explain(loss, weights, images), []
    for what, fn in (("scores", scores), ("gradients", jax.grad(loss))):
        runs = {
            name: partial(jax.jit(variant), weights, images)
            for name, variant in (("Flax", fn), ("accelerated", jaxconv.accelerate(fn)))
        }
        plain, fast = (runs[name]() for name in runs)
        differ = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), plain, fast)
        differences.append(max(jax.tree.leaves(differ)))
        times = measure(runs, rounds=5)
        text = ", ".join(f"{name} {time.seconds * 1e3:.1f} ms" for name, time in times.items())
        print(f"{what}: {text}; they differ by {differences[-1]:.1e}")
    return plans, *differences


if __name__ == "__main__":
    print("methods:", *(plan.method for plan in compare()[0].forward))
