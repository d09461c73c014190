"""Call: what a user asks of one convolution besides its arrays, checked and hashable."""

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from numbers import Number
from typing import Any

import jax

from jaxconv import checks
from jaxconv.convolution.conventions import METHOD_WORDS, Convention
from jaxconv.engine.how import How, ask
from jaxconv.types import MODES, NORMALIZE


@dataclass(frozen=True)
class Call:
    """The options of a call, which `jit` takes as static. Those per axis wait for the shapes."""

    convention: Convention
    how: How
    mode: Any
    axes: Any
    boundary: Any
    origin: Any
    stride: Any
    dilation: Any
    lags: Any
    normalize: Any

    @property
    def name(self) -> str:
        """The function that was called."""
        return self.convention.name

    @cached_property
    def _hash(self) -> int:
        return hash(tuple(getattr(self, field.name) for field in fields(self)))

    def __hash__(self) -> int:  # once: `jit` asks for it at every call
        return self._hash


@lru_cache(4096, typed=True)
def known_call(convention: Convention, **options: Any) -> Call:
    """Return the call that these options make, the same object for the same options."""
    return called(convention, **options)


def called(
    convention: Convention,
    *,
    mode: Any = "full",
    method: Any = "auto",
    precision: Any = None,
    max_bytes: int | None = None,
    local: bool = False,
    axes: Any = None,
    boundary: Any = "fill",
    origin: Any = 0,
    stride: Any = 1,
    dilation: Any = 1,
    lags: Any = None,
    normalize: Any = "none",
) -> Call:
    """Return the call that these options make.

    Raises:
        ValueError: if one is not one of its allowed values.
        TypeError: if one cannot be hashed.
    """
    name = convention.name
    if mode not in MODES:
        checks.one_of(name, "mode", mode, MODES, convention.mode_words.format(mode))
    how = ask(name, method, precision, max_bytes, local, METHOD_WORDS)
    if normalize != "none":
        checks.one_of(name, "normalize", normalize, NORMALIZE)
    given = {
        "axes": axes,
        "boundary": boundary,
        "origin": origin,
        "stride": stride,
        "dilation": dilation,
        "lags": lags,
        "normalize": normalize,
    }
    fixed = {option: checks.static(name, option, value) for option, value in given.items()}
    return Call(convention, how, mode, **fixed)


def fill_of(name: str, fillvalue: Any) -> jax.Array | None:
    """Return the value beyond the edges as an array; None for zeros, which the engine pads with."""
    if isinstance(fillvalue, Number) and fillvalue == 0:
        return None
    return fillvalue if isinstance(fillvalue, jax.Array) else checks.array(name, "fillvalue", fillvalue)
