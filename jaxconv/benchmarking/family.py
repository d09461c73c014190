"""Functions of SciPy compared with SciPy: the same call, or what one would write in SciPy instead."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.ndimage
import scipy.signal

from jaxconv.convolution import convolve, correlate
from jaxconv.convolution.masked import convolve_masked
from jaxconv.convolution.scipy_family import convolve2d, fftconvolve, oaconvolve
from jaxconv.convolution.separable import convolve_separable, sepfir2d
from jaxconv.kernels import gaussian_filter

Call = Callable[..., Any]


@dataclass(frozen=True)
class Task:
    """One task, by us and by each peer; peers take and return NumPy arrays."""

    name: str
    shapes: tuple[tuple[int, ...], ...]
    ours: Call
    peers: dict[str, Call]
    missing: float = 0.0  # share of NaN in the first operand

    def operands(self) -> list[np.ndarray]:
        """Return float32 noise; all operands but the first are made positive."""
        rng = np.random.default_rng(0)
        signal, *others = (rng.standard_normal(shape, np.float32) for shape in self.shapes)
        signal[rng.random(signal.shape) < self.missing] = np.nan
        return [signal, *(np.abs(other) for other in others)]

    def contestants(self) -> dict[str, Callable[[], Any]]:
        """Return for each contestant a function without arguments."""
        operands = self.operands()
        ours = partial(jax.jit(self.ours), *map(jnp.asarray, operands))
        return {"jaxconv": ours} | {name: partial(fn, *operands) for name, fn in self.peers.items()}


def _correlate_lags(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    full = scipy.signal.correlate(x, y)
    return full[len(y) - 101 : len(y) + 100]


def _convolve_wrapped(x: np.ndarray, k: np.ndarray) -> np.ndarray:
    m = k.shape[0] // 2
    return scipy.signal.oaconvolve(np.pad(x, m, "wrap"), k, "valid")


def _convolve_masked(x: np.ndarray, k: np.ndarray) -> np.ndarray:
    there = ~np.isnan(x)
    sums = scipy.signal.convolve(np.where(there, x, np.float32(0)), k, "same")
    return sums / scipy.signal.convolve(there.astype(np.float32), k, "same")


def _convolve_separable(x: np.ndarray, *taps: np.ndarray) -> np.ndarray:
    for axis, k in enumerate(taps):
        x = scipy.ndimage.convolve1d(x, k, axis, mode="constant")
    return x


def _opencv_blur() -> dict[str, Call]:
    try:
        import cv2  # pyright: ignore[reportMissingImports]
    except ImportError:
        return {}
    blur = partial(cv2.GaussianBlur, ksize=(25, 25), sigmaX=3, borderType=cv2.BORDER_REFLECT)
    return {"OpenCV": blur}


IMAGE = (1024, 1024)
TASKS = (
    Task(
        "convolve2d, symm, 1024² × 9²",
        (IMAGE, (9, 9)),
        partial(convolve2d, mode="same", boundary="symm"),
        {"SciPy": partial(scipy.signal.convolve2d, mode="same", boundary="symm")},
    ),
    Task(
        "convolve, wrap, 1024² × 63²",
        (IMAGE, (63, 63)),
        partial(convolve, mode="same", boundary="wrap"),
        {"SciPy": _convolve_wrapped},
    ),
    Task(
        "fftconvolve, 300² × 300²",
        ((300, 300), (300, 300)),
        fftconvolve,
        {"SciPy": scipy.signal.fftconvolve},
    ),
    Task(
        "oaconvolve, 64 signals of 16384 × 1025",
        ((64, 16_384), (1, 1025)),
        partial(oaconvolve, mode="same", axes=1),
        {"SciPy": partial(scipy.signal.oaconvolve, mode="same", axes=1)},
    ),
    Task(
        "convolve, 256 signals of 4096, each × its own 129",
        ((256, 4096), (256, 129)),
        partial(convolve, mode="same", axes=1),
        {"SciPy": partial(scipy.signal.oaconvolve, mode="same", axes=1)},
    ),
    Task(
        "correlate, 201 lags of 1e6 and 1e6",
        ((1_000_000,), (1_000_000,)),
        partial(correlate, lags=100),
        {"SciPy": _correlate_lags},
    ),
    Task(
        "sepfir2d, 1024², 9 and 9 taps",
        (IMAGE, (9,), (9,)),
        sepfir2d,
        {"SciPy": scipy.signal.sepfir2d},
    ),
    Task(
        "gaussian_filter, 1024², sigma 3",
        (IMAGE,),
        partial(gaussian_filter, sigma=3.0),
        {"SciPy": partial(scipy.ndimage.gaussian_filter, sigma=3.0), **_opencv_blur()},
    ),
    Task(
        "convolve_separable, 128³, 9 taps per axis",
        ((128, 128, 128), (9,), (9,), (9,)),
        lambda x, *taps: convolve_separable(x, taps, "same"),
        {"SciPy": _convolve_separable},
    ),
    Task(
        "convolve_masked, 1024² × 9², a tenth missing",
        (IMAGE, (9, 9)),
        convolve_masked,
        {"SciPy": _convolve_masked},
        missing=0.1,
    ),
)
