"""Tuning: measure the methods for the convolutions of a function, and plan by what was measured."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks, files, progress
from jaxconv.engine import costs, device, planning, primitive, store, tuned
from jaxconv.engine.acceleration import explain
from jaxconv.engine.how import How
from jaxconv.engine.planning import Plan
from jaxconv.engine.rewriting import abstract_others, with_gradient
from jaxconv.engine.timing import measure
from jaxconv.engine.trials import time_methods
from jaxconv.engine.tuned import Times

__all__ = ["Trial", "Tuning", "forget", "load", "save", "tune"]

CLOSE = 1.5  # times as long as the fastest alone that a method may take to be tried in the program
ROUNDS = 8


@dataclass(frozen=True)
class Trial:
    """One convolution: its plan before, its plan now, and what each method took, in seconds."""

    before: Plan
    after: Plan
    seconds: dict[str, float]


@dataclass(frozen=True)
class Tuning:
    """What `tune` measured; printable."""

    trials: tuple[Trial, ...]

    def __str__(self) -> str:
        lines = []
        for trial in self.trials:
            lines.append(trial.after.title)
            for name, seconds in sorted(trial.seconds.items(), key=lambda item: item[1]):
                mark = ">" if name == trial.after.method else " "
                told = "  planned before" if name == trial.before.method else ""
                lines.append(f"{mark} {name:8} {seconds * 1e3:>9.3f} ms{told}")
        return "\n".join(lines) or "no convolution to tune"


def tune(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Tuning:
    """Measure every convolution in a function and in its gradient, and plan by it from now on.

    Each is timed by each method that may be the fastest, alone, in the shape that a shard has where
    arrays are divided, on the default device. Where several are close between the layers of a network
    (in a function under `accelerate`), they are timed in the function as it stands. What was measured is
    kept for this device and these versions, in the user's cache folder, as soon as it was: Ctrl-C keeps
    what is done. Plans say what was measured. Functions that were compiled before are compiled anew.

    In a job of several processes all call it, and all plan by what process 0 measured.

    Args:
        fn: the function.
        *args: its arguments, or in the place of each a `jax.ShapeDtypeStruct`.
        **kwargs: more of its arguments.

    Shapes:
        Any. Memory and time are needed as for fn's convolutions, several times.

    Returns:
        A `Tuning`: for each convolution the plans before and after, and the times.

    Example:
        >>> from jaxconv import convolve, plan
        >>> told = tune(convolve, jnp.ones(1000), jnp.ones(5))
        >>> len(told.trials), "measured here" in str(plan((1000,), (5,)))
        (3, True)
    """
    told = explain(fn, *args, **kwargs)
    free = (p for p in (*told.forward, *told.gradient) if p.how.method == "auto" and p.problem.products)
    plans = list(dict.fromkeys(free))
    try:
        with progress.bar("tuning", len(plans)) as report:
            for done, plan in enumerate(plans, 1):
                found = _measured(plan)
                tuned.keep(plan.problem, found)
                report(done, fastest=min(found.seconds.values()))
        planning.plan.cache_clear()
        _between_layers(plans, fn, args, kwargs)
        if jax.process_count() > 1:
            known = [times for plan in plans if (times := tuned.find(plan.problem))]
            tuned.keep_all(device.platform_name(), _agreed(known))
    finally:
        planning.plan_afresh()
    trials = []
    for before in plans:
        times = tuned.find(before.problem)
        after = planning.plan(before.problem, before.how)
        trials.append(Trial(before, after, times.seconds if times else {}))
    return Tuning(tuple(trials))


def save(path: str | Path) -> Path:
    """Write all that was measured on this device to one file, for others with such a device.

    Args:
        path: the file, .json.

    Shapes:
        None.

    Returns:
        The path.

    Example:
        >>> save("tuned.json")  # doctest: +SKIP
        PosixPath('tuned.json')
    """
    platform = device.platform_name()
    found = {"key": store.key(platform), "tuned": list(map(asdict, tuned.all_of(platform)))}
    text = json.dumps(found, indent=1) + "\n"
    return files.write(Path(path), files.text(text))


def load(path: str | Path) -> int:
    """Plan by what a file of `save` holds, from now on.

    Args:
        path: the file. In a job of several processes that of process 0 counts.

    Shapes:
        None.

    Returns:
        Of how many convolutions it tells.

    Raises:
        ValueError: if it is damaged, or of another device or other versions.

    Example:
        >>> load("tuned.json")  # doctest: +SKIP
        12
    """
    platform = device.platform_name()
    rule = "be a file that `jaxconv.tuning.save` wrote"
    try:
        found = json.loads(Path(path).read_text())
        key, many = found["key"], [tuned.sound(each) for each in found["tuned"]]
    except (ValueError, KeyError, TypeError):
        raise checks.value_error("load", "path", rule, f"{path}, which is none") from None
    if key != store.key(platform):
        differ = [f"{name} {key.get(name)}" for name, value in store.key(platform).items()]
        here = ", ".join(f"{name} {value}" for name, value in store.key(platform).items())
        remedy = "Run `jaxconv.tune` here."
        rule = f"be of this device and these versions ({here})"
        raise checks.value_error("load", "path", rule, ", ".join(differ), remedy)
    many = _agreed(many) if jax.process_count() > 1 else many
    tuned.keep_all(platform, many)
    planning.plan_afresh()
    return len(many)


def forget(platform: str | None = None) -> None:
    """Drop all that was measured on a device, on disk too; plans are predictions again.

    Args:
        platform: "cpu", "cuda", "rocm" or "tpu"; None for the default device's.

    Shapes:
        None.

    Example:
        >>> forget()
    """
    tuned.forget(device.platform_name(platform))
    planning.plan_afresh()


def _measured(plan: Plan) -> Times:
    """Return the times of a plan's problem alone."""
    problem = plan.problem
    with jax.default_device(jax.local_devices()[0]):
        times = time_methods(problem, costs.constants(problem.platform), ROUNDS)
    return Times(repr(problem), {time.method: time.seconds for time in times})


