"""Rows of results: our time, the times of our methods and of our peers."""

from typing import Any

OURS = "jaxconv"
BESIDE = ("copy", "forward", "prepared")  # timed for comparison; not peers
METHOD = "method "  # prefix of one of our methods, timed by itself


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
