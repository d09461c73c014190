"""Write docs/networks-benchmarks.md: training steps of networks, planned and not, beside PyTorch.

Without further arguments by this Python; else by each that is named: both ends of JAX's range, say.
Each runs twice: as it is, and where the process keeps memory for the next step.

python benchmarks/networks.py docs .venv-oldest/bin/python .venv-newest/bin/python
"""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import in_pytorch
import jax
import jax.numpy as jnp
from flax import nnx
from jax.tree_util import keystr
from turns import ROUNDS, machine, table

import jaxconv
from jaxconv import progress
from jaxconv.engine.timing import measure

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "examples"))
import accelerate_equinox  # noqa: E402
import accelerate_flax  # noqa: E402

PEERS = ("PyTorch", "PyTorch, channels last")
WHO = ("JAX", "accelerated", *PEERS)
RATE = 1e-3
TUNABLES = "GLIBC_TUNABLES"
KEEPS = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=8589934592:glibc.malloc.arena_max=1"


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


class Case(NamedTuple):
    """A network in JAX, its twin in PyTorch, and what is computed."""

    weights: Any
    network: Callable[..., jax.Array]  # of weights and images
    images: jax.Array
    features: int  # the images' axis of these
    twin: type


def of_equinox() -> Case:
    """Return the residual network of the examples, whose modules take one image."""
    weights, static = eqx.partition(accelerate_equinox.Network(10, jax.random.key(0)), eqx.is_array)

    def network(weights: Any, x: jax.Array) -> jax.Array:
        return jax.vmap(eqx.combine(weights, static))(x)

    return Case(weights, network, drawn(32, 3, 64, 64), 1, in_pytorch.ResidualNetwork)


def of_flax(module: nnx.Module, images: jax.Array, twin: type) -> Case:
    """Return a network of Flax."""
    graph, weights = nnx.split(module)
    return Case(weights, lambda weights, x: nnx.merge(graph, weights)(x), images, -1, twin)


def drawn(*shape: int) -> jax.Array:
    """Return images of noise."""
    return jax.random.normal(jax.random.key(1), shape)


CASES = {
    "residual network, Equinox, 32 × 3 × 64²": of_equinox,
    "ConvNeXt-like, Flax, 8 × 128² × 3": lambda: of_flax(
        accelerate_flax.Network(64, 10, nnx.Rngs(0)), drawn(8, 128, 128, 3), in_pytorch.ConvNeXt
    ),
    "U-Net of volumes, Flax, 2 × 32³": lambda: of_flax(
        UNet(nnx.Rngs(0)), drawn(2, 32, 32, 32, 1), in_pytorch.UNet
    ),
}


def training(network: Callable[..., jax.Array], wrap: Callable) -> Callable[..., Any]:
    """Return a training step: the loss, and the weights less their gradient."""

    def loss(weights: Any, x: jax.Array) -> jax.Array:
        return (network(weights, x) ** 2).mean()

    def step(weights: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        value, slope = jax.value_and_grad(loss)(weights, x)
        return value, jax.tree.map(lambda w, s: w - RATE * s, weights, slope)

    return jax.jit(wrap(step))


def row(name: str) -> list[str]:
    """Time a network, with the weights it is drawn with."""
    case = CASES[name]()
    names = jax.tree.leaves_with_path(case.weights)
    named = {keystr(path, simple=True, separator=".").removesuffix(".value"): w for path, w in names}
    runs = {
        who: partial(training(case.network, wrap), case.weights, case.images)
        for who, wrap in (("JAX", lambda f: f), ("accelerated", jaxconv.accelerate))
    }
    images = jnp.moveaxis(case.images, case.features, 1)
    for who, layout in zip(PEERS, in_pytorch.FORMATS[case.twin]):
        model = in_pytorch.loaded(case.twin(), named)
        runs[who] = in_pytorch.torch_step(model, images, layout, RATE)
    losses = [float(run()[0]) for run in runs.values()]
    seconds = {who: time.seconds for who, time in measure(runs, ROUNDS, most=inf).items()}
    own, peers = seconds["accelerated"], [seconds[who] for who in PEERS if who in seconds]
    times = [f"{1e3 * seconds[who]:.1f}" if who in seconds else "" for who in WHO]
    ratios = [f"{min(peers) / own:.2f}", f"{seconds['JAX'] / own:.2f}"]
    return [name, *times, *ratios, f"{max(abs(loss / losses[0] - 1) for loss in losses):.0e}"]


def measured() -> str:
    """Return the table of this Python."""
    found = []
    with progress.bar("networks", len(CASES)) as report:
        for name in CASES:
            found.append(row(name))
            report(len(found))
    heads = ["network", *(f"{who}, ms" for who in WHO)]
    return table([*heads, "PyTorch / accelerated", "JAX / accelerated", "losses differ by"], found)


def main(docs: Path, pythons: list[str]) -> None:
    """Measure, and write the page."""
    tables = [
        subprocess.run(
            [python, __file__],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, TUNABLES: tunables},
        ).stdout
        for python in pythons or [sys.executable]
        for tunables in ("", KEEPS)
    ]
    text = (Path(__file__).parent / "networks.md").read_text()
    (docs / "networks-benchmarks.md").write_text(
        text.format(rounds=ROUNDS, tables="\n".join(tables).rstrip())
    )


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]), sys.argv[2:])
    else:
        memory = "Memory kept" if os.environ.get(TUNABLES) == KEEPS else "Memory as it is"
        print(f"## {memory}: {machine()}\n\n{measured()}")
