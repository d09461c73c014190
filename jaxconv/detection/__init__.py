"""Detection: the filter that theory calls optimal, and how well a filter detects.

The matched filter maximizes the signal-to-noise ratio of its output. For a template t in noise of
covariance R its response is `w . x` with `w = R^-1 t`; in white noise that is the template itself.
"""

from jaxconv.detection.filters import matched_filter, output_snr
from jaxconv.detection.noise import clutter_spectrum, coloured_noise, noise_covariance, noise_spectrum
from jaxconv.detection.patches import PatchStatistics, patch_statistics
from jaxconv.detection.rates import Roc, detection_rate, roc
from jaxconv.detection.snr import snr, whiten
from jaxconv.detection.theory import detection_probability, threshold

__all__ = [
    "PatchStatistics",
    "Roc",
    "clutter_spectrum",
    "coloured_noise",
    "detection_probability",
    "detection_rate",
    "matched_filter",
    "noise_covariance",
    "noise_spectrum",
    "output_snr",
    "patch_statistics",
    "roc",
    "snr",
    "threshold",
    "whiten",
]
