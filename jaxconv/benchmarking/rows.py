"""Rows of results: our time, the times of our methods and of our peers."""

import re
from typing import Any

OURS = "jaxconv"
BESIDE = ("copy", "forward", "prepared", "whole")  # timed for comparison; not peers
METHOD = "method "  # prefix of one of our methods, timed by itself


def machine(about: dict[str, Any]) -> str:
    """Return the name of a device; of a CPU the processor's, and how many cores."""
    if about["device"] != "cpu":
        return about["device"]
    name = re.sub(r"\(R\)|\(TM\)| Processor| @.*", "", about["processor"])
    return f"{name}, {about['cores']} cores"


def slug(about: dict[str, Any]) -> str:
    """Return a name of a device and its JAX for files."""
    return re.sub(r"[^\w.]+", "-", f"{machine(about)} jax {about['versions']['jax']}").lower()


def ours(row: dict[str, Any]) -> float:
    """Return our seconds."""
    return row["seconds"][OURS]


def methods(row: dict[str, Any]) -> dict[str, float]:
    """Return the seconds of each of our methods."""
    seconds = row["seconds"].items()
    return {name.removeprefix(METHOD): s for name, s in seconds if name.startswith(METHOD)}


def peers(row: dict[str, Any]) -> dict[str, float]:
    """Return the seconds of each peer."""
    own = (OURS, *BESIDE)
    seconds = row["seconds"].items()
    return {name: s for name, s in seconds if name not in own and not name.startswith(METHOD)}


def gain(row: dict[str, Any]) -> float:
    """Return the time of the fastest peer divided by ours."""
    return min(peers(row).values()) / ours(row)
