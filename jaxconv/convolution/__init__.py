"""Convolution: from a call to a problem and back.

A public function makes a `Call`; `steps` turns it and its arrays into what the engine convolves, and the
result into what the user asked for. Import the functions from here, nothing else.
"""

from jaxconv.convolution import boundaries
from jaxconv.convolution.functions import convolve, correlate
from jaxconv.convolution.lax_function import conv_general_dilated

__all__ = ["boundaries", "conv_general_dilated", "convolve", "correlate"]
