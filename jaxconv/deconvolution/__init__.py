"""Deconvolution: a scene from its blurred image, by planned convolutions and their adjoints."""

from jaxconv.deconvolution.blur import Blur, blur
from jaxconv.deconvolution.varying import VaryingBlur, varying_blur

__all__ = [
    "Blur",
    "VaryingBlur",
    "blur",
    "varying_blur",
]
