"""Write docs/tiled-benchmarks.md: a file larger than memory by tiles, beside Dask and beside memory.

python benchmarks/tiles.py docs FOLDER   (FOLDER takes 9 GB)
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from jaxconv import progress
from jaxconv.engine.device import processor

SIDE, PIECE = 32_768, 4096
SIDES = (3, 9, 31, 63)  # of kernels
ROUNDS = 3
CONTESTANTS = ("memory", "tiles", "dask")
DASK_IMAGE = 4 * PIECE  # it sums term by term: no more than this of the file, and 9 x 9


def main(docs: Path, folder: Path) -> None:
    """Measure, each in a process of its own, and write the page."""
    source = folder / "source.npy"
    if not source.exists():
        make(source)
    runs = [(m, name) for _ in range(ROUNDS) for m in SIDES for name in CONTESTANTS] + [(9, "image")]
    found: dict[Any, list[dict[str, float]]] = {}
    with progress.bar("tiles", len(runs)) as report:
        for done, run in enumerate(runs):
            report(done)
            command = [sys.executable, __file__, run[1], str(run[0]), str(folder)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found.setdefault(run, []).append(json.loads(printed.splitlines()[-1]))
    (folder / "target.npy").unlink()
    text = (Path(__file__).parent / "tiles.md").read_text()
    machine = (
        f"{processor()}; Python {platform.python_version()}, JAX {__import__('jax').__version__};"
        f" {date.today()}."
    )
    (docs / "tiled-benchmarks.md").write_text(text.format(machine=machine, table=table(found)))


def table(found: dict[Any, list[dict[str, float]]]) -> str:
    """Return the medians as a table."""
    rows = [
        "| kernel | in memory, ns per pixel | tiles, ns per pixel | in memory / tiles | seconds "
        "| memory, GB | error | Dask with `oaconvolve` / tiles |",
        "|---|---|---|---|---|---|---|---|",
    ]

    def median(run: Any, what: str) -> float:
        return statistics.median(each[what] for each in found[run])

    for m in SIDES:
        each = {name: median((m, name), "ns") for name in CONTESTANTS}
        rows.append(
            f"| {m} x {m} | {each['memory']:.1f} | {each['tiles']:.1f} "
            f"| {each['memory'] / each['tiles']:.2f} | {each['tiles'] * SIDE**2 / 1e9:.1f} "
            f"| {max(one['gb'] for one in found[m, 'tiles']):.2f} | {median((m, 'tiles'), 'error'):.0e} "
            f"| {each['dask'] / each['tiles']:.1f} |"
        )
    image, own = median((9, "image"), "ns"), median((9, "tiles"), "ns")
    rows += [
        "",
        f"`dask_image.ndfilters.convolve` with 9 x 9, of {DASK_IMAGE:,} x {DASK_IMAGE:,}: {image:.0f} ns"
        f" per pixel, {image / own:.1f} times as long as tiles.",
    ]
    return "\n".join(rows)


def make(path: Path) -> None:
    """Write a file of random numbers."""
    random = np.random.default_rng(0)
    file = np.lib.format.open_memmap(path, "w+", np.float32, (SIDE, SIDE))
    for first in range(0, SIDE, 1024):
        file[first : first + 1024] = random.standard_normal((1024, SIDE), np.float32)
    file.flush()


def one(name: str, m: int, folder: Path) -> dict[str, float]:
    """Run a contestant once; return nanoseconds per pixel, gigabytes held, and its error."""
    kernel = np.random.default_rng(m).standard_normal((m, m)).astype(np.float32)
    source, target = folder / "source.npy", folder / "target.npy"
    if name == "memory":
        return {"ns": in_memory(source, kernel) / PIECE**2 * 1e9}
    target.unlink(missing_ok=True)
    before = time.perf_counter()
    pixels = SIDE**2
    if name == "tiles":
        from jaxconv import tiled

        tiled.convolve(source, kernel, target, "same")
    else:
        pixels = by_dask(source, kernel, target, by_terms=name == "image")
    seconds = time.perf_counter() - before
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"ns": seconds / pixels * 1e9, "gb": held, "error": error(source, kernel, target)}


def in_memory(source: Path, kernel: np.ndarray) -> float:
    """Return the median seconds of a piece in memory."""
    import jax
    import jax.numpy as jnp

    from jaxconv import convolve

    piece = jnp.asarray(np.load(source, mmap_mode="r")[:PIECE, :PIECE])
    run = jax.jit(lambda piece: convolve(piece, kernel, "same"))
    run(piece).block_until_ready()
    seconds = []
    for _ in range(7):
        before = time.perf_counter()
        run(piece).block_until_ready()
        seconds.append(time.perf_counter() - before)
    return statistics.median(seconds)


def by_dask(source: Path, kernel: np.ndarray, target: Path, by_terms: bool) -> int:
    """Convolve by Dask: with SciPy's `oaconvolve`, or dask-image's function; return how many pixels."""
    import dask.array as da
    from dask_image import ndfilters
    from scipy.signal import oaconvolve

    side, reach = DASK_IMAGE if by_terms else SIDE, kernel.shape[0] // 2
    image = da.from_array(np.load(source, mmap_mode="r")[:side, :side], chunks=(2048, 2048))
    if by_terms:
        result = ndfilters.convolve(image, kernel, mode="constant")
    else:
        result = image.map_overlap(
            lambda block: oaconvolve(block, kernel, "same"), depth=reach, boundary=0, dtype=image.dtype
        )
    file = np.lib.format.open_memmap(target, "w+", np.float32, (side, side))
    da.store(result, file, lock=False)
    file.flush()
    return side**2


def error(source: Path, kernel: np.ndarray, target: Path) -> float:
    """Return the greatest error of a part that several tiles share, relative to its greatest value."""
    from scipy.signal import oaconvolve

    part, m = slice(3500, 4700), kernel.shape[0] // 2
    wide = slice(part.start - m, part.stop + m)
    samples = np.load(source, mmap_mode="r")[wide, wide].astype(float)
    want = oaconvolve(samples, kernel.astype(float), "valid")
    got = np.load(target, mmap_mode="r")[part, part]
    return float(np.abs(got - want).max() / np.abs(want).max())


if __name__ == "__main__":
    if sys.argv[1] in (*CONTESTANTS, "image"):
        print(json.dumps(one(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
    else:
        for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
            os.environ.pop(variable, None)
        main(Path(sys.argv[1]), Path(sys.argv[2]))
