"""What the examples share: found places against a reference list, and where the picture goes."""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure


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
    parser = argparse.ArgumentParser()
    parser.add_argument("--save", type=Path, default=Path("out"), help="folder for the picture")
    folder = parser.parse_args().save
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=100)
    print(f"wrote {folder / name}.png")
