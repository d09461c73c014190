"""Signals in chunks: beside what one would write in JAX, SciPy's filter with state, and the whole."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.signal

from jaxconv.benchmarking.contestants import on_cpu
from jaxconv.convolution import convolve
from jaxconv.streaming import push, start


@dataclass(frozen=True)
class Chunked:
    """A signal that comes in chunks: how long they are, the taps, and how many chunks are timed."""

    name: str
    chunk: int
    taps: int
    count: int

    def operands(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the chunks, one per row, and the kernel, of noise."""
        rng = np.random.default_rng(0)
        chunks = rng.standard_normal((self.count, self.chunk), np.float32)
        return chunks, rng.standard_normal(self.taps, np.float32)

    def contestants(self, chunks: np.ndarray, kernel: np.ndarray) -> dict[str, Callable[[], Any]]:
        """Return for each contestant a function without arguments that filters all chunks."""
        a, k = jnp.asarray(chunks), jnp.asarray(kernel)
        before, state = jnp.zeros(self.taps - 1, a.dtype), start(k, self.chunk)
        runs: dict[str, Callable[[], Any]] = {
            "jaxconv": partial(_scanned(push), state, a),
            "JAX": partial(_scanned(partial(_after, k)), before, a),
            "whole": partial(jax.jit(convolve), a.ravel(), k),
        }
        return runs | ({"SciPy": partial(_by_lfilter, chunks, kernel)} if on_cpu() else {})


def _scanned(step: Callable[..., Any]) -> Callable[..., Any]:
    return jax.jit(lambda state, chunks: jax.lax.scan(step, state, chunks)[1])


def _after(kernel: jax.Array, before: jax.Array, chunk: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Filter a chunk behind the samples that came before, as one would in JAX."""
    window = jnp.concatenate([before, chunk])
    method = "direct" if kernel.size * chunk.size < 1 << 16 else "fft"
    out = jax.scipy.signal.convolve(window, kernel, "valid", method=method)
    return window[chunk.size :], out


def _by_lfilter(chunks: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    state, outs = np.zeros(len(kernel) - 1, chunks.dtype), []
    for chunk in chunks:
        out, state = scipy.signal.lfilter(kernel, 1, chunk, zi=state)
        outs.append(out)
    return np.stack(outs)


CHUNKED = [
    Chunked("chunks of 64 × 129", 64, 129, 1024),
    Chunked("chunks of 512 × 129", 512, 129, 256),
    Chunked("chunks of 512 × 1025", 512, 1025, 256),
    Chunked("chunks of 65536 × 4097", 1 << 16, 4097, 16),
    Chunked("chunks of 1048576 × 4097", 1 << 20, 4097, 4),
    Chunked("chunks of 64 × 100000", 64, 100_000, 2048),
]
