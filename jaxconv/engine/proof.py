"""Proof: whether oneDNN is to be had here, found out once in a process of its own.

A jaxlib without it, or with another form of its configuration, may end the process that calls it. So
before its first use on a machine a child process computes cases of every kind, alone and beside others,
and compares; the answer is kept in the user's cache folder, for this processor and these versions. The
environment variable JAXCONV_ONEDNN=0 turns its methods off. A job of several processes does without: all
must plan alike.
"""

import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

import jax

from jaxconv.engine import device, store

SWITCH = "JAXCONV_ONEDNN"
OLDEST = (
    0,
    12,
)  # jaxlib 0.10 waits in it for its own threads: 6 of 18 runs of 36 calls ended badly or never
LONGEST = 120  # seconds that the child may take; it is some ten
PROVED = "proved"
KEPT = "onednn-matmul"  # what the answer is of: both methods


@cache
def refusal() -> str:
    """Return "" where oneDNN is to be had, or why it is not."""
    if os.environ.get(SWITCH) == "0":
        return f"turned off by {SWITCH}=0"
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return "jaxlib carries it on x86-64 Linux only"
    if device.release("jaxlib") < OLDEST:
        return "jaxlib before 0.12 may hang in it"
    if jax.process_count() > 1:
        return "a job of several processes does without, so that all plan alike"
    answer = store.kept(KEPT) or _tried()
    return "" if answer == PROVED else f"not to be had from this jaxlib: {answer}"


def _tried() -> str:
    """Try it in a child process; keep the answer and return it."""
    if not sys.executable or getattr(sys, "frozen", False):
        return "there is no Python to try it in"
    package = str(Path(__file__).parents[2])
    paths = os.pathsep.join([package, *filter(None, sys.path)])
    own = {SWITCH: "0", "JAX_PLATFORMS": "cpu", "PYTHONPATH": paths, "JAX_ENABLE_COMPILATION_CACHE": "0"}
    command = [sys.executable, "-m", "jaxconv.engine.proving"]
    try:
        done = subprocess.run(
            command, env={**os.environ, **own}, capture_output=True, text=True, timeout=LONGEST
        )
        words = (done.stdout + done.stderr).strip().splitlines() or [f"it ended with {done.returncode}"]
        answer = PROVED if done.returncode == 0 and words[-1] == PROVED else words[-1]
    except subprocess.TimeoutExpired:
        answer = f"it did not end within {LONGEST} s"
    except OSError as problem:
        return f"it could not be tried ({problem})"
    store.keep(KEPT, answer)
    return answer
