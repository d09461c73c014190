"""Plotting, with matplotlib, which is imported when something is drawn.

Panels draw into axes that you pass, figures combine several panels, and animations move. Import the
names below from `jaxconv.plotting`; `save` writes an animation.
"""

from jaxconv.plotting.animations import evolution, save
from jaxconv.plotting.figures import curves, found, found_in_line, learned
from jaxconv.plotting.lecture import matched_and_mismatched, overlap, patch, plan, slide
from jaxconv.plotting.panels import (
    feature_maps,
    filters,
    heat_map,
    learning,
    ring,
    roc,
    spectrum,
)
from jaxconv.plotting.timings import methods, roofline

__all__ = [
    "curves",
    "evolution",
    "feature_maps",
    "filters",
    "found",
    "found_in_line",
    "heat_map",
    "learned",
    "learning",
    "matched_and_mismatched",
    "methods",
    "overlap",
    "patch",
    "plan",
    "ring",
    "roc",
    "roofline",
    "save",
    "slide",
    "spectrum",
]
