"""What the examples share: found places against a reference list, and where the pictures go."""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from jaxconv import plotting


def judge(what: str, places, reference, reach: float) -> tuple[int, int, int]:
    """Print and return how many of a list are found, missed, and found where there is none."""
    places, reference = (np.reshape(a, (len(a), -1)).astype(float) for a in (places, reference))
    apart = np.abs(places[:, None] - reference[None]).max(-1, initial=0)
    near = apart <= reach
    found, false = int(near.any(0).sum()), int((~near.any(1)).sum())
    missed = len(reference) - found
    print(f"{what}: found {found} of {len(reference)}, missed {missed}, false {false}")
    return found, missed, false


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
