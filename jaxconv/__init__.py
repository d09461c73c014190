"""Convolution and matched filtering in JAX: planned per shape, differentiable to any order.

`jaxconv.learning` and `jaxconv.plotting` are imported by name, since they load optax and matplotlib.
"""

from jaxconv import detection, kernels, matching, reference, signals
from jaxconv.convolution import boundaries
from jaxconv.convolution.functions import conv_general_dilated, convolve, correlate
from jaxconv.convolution.masked import convolve_masked
from jaxconv.convolution.preparation import prepare
from jaxconv.convolution.scipy_family import (
    choose_conv_method,
    convolve2d,
    correlate2d,
    correlation_lags,
    fftconvolve,
    oaconvolve,
    sepfir2d,
)
from jaxconv.convolution.separable import convolve_separable, gaussian_filter
from jaxconv.engine.acceleration import accelerate, explain, plan
from jaxconv.matching import match_template

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
