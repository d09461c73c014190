"""Running: time the cases, with all contestants in turn in one process."""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.signal

from jaxconv.benchmarking.cases import CHANNELS, GRADIENTS, LENGTHS, SINGLE, Case
from jaxconv.benchmarking.contestants import forward, gradients, in_jax, on_cpu
from jaxconv.benchmarking.family import TASKS, Task
from jaxconv.benchmarking.finding import BANKS, MATCHING, MATCHING_GRADIENTS, Search
from jaxconv.benchmarking.learning import TRAININGS, time_training
from jaxconv.benchmarking.reported import REPORTS, Report
from jaxconv.benchmarking.sharded import DEVICES, SHARDED, time_sharded
from jaxconv.benchmarking.streams import CHUNKED, Chunked
from jaxconv.convolution import conv_general_dilated, convolve
from jaxconv.convolution.choosing import plan
from jaxconv.convolution.preparing import prepare
from jaxconv.engine import device, planning
from jaxconv.engine.acceleration import accelerate, explain
from jaxconv.engine.how import How
from jaxconv.engine.timing import measure

Results = dict[str, Any]
Step = Callable[[Any], Results]
Part = tuple[str, Sequence[Any], Step]
SMALL = 5  # kernels up to this side are compared with a copy of the signal
RANKS = {"signals": 1, "images": 2, "volumes": 3}
SUITES = {  # and the beginnings of the titles of their parts
    "quick": ("one channel", "channels", "finding: matching"),
    "signals": ("one channel", "prepared", "lengths", "planning"),
    "images": ("one channel", "prepared"),
    "volumes": ("one channel",),
    "layers": ("channels",),
    "family": ("SciPy's family",),
    "matching": ("finding",),
    "learning": ("learning",),
    "streams": ("streams",),
    "reported": ("reported",),
    "sharded": ("sharded",),
}
WHOLE = tuple(name for name in SUITES if name not in ("quick", "sharded"))


def run(
    platform: str | None = None, suites: Sequence[str] = WHOLE, own: Case | None = None, dtype="float32"
) -> Iterator[tuple[str, str, Results]]:
    """Yield after each case its part, its name and all results so far."""
    with jax.default_device(jax.devices(platform)[0]):
        results: Results = {"about": device.about(platform), "limits": limits()}
        results["about"] |= {"dtype": dtype, "settings": settings()}
        for part, cases, step in parts(suites, own, dtype):
            for case in cases:
                results.setdefault(part, {})[case.name] = step(case)
                results["about"]["load after"] = device.load()
                yield part, case.name, results


def parts(suites: Sequence[str] = WHOLE, own: Case | None = None, dtype: str = "float32") -> list[Part]:
    """Return what the suites time, each part once, or forward and gradients of a case of one's own."""
    if own:
        singly: list[Part] = [("one channel, forward", [own], time_forward)]
        return singly + [("one channel, value and both gradients", [own], time_gradients)] * (
            dtype != "int32"
        )
    found = []
    for part, cases, step in PARTS:
        chosen = [case for case in cases if any(_belongs(case, part, suite) for suite in suites)]
        chosen = chosen if set(suites) != {"quick"} else quickly(chosen)
        if dtype != "float32":
            chosen = [replace(case, dtype=dtype) for case in chosen if isinstance(case, Case)]
            chosen *= not (dtype == "int32" and "gradients" in part)
        found += [(part, chosen, step)] if chosen else []
    return found


def _belongs(case: Any, part: str, suite: str) -> bool:
    """Whether a suite times a case of a part."""
    begins = part.startswith(SUITES[suite])
    return begins and (suite not in RANKS or case.rank == RANKS[suite])


def quickly(cases: Sequence[Any]) -> Sequence[Any]:
    """Return one case in eight, and of few cases the first."""
    return cases[::8]


def simulate_devices(suites: Sequence[str]) -> None:
    """Let a CPU be as many devices as the suites need; before JAX is used."""
    if "sharded" in suites:
        jax.config.update("jax_num_cpu_devices", DEVICES)


def settings() -> Results:
    """Return what of the process's settings changes times."""
    return {
        "asynchronous dispatch": jax.config.values["jax_cpu_enable_async_dispatch"],
        "memory": os.environ.get("GLIBC_TUNABLES", "as it is"),
    }


def time_forward(case: Case) -> Results:
    """Time one channel forward, also by each method that the planner expects to be close, and a copy."""
    with jax.enable_x64(case.dtype == "float64"):
        return _time_forward(case)


