"""Cases: the problems to time, with their names, shapes and options."""

import math
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxconv.types import Mode

DTYPES = ("float32", "bfloat16", "float16", "float64", "complex64", "int32")


@dataclass(frozen=True)
class Case:
    """One problem, as `convolve(signal, kernel, mode)` or, with options, as for lax."""

    name: str
    signal: tuple[int, ...]
    kernel: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    mode: Mode = "same"
    dtype: str = "float32"

    @property
    def rank(self) -> int:
        """How many spatial axes."""
        return len(self.kernel) - 2 * bool(self.options)

    @property
    def products(self) -> int:
        """Return the number of multiply-adds of the definition, without the border."""
        return math.prod(self.signal) * math.prod(self.kernel)

    def operands(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a signal and a kernel of noise."""
        rng = np.random.default_rng(0)
        signal, kernel = (self._noise(rng, shape) for shape in (self.signal, self.kernel))
        return signal, kernel

    def _noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        dtype = jnp.dtype(self.dtype)
        if dtype.kind == "i":
            return rng.integers(-9, 10, shape, dtype)
        noise = rng.standard_normal(shape, np.float32)
        if dtype.kind == "c":
            noise = noise + 1j * rng.standard_normal(shape, np.float32)
        return noise.astype(dtype)


def _line(n: int, m: int) -> Case:
    return Case(f"{n:.0e} × {m}".replace("e+0", "e"), (n,), (m,))


def _cube(n: int, m: int, rank: int) -> Case:
    power = "²³"[rank - 2]
    return Case(f"{n}{power} × {m}{power}", (n,) * rank, (m,) * rank)


def sides(name: str) -> tuple[int, int, int]:
    """Return the side of the signal, the side of the kernel and the number of axes in a case's name."""
    name = name.split(",")[0]
    rank = {"²": 2, "³": 3}.get(name[-1], 1)
    signal, kernel = (int(float(part.strip("²³"))) for part in name.split(" × "))
    return signal, kernel, rank


def _odd(name: str) -> Case:
    """Return a case from its name: "1021² × 9², valid"."""
    what, _, mode = name.partition(", ")
    signal, kernel, rank = sides(what)
    return Case(name, (signal,) * rank, (kernel,) * rank, mode=mode or "same")  # pyright: ignore[reportArgumentType]


SINGLE = [
    *(_line(n, m) for n, ms in (
        (100, (3, 33)),
        (1_000, (9, 129, 1000)),
        (10_000, (9, 129, 1025, 10_000)),
        (100_000, (1, 9, 65, 513, 8193)),
        (1_000_000, (3, 9, 33, 129, 513, 1025, 8193, 1_000_000)),
        (10_000_000, (9, 1025, 8193)),
    ) for m in ms),
    *(_cube(n, m, 2) for n, ms in (
        (32, (3, 9)),
        (128, (3, 15, 31, 127)),
        (256, (9, 31)),
        (512, (1, 5, 17, 63)),
        (1024, (3, 5, 9, 15, 17, 31, 63, 127, 255)),
        (2048, (5, 15, 31, 63)),
        (4096, (3, 31, 127, 255)),
    ) for m in ms),
    *(_cube(n, m, 3) for n, ms in (
        (32, (3, 7)),
        (64, (5, 15)),
        (128, (3, 5, 9)),
        (192, (3, 9)),
    ) for m in ms),
    *map(_odd, (
        "997 × 9, valid", "4000 × 64, valid", "65537 × 9", "1048576 × 48, valid", "1000003 × 33",
        "1000003 × 257, full", "1000003 × 1025, valid", "127² × 7², valid", "509² × 5², full",
        "1021² × 9²", "1021² × 15², valid", "1021² × 31², full", "2039² × 63², valid",
        "127³ × 5³, valid",
    )),
]  # fmt: skip


def _layer(name, batch, inputs, size, outputs, window, groups=1, stride=1) -> Case:
    half = window // 2
    options = {
        "window_strides": (stride,) * 2,
        "padding": ((half, half),) * 2,
        "feature_group_count": groups,
    }
    signal = (batch, inputs, size, size)
    return Case(name, signal, (outputs, inputs // groups, window, window), options)


CHANNELS = [
    _layer("64 to 64, 3²", 8, 64, 56, 64, 3),
    _layer("3 to 16, 3²", 8, 3, 64, 16, 3),
    _layer("16 to 32, 5²", 4, 16, 64, 32, 5),
    _layer("8 to 8, 7²", 2, 8, 256, 8, 7),
    _layer("4 to 4, 5²", 1, 4, 512, 4, 5),
    _layer("64 to 16, 3²", 4, 64, 96, 16, 3),
    _layer("depthwise 96, 3²", 8, 96, 56, 96, 3, groups=96),
    _layer("depthwise 96, 7²", 8, 96, 56, 96, 7, groups=96),
    _layer("64 to 256, 1²", 8, 64, 56, 256, 1),
    _layer("64 to 64 in 4 groups, 3²", 8, 64, 56, 64, 3, groups=4),
    _layer("64 to 128, 3², stride 2", 8, 64, 56, 128, 3, stride=2),
    _layer("one feature, 100 frames, 21²", 100, 1, 96, 1, 21),
]

GRADIENTS = [c for c in SINGLE[1::3] if c.products < 4e9 and math.prod(c.kernel) < 20_000]
LENGTHS = [
    _line(10**power, m) for m in (9, 1025) for power in (5, 6, 7, 8)
]  # does a sample cost the same in each?
