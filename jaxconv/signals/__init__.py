"""Signals to look for and signals to look in: waves, shapes, and scenes full of either."""

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