def _time_forward(case: Case) -> Results:
    x, k = case.operands()
    runs, planned = forward(case, x, k), plan(x, k, case.mode)
    a, b = jnp.asarray(x), jnp.asarray(k)
    limit = max(4 * planned.chosen.seconds, 2e-4)
    for method in (c.method for c in planned.candidates if not c.refusal and c.seconds < limit):
        by_name = partial(convolve, mode=case.mode, method=method)  # pyright: ignore[reportArgumentType]
        runs[f"method {method}"] = partial(jax.jit(by_name), a, b)
    if max(k.shape) <= SMALL:
        runs["copy"] = partial(jax.jit(lambda a: a + 1), a)
    seconds = _seconds(runs)  # before anything else is compiled, since it times the first calls too
    needed = jax.jit(in_jax(case)[0]).lower(a, b).compile().memory_analysis()
    out = runs["jaxconv"]()
    return {
        "method": planned.method,
        "error": _error(out, x, k, case.mode),
        "memory": needed.temp_size_in_bytes / x.nbytes if needed else None,
        "products": planned.problem.products,
        "bytes": a.nbytes + b.nbytes + out.nbytes,
        **seconds,
    }


def time_channels(case: Case) -> Results:
    """Time a layer forward."""
    with jax.enable_x64(case.dtype == "float64"):
        return _time_channels(case)


def _time_channels(case: Case) -> Results:
    x, k = case.operands()
    ours, laxs = (
        partial(f, **case.options) for f in (conv_general_dilated, jax.lax.conv_general_dilated)
    )
    out = ours(jnp.asarray(x), jnp.asarray(k))
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        wide = [jnp.asarray(v, complex if jnp.iscomplexobj(v) else float) for v in (x, k)]
        want, sums = laxs(*wide), laxs(*(jnp.abs(v).astype(v.dtype) for v in wide))
        error = float(jnp.abs(np.asarray(out).astype(want.dtype) - want).max() / jnp.abs(sums).max())
    planned = explain(ours, x, k).forward[0]
    return {
        "method": planned.method,
        "error": error,
        "products": planned.problem.products,
        "bytes": sum(v.nbytes for v in (x, k, out)),
        **_seconds(forward(case, x, k)),
    }


def time_gradients(case: Case) -> Results:
    """Time the value with both gradients, and our value alone."""
    with jax.enable_x64(case.dtype == "float64"):
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


def time_chunked(chunked: Chunked) -> Results:
    """Time a signal in chunks, inside `scan`; the error is of the outputs that the whole kernel made."""
    chunks, kernel = chunked.operands()
    runs = chunked.contestants(chunks, kernel)
    seconds = _seconds(runs)
    out = np.ravel(runs["jaxconv"]())[chunked.taps - 1 :]
    return {"error": _error(out, chunks.ravel(), kernel, "valid"), **seconds}


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
    """Return the speeds of the device with XLA: a copy, a matrix product, and a call that does nothing.

    Of 32 MB and 2048² on a CPU, and of 400 MB and 8192², which no cache holds, elsewhere.
    """
    count, side = (8_000_000, 2048) if on_cpu() else (100_000_000, 8192)
    x, m = jnp.ones(count, jnp.float32), jax.random.normal(jax.random.key(0), (side, side))
    copy, product, one = jax.jit(lambda x: x + 1), jax.jit(lambda m: m @ m), jnp.ones(())
    times = measure({"copy": lambda: copy(x), "product": lambda: product(m), "call": lambda: copy(one)})
    return {
        "copy, GB/s": 2 * x.nbytes / times["copy"].seconds / 1e9,
        "matrix product, GFLOP/s": 2 * math.prod((side,) * 3) / times["product"].seconds / 1e9,
        "call, µs": times["call"].seconds * 1e6,
    }


def _seconds(runs: dict[str, Callable[[], Any]]) -> Results:
    times = measure(runs)
    return {
        "seconds": {name: t.seconds for name, t in times.items()},
        "first": {name: t.first for name, t in times.items()},
        "quartiles": {name: (t.low, t.high) for name, t in times.items()},
    }


def _error(got: Any, x: np.ndarray, k: np.ndarray, mode: str) -> float:
    """Return the maximum error against float64, relative to the largest sum of absolute products."""
    x, k = (v.astype(complex if v.dtype.kind == "c" else float) for v in (x, k))
    want = scipy.signal.oaconvolve(x, k, mode)
    sums = scipy.signal.oaconvolve(np.abs(x), np.abs(k), mode)
    return float(np.abs(np.asarray(got).astype(want.dtype) - want).max() / sums.max())


PARTS: tuple[Part, ...] = (
    ("one channel, forward", SINGLE, time_forward),
    ("channels, forward", CHANNELS, time_channels),
    ("one channel, value and both gradients", GRADIENTS, time_gradients),
    ("channels, value and both gradients", CHANNELS, time_gradients),
    ("SciPy's family", TASKS, time_family),
    ("finding: matching", MATCHING, time_search),
    ("finding: matching, value and both gradients", MATCHING_GRADIENTS, time_search),
    ("finding: banks", BANKS, time_search),
    ("learning", TRAININGS, time_training),
    ("streams", CHUNKED, time_chunked),
    ("reported", REPORTS, time_reported),
    ("prepared", SINGLE[2::5], time_prepared),
    ("lengths", LENGTHS, time_length),
    ("planning", SINGLE[:1], time_planning),
    ("sharded", SHARDED, time_sharded),
)
