"""Deconvolution: a scene from its blurred image, by planned convolutions and their adjoints."""

from jaxconv.deconvolution.blur import Blur, blur
from jaxconv.deconvolution.linear_map import LinearMap
from jaxconv.deconvolution.richardson_lucy import richardson_lucy
from jaxconv.deconvolution.total_variation import total_variation
from jaxconv.deconvolution.unsupervised import Restored, unsupervised_wiener
from jaxconv.deconvolution.varying import VaryingBlur, varying_blur
from jaxconv.deconvolution.wiener import wiener

__all__ = [
    "Blur",
    "LinearMap",
    "Restored",
    "VaryingBlur",
    "blur",
    "richardson_lucy",
    "total_variation",
    "unsupervised_wiener",
    "varying_blur",
    "wiener",
]
