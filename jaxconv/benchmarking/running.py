"""Running: time the cases, with all contestants in turn in one process."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.signal

from jaxconv.benchmarking.cases import CHANNELS, GRADIENTS, LENGTHS, SINGLE, Case
from jaxconv.benchmarking.contestants import forward, gradients
from jaxconv.benchmarking.family import TASKS, Task
from jaxconv.benchmarking.finding import BANKS, MATCHING, MATCHING_GRADIENTS, Search
from jaxconv.benchmarking.learning import TRAININGS, time_training
from jaxconv.benchmarking.reported import REPORTS, Report
from jaxconv.benchmarking.sharded import DEVICES, SHARDED, time_sharded
from jaxconv.convolution import conv_general_dilated, convolve
from jaxconv.convolution.choosing import plan
from jaxconv.convolution.preparing import prepare
from jaxconv.engine import device, planning
from jaxconv.engine.acceleration import accelerate, explain
from jaxconv.engine.how import How
from jaxconv.engine.timing import measure

Results = dict[str, Any]
QUICK = ((1_000_000,), (1024, 1024), (128, 128, 128))
SMALL = 5  # kernels up to this side are compared with a copy of the signal


def run(
    platform: str | None = None, quick: bool = False, only: str = ""
) -> Iterator[tuple[str, str, Results]]:
    """Yield after each case its part, its name and all results so far."""
    with jax.default_device(jax.devices(platform)[0]):
        results: Results = {"about": device.about(platform), "limits": limits()}
        for part, cases, step in parts(only):
            for case in quickly(cases) if quick else cases:
                results.setdefault(part, {})[case.name] = step(case)
                yield part, case.name, results


def parts(only: str = "") -> list[tuple[str, Sequence[Any], Callable[[Any], Results]]]:
    """Return the parts whose name contains this text; those of many devices if it is theirs."""
    return [part for part in PARTS if only in part[0] and (only or part[0] not in OF_DEVICES)]


def simulate_devices(only: str) -> None:
    """Let a CPU be as many devices as the parts of these names need; before JAX is used."""
    if any(part in OF_DEVICES for part, *_ in parts(only)):
        jax.config.update("jax_num_cpu_devices", DEVICES)


def quickly(cases: Sequence[Any]) -> Sequence[Any]:
    """Return the cases of a quick run: a few signals with every kernel, or one case in six."""
    return [case for case in cases if getattr(case, "signal", None) in QUICK] or cases[::6]


def time_forward(case: Case) -> Results:
    """Time one channel forward, also by each method that the planner expects to be close, and a copy."""
    x, k = case.operands()
    runs, planned = forward(case, x, k), plan(x, k, "same")
    a, b = jnp.asarray(x), jnp.asarray(k)
    limit = max(4 * planned.chosen.seconds, 2e-4)
    for method in (c.method for c in planned.candidates if not c.refusal and c.seconds < limit):
        by_name = partial(convolve, mode="same", method=method)  # pyright: ignore[reportArgumentType]
        runs[f"method {method}"] = partial(jax.jit(by_name), a, b)
    if max(k.shape) <= SMALL:
        runs["copy"] = partial(jax.jit(lambda a: a + 1), a)
    seconds = _seconds(runs)  # before anything else is compiled, since it times the first calls too
    needed = jax.jit(partial(convolve, mode="same")).lower(a, b).compile().memory_analysis()
    return {
        "method": planned.method,
        "error": _error(runs["jaxconv"](), x, k),
        "memory": needed.temp_size_in_bytes / x.nbytes if needed else None,
        **seconds,
    }


def time_channels(case: Case) -> Results:
    """Time a layer forward."""
    x, k = case.operands()
    ours, laxs = (
        partial(f, **case.options) for f in (conv_general_dilated, jax.lax.conv_general_dilated)
    )
    with jax.enable_x64(True):
        wide = [jnp.asarray(v, float) for v in (x, k)]
        want, sums = laxs(*wide), laxs(*map(jnp.abs, wide))
        error = float(jnp.abs(ours(jnp.asarray(x), jnp.asarray(k)) - want).max() / sums.max())
    return {
        "method": explain(ours, x, k).forward[0].method,
        "error": error,
        **_seconds(forward(case, x, k)),
    }


def time_gradients(case: Case) -> Results:
    """Time the value with both gradients, and our value alone."""
    return _seconds(gradients(case, *case.operands()))


def time_family(task: Task) -> Results:
    """Time a task of the SciPy family; the error is relative to SciPy's result for the same operands."""
    runs = task.contestants()
    seconds = _seconds(runs)
    want = np.asarray(runs["SciPy"](), float)
    error = float(np.abs(np.asarray(runs["jaxconv"](), float) - want).max() / np.abs(want).max())
    return {"error": error, **seconds}


