"""Kernels: the well-known ones by name, the filters that apply them, and factoring into separable terms.

Import the names below from `jaxconv.kernels`. A kernel is an array for `convolve` or `correlate`;
`factor` returns `Factors`, for `convolve_separable`.
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
