"""Write docs/sharded-benchmarks.md: what divided convolutions send, hold and take.

jaxconv bench --suite sharded --output out
python benchmarks/sharded.py out/benchmarks.json docs
"""

import json
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

import jaxconv
from jaxconv.engine.mesh.traffic import traffic

COUNTED = ("messages", "bytes", "error", "ms")
COUNTS = (2, 4, 8, 16, 32, 64)
LENGTH, TAPS = 1 << 16, (33, 1025, 4097)
FUTURE, DEVICES = 10**12, 1024
LINK, LATENCY, MEMORY = 50e9, 5e-6, 3.35e12  # of one 400 Gb/s adapter; of an H100's data sheet
NEWLINE = "\n"


def counted(devices: int, taps: int) -> dict[str, int]:
    """Compile a convolution of LENGTH samples over so many devices; count what one sends and holds."""
    mesh = jax.make_mesh((devices,), ("d",), devices=jax.devices()[:devices])
    with jax.set_mesh(mesh):
        signal = jax.device_put(jnp.zeros(LENGTH, jnp.float32), NamedSharding(mesh, P("d")))
        kernel = jnp.zeros(taps, jnp.float32)
        call = jax.jit(partial(jaxconv.convolve, mode="same"))
        compiled = call.lower(signal, kernel).compile()
    sent, memory = traffic(compiled), compiled.memory_analysis()
    assert set(sent.messages) == {"collective-permute"}, sent
    held = memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes
    return {
        "messages": sent.messages["collective-permute"],
        "bytes": sent.bytes["collective-permute"],
        "memory": held,
    }


def messages(devices: int, taps: int) -> int:
    """Return how many neighbours a shard hears from, by the derivation."""
    shard, (left, right) = LENGTH // devices, (taps // 2, (taps - 1) // 2)
    return sum(min(-(-reach // shard), devices - 1) for reach in (left, right))


def scaling() -> list[str]:
    """Return the table of what was counted beside what was derived."""
    lines = table("devices", "taps", "messages", "derived", "bytes", "derived", "memory of one device")
    for taps in TAPS:
        for devices in COUNTS:
            found = counted(devices, taps)
            sent = found["messages"], messages(devices, taps), found["bytes"], 4 * (taps - 1)
            cells = [f"{n:,}" for n in (devices, taps, *sent)]
            lines.append(row(*cells, f"{found['memory'] / 1e3:,.0f} kB"))
    return lines


def future() -> list[str]:
    """Return the table for FUTURE samples on DEVICES devices."""
    lines = table("taps", "halo of one device", "its time", "the shard's work", "by", "halo's share")
    shard = FUTURE // DEVICES
    for taps in (5, 33, 129, 1025, 32_769, 1_048_577, 100_000_001, 1_000_000_001):
        plan = jaxconv.plan((shard + taps - 1,), (taps,), "valid", dtype="float32", platform="cuda")
        halo, neighbours = 4 * (taps - 1), 2 * -(-(taps // 2) // shard)
        sending = halo / LINK + neighbours * LATENCY
        work = max(plan.chosen.seconds, 8 * shard / MEMORY)
        times = _seconds(sending), _seconds(work)
        share = f"{sending / (sending + work):.1%}"
        lines.append(row(f"{taps:,}", _bytes(halo), *times, plan.method, share))
    return lines


def table(*heads: str) -> list[str]:
    """Return the head of a table."""
    return [row(*heads), row(":--", *["--:"] * (len(heads) - 1))]


def row(*cells: str) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def beside_lax(rows: dict) -> list[str]:
    """Return the table of what is sent, wrong and taken, beside lax on the same mesh."""
    lines = table("what is divided, method, axes", *COUNTED, *(f"lax: {name}" for name in COUNTED))
    for name, found in rows.items():
        cells = []
        for who in ("jaxconv", "lax"):
            sent, count, error = (found[what][who] for what in ("messages", "bytes", "error"))
            cells += [sent, f"{count:,}", f"{error:.0e}", f"{found['seconds'][who] * 1e3:.2f}"]
        lines.append(row(name, *cells))
    return lines


def _bytes(count: float) -> str:
    unit = next(u for u in ("B", "kB", "MB", "GB", "TB") if (count := count / 1000 ** (u != "B")) < 1000)
    return f"{count:,.4g} {unit}"


def _seconds(time: float) -> str:
    for size, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if time >= size:
            return f"{time / size:.3g} {unit}"
    return f"{time / 1e-9:.2g} ns"


def main() -> None:
    """Count, extrapolate and write."""
    jax.config.update("jax_num_cpu_devices", max(COUNTS))
    results = json.loads(Path(sys.argv[1]).read_text())
    about = results["about"]
    slower = [n for n, r in results["sharded"].items() if r["seconds"]["jaxconv"] > r["seconds"]["lax"]]
    versions = about["versions"]
    machine = f"{about['cores']} cores of {about['processor']}, JAX {versions['jax']}, {about['date']}"
    text = f"""# Divided arrays, measured

Made by `jaxconv bench --suite sharded` and `python benchmarks/sharded.py out/benchmarks.json docs`;
[Arrays on a mesh](sharding.md) derives what is counted here.

## Beside lax, on four devices

Four simulated devices on {machine}.
First us, then `jax.lax.conv_general_dilated` on the same mesh. Messages and bytes are those that one
device receives, read off the compiled program; the error is the largest of any array, over its largest
element, against one device in float64. Of {len(results["sharded"])} rows {len(slower)} took longer than
lax{": " if slower else ""}{"; ".join(slower)}. Those of layers are the planner's on one device too: on
this processor `direct` is faster than its constants tell.

{NEWLINE.join(beside_lax(results["sharded"]))}

## Two to 64 devices

A line of {LENGTH:,} float32 samples, mode "same", compiled for so many simulated devices. The memory is
the program's own account: its operands, its result and what lies between.

{NEWLINE.join(scaling())}

## 1e12 samples on {DEVICES:,} devices

Not measured. A shard of {FUTURE // DEVICES:,} samples ({_bytes(4 * FUTURE // DEVICES)}); the halo
at 50 GB/s (one 400 Gb/s adapter a device) and 5 µs a message; the work as the planner predicts it for
"cuda" from data-sheet speeds, and no less than reading and writing the shard once at 3.35 TB/s.

{NEWLINE.join(future())}
"""
    (Path(sys.argv[2]) / "sharded-benchmarks.md").write_text(text)


if __name__ == "__main__":
    main()