def time_prepared(case: Case) -> Results:
    """Time a call with a prepared kernel, and one without."""
    x, k = map(jnp.asarray, case.operands())
    call = jax.jit(partial(convolve, mode="same"))
    prepared = prepare(k, x.shape, mode="same")
    runs = {"jaxconv": partial(call, x, k), "prepared": partial(call, x, prepared)}
    return {"method": prepared.plan.method if prepared.plan else "", **_seconds(runs)}


def time_length(case: Case) -> Results:
    """Time a 1-D signal of some length."""
    x, k = map(jnp.asarray, case.operands())
    return {
        "samples": x.size,
        **_seconds({"jaxconv": partial(jax.jit(partial(convolve, mode="same")), x, k)}),
    }


def time_reported(report: Report) -> Results:
    """Time a function as a user reported it, and accelerated."""
    with jax.enable_x64(report.x64):
        fn, operands = report.make()
        runs = {
            "JAX": partial(jax.jit(fn), *operands),
            "jaxconv": partial(jax.jit(accelerate(fn)), *operands),
        }
        seconds = _seconds(runs)
        got, want = (jax.tree.leaves(runs[name]()) for name in ("jaxconv", "JAX"))
        differ = max(
            float(jnp.abs(g - w).max() / jnp.abs(w).max()) for g, w in zip(got, want, strict=True)
        )
        return {"thread": report.thread, "difference": differ, **seconds}


def time_planning(case: Case) -> Results:
    """Time the planner itself: for a new problem, and for a cached one."""
    problem = plan(case.signal, case.kernel, "same").problem
    fresh, cached = [], []
    for _ in range(101):
        planning.plan.cache_clear()
        for times in (fresh, cached):
            start = time.perf_counter()
            planning.plan(problem, How())
            times.append(time.perf_counter() - start)
    return {"seconds": {"fresh": float(np.median(fresh)), "cached": float(np.median(cached))}}


def time_search(search: Search) -> Results:
    """Time a search; the difference is to a peer that returns the same array."""
    runs = search.contestants()
    times, ours = _seconds(runs), runs["jaxconv"]()
    row: Results = {"pairs": search.pairs, **times}
    for name in ("OpenCV", "scikit-image"):
        if name in runs:
            row["difference"] = float(np.abs(np.asarray(ours) - runs[name]()).max())
    return row


def limits() -> Results:
    """Return the speeds of the device with XLA: a copy of 32 MB, and a matrix product."""
    x, m = jnp.ones(8_000_000, jnp.float32), jnp.ones((2048, 2048), jnp.float32)
    copy, product = jax.jit(lambda x: x + 1), jax.jit(lambda m: m @ m)
    times = measure({"copy": lambda: copy(x), "product": lambda: product(m)})
    return {
        "copy, GB/s": 2 * x.nbytes / times["copy"].seconds / 1e9,
        "matrix product, GFLOP/s": 2 * math.prod((2048,) * 3) / times["product"].seconds / 1e9,
    }


def _seconds(runs: dict[str, Callable[[], Any]]) -> Results:
    times = measure(runs)
    return {
        "seconds": {name: t.seconds for name, t in times.items()},
        "first": {name: t.first for name, t in times.items()},
    }


def _error(got: Any, x: np.ndarray, k: np.ndarray) -> float:
    """Return the maximum error against float64, relative to the largest sum of absolute products."""
    want = scipy.signal.oaconvolve(x.astype(float), k.astype(float), "same")
    sums = scipy.signal.oaconvolve(np.abs(x.astype(float)), np.abs(k.astype(float)), "same")
    return float(np.abs(np.asarray(got, float) - want).max() / sums.max())


OF_DEVICES = ("sharded",)
PARTS: tuple[tuple[str, Sequence[Any], Callable[[Any], Results]], ...] = (
    ("one channel, forward", SINGLE, time_forward),
    ("channels, forward", CHANNELS, time_channels),
    ("one channel, value and both gradients", GRADIENTS, time_gradients),
    ("channels, value and both gradients", CHANNELS, time_gradients),
    ("SciPy's family", TASKS, time_family),
    ("finding: matching", MATCHING, time_search),
    ("finding: matching, value and both gradients", MATCHING_GRADIENTS, time_search),
    ("finding: banks", BANKS, time_search),
    ("learning", TRAININGS, time_training),
    ("reported", REPORTS, time_reported),
    ("prepared", SINGLE[2::5], time_prepared),
    ("lengths", LENGTHS, time_length),
    ("planning", SINGLE[:1], time_planning),
    ("sharded", SHARDED, time_sharded),
)
