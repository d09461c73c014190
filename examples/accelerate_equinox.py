"""A small residual network in Equinox, unchanged, and with its convolutions planned.

    python examples/accelerate_equinox.py

Prints the plans, the differences of outputs and of gradients, and the times.
"""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp

import jaxconv
from jaxconv.engine.acceleration import Explanation
from jaxconv.engine.timing import measure


class Block(eqx.Module):
    """Two 3 x 3 convolutions, added to the input, which a 1 x 1 convolution brings to their shape."""

    first: eqx.nn.Conv2d
    second: eqx.nn.Conv2d
    shortcut: eqx.nn.Conv2d

    def __init__(self, inputs: int, outputs: int, stride: int, key: jax.Array):
        """Draw the weights."""
        keys = jax.random.split(key, 3)
        self.first = eqx.nn.Conv2d(inputs, outputs, 3, stride, padding=1, key=keys[0])
        self.second = eqx.nn.Conv2d(outputs, outputs, 3, padding=1, key=keys[1])
        self.shortcut = eqx.nn.Conv2d(inputs, outputs, 1, stride, key=keys[2])

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map one image (features, rows, columns)."""
        return jax.nn.relu(self.shortcut(x) + self.second(jax.nn.relu(self.first(x))))


class Network(eqx.Module):
    """Three residual blocks, each halving the image, and a classifier of the mean."""

    blocks: list[Block]
    classify: eqx.nn.Linear

    def __init__(self, classes: int, key: jax.Array):
        """Draw the weights."""
        keys = jax.random.split(key, 4)
        sizes = [(3, 16), (16, 32), (32, 64)]
        self.blocks = [Block(*size, 2, key) for size, key in zip(sizes, keys[:3], strict=True)]
        self.classify = eqx.nn.Linear(64, classes, key=keys[3])

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map one image (3, rows, columns) to a score for each class."""
        for block in self.blocks:
            x = block(x)
        return self.classify(x.mean((1, 2)))


def compare() -> tuple[Explanation, float, float]:
    """Print times; return the plans and the largest differences of scores and of gradients."""
    network = Network(10, jax.random.key(0))
    images = jax.random.normal(jax.random.key(1), (32, 3, 64, 64))

    def scores(network, images):
        return jax.vmap(network)(images)

    def loss(network, images):
        return -jax.nn.log_softmax(scores(network, images))[:, 0].mean()

    plans, differences = jaxconv.explain(loss, network, images), []
    for what, fn, of in (("scores", scores, lambda f: f), ("gradients", loss, eqx.filter_grad)):
        runs = {
            name: partial(_arrays, eqx.filter_jit(of(variant)), network, images)
            for name, variant in (("Equinox", fn), ("accelerated", jaxconv.accelerate(fn)))
        }
        plain, fast = (runs[name]() for name in runs)
        differ = [float(jnp.abs(a - b).max()) for a, b in zip(plain, fast, strict=True)]
        differences.append(max(differ))
        times = measure(runs, rounds=5)
        text = ", ".join(f"{name} {time.seconds * 1e3:.1f} ms" for name, time in times.items())
        print(f"{what}: {text}; they differ by {differences[-1]:.1e}")
    return plans, *differences


def _arrays(fn, network: Network, images: jax.Array) -> list[jax.Array]:
    return jax.tree.leaves(eqx.filter(fn(network, images), eqx.is_array))


if __name__ == "__main__":
    print("methods:", *(plan.method for plan in compare()[0].forward))
