"""Convolution: from a call to a problem and back."""

from jaxconv.convolution.functions import conv_general_dilated, convolve, correlate

__all__ = ["conv_general_dilated", "convolve", "correlate"]
