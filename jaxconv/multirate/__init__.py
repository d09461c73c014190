"""Multirate: filters that change the sampling rate, with SciPy's names and answers."""

from jaxconv.multirate.polyphase import upfirdn
from jaxconv.multirate.resampling import decimate, resample_poly

__all__ = ["decimate", "resample_poly", "upfirdn"]
