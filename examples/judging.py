"""Shared by the examples: compare places with a reference list, and save pictures."""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from jaxconv import plotting


def judge(what: str, places, reference, reach: float, templates=()) -> tuple[int, int, int]:
    """Print and return the numbers of places of a list that are found and missed, and of false ones.

    The places that the template was made from, `templates`, do not count.
    """
    others = [place for place in reference if place not in templates]
    near, of_template = (_near(places, list_, reach) for list_ in (others, templates))
    found = int(near.any(0).sum())
    false = int((~near.any(1) & ~of_template.any(1)).sum())
    missed = len(others) - found
    note = f" (without the {len(templates)} of the template)" if templates else ""
    print(f"{what}: found {found} of {len(others)}, missed {missed}, false {false}{note}")
    return found, missed, false


def _near(places, reference, reach: float) -> np.ndarray:
    """Return for each place which places of a list are within reach."""
    if not len(places) or not len(reference):
        return np.zeros((len(places), len(reference)), bool)
    places, reference = (np.reshape(a, (len(a), -1)).astype(float) for a in (places, reference))
    return np.abs(places[:, None] - reference[None]).max(-1) <= reach


def save(figure: Figure, name: str) -> None:
    """Save a picture in the folder given by --save."""
    path = folder() / f"{name}.png"
    figure.savefig(path, dpi=100)
    print(f"wrote {path}")


def save_animation(animation, name: str) -> None:
    """Save an animation in the folder given by --save."""
    print(f"wrote {plotting.save(animation, folder() / f'{name}.gif')}")


def folder() -> Path:
    """Return the folder given by --save, and create it if necessary."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--save", type=Path, default=Path("out"), help="folder for the pictures")
    path = parser.parse_args().save
    path.mkdir(parents=True, exist_ok=True)
    return path
