"""Convolution and matched filtering in JAX: planned per shape, exact under every transformation.

`jaxconv.learning` and `jaxconv.plotting` are imported by name, since they load optax and matplotlib.
"""

from jaxconv import detection, kernels, matching, reference, signals
from jaxconv.convolution import convolve, correlate

__all__ = [
    "convolve",
    "correlate",
    "detection",
    "kernels",
    "matching",
    "reference",
    "signals",
]
