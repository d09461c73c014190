"""Fitting: gradient descent (optax) on any loss of any parameters, one epoch at a time.

`fit` runs `init` and `step`, pure functions of a `State`. All steps of an epoch are one `lax.scan`;
between epochs `fit` reports, saves, and may be interrupted. Under `jax.jit` and `jax.vmap` all epochs
are one program.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxconv import checks, progress
from jaxconv.learning import epochs
from jaxconv.learning.batches import (
    Batches,
    automatic,
    average_over_parts,
    batches,
    over_devices,
    skip,
    stack,
)
from jaxconv.learning.epochs import Rules
from jaxconv.learning.history import Checkpoint, History
from jaxconv.learning.state import Loss, Parameters, default_optimizer, init, keep


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Fit:
    """What was learned, and the history of it.

    `parameters` after the last step; `best` after the epoch of lowest mean loss; the loss at each step;
    what `watch` returned before the first epoch and after each epoch, stacked; and the number of steps
    taken at each of those times.
    """

    parameters: Parameters
    best: Parameters
    losses: jax.Array
    watched: Any
    steps: jax.Array
    interrupted: bool = False


def _watch_nothing(parameters: Parameters) -> dict[str, Any]:
    return {}


def fit(
    key: jax.Array,
    loss: Loss,
    data: Any,
    start: Parameters,
    *,
    steps: int = 300,
    batch: int | None = 64,
    optimizer: optax.GradientTransformation | None = None,
    project: Callable[[Parameters], Parameters] = keep,
    every: int = 10,
    watch: Callable[[Parameters], Any] = _watch_nothing,
    patience: int | None = None,
    parts: int = 1,
    mesh: Mesh | None = None,
    save: Path | str | None = None,
    resume: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Fit:
    """Learn parameters that minimize a loss, by gradient descent.

    On a terminal a bar shows the loss and every number that `watch` returns. Ctrl-C ends the fit and
    returns it as it was after the last complete epoch. Under `jax.jit` or `jax.vmap` the whole fit is
    one program: train over keys, noise levels or starts at once.

    Fits whose `loss`, `data` functions, `optimizer`, `project` and `watch` are equal, with operands of
    equal shapes, share one compiled program. A function equals only itself, so a new lambda or a new
    optimizer compiles again, while `signals.scenes` of equal options are equal.

    Args:
        key: a `jax.random` key, from which all batches are drawn.
        loss: a function of parameters and batch, such as those of `learning.losses`.
        data: a function of a key that makes one example (`signals.scenes`): each step gets new examples;
            or arrays, as any pytree, with one leading axis of examples, which are shuffled again in
            every epoch; or an iterator of batches.
        start: the parameters to start from, any pytree: `random_filter`, a bank of them, a network.
        steps: number of updates.
        batch: number of examples per step; None: all of them, if they are arrays.
        optimizer: an optax optimizer; None: `default_optimizer(steps)`.
        project: applied after each step, such as those of `learning.constraints`.
        every: number of steps per epoch.
        watch: what to measure before the first epoch and after each epoch, as `{"similarity": ...}`.
        patience: stop after this many consecutive epochs without a new lowest mean loss; None: never
            stop early.
        parts: split each batch into this many parts, computed one after another, and step by the mean of
            their losses: memory then holds one part at a time (`jax.checkpoint`). The result is the same
            if the loss is a mean over examples; the `deflection` becomes the mean over the parts.
        mesh: devices over which each batch, or each part of it, is divided evenly; the parameters are
            the same on all. None: the devices that the operands are on.
        save: file for the state, replaced as a whole after every epoch.
        resume: continue from the file `save`; the numbers are the same as without the break.
        settings: names and values (numbers, strings, lists) that describe this fit, such as its noise or
            seed. They are saved with `steps`, `batch` and `every`; a fit resumes only if all of them are
            the same.

    Shapes:
        -> parameters as start, losses (steps,), watched (1 + epochs, ...), steps (1 + epochs,).

    Returns:
        A `Fit`. If it stopped early, its arrays end there; under `jit` the rest is NaN.

    Raises:
        ValueError: if a number is not positive, the devices do not divide a batch evenly, arrays have
            no common leading axis or fewer examples than a batch; or if the saved file is damaged, or of
            a fit with other settings or shapes.
        TypeError: if a number is not an integer.
        FileNotFoundError: if there is no file to resume from.
        FloatingPointError: if a loss is not finite; the message names the step. Under `jit` the losses
            from there on are NaN or infinite, and the parameters are those of the step before.

    Source:
        definition; the optimizers are those of optax.

    Example:
        >>> from jaxconv.learning import negative_deflection, random_filter, unit_energy
        >>> from jaxconv.signals import scenes
        >>> draw = scenes(shape=(24, 24), kinds=["cross"], size=7)
        >>> start = random_filter(jax.random.key(1), (7, 7))
        >>> options = {"steps": 20, "batch": 4, "project": unit_energy}
        >>> fitted = fit(jax.random.key(0), negative_deflection, draw, start, **options)
        >>> bool(fitted.losses[-1] < fitted.losses[0])
        True
    """
    sizes = {"steps": steps, "batch": batch, "every": every}
    _check(sizes | {"patience": patience, "parts": parts}, save, resume)
    source, iterator = batches("fit", data, batch)
    loss = loss if mesh is None else over_devices(loss, mesh)
    loss = loss if parts == 1 else average_over_parts(loss, parts)
    optimizer = optimizer or default_optimizer(steps)
    rules = Rules(loss, optimizer, project, watch, patience)

    state = init(key, start, optimizer)
    if mesh is not None:
        everywhere = NamedSharding(automatic(mesh), PartitionSpec())
        state, source = jax.device_put((state, source), everywhere)
    history = History(state, losses=(), watched=(epochs.watch(rules, state.parameters),), steps=(0,))
    checkpoint = None if save is None else Checkpoint(Path(save), {**(settings or {}), **sizes})
    if checkpoint and resume:
        history = checkpoint.read(history)
    done = history.steps[-1]
    if iterator:
        skip("fit", iterator, done)
    lengths = [min(every, steps - first) for first in range(done, steps, every)]
    return _run(rules, lengths, history, source, iterator, checkpoint)


def _run(
    rules: Rules,
    lengths: list[int],
    history: History,
    source: Batches,
    iterator: Iterator[Any] | None,
    checkpoint: Checkpoint | None,
) -> Fit:
    """Run epochs of these lengths until patience or Ctrl-C ends them."""
    with progress.bar("fitting", history.steps[-1] + sum(lengths)) as report:
        try:
            for number, length in enumerate(lengths):
                stacked = stack("fit", iterator, length) if iterator else None
                operands = (history.state, source, stacked)
                if number == 0 and epochs.is_traced(rules, length, *operands):
                    _check_traced(checkpoint, iterator)
                    return _run_traced(rules, lengths, history, source)
                history = history.add(*epochs.run_epoch(rules, length, *operands))
                if checkpoint:
                    checkpoint.write(history)
                report(history.steps[-1], loss=history.losses[-1][-1], **_numbers(history.watched[-1]))
                if rules.patience is not None and int(history.state.stale) >= rules.patience:
                    break
        except KeyboardInterrupt:
            history = replace(history, interrupted=True)
    state = history.state
    losses, watched, taken = jax.tree.map(jnp.asarray, history.stack())
    return Fit(state.parameters, state.best, losses, watched, taken, history.interrupted)


def _run_traced(rules: Rules, lengths: list[int], history: History, source: Batches) -> Fit:
    """Run all epochs in one program, for operands under `jit` or `vmap`."""
    state, losses, watched = epochs.run_epochs(rules, lengths, history.state, source)
    before = jax.tree.map(lambda a: jnp.asarray(a)[None], history.watched[0])
    watched = jax.tree.map(lambda *each: jnp.concatenate(each), before, watched)
    steps = jnp.array(np.cumsum([0, *lengths]))
    return Fit(state.parameters, state.best, losses, watched, steps, False)


def _check(numbers: dict[str, Any], save: Path | str | None, resume: bool) -> None:
    """Raise if a number is not a positive integer, or there is no file to resume from."""
    for name, value in numbers.items():
        if value is not None:
            checks.positive("fit", name, value)
    if resume and save is None:
        raise checks.value_error("fit", "save", "name the file to resume from", None)


def _check_traced(checkpoint: Checkpoint | None, iterator: Iterator[Any] | None) -> None:
    """Raise if a fit that is one program is to do something between its epochs."""
    if checkpoint:
        raise checks.value_error("fit", "save", "be left out under jit and vmap", checkpoint.path)
    if iterator:
        rule = "be a function of a key, or arrays under jit and vmap"
        raise checks.value_error("fit", "data", rule, iterator)


def _numbers(watched: Any) -> dict[str, float]:
    """Return the items of a dictionary that are numbers."""
    if not isinstance(watched, dict):
        return {}
    return {name: float(value) for name, value in watched.items() if jnp.size(value) == 1}
