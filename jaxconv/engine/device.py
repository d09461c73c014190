"""The machine: what device, processor and versions a measurement was made with."""

import contextlib
import datetime
import os
import platform as python_platform
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import jax

PACKAGES = (
    "jaxconv",
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "torch",
    "cupy-cuda13x",
    "opencv-python-headless",
    "scikit-image",
    "matchedfilter",
)


def about(platform: str | None = None) -> dict[str, Any]:
    """Return the device's name, the processor, the versions and the date."""
    return {
        "device": jax.devices(platform)[0].device_kind,
        "processor": processor(),
        "cores": cores(),
        "load": load(),
        "python": python_platform.python_version(),
        "versions": versions(),
        "date": datetime.date.today().isoformat(),
    }


def platform_name(asked: str | None = None) -> str:
    """Return the name under which JAX lowers programs for a platform, by default the device's own.

    JAX calls both NVIDIA's and AMD's devices "gpu", and lowers for "cuda" or "rocm".
    """
    name = asked or jax.default_backend()
    if name != "gpu":
        return name
    with contextlib.suppress(RuntimeError):  # there is no such device here
        if "rocm" in jax.devices("gpu")[0].client.platform_version.lower():
            return "rocm"
    return "cuda"


def kind(platform: str) -> str:
    """Return the name of the first device of a platform; "" where there is none."""
    with contextlib.suppress(RuntimeError):
        return jax.devices(platform)[0].device_kind
    return ""


@cache
def versions() -> dict[str, str]:
    """Return the versions of those packages that are installed, of what is timed and what it runs on."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def release(package: str) -> tuple[int, ...]:
    """Return the first two numbers of a package's version; () where it is not installed."""
    return tuple(int(number) for number in re.findall(r"\d+", versions().get(package, ""))[:2])


@cache
def processor() -> str:
    """Return the processor's name."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    named = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(named, python_platform.processor())


def load() -> float:
    """Return how many processes waited for a core in the last minute, in the mean; 0 if not told."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
