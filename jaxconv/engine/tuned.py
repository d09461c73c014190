"""Tuned: the times that methods were measured to take, kept for each problem, device and versions.

In memory, and where `store.py` keeps things: one file a problem, written whole, so that processes beside
each other keep what each has measured. A job of several processes reads nothing by itself, since all
must plan alike: `tuning.tune` and `tuning.load` tell all what process 0 knows.
"""

import hashlib
import json
import math
import os
import shutil
import warnings
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jaxconv import files
from jaxconv.engine import store
from jaxconv.engine.methods import METHODS
from jaxconv.engine.problem import Problem

KIND = "tuned"


@dataclass(frozen=True)
class Times:
    """The seconds by method that a problem took, and the method that was best between layers."""

    problem: str
    seconds: dict[str, float]
    between_layers: str = ""


_KNOWN: dict[str, Times | None] = {}  # by problem, of this process; None where none are kept


def find(problem: Problem) -> Times | None:
    """Return what was measured of a problem; None if nothing was."""
    if not _KNOWN and not _is_kept(problem.platform, os.environ.get("JAXCONV_CACHE")):
        return None
    name = repr(problem)
    if name not in _KNOWN:
        _KNOWN[name] = _read(_file(problem.platform, name)) if store.reads() else None
    return _KNOWN[name]


@cache
def _is_kept(platform: str, _: str | None) -> bool:
    """Whether there is a folder of what was measured, told once: most plans need no more."""
    folder = _folder(platform) if store.reads() else None
    return folder is not None and folder.is_dir()


def keep(problem: Problem, times: Times) -> None:
    """Keep what was measured, in memory and on disk."""
    keep_all(problem.platform, [times])


def keep_all(platform: str, many: list[Times]) -> None:
    """Keep what was measured of several problems of a platform."""
    for times in many:
        _KNOWN[times.problem] = times
        file = _file(platform, times.problem) if store.writes() else None
        if file:
            files.write(file, files.text(json.dumps(asdict(times)) + "\n"))
            _is_kept.cache_clear()


def try_out(times: Times) -> None:
    """Plan by these times in this process, and keep nothing."""
    _KNOWN[times.problem] = times


def all_of(platform: str) -> list[Times]:
    """Return all that was measured on a platform's device."""
    folder = _folder(platform)
    found = {
        t.problem: t for t in map(_read, folder.glob("*.json") if folder and store.reads() else ()) if t
    }
    mine = (times for times in _KNOWN.values() if times and f"platform={platform!r}" in times.problem)
    return list((found | {times.problem: times for times in mine}).values())


def forget(platform: str) -> None:
    """Drop all that was measured on a platform's device."""
    _KNOWN.clear()
    folder = _folder(platform)
    if folder and store.writes():
        shutil.rmtree(folder, ignore_errors=True)


def sound(found: Any) -> Times:
    """Return what a file holds, or raise ValueError."""
    try:
        times = Times(**found)
        numbers, names = times.seconds.values(), {*times.seconds, times.between_layers or "direct"}
        if names <= set(METHODS) and all(math.isfinite(s) and s > 0 for s in numbers) and numbers:
            return times
    except (TypeError, AttributeError):
        pass
    raise ValueError("not times of methods")


def _folder(platform: str) -> Path | None:
    try:
        return store.path(platform, KIND).with_suffix("")
    except RuntimeError:  # there is no such device here
        return None


def _file(platform: str, problem: str) -> Path | None:
    folder = _folder(platform)
    return folder and folder / f"{hashlib.sha256(problem.encode()).hexdigest()[:32]}.json"


def _read(file: Path | None) -> Times | None:
    try:
        return sound(json.loads(file.read_bytes())) if file else None
    except OSError:
        return None
    except ValueError:
        told = f"jaxconv: {file} is damaged and is left out."
        warnings.warn(f"{told} `jaxconv.tune` writes it anew.", stacklevel=2)
        return None
