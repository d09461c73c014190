"""Fitting: gradient descent (optax) on any loss of any parameters, an epoch at a time.

`init` and `step` are the core, pure functions of a `State`; `fit` runs them. All steps of an epoch are
one `lax.scan`; between epochs `fit` reports, saves, and may be interrupted. Under `jax.jit` and
`jax.vmap` all epochs are one program.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.core import Tracer

from jaxconv import checks, progress
from jaxconv.learning import saving
from jaxconv.learning.batches import Batches, batches, given, skip
from jaxconv.learning.constraints import unit_energy

Parameters = Any
Loss = Callable[[Parameters, Any], jax.Array]


def _as_they_are(parameters: Parameters) -> Parameters:
    return parameters


def _nothing(parameters: Parameters) -> dict[str, Any]:
    return {}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """All that a step needs of the ones before it; and the parameters of the best epoch so far."""

    parameters: Parameters
    optimizer: Any
    key: jax.Array
    step: jax.Array
    best: Parameters
    best_loss: jax.Array
    stale: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Fit:
    """What was learned and how it came to be.

    `parameters` after the last step; `best` after the epoch of least mean loss; the loss at each step;
    what `watch` returned before the first epoch and after each, stacked; and after how many steps.
    """

    parameters: Parameters
    best: Parameters
    losses: jax.Array
    watched: Any
    steps: jax.Array
    interrupted: bool = False


@dataclass(frozen=True)
class _Rules:
    """What is fixed during a fit; hashable, so that equal fits share a compiled program."""

    loss: Loss
    optimizer: optax.GradientTransformation
    project: Callable[[Parameters], Parameters]
    watch: Callable[[Parameters], Any]
    patience: int | None


def random_filter(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Return a filter of Gaussian values and unit energy: where learning starts.

    Args:
        key: a `jax.random` key.
        shape: of the filter.

    Shapes:
        -> shape.

    Returns:
        The filter.

    Example:
        >>> float((random_filter(jax.random.key(0), (5, 5)) ** 2).sum().round(3))
        1.0
    """
    return unit_energy(jax.random.normal(key, shape))


def init(
    key: jax.Array, start: Parameters, optimizer: optax.GradientTransformation | None = None
) -> State:
    """Return the state before the first step.

    Pass the same optimizer here and to every `step`: `step` has no default, and the default here is for
    300 steps (its rate is 0 from then on).

    Args:
        key: a `jax.random` key, for all batches to come.
        start: the parameters to start from, as a pytree.
        optimizer: of optax, the one that `step` will be given; None for `default_optimizer(300)`, Adam
            whose rate falls to 0 over 300 steps.

    Shapes:
        start any -> a `State`.

    Returns:
        The state.

    Example:
        >>> int(init(jax.random.key(0), jnp.ones(3)).step)
        0
    """
    start = jax.tree.map(jnp.asarray, start)
    state = (optimizer or default_optimizer(300)).init(start)
    zero, most = jnp.zeros((), jnp.int32), jnp.array(jnp.inf, jnp.float32)
    return State(start, state, key, zero, start, most, zero)


def step(
    state: State,
    batch: Any,
    *,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    project: Callable[[Parameters], Parameters] = _as_they_are,
) -> tuple[State, jax.Array]:
    """Take one step down the gradient, then project.

    Pass the optimizer that `init` was given: its state is kept in `state`, and another optimizer's would
    not fit it. After `init` without one, that is `default_optimizer(300)`.

    Args:
        state: as `init` or the step before returned it.
        batch: what the loss takes.
        loss: a function of parameters and batch.
        optimizer: the one that `init` was given.
        project: maps parameters to the nearest that obey a constraint.

    Shapes:
        -> a `State`, ().

    Returns:
        The next state and the loss before the step. Where the loss or the new parameters are not
        finite, the state stays as it is.

    Example:
        >>> start = init(jax.random.key(0), jnp.array(3.0), optax.sgd(0.5))
        >>> square = lambda x, _: x**2
        >>> state, value = step(start, None, loss=square, optimizer=optax.sgd(0.5))
        >>> float(state.parameters), float(value)
        (0.0, 9.0)
    """
    value, gradient = jax.value_and_grad(loss)(state.parameters, batch)
    updates, optimizer_state = optimizer.update(gradient, state.optimizer, state.parameters)
    parameters = project(optax.apply_updates(state.parameters, updates))
    stepped = replace(state, parameters=parameters, optimizer=optimizer_state, step=state.step + 1)
    leaves = [value, *jax.tree.leaves(parameters)]
    finite = jnp.stack([jnp.isfinite(leaf).all() for leaf in leaves]).all()
    value = jnp.where(finite | ~jnp.isfinite(value), value, jnp.nan)
    return jax.tree.map(partial(jnp.where, finite), stepped, state), value


