"""Traffic: what a compiled program sends between devices, read off its text."""

import math
import re
from collections import Counter
from typing import NamedTuple

import jax
import jax.numpy as jnp

KINDS = ("all-gather", "all-reduce", "all-to-all", "collective-permute", "reduce-scatter")
_LINE = re.compile(rf"= (.*?) ({'|'.join(KINDS)})(?:-start)?\(")
_ARRAY = re.compile(r"([a-z]+[0-9]*[a-z0-9]*)\[([0-9,]*)\]")
_TYPES = {"pred": "bool", "f": "float", "s": "int", "u": "uint", "c": "complex", "bf": "bfloat"}


class Traffic(NamedTuple):
    """How many messages of each kind one device takes part in, and how many bytes it is left with."""

    messages: Counter[str]
    bytes: Counter[str]

    def __str__(self) -> str:
        words = [f"{self.messages[kind]} {kind} ({self.bytes[kind]:,} bytes)" for kind in self.messages]
        return ", ".join(words) or "none"


def traffic(compiled: jax.stages.Compiled) -> Traffic:
    """Return the traffic of a compiled program, `jax.jit(fn).lower(...).compile()`."""
    messages, received = Counter(), Counter()
    for result, kind in _LINE.findall(compiled.as_text() or ""):
        messages[kind] += 1
        for name, shape in _ARRAY.findall(result):
            count = math.prod(int(n) for n in shape.split(",") if n)
            received[kind] += count * _itemsize(name)
    return Traffic(messages, received)


def _itemsize(name: str) -> int:
    letters, digits = re.fullmatch(r"([a-z]+)([0-9]*)", name).groups()  # pyright: ignore
    return jnp.dtype(_TYPES[letters] + digits).itemsize
