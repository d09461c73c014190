"""Write docs/streaming-benchmarks.md: streams beside the whole, the direct sum, and SciPy's `lfilter`.

python benchmarks/streams.py docs
"""

import resource
import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.signal import lfilter, oaconvolve
from turns import in_turn, machine

from jaxconv import convolve, progress
from jaxconv.streaming import finish, push, start

RNG = np.random.default_rng(0)
PUSH = jax.jit(push)


def main(docs: Path) -> None:
    """Measure, and write the page."""
    tables, parts = [], (without_end, long_signals, short_chunks, long_kernels)
    with progress.bar("streams", len(parts)) as report:
        for done, part in enumerate(parts):
            report(done)
            tables.append(part())
    text = (Path(__file__).parent / "streams.md").read_text()
    (docs / "streaming-benchmarks.md").write_text(
        text.format(machine=machine(), end=tables[0], long=tables[1], short=tables[2], kernels=tables[3])
    )


def numbers(count: int) -> np.ndarray:
    """Return random numbers in float32."""
    return RNG.standard_normal(count, np.float32)


def error(got: Any, signal: np.ndarray, kernel: np.ndarray) -> float:
    """Return the greatest error, relative to the greatest value, of float64 SciPy's."""
    want = oaconvolve(signal.astype(float), kernel.astype(float))[: got.size]
    return float(np.abs(np.asarray(got) - want).max() / np.abs(want).max())


def stream(kernel: np.ndarray, signal: np.ndarray, chunk: int, **options: Any) -> np.ndarray:
    """Convolve a signal in chunks."""
    state, outputs = start(kernel, chunk, **options), []
    for first in range(0, len(signal), chunk):
        state, out = PUSH(state, signal[first : first + chunk])
        outputs.append(out)
    return np.concatenate([*outputs, finish(state)])


def long_signals() -> str:
    """A long signal through 4,097 taps, in chunks and as a whole."""
    kernel, signal = numbers(4097), numbers(1 << 24)
    whole = jax.jit(convolve)
    held = jnp.asarray(signal)
    rows = [
        "| chunk | ns per sample | whole / stream | SciPy's `oaconvolve` of the whole / stream | error |"
    ]
    rows.append("|---|---|---|---|---|")

    def chunks(state: Any, chunk: int) -> Any:
        out = None
        for first in range(0, len(signal), chunk):
            state, out = PUSH(state, signal[first : first + chunk])
        return out

    for chunk in (1 << 16, 1 << 18, 1 << 20, 1 << 22):
        state = start(kernel, chunk)
        seconds = in_turn(
            {
                "stream": lambda state=state, chunk=chunk: chunks(state, chunk),
                "whole": lambda: whole(held, kernel),
                "SciPy": lambda: oaconvolve(signal, kernel),
            }
        )
        own = seconds["stream"]
        far = error(stream(kernel, signal[: 4 * chunk], chunk), signal[: 4 * chunk], kernel)
        ratios = [f"{seconds[name] / own:.2f}" for name in ("whole", "SciPy")]
        rows.append(f"| {chunk:,} | {own / len(signal) * 1e9:.1f} | {' | '.join(ratios)} | {far:.0e} |")
    return "\n".join(rows)


def without_end() -> str:
    """1e9 samples through 4,097 taps; measured first, so that the memory is that of the stream."""
    chunk, came = 1 << 20, 0
    state, part = start(numbers(4097), chunk), numbers(chunk)
    state, _ = PUSH(state, part)
    before = time.perf_counter()
    while came < 10**9:
        state, out = PUSH(state, part)
        out.block_until_ready()
        came += chunk
    seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return (
        f"{came:,} samples in chunks of {chunk:,}: {seconds:.1f} s, {seconds / came * 1e9:.1f} ns per"
        f" sample; the whole process, Python and JAX included, held {peak:.2f} GB at most."
    )


def short_chunks() -> str:
    """One push of a short chunk, beside a transform of its window and SciPy's filter with state."""
    rows = [
        "| chunk | taps | push, µs | real FFT of 2,048, µs | `lfilter` with `zi`, µs |",
        "|---|---|---|---|---|",
    ]
    transform, line = jax.jit(jnp.fft.rfft), jnp.asarray(numbers(2048))
    for chunk, taps in ((512, 1025), (512, 129), (64, 129)):
        kernel, signal = numbers(taps), jnp.asarray(numbers(chunk))
        state = start(kernel, chunk)
        as_numpy, zi = np.asarray(signal), np.zeros(taps - 1, np.float32)
        runs = {
            "push": lambda state=state, signal=signal: PUSH(state, signal),
            "FFT": lambda: transform(line),
            "lfilter": lambda k=kernel, x=as_numpy, zi=zi: lfilter(k, 1, x, zi=zi)[0],
        }
        seconds = in_turn(runs, 200)
        rows.append(
            f"| {chunk} | {taps:,} | " + " | ".join(f"{s * 1e6:.0f}" for s in seconds.values()) + " |"
        )
    return "\n".join(rows)


def long_kernels() -> str:
    """100,000 taps at chunks of 64 without latency, inside `scan`: cut, not cut, and the direct sum."""
    kernel, chunks = numbers(100_000), numbers(2048 * 64).reshape(-1, 64)
    scan = jax.jit(lambda state, chunks: jax.lax.scan(push, state, chunks)[1])
    states = {
        "cut as planned": (start(kernel, 64), 2048),
        "cut at 256; 2,048; 16,384": (start(kernel, 64, blocks=(256, 2048, 16384)), 2048),
        "not cut": (start(kernel, 64, blocks=()), 128),
        "direct sum": (start(kernel, 64, method="direct"), 128),
    }
    seconds = in_turn(
        {name: lambda s=state, n=count: scan(s, chunks[:n]) for name, (state, count) in states.items()},
        3,
    )
    each = {name: seconds[name] / count for name, (_, count) in states.items()}
    cuts = "; ".join(f"{cut:,}" for cut, _ in states["cut as planned"][0].plans[1:])
    far = error(np.ravel(scan(states["cut as planned"][0], chunks)), chunks.ravel(), kernel)
    rows = ["| | µs per chunk | direct sum / this |", "|---|---|---|"]
    for name, s in each.items():
        rows.append(f"| {name} | {s * 1e6:.0f} | {each['direct sum'] / s:.1f} |")
    rows += ["", f"Planned: cuts at {cuts}. Error {far:.0e}."]
    return "\n".join(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