@lru_cache
def default_optimizer(steps: int) -> optax.GradientTransformation:
    """Return Adam, its rate falling from 0.01 to 0 as half a cosine over so many steps.

    Args:
        steps: how many there will be.

    Shapes:
        -> a pair of functions.

    Returns:
        The optimizer.

    Example:
        >>> optimizer = default_optimizer(300)
    """
    return optax.adam(optax.cosine_decay_schedule(0.01, steps))


def fit(
    key: jax.Array,
    loss: Loss,
    data: Any,
    start: Parameters,
    *,
    steps: int = 300,
    batch: int | None = 64,
    optimizer: optax.GradientTransformation | None = None,
    project: Callable[[Parameters], Parameters] = _as_they_are,
    every: int = 10,
    watch: Callable[[Parameters], Any] = _nothing,
    patience: int | None = None,
    parts: int = 1,
    save: Path | str | None = None,
    resume: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Fit:
    """Learn parameters that make a loss small, by gradient descent.

    On a terminal a bar shows the loss, and what of `watch` is a number. Ctrl-C ends the fit, and returns
    it as it was after its last whole epoch: the one at hand is lost. Under `jax.jit` or `jax.vmap` the
    whole fit is one program: train over keys, noise levels or starts at once.

    Fits whose `loss`, `data` functions, `optimizer`, `project` and `watch` are equal, with operands of
    equal shapes, share one compiled program. A function equals only itself, so a lambda or an optimizer
    that is made anew compiles anew, while `signals.scenes` of equal options are equal.

    Args:
        key: a `jax.random` key, for all batches.
        loss: a function of parameters and batch, as those of `learning.losses` or your own.
        data: a function of a key that makes one example (`signals.scenes`), of which each step sees
            a fresh batch; or arrays, any pytree of them, with one leading axis of examples, which are
            shuffled anew in every epoch; or an iterator of batches.
        start: the parameters to start from, any pytree: `random_filter`, a bank of them, a network.
        steps: how many updates.
        batch: examples a step; None for all there are, if they are arrays.
        optimizer: of optax; None for `default_optimizer(steps)`.
        project: applied after each step, as those of `learning.constraints`.
        every: steps an epoch.
        watch: measured before the first epoch and after each, as `{"similarity": ...}`.
        patience: stop after so many epochs in a row whose mean loss is no new least; None never.
        parts: take each batch in so many parts, one after another, and step by the mean of their
            losses: memory holds what one part needs (`jax.checkpoint`). The same, where the loss is a
            mean over examples; the `deflection` is then the mean of the parts' own.
        save: file to keep the state in, written whole after every epoch.
        resume: go on from what `save` holds, to the same numbers as without the break.
        settings: names and values (numbers, strings, lists) that describe this fit, such as its noise or
            seed. `save` keeps them beside `steps`, `batch` and `every`; a fit resumes only where all are
            the same.

    Shapes:
        -> parameters as start, losses (steps,), watched (1 + epochs, ...), steps (1 + epochs,).

    Returns:
        A `Fit`. Where it stopped early, its arrays end there; under `jit` what was not done is NaN.

    Raises:
        ValueError: if a number is not positive, arrays have no common leading axis or fewer examples
            than a batch; or the saved file is damaged, or of a fit with other settings or shapes.
        TypeError: if a number is not whole.
        FileNotFoundError: if there is nothing to resume.
        FloatingPointError: if a loss is not finite; it tells the step. Under `jit` the losses from there
            on are NaN or infinite, and the parameters those of the step before.

    Source:
        definition; the optimizers are optax's.

    Example:
        >>> from jaxconv.learning import negative_deflection, unit_energy
        >>> from jaxconv.signals import scenes
        >>> draw = scenes(shape=(24, 24), kinds=["cross"], size=7)
        >>> start = random_filter(jax.random.key(1), (7, 7))
        >>> options = {"steps": 20, "batch": 4, "project": unit_energy}
        >>> fitted = fit(jax.random.key(0), negative_deflection, draw, start, **options)
        >>> bool(fitted.losses[-1] < fitted.losses[0])
        True
    """
    numbers = {"steps": steps, "batch": batch, "every": every}
    for name, value in (numbers | {"patience": patience, "parts": parts}).items():
        if value is not None:
            checks.positive("fit", name, value)
    if resume and save is None:
        raise checks.value_error("fit", "save", "name the file to resume from", None)
    source, iterator = batches("fit", data, batch)
    loss = loss if parts == 1 else _by_parts(loss, parts)
    rules = _Rules(loss, optimizer or default_optimizer(steps), project, watch, patience)
    state = init(key, start, rules.optimizer)
    course = _Course(state, (), (_watched(rules, state.parameters),), (0,))
    settings = {**(settings or {}), **numbers}
    if resume:
        course = course.read(Path(str(save)), settings)
    done = course.steps[-1]
    if iterator:
        skip("fit", iterator, done)
    lengths = [min(every, steps - start) for start in range(done, steps, every)]
    with progress.bar("fitting", steps) as report:
        try:
            for length in lengths:
                handed = given("fit", iterator, length) if iterator else None
                operands = (course.state, source, handed)
                if course.steps[-1] == done and _is_traced(rules, length, operands):
                    _check_traced(save, iterator)
                    return _in_one_program(rules, course, source, lengths)
                course = course.add(*_epoch(rules, length, *operands))
                if save is not None:
                    course.write(Path(save), settings)
                report(course.steps[-1], loss=course.losses[-1][-1], **_numbers(course.watched[-1]))
                if patience is not None and int(course.state.stale) >= patience:
                    break
        except KeyboardInterrupt:
            course = replace(course, interrupted=True)
    return course.fit()


@dataclass(frozen=True)
class _Course:
    """Where a fit stands, and what was seen on the way.

    Frozen, so that Ctrl-C at any moment leaves the one before an epoch or the one after it.
    """

    state: State
    losses: tuple[Any, ...]
    watched: tuple[Any, ...]
    steps: tuple[int, ...]
    interrupted: bool = False

    def add(self, state: State, losses: jax.Array, seen: Any) -> "_Course":
        """Return the course with one more epoch, or raise where a loss is not finite."""
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            number = self.steps[-1] + int(bad[0]) + 1
            raise FloatingPointError(
                f"fit: the loss must be finite; got {losses[bad[0]]} at step {number}, or such a"
                " gradient. Try a lower rate of the optimizer, or optax.clip_by_global_norm before it;"
                " and see whether the data hold NaN."
            )
        return _Course(
            state,
            (*self.losses, np.asarray(losses)),  # NumPy's, since JAX compiles for each new length
            (*self.watched, jax.tree.map(np.asarray, seen)),
            (*self.steps, self.steps[-1] + len(losses)),
        )

    def fit(self) -> Fit:
        """Return what was learned."""
        seen = self.seen()
        losses, watched, steps = jax.tree.map(jnp.asarray, seen)
        return Fit(self.state.parameters, self.state.best, losses, watched, steps, self.interrupted)

    def seen(self) -> tuple[np.ndarray, Any, np.ndarray]:
        """Return the losses, what was watched, and after how many steps."""
        losses = np.concatenate(self.losses) if self.losses else np.zeros(0, np.float32)
        return losses, jax.tree.map(lambda *each: np.stack(each), *self.watched), np.array(self.steps)

    def write(self, path: Path, settings: dict[str, Any]) -> None:
        """Keep it in a file."""
        saving.write(path, settings, state=self.state, seen=self.seen())

    def read(self, path: Path, settings: dict[str, Any]) -> "_Course":
        """Return what a file keeps, if it is of such a fit."""
        empty = jnp.zeros(0, self.state.best_loss.dtype)
        seen = (empty, jax.tree.map(lambda a: a[None], self.watched[0]), jnp.array(self.steps))
        kept = saving.read("fit", path, settings, {"state": self.state}, {"seen": seen})
        losses, watched, steps = kept["seen"]
        each = (jax.tree.map(lambda a, i=i: np.asarray(a)[i], watched) for i in range(len(steps)))
        return _Course(kept["state"], (losses,), tuple(each), tuple(steps.tolist()))


@partial(jax.jit, static_argnums=(0, 1))
def _epoch(
    rules: _Rules, length: int, state: State, source: Batches, handed: Any
) -> tuple[State, jax.Array, Any]:
    """Take the steps of an epoch, none once patience is at its end."""

    def one(state: State, planned: Any) -> tuple[State, jax.Array]:
        way = {"loss": rules.loss, "optimizer": rules.optimizer, "project": rules.project}
        return step(state, source.take(planned), **way)

    def run(state: State) -> tuple[State, jax.Array]:
        planned = source.plan(jax.random.fold_in(state.key, state.step), length)
        state, losses = lax.scan(one, state, planned if handed is None else handed)
        mean = losses.mean().astype(state.best_loss.dtype)
        better = mean < state.best_loss
        best = jax.tree.map(partial(jnp.where, better), state.parameters, state.best)
        least, stale = jnp.where(better, mean, state.best_loss), jnp.where(better, 0, state.stale + 1)
        return replace(state, best=best, best_loss=least, stale=stale), losses

    if rules.patience is None:
        state, losses = run(state)
    else:
        shape = jax.eval_shape(run, state)[1]
        idle = lambda state: (state, jnp.full(shape.shape, jnp.nan, shape.dtype))  # noqa: E731
        state, losses = lax.cond(state.stale < rules.patience, run, idle, state)
    return state, losses, rules.watch(state.parameters)


@partial(jax.jit, static_argnums=0)
def _watched(rules: _Rules, parameters: Parameters) -> Any:
    return rules.watch(parameters)


def _in_one_program(rules: _Rules, course: _Course, source: Batches, lengths: list[int]) -> Fit:
    """Return the fit of traced operands: the epochs of equal length are a scan of scans."""

    def epoch(state: State, _: None) -> tuple[State, tuple[jax.Array, Any]]:
        state, *seen = _epoch(rules, lengths[0], state, source, None)
        return state, tuple(seen)

    equal = lengths.count(lengths[0])
    state, (losses, watched) = lax.scan(epoch, course.state, length=equal)
    first = jax.tree.map(lambda a: jnp.asarray(a)[None], course.watched[0])
    parts = [(jnp.zeros(0, losses.dtype), first), (losses.ravel(), watched)]
    for length in lengths[equal:]:
        state, values, seen = _epoch(rules, length, state, source, None)
        parts.append((values, jax.tree.map(lambda a: a[None], seen)))
    losses, watched = jax.tree.map(lambda *each: jnp.concatenate(each), *parts)
    steps = jnp.array(np.cumsum([0, *lengths]))
    return Fit(state.parameters, state.best, losses, watched, steps, False)


def _is_traced(rules: _Rules, length: int, operands: tuple[State, Batches, Any]) -> bool:
    """Tell whether an epoch depends on a value under `jit` or `vmap`, one closed over included."""
    program = jax.make_jaxpr(partial(_epoch, rules, length))(*operands)
    return any(isinstance(leaf, Tracer) for leaf in [*jax.tree.leaves(operands), *program.consts])


def _check_traced(save: Path | str | None, iterator: Any) -> None:
    """Raise where a fit that is one program is asked for what happens between its epochs."""
    for name, value in (("save", save), ("data", iterator)):
        if value is not None:
            rule = "be left out" if name == "save" else "be a function of a key, or arrays"
            raise checks.value_error("fit", name, f"{rule} under jit and vmap", value)


def _numbers(seen: Any) -> dict[str, float]:
    """Return what of a dictionary is a number."""
    if not isinstance(seen, dict):
        return {}
    return {name: float(value) for name, value in seen.items() if jnp.size(value) == 1}


@lru_cache
def _by_parts(loss: Loss, parts: int) -> Loss:
    """Return the mean of a loss over parts of the batch, of which one at a time is in memory."""

    def mean(parameters: Parameters, batch: Any) -> jax.Array:
        count = len(jax.tree.leaves(batch)[0])
        if count % parts:
            raise checks.value_error("fit", "parts", f"divide the {count} examples of a batch", parts)
        split = jax.tree.map(lambda a: a.reshape(parts, -1, *a.shape[1:]), batch)
        return lax.map(jax.checkpoint(lambda part: loss(parameters, part)), split).mean()

    return mean
