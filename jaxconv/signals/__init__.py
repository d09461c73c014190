"""Signals to search for and signals to search in: waves, shapes, and scenes that hold either of them.

Import the names below from `jaxconv.signals`. Waves are functions of time, shapes are drawn in square
patches, and `scene` and `strew` return a `Scene`: a signal with the positions of its patterns.
"""

from jaxconv.signals.scenes import Scene, scene, scenes, strew
from jaxconv.signals.shapes import (
    SHAPES,
    Shape,
    circle,
    cross,
    default_radius,
    disk,
    square,
    triangle,
)
from jaxconv.signals.waves import chirp, midpoints, ricker, sawtooth, square_wave

__all__ = [
    "SHAPES",
    "Scene",
    "Shape",
    "chirp",
    "circle",
    "cross",
    "default_radius",
    "disk",
    "midpoints",
    "ricker",
    "sawtooth",
    "scene",
    "scenes",
    "square",
    "square_wave",
    "strew",
    "triangle",
]
