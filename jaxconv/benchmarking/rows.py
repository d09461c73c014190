"""A row of results, read: who is a peer of ours in it, how long each took."""

from typing import Any

OURS = "jaxconv"
BESIDE = ("copy", "forward", "prepared")  # timed beside us, to compare with; no peer's work
METHOD = "method "  # begins the name of one of our methods, timed alone


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
    """Return the fastest peer's time over ours."""
    return min(peers(row).values()) / ours(row)
