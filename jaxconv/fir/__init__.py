"""FIR: filters with a finite response, designed and applied, with SciPy's names and answers."""

from jaxconv.fir.design import firls, firwin, firwin2, remez
from jaxconv.fir.filtering import filtfilt, lfilter, lfilter_zi
from jaxconv.fir.hilbert import hilbert
from jaxconv.fir.phase import minimum_phase
from jaxconv.fir.savgol import savgol_coeffs, savgol_filter

__all__ = [
    "filtfilt",
    "firls",
    "firwin",
    "firwin2",
    "hilbert",
    "lfilter",
    "lfilter_zi",
    "minimum_phase",
    "remez",
    "savgol_coeffs",
    "savgol_filter",
]
