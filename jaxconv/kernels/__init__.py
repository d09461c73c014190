"""Kernels: the named ones, ready to convolve with, and the factors of those that are separable.

Each function returns an array; `factor` returns `Factors`, for `jaxconv.convolve_separable`. Import the
names below from `jaxconv.kernels`; the files behind it may change.
"""

from jaxconv.kernels.differences import (
    laplacian,
    laplacian_of_gaussian,
    prewitt,
    scharr,
    sobel,
)
from jaxconv.kernels.factors import Factors, factor
from jaxconv.kernels.filters import edges, gaussian_filter
from jaxconv.kernels.gabor import gabor
from jaxconv.kernels.smoothing import box, gaussian

__all__ = [
    "Factors",
    "box",
    "edges",
    "factor",
    "gabor",
    "gaussian",
    "gaussian_filter",
    "laplacian",
    "laplacian_of_gaussian",
    "prewitt",
    "scharr",
    "sobel",
]
