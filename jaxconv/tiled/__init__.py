"""Tiled: the library's functions over arrays larger than memory, with the same names."""

from jaxconv.tiled.functions import (
    convolve,
    correlate,
    gaussian_filter,
    match_template,
    normalized_correlation,
)
from jaxconv.tiled.peaks import Found, find, find_peaks

__all__ = [
    "Found",
    "convolve",
    "correlate",
    "find",
    "find_peaks",
    "gaussian_filter",
    "match_template",
    "normalized_correlation",
]
