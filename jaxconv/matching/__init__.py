"""Matching: where in a signal a template lies, and how well it fits there.

Each public function compares a template with every window; `find_peaks` then reads off the places.
Import from here what `__all__` lists; the other files serve these.
"""

from jaxconv.matching.banks import Best, Loudest, best_match, loudest
from jaxconv.matching.measures import match
from jaxconv.matching.normalized import normalized_correlation
from jaxconv.matching.overlap import overlap_share
from jaxconv.matching.peaks import Peaks, find_peaks
from jaxconv.matching.template import match_template
from jaxconv.matching.views import Views, rotations, scales, views

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
    "views",
]
