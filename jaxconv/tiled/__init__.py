"""Tiled: the library's functions over arrays larger than memory, with the same names."""

from jaxconv.tiled.functions import convolve, correlate, gaussian_filter, normalized_correlation
from jaxconv.tiled.peaks import find, find_peaks

__all__ = ["convolve", "correlate", "find", "find_peaks", "gaussian_filter", "normalized_correlation"]
