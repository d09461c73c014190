"""Convolution and matched filtering in JAX: planned per shape, exact under every transformation.

`jaxconv.learning` and `jaxconv.plotting` are imported by name, since they load optax and matplotlib.
"""

from jaxconv import detection, kernels, matching, reference, signals
from jaxconv.acceleration import accelerate, explain, plan
from jaxconv.convolution import conv_general_dilated, convolve, correlate
from jaxconv.preparation import prepare

__all__ = [
    "accelerate",
    "conv_general_dilated",
    "convolve",
    "correlate",
    "detection",
    "explain",
    "kernels",
    "matching",
    "plan",
    "prepare",
    "reference",
    "signals",
]
