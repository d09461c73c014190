"""What the examples share: found places against a reference list, and where the pictures go."""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from jaxconv import plotting


def judge(what: str, places, reference, reach: float, templates=()) -> tuple[int, int, int]:
    """Print and return how many of a list are found, missed, and found where there is none.

    Those of the list that the template was made of, `templates`, do not count: it finds itself.
    """
    others = [place for place in reference if place not in templates]
    near, itself = (_near(places, list_, reach) for list_ in (others, templates))
    found = int(near.any(0).sum())
    false = int((~near.any(1) & ~itself.any(1)).sum())
    missed = len(others) - found
    beside = f" (beside the {len(templates)} of the template)" if templates else ""
    print(f"{what}: found {found} of {len(others)}, missed {missed}, false {false}{beside}")
    return found, missed, false


def _near(places, reference, reach: float) -> np.ndarray:
    """Return which places lie within reach of which of a list."""
    if not len(places) or not len(reference):
        return np.zeros((len(places), len(reference)), bool)
    places, reference = (np.reshape(a, (len(a), -1)).astype(float) for a in (places, reference))
    return np.abs(places[:, None] - reference[None]).max(-1) <= reach


def save(figure: Figure, name: str) -> None:
    """Save a picture into the folder that --save names."""
    path = folder() / f"{name}.png"
    figure.savefig(path, dpi=100)
    print(f"wrote {path}")


def save_animation(animation, name: str) -> None:
    """Save an animation into the folder that --save names."""
    print(f"wrote {plotting.save(animation, folder() / f'{name}.gif')}")


def folder() -> Path:
    """Return the folder that --save names, and make it if need be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--save", type=Path, default=Path("out"), help="folder for the pictures")
    found = parser.parse_args().save
    found.mkdir(parents=True, exist_ok=True)
    return found
