"""One convolution over many processes, each of which holds a part of the signal.

On a cluster, one process per GPU (SLURM and Open MPI tell JAX the rest):

    srun --ntasks=8 --gpus-per-task=1 python over_processes.py

By hand, here two processes on one machine, each started in its own shell:

    python over_processes.py --coordinator localhost:1234 --processes 2 --process 0
    python over_processes.py --coordinator localhost:1234 --processes 2 --process 1

Each process makes its own samples, nothing is gathered, and each prints how far its part of the result
and of the gradients is from NumPy's. If one ends, the others end with an error within 30 seconds.
"""

import argparse

import jax
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

import jaxconv

SAMPLES, TAPS = 1 << 16, 33
GOLDEN = 0.6180339887498949
SILENCE = 10  # seconds after which a process counts as dead


def samples(first: int, last: int) -> np.ndarray:
    """Return the samples [first, last) of the signal."""
    return np.arange(first, last) * GOLDEN % 1 - 0.5


def convolved(signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve, as on one device."""
    return jaxconv.convolve(signal, kernel, "same")


def energy(signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return half the energy of the convolution, whose gradients are known."""
    return (convolved(signal, kernel) ** 2).sum() / 2


def main() -> None:
    """Convolve, take the gradients, and compare this process's part of each."""
    parser = argparse.ArgumentParser(description="One convolution over many processes.")
    parser.add_argument("--coordinator", help="HOST:PORT of process 0; without it a cluster tells")
    parser.add_argument("--processes", type=int, help="how many there are")
    parser.add_argument("--process", type=int, help="which one this is, from 0")
    parser.add_argument("--repeat", type=int, default=1, help="how often to convolve")
    given = parser.parse_args()
    jax.distributed.initialize(
        given.coordinator, given.processes, given.process, heartbeat_timeout_seconds=SILENCE
    )
    mesh = jax.make_mesh((jax.device_count(),), ("samples",))
    divided, everywhere = NamedSharding(mesh, P("samples")), NamedSharding(mesh, P())
    taps = np.hanning(TAPS + 2)[1:-1] / np.hanning(TAPS + 2).sum()

    def own(where: tuple[slice]) -> np.ndarray:
        first, last, _ = where[0].indices(SAMPLES)
        return samples(first, last).astype("f")

    signal = jax.make_array_from_callback((SAMPLES,), divided, own)
    kernel = jax.device_put(taps.astype("f"), everywhere)
    step = jax.jit(lambda *operands: (convolved(*operands), *jax.grad(energy, (0, 1))(*operands)))
    with jax.set_mesh(mesh):
        for _ in range(given.repeat):
            found = jax.block_until_ready(step(signal, kernel))

    whole = samples(0, SAMPLES)
    out = np.convolve(whole, taps, "same")
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(whole, TAPS // 2), TAPS)
    truths = out, np.convolve(out, taps[::-1], "same"), (out @ windows)[::-1]
    names = "convolution", "gradient in the signal", "gradient in the kernel"
    for name, array, truth in zip(names, found, truths):
        for part in array.addressable_shards:
            error = np.abs(np.asarray(part.data) - truth[part.index]).max() / np.abs(truth).max()
            print(f"process {jax.process_index()}: {name}, {part.data.shape} of it, error {error:.0e}")


if __name__ == "__main__":
    main()
