"""Detection: noise, the optimal linear filter in it, and how well a filter detects.

The matched filter maximizes the output signal-to-noise ratio: for a template t in noise of covariance R
it is `w = R^-1 t`, in white noise the template itself. Import the names below from `jaxconv.detection`.
"""

from jaxconv.detection.chance import score_threshold
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
    "score_threshold",
    "snr",
    "threshold",
    "whiten",
]
