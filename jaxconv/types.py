"""The words that options may be, in one place: the checks and the documents read them here."""

from collections.abc import Sequence
from typing import Literal, get_args

Mode = Literal["full", "same", "valid"]
Method = Literal[
    "auto",
    "direct",
    "onednn",
    "matmul",
    "products",
    "shifts",
    "folded",
    "lines",
    "overlap",
    "fft",
    "circular",
    "lags",
    "phases",
]
Boundary = Literal["fill", "edge", "reflect", "symmetric", "wrap"]
Normalize = Literal["none", "biased", "unbiased", "coefficient"]

Measure = Literal[
    "squared_difference",
    "normalized_squared_difference",
    "correlation",
    "cosine",
    "coefficient",
    "normalized_coefficient",
]
BankMeasure = Literal["normalized_coefficient", "correlation"]

Axes = int | Sequence[int] | None

MODES: tuple[str, ...] = get_args(Mode)
METHODS: tuple[str, ...] = get_args(Method)
BOUNDARIES: tuple[str, ...] = get_args(Boundary)
NORMALIZE: tuple[str, ...] = get_args(Normalize)
MEASURES: tuple[str, ...] = get_args(Measure)
BANK_MEASURES: tuple[str, ...] = get_args(BankMeasure)
