"""Matching: where in a signal a template lies, and how well it fits there."""

from jaxconv.matching.banks import Best, Loudest, best_match, loudest
from jaxconv.matching.measures import match
from jaxconv.matching.normalized import match_template, normalized_correlation, overlap_share
from jaxconv.matching.peaks import Peaks, find_peaks
from jaxconv.matching.views import Views, rotations, scales

__all__ = [
    "Best",
    "Loudest",
    "Peaks",
    "Views",
    "best_match",
    "find_peaks",
    "loudest",
    "match",
    "match_template",
    "normalized_correlation",
    "overlap_share",
    "rotations",
    "scales",
]
