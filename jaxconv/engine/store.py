"""Calibrated constants on disk: one JSON file a device and set of versions, in the user's cache folder.

The environment variable JAXCONV_CACHE names another folder; "off" reads and writes nothing, and keeps
the built-in constants. So does a job of several processes (`jax.distributed`), which must all plan alike
whatever lies on their hosts. JAXCONV_READ_ONLY=1 reads what is there and writes nothing.
"""

import contextlib
import json
import math
import os
import re
import warnings
from pathlib import Path
from typing import Any

import jax
from platformdirs import user_cache_dir

from jaxconv import files
from jaxconv.engine import device


def reads() -> bool:
    """Whether this process plans by what is kept."""
    return os.environ.get("JAXCONV_CACHE") != "off" and jax.process_count() == 1


def writes() -> bool:
    """Whether this process may keep anything."""
    return reads() and os.environ.get("JAXCONV_READ_ONLY", "0") == "0"


def path(platform: str, what: str = "constants") -> Path:
    """Return where the constants, or what else is kept, of this machine's device of a platform lie."""
    folder = os.environ.get("JAXCONV_CACHE") or user_cache_dir("jaxconv", appauthor=False)
    name = re.sub(r"\W+", "-", f"{platform} {'-'.join(key(platform).values())}").strip("-").lower()
    return Path(folder) / f"{what}-{name}.json"


def read(platform: str, names: set[str]) -> dict[str, Any]:
    """Return the constants of these names that were written for this device; {} where there are none.

    A file that is damaged, or of another device or version, is left out with a warning.
    """
    if not reads():
        return {}
    try:
        file = path(platform)
        kept_bytes = file.read_bytes()
    except (OSError, RuntimeError):  # nothing was calibrated, or there is no such device here
        return {}
    try:
        kept = json.loads(kept_bytes)
        if kept["key"] == key(platform) and _is_sound(kept["constants"], names):
            return kept["constants"]
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    told = f"jaxconv: {file} is damaged, or of another device or version, and is left out."
    warnings.warn(f"{told} `jaxconv calibrate` writes it anew.", stacklevel=2)
    return {}


def kept(name: str) -> str:
    """Return the words that were kept under a name for this processor; "" where there are none."""
    if not reads():
        return ""
    try:
        found = json.loads(path("cpu", name).read_text())
        return str(found["answer"]) if found["key"] == key("cpu") else ""
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return ""


def keep(name: str, answer: str) -> None:
    """Keep words under a name for this processor, where there is a folder to keep them in."""
    if not writes():
        return
    text = json.dumps({"key": key("cpu"), "answer": answer}) + "\n"
    with contextlib.suppress(OSError):
        files.write(path("cpu", name), files.text(text))


def write(platform: str, values: dict[str, Any]) -> Path:
    """Write constants and return where."""
    text = json.dumps({"key": key(platform), "constants": values}, indent=1) + "\n"
    return files.write(path(platform), files.text(text))


def _is_sound(values: dict[str, Any], names: set[str]) -> bool:
    """Tell whether these are all the constants: positive numbers, and a source in words."""
    numbers = [value for name, value in values.items() if name != "source"]
    worded = isinstance(values.get("source"), str)
    return set(values) == names and worded and all(math.isfinite(n) and n > 0 for n in numbers)


def key(platform: str) -> dict[str, str]:
    """Return what the constants, and what else is kept, depend on."""
    kind = jax.devices(platform)[0].device_kind
    if platform == "cpu":
        kind = f"{device.processor()}, {device.cores()} cores"
    versions = {name: device.versions().get(name, "") for name in ("jaxconv", "jax", "jaxlib")}
    return {"device": kind, **versions}
