"""Write docs/networks-benchmarks.md: training steps of networks, planned and not, beside PyTorch.

Without further arguments by this Python; else by each that is named: both ends of JAX's range, say.

python benchmarks/networks.py docs .venv-oldest/bin/python .venv-newest/bin/python
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from flax import nnx
from in_pytorch import FORMATS, NETWORKS, loaded, torch_step
from turns import ROUNDS, in_turn, machine, table

import jaxconv
from jaxconv import progress

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "examples"))
import accelerate_equinox  # noqa: E402
import accelerate_flax  # noqa: E402

ROW = ("JAX", "accelerated", *FORMATS)
RATE = 1e-3


class Twice(nnx.Module):
    """Two 3 x 3 x 3 convolutions."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs):
        """Draw the weights."""
        self.first = nnx.Conv(inputs, outputs, (3, 3, 3), rngs=rngs)
        self.second = nnx.Conv(outputs, outputs, (3, 3, 3), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map volumes (batch, *space, inputs) to as many of outputs."""
        return nnx.relu(self.second(nnx.relu(self.first(x))))


class UNet(nnx.Module):
    """A U-Net of volumes: twice down, twice up, what was seen on the way down beside it."""

    def __init__(self, rngs: nnx.Rngs):
        """Draw the weights."""
        up = {"kernel_size": (2, 2, 2), "strides": (2, 2, 2), "rngs": rngs}
        self.fine, self.middle, self.coarse = (Twice(*n, rngs) for n in ((1, 8), (8, 16), (16, 32)))
        self.to_middle, self.to_fine = nnx.ConvTranspose(32, 16, **up), nnx.ConvTranspose(16, 8, **up)
        self.join_middle, self.join_fine = Twice(32, 16, rngs), Twice(16, 8, rngs)
        self.label = nnx.Conv(8, 1, (1, 1, 1), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map volumes (batch, *space, 1) to a label of each sample."""
        fine = self.fine(x)
        middle = self.middle(nnx.max_pool(fine, (2, 2, 2), (2, 2, 2)))
        coarse = self.coarse(nnx.max_pool(middle, (2, 2, 2), (2, 2, 2)))
        middle = self.join_middle(jnp.concatenate([middle, self.to_middle(coarse)], -1))
        return self.label(self.join_fine(jnp.concatenate([fine, self.to_fine(middle)], -1)))


def residual() -> tuple[Any, Callable[..., jax.Array], dict[str, jax.Array], jax.Array]:
    """Return the weights of Equinox's network, the network, its weights by name, and images."""
    weights, static = eqx.partition(accelerate_equinox.Network(10, jax.random.key(0)), eqx.is_array)
    images = jax.random.normal(jax.random.key(1), (32, 3, 64, 64))
    named = {".".join(map(_key, path)): w for path, w in jax.tree.leaves_with_path(weights)}
    return weights, lambda weights, x: jax.vmap(eqx.combine(weights, static))(x), named, images


def of_flax(network: nnx.Module, *shape: int) -> tuple[Any, ...]:
    """Return the same of a network in Flax."""
    graph, weights = nnx.split(network)
    named = {".".join(map(str, path)): leaf[...] for path, leaf in nnx.to_flat_state(weights)}
    images = jax.random.normal(jax.random.key(1), shape)
    return weights, lambda weights, x: nnx.merge(graph, weights)(x), named, images


def _key(entry: Any) -> str:
    return str(entry.name if hasattr(entry, "name") else entry.idx)


MAKE = {
    "residual network, Equinox, 32 × 3 × 64²": residual,
    "ConvNeXt-like, Flax, 8 × 128² × 3": lambda: of_flax(
        accelerate_flax.Network(64, 10, nnx.Rngs(0)), 8, 128, 128, 3
    ),
    "U-Net of volumes, Flax, 2 × 32³": lambda: of_flax(UNet(nnx.Rngs(0)), 2, 32, 32, 32, 1),
}


def training(network: Callable[..., jax.Array], wrap: Callable) -> Callable[..., Any]:
    """Return a training step: the loss, and the weights less their gradient."""

    def loss(weights: Any, x: jax.Array) -> jax.Array:
        return (network(weights, x) ** 2).mean()

    def step(weights: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        value, slope = jax.value_and_grad(loss)(weights, x)
        return value, jax.tree.map(lambda w, s: w - RATE * s, weights, slope)

    return jax.jit(wrap(step))


def rows() -> Iterator[list[Any]]:
    """Time each network, with the weights it is drawn with."""
    for (name, make), (twin, formats) in zip(MAKE.items(), NETWORKS.items(), strict=True):
        weights, network, named, images = make()
        first = name.endswith("64²")  # features, in the layout of the network
        runs = {
            who: partial(training(network, wrap), weights, images)
            for who, wrap in (("JAX", lambda f: f), ("accelerated", jaxconv.accelerate))
        }
        channels_first = images if first else jnp.moveaxis(images, -1, 1)
        for who, layout in zip(FORMATS, formats):
            runs[who] = torch_step(loaded(twin(), named), channels_first, layout, RATE)
        losses = [float(run()[0]) for run in runs.values()]
        seconds = in_turn(runs)
        own, peers = seconds["accelerated"], [seconds[who] for who in FORMATS if who in seconds]
        ratios = [f"{min(peers) / own:.2f}", f"{seconds['JAX'] / own:.2f}"]
        differ = f"{max(abs(loss / losses[0] - 1) for loss in losses):.0e}"
        yield [
            name,
            *(f"{1e3 * seconds[who]:.1f}" if who in seconds else "" for who in ROW),
            *ratios,
            differ,
        ]


def measured() -> str:
    """Return the table of this Python."""
    found = []
    with progress.bar("networks", len(MAKE)) as report:
        for row in rows():
            found.append(row)
            report(len(found))
    heads = ["network", *(f"{who}, ms" for who in ROW)]
    return table([*heads, "PyTorch / accelerated", "JAX / accelerated", "losses differ by"], found)


def main(docs: Path, pythons: list[str]) -> None:
    """Measure, and write the page."""
    run = [sys.executable] if not pythons else pythons
    tables = [
        subprocess.run([python, __file__], stdout=subprocess.PIPE, text=True, check=True).stdout
        for python in run
    ]
    text = (Path(__file__).parent / "networks.md").read_text()
    (docs / "networks-benchmarks.md").write_text(text.format(rounds=ROUNDS, tables="\n".join(tables)))


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]), sys.argv[2:])
    else:
        print(f"## {machine()}\n\n{measured()}")
