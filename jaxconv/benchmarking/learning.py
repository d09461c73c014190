"""Learning a filter, compared with the same training in plain JAX and in PyTorch.

All start from the same filter, get the same batches in the same order, and use the same Adam; the plain
ones get precomputed masks of the places elsewhere, which jaxconv computes within the measured time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxconv import learning
from jaxconv.detection.patches import elsewhere, targets
from jaxconv.signals import Scene, scenes

RATE = 0.01
ENOUGH = 0.99  # similarity
BATCHES = 8


@dataclass(frozen=True)
class Training:
    """A training: its name, the sides of scenes and filter, and the number of scenes per step."""

    name: str
    side: int
    size: int
    count: int

    def batches(self) -> list[Scene]:
        """Return batches of scenes: a circle, a cross and a square in noise of 0.5."""
        draw = jax.jit(jax.vmap(scenes(shape=(self.side, self.side), size=self.size, noise=0.5)))
        keys = jax.random.split(jax.random.key(0), BATCHES)
        return [draw(jax.random.split(key, self.count)) for key in keys]

    def optimum(self) -> jax.Array:
        """Return the optimal filter."""
        draw = jax.vmap(scenes(shape=(self.side, self.side), size=self.size, noise=0.0))
        clean = jax.jit(draw)(jax.random.split(jax.random.key(1), 128))
        return jax.jit(partial(learning.optimum, size=self.size, noise=0.5))(clean)


Trainer = Callable[[int], Any]  # takes a step with batch number n, and returns the filter


def trainers(training: Training) -> dict[str, Trainer]:
    """Return the contestants, each at the start of its training."""
    batches, size = training.batches(), (training.size, training.size)
    start = learning.random_filter(jax.random.key(2), size)
    plain = [_plainly(batch, size) for batch in batches]
    contestants = {"jaxconv": _ours(start, batches), "JAX": _jaxs(start, plain)}
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        return contestants
    return contestants | {"PyTorch": _torchs(torch, np.asarray(start), plain)}


def time_training(training: Training) -> dict[str, Any]:
    """Time steps of all contestants in turn, then each until its filter is similar enough."""
    later: dict[str, list[float]] = {}
    first: dict[str, float] = {}
    stepping = trainers(training)
    for round in range(6):
        for name, step in stepping.items():
            begin = time.perf_counter()
            jax.block_until_ready(step(round))
            seconds = time.perf_counter() - begin
            if round:
                later.setdefault(name, []).append(seconds)
            else:
                first[name] = seconds
    optimum = training.optimum()
    until = {name: _until(optimum, step) for name, step in trainers(training).items()}
    return {
        "seconds": {name: float(np.median(each)) for name, each in later.items()},
        "first": first,
        "until": {name: seconds for name, (seconds, _) in until.items()},
        "steps": {name: steps for name, (_, steps) in until.items()},
    }


def _until(optimum: jax.Array, step: Trainer, limit: int = 300) -> tuple[float, int]:
    """Return the seconds, without compilation, and the steps until the filter is similar enough."""
    seconds = 0.0
    for number in range(limit):
        begin = time.perf_counter()
        kernel = jax.block_until_ready(step(number))
        seconds += (time.perf_counter() - begin) * (number > 0)
        if float(learning.cosine_similarity(np.asarray(kernel), optimum)) >= ENOUGH:
            return seconds, number + 1
    return float("nan"), limit


def _ours(start: jax.Array, batches: list[Scene]) -> Trainer:
    optimizer = optax.adam(RATE)
    options = {"loss": learning.negative_deflection, "optimizer": optimizer}
    step = jax.jit(partial(learning.step, **options, project=learning.unit_energy))
    state = learning.init(jax.random.key(0), start, optimizer)

    def train(number: int) -> jax.Array:
        nonlocal state
        state, _ = step(state, batches[number % len(batches)])
        return state.parameters

    return train


Plain = tuple[jax.Array, jax.Array, jax.Array]  # images, corners of the targets, masks


def _plainly(batch: Scene, size: tuple[int, ...]) -> Plain:
    corners, is_target = targets(batch, size, 0)
    corner = jnp.take_along_axis(corners, jnp.argmax(is_target, 1)[:, None, None], 1)[:, 0]
    return batch.signal, corner, elsewhere(batch, size, 0)


def _jaxs(start: jax.Array, batches: list[Plain]) -> Trainer:
    optimizer = optax.adam(RATE)
    kernel, state = start, optimizer.init(start)

    def loss(kernel: jax.Array, batch: Plain) -> jax.Array:
        images, corner, free = batch
        images, kernel = images[:, None], kernel[None, None]
        maps = jax.lax.conv_general_dilated(images, kernel, (1, 1), "VALID")[:, 0]
        at = maps[jnp.arange(len(maps)), corner[:, 0], corner[:, 1]].mean()
        mean = jnp.mean(maps, where=free)
        return -(at - mean) / jnp.std(maps, where=free)

    @jax.jit
    def step(kernel: jax.Array, state: Any, batch: Plain) -> tuple[jax.Array, Any]:
        updates, state = optimizer.update(jax.grad(loss)(kernel, batch), state)
        kernel = jnp.asarray(optax.apply_updates(kernel, updates))
        return kernel / jnp.linalg.norm(kernel), state

    def train(number: int) -> jax.Array:
        nonlocal kernel, state
        kernel, state = step(kernel, state, batches[number % len(batches)])
        return kernel

    return train


def _torchs(torch: Any, start: np.ndarray, batches: list[Plain]) -> Trainer:
    torch.set_num_threads(2)
    kernel = torch.from_numpy(start.copy())[None, None].requires_grad_()
    optimizer = torch.optim.Adam([kernel], lr=RATE)
    tensors = [[torch.from_numpy(np.array(part)) for part in batch] for batch in batches]

    def train(number: int) -> np.ndarray:
        images, corner, free = tensors[number % len(tensors)]
        optimizer.zero_grad()
        maps = torch.nn.functional.conv2d(images[:, None], kernel)[:, 0]
        at = maps[torch.arange(len(maps)), corner[:, 0], corner[:, 1]].mean()
        away = maps[free]
        loss = -(at - away.mean()) / away.std(correction=0)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            kernel.div_(kernel.norm())
        return kernel.detach().numpy()[0, 0]

    return train


TRAININGS = [
    Training("64 scenes of 128², 21² taps", 128, 21, 64),
    Training("16 scenes of 128², 9² taps", 128, 9, 16),
]
