"""Convolution and matched filtering in JAX: planned per shape, exact under every transformation."""

from jaxconv import reference
from jaxconv.convolution import convolve, correlate

__all__ = ["convolve", "correlate", "reference"]
