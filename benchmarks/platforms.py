"""Write docs/platforms.md: what is planned on GPUs and TPUs, and what was measured of it.

python benchmarks/platforms.py docs
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import jax

from jaxconv import conv_general_dilated, convolve, explain
from jaxconv.benchmarking.cases import CHANNELS, SINGLE, Case
from jaxconv.engine import costs, device, planning
from jaxconv.engine.planning import Plan

RESULTS = Path(__file__).parent / "results" / "nvidia-h200-jax-0.11.2.json"
COUNT = 40  # problems


def main(docs: Path) -> None:
    """Write the page."""
    measured = json.loads(RESULTS.read_text())
    cases = chosen()
    lines = [
        "| problem | H200 | other GPUs | TPU | predicted gain | gain |",
        "|---|---|---|---|---|---|",
    ]
    plans = {name: [plan_on(name, case) for case in cases] for name in ("hopper", "cuda", "tpu")}
    for case, hopper, cuda, tpu in zip(cases, *plans.values()):
        own = next(c.seconds for c in hopper.candidates if c.method == "direct")
        row = next((measured[p][case.name] for p in measured if case.name in measured[p]), None)
        gain = f"{row['seconds']['JAX'] / row['seconds']['jaxconv']:.2g}" if row else ""
        cells = (
            case.name,
            hopper.method,
            cuda.method,
            tpu.method,
            f"{own / hopper.chosen.seconds:.2g}",
            gain,
        )
        lines.append(f"| {' | '.join(cells)} |")
    text = (
        (Path(__file__).parent / "platforms.md")
        .read_text()
        .format(count=len(cases), margin=costs.UNMEASURED)
    )
    (docs / "platforms.md").write_text(text + "\n## Problems\n\n" + "\n".join(lines) + "\n")


def chosen() -> list[Case]:
    """Return the problems: all layers, and the others evenly."""
    count = COUNT - len(CHANNELS)
    step = len(SINGLE) / count
    return [SINGLE[int(i * step)] for i in range(count)] + CHANNELS


def plan_on(name: str, case: Case) -> Plan:
    """Return the plan of a case on a GPU that was measured, on another, or on a TPU."""
    device.kind = lambda platform: "NVIDIA H200" if name == "hopper" else "another"
    for cache in (costs.nearest_gpu, costs.constants, planning.plan):
        cache.cache_clear()
    fn: Any = partial(convolve, mode=case.mode)
    if case.options:
        fn = partial(conv_general_dilated, **case.options)
    shapes = [jax.ShapeDtypeStruct(shape, "float32") for shape in (case.signal, case.kernel)]
    return explain(fn, *shapes, platform="tpu" if name == "tpu" else "cuda").forward[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
