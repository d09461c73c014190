"""Cases: the problems to time, with their names, shapes and options."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One problem, as `convolve(signal, kernel, "same")` or, with options, as for lax."""

    name: str
    signal: tuple[int, ...]
    kernel: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def products(self) -> int:
        """Return the number of multiply-adds of the definition, without the border."""
        return math.prod(self.signal) * math.prod(self.kernel)

    def operands(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a signal and a kernel of float32 noise."""
        rng = np.random.default_rng(0)
        signal, kernel = (rng.standard_normal(shape, np.float32) for shape in (self.signal, self.kernel))
        return signal, kernel


def _line(n: int, m: int) -> Case:
    return Case(f"{n:.0e} × {m}".replace("e+0", "e"), (n,), (m,))


def _cube(n: int, m: int, rank: int) -> Case:
    power = "²³"[rank - 2]
    return Case(f"{n}{power} × {m}{power}", (n,) * rank, (m,) * rank)


def sides(name: str) -> tuple[int, int, int]:
    """Return the side of the signal, the side of the kernel and the number of axes in a case's name."""
    rank = {"²": 2, "³": 3}.get(name[-1], 1)
    signal, kernel = (int(float(part.strip("²³"))) for part in name.split(" × "))
    return signal, kernel, rank


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
