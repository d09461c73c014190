"""Convolution and matched filtering in JAX: planned per shape, differentiable to any order.

`jaxconv.learning` and `jaxconv.plotting` are imported by name, since they load optax and matplotlib.
"""

from jaxconv import boundaries, detection, kernels, matching, reference, signals
from jaxconv.acceleration import accelerate, explain, plan
from jaxconv.convolution import conv_general_dilated, convolve, correlate
from jaxconv.family import (
    choose_conv_method,
    convolve2d,
    correlate2d,
    correlation_lags,
    fftconvolve,
    oaconvolve,
    sepfir2d,
)
from jaxconv.masked import convolve_masked
from jaxconv.matching import match_template
from jaxconv.preparation import prepare
from jaxconv.separable import convolve_separable, gaussian_filter

__all__ = [
    "accelerate",
    "boundaries",
    "choose_conv_method",
    "conv_general_dilated",
    "convolve",
    "convolve2d",
    "convolve_masked",
    "convolve_separable",
    "correlate",
    "correlate2d",
    "correlation_lags",
    "detection",
    "explain",
    "fftconvolve",
    "gaussian_filter",
    "kernels",
    "match_template",
    "matching",
    "oaconvolve",
    "plan",
    "prepare",
    "reference",
    "sepfir2d",
    "signals",
]
