"""Time jaxconv beside its peers and write the results, as JSON and as a page.

    python benchmarks/run.py            # everything, about ten minutes
    python benchmarks/run.py --quick    # some of it

Peers are JAX and SciPy, and OpenCV and PyTorch where they are installed. Every contestant is timed in
turn in this one process; errors are against float64.
"""

import argparse
import datetime
import importlib.metadata
import json
import math
import os
import platform
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import scipy.signal
from cases import CHANNELS, SINGLE, Case
from contestants import forward, gradients
from report import write
from rich.progress import track
from timing import measure

import jaxconv

ROOT = Path(__file__).parent.parent


def operands(case: Case):
    """Return float32 noise."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(np.float32) for shape in (case.signal, case.kernel)]


def time_forward(case: Case) -> dict:
    """Time one case forward, and each of jaxconv's methods that the planner thinks worth it."""
    x, k = operands(case)
    runs = forward(case, x, k)
    if case.options:
        told = jaxconv.explain(lambda a, b: jaxconv.conv_general_dilated(a, b, **case.options), x, k)
        return {"chosen": told.forward[0].method, "error": None, **_seconds(runs)}
    plan = jaxconv.plan(x, k, "same")
    most = max(4 * plan.chosen.seconds, 2e-4)
    a, b = jnp.asarray(x), jnp.asarray(k)
    for method in (c.method for c in plan.candidates if not c.refusal and c.seconds < most):
        fn = jax.jit(lambda a, b, method=method: jaxconv.convolve(a, b, "same", method))
        runs[f"method {method}"] = lambda fn=fn: fn(a, b)
    taken = _seconds(runs)
    return {"chosen": plan.method, "error": _error(runs["jaxconv"](), x, k), **taken}


def _seconds(runs: dict) -> dict:
    times = measure(runs)
    return {
        "seconds": {name: t.seconds for name, t in times.items()},
        "first": {name: t.first for name, t in times.items()},
    }


def _error(got, x, k) -> float:
    """Return the greatest error, relative to the greatest sum of absolute products."""
    want = scipy.signal.oaconvolve(x.astype(float), k.astype(float), "same")
    sums = scipy.signal.oaconvolve(np.abs(x.astype(float)), np.abs(k.astype(float)), "same")
    return float(np.abs(np.asarray(got, float) - want).max() / sums.max())


def limits() -> dict:
    """Return the machine's own speeds, as XLA reaches them: a copy of 32 MB and a matrix product."""
    x = jnp.ones(8_000_000, jnp.float32)
    m = jnp.ones((2048, 2048), jnp.float32)
    copy, product = jax.jit(lambda x: x + 1), jax.jit(lambda m: m @ m)
    times = measure({"copy": lambda: copy(x), "product": lambda: product(m)})
    return {
        "copy, GB/s": 2 * x.nbytes / times["copy"].seconds / 1e9,
        "matrix product, GFLOP/s": 2 * 2048**3 / times["product"].seconds / 1e9,
    }


def about() -> dict:
    """Return what was timed where."""
    names = ("jax", "jaxlib", "numpy", "scipy", "torch", "opencv-python-headless")
    found = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
    return {
        "date": datetime.date.today().isoformat(),
        "device": jax.devices()[0].device_kind,
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "versions": {name: found[name] for name in names if name in found},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor()
    )


def main() -> None:
    """Run, save, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="every fourth case")
    parser.add_argument("--output", type=Path, default=ROOT / "out")
    arguments = parser.parse_args()
    every = 4 if arguments.quick else 1
    results = {"about": about(), "limits": limits(), "forward": {}, "gradients": {}}
    for case in track(SINGLE[::every] + CHANNELS[::every], "forward", disable=not sys.stdout.isatty()):
        group = "channels" if case.options else "single"
        results["forward"].setdefault(group, {})[case.name] = time_forward(case)
        save(results, arguments.output)
    worth = [case for case in SINGLE[1::3] if case.products < 4e9 and math.prod(case.kernel) < 20_000]
    for case in track(worth[::every] + CHANNELS[::every], "gradients", disable=not sys.stdout.isatty()):
        group = "channels" if case.options else "single"
        taken = _seconds(gradients(case, *operands(case)))
        results["gradients"].setdefault(group, {})[case.name] = taken
        save(results, arguments.output)
    write(results, arguments.output / "benchmarks.md")
    print(f"wrote {arguments.output}/benchmarks.json and benchmarks.md")


def save(results: dict, folder: Path) -> None:
    """Save what there is so far, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / ".benchmarks.json.part"
    part.write_text(json.dumps(results, indent=1))
    part.replace(folder / "benchmarks.json")


if __name__ == "__main__":
    main()