def _between_layers(plans: list[Plan], fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Try methods that are close in the function as it stands, one convolution after the other."""
    layers = [plan for plan in plans if plan.how.between_layers]
    if not layers:
        return
    arrays, of_arrays = abstract_others(fn, args, kwargs)
    values = [_like(array) for array in arrays]
    for plan in layers:
        times = tuned.find(plan.problem)
        if times is None:
            continue
        least = min(times.seconds.values())
        close = [name for name, seconds in times.seconds.items() if seconds < CLOSE * least]
        close += [plan.method] if plan.method in times.seconds and plan.method not in close else []
        if len(close) < 2:
            continue
        runs = {}
        for name in close:
            with _trying(times, name):
                whole = primitive.planned(partial(with_gradient, of_arrays), How(between_layers=True))
                runs[name] = partial(jax.jit(whole).lower(values).compile(), values)
        best = {name: time.seconds for name, time in measure(runs, rounds=ROUNDS).items()}
        tuned.keep(plan.problem, replace(times, between_layers=min(best, key=lambda n: best[n])))
        planning.plan.cache_clear()


@contextmanager
def _trying(times: Times, name: str) -> Iterator[None]:
    """Plan a problem by a method meanwhile."""
    tuned.try_out(replace(times, between_layers=name))
    planning.plan.cache_clear()
    try:
        yield
    finally:
        tuned.try_out(times)
        planning.plan.cache_clear()


def _like(array: Any) -> jax.Array:
    """Return an argument, or noise of its shape."""
    if isinstance(array, jax.Array | np.ndarray):
        return jnp.asarray(array)
    if jnp.issubdtype(array.dtype, jnp.inexact):
        return jax.random.normal(jax.random.key(0), array.shape, array.dtype)
    return jnp.zeros(array.shape, array.dtype)


def _agreed(many: list[Times]) -> list[Times]:
    """Return to all processes what process 0 knows."""
    from jax.experimental import multihost_utils

    text = json.dumps(list(map(asdict, many))).encode()
    length = int(multihost_utils.broadcast_one_to_all(np.int32(len(text))))
    mine = np.frombuffer(text.ljust(length)[:length], np.uint8)
    told = np.asarray(multihost_utils.broadcast_one_to_all(mine))
    return [Times(**each) for each in json.loads(told.tobytes())]
