"""Convolution and matched filtering in JAX: planned per shape, differentiable to any order.

`jaxconv.learning` and `jaxconv.plotting` are loaded when they are first used, since they need optax and
matplotlib.
"""

import sys
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from jaxconv import (
    deconvolution,
    detection,
    fir,
    kernels,
    matching,
    multirate,
    reference,
    signals,
    streaming,
    tiled,
)
from jaxconv.convolution import boundaries, conv_general_dilated, convolve, correlate
from jaxconv.convolution.choosing import choose_conv_method, plan
from jaxconv.convolution.lags import correlation_lags
from jaxconv.convolution.masked import convolve_masked
from jaxconv.convolution.preparing import prepare
from jaxconv.convolution.scipy_family import convolve2d, correlate2d, fftconvolve, oaconvolve
from jaxconv.convolution.separable import convolve_separable, sepfir2d
from jaxconv.engine import tuning
from jaxconv.engine.acceleration import accelerate, explain
from jaxconv.engine.tuning import tune
from jaxconv.kernels import gaussian_filter
from jaxconv.matching import match_template

if TYPE_CHECKING:
    from jaxconv import learning, plotting

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
    "deconvolution",
    "detection",
    "explain",
    "fftconvolve",
    "fir",
    "gaussian_filter",
    "kernels",
    "learning",
    "match_template",
    "matching",
    "multirate",
    "oaconvolve",
    "plan",
    "plotting",
    "prepare",
    "reference",
    "sepfir2d",
    "signals",
    "streaming",
    "tiled",
    "tune",
    "tuning",
]

sys.modules["jaxconv.boundaries"] = boundaries  # `from jaxconv.boundaries import extend` goes on working
sys.modules["jaxconv.tuning"] = tuning


def __getattr__(name: str) -> Any:
    """Load a part that is only needed by those who use it."""
    if name in ("learning", "plotting"):
        return import_module(f"jaxconv.{name}")
    if name == "__version__":
        return metadata.version("jaxconv")
    raise AttributeError(f"module 'jaxconv' has no attribute {name!r}")
