"""Boundaries: what lies beyond the edge of a signal.

fill       00|1234|00    the value `fillvalue`
edge       11|1234|44    the last sample, repeated
reflect    32|1234|32    mirrored at the last sample, which is not repeated
symmetric  21|1234|43    mirrored behind the last sample, which is repeated
wrap       34|1234|12    from the other end
"""

from collections.abc import Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.engine.problem import lengthened
from jaxconv.types import BOUNDARIES, Boundary

__all__ = ["SYNONYMS", "extend"]

SYNONYMS: dict[str, Boundary] = {  # other libraries' names, where no two libraries disagree on them
    "constant": "fill",
    "grid-constant": "fill",
    "pad": "fill",
    "zero": "fill",
    "zeros": "fill",
    "extend": "edge",
    "nearest": "edge",
    "replicate": "edge",
    "mirror": "reflect",
    "reflect_101": "reflect",
    "grid-mirror": "symmetric",
    "symm": "symmetric",
    "circular": "wrap",
    "grid-wrap": "wrap",
    "periodic": "wrap",
}


def extend(
    signal: Any,
    widths: Sequence[tuple[int, int]],
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = 0,
) -> jax.Array:
    """Extend a signal beyond its edges.

    Args:
        signal: the signal.
        widths: one pair per axis: how many samples to add before and behind.
        boundary: what they are, one name for all axes or one per axis: "fill", "edge", "reflect",
            "symmetric" or "wrap", as in `numpy.pad`, or another library's name for one (`SYNONYMS`).
        fillvalue: the value of "fill".

    Shapes:
        signal (n1, ..., nd), widths d pairs -> low + ni + high.

    Returns:
        The longer signal, of its dtype.

    Raises:
        ValueError: if a boundary name is unknown, a width is negative, the number of widths differs from
            the number of axes, or an empty axis would have to be extended.
        TypeError: if the signal is not an array of numbers.

    Gradient:
        In the signal; what was copied beyond an edge counts for the sample that it is a copy of.

    Source:
        `numpy.pad`, whose names and meanings these are.

    Example:
        >>> extend([1, 2, 3, 4], [(2, 2)], "reflect").tolist()
        [3, 2, 1, 2, 3, 4, 3, 2]
    """
    signal = checks.array("extend", "signal", signal)
    if len(widths) != signal.ndim or any(len(pair) != 2 or min(pair) < 0 for pair in widths):
        rule = f"be {signal.ndim} pairs of numbers that are not negative"
        raise checks.value_error("extend", "widths", rule, list(widths))
    names = canonical("extend", boundary, signal.ndim)
    for axis, (name, (low, high)) in enumerate(zip(names, widths, strict=True)):
        signal = _extend_axis(signal, axis, low, high, name, fillvalue)
    return signal


def canonical(function: str, boundary: Any, rank: int, scipy: str = "") -> tuple[Boundary, ...]:
    """Return our name of the boundary of each axis.

    Args:
        function: who asks, for the message.
        boundary: one name for all axes, or one per axis.
        rank: how many axes.
        scipy: SciPy's own words for the message.

    Shapes:
        None.

    Returns:
        As many names as axes.

    Raises:
        ValueError: if their number differs from that of the axes, or a name is unknown.

    Example:
        >>> canonical("convolve", ("nearest", "wrap"), 2)
        ('edge', 'wrap')
    """
    given = boundary if isinstance(boundary, tuple | list) else (boundary,) * rank
    if len(given) != rank:
        rule = f"be one name, or one per axis ({rank})"
        raise checks.value_error(function, "boundary", rule, repr(boundary))
    for name in given:
        checks.one_of(function, "boundary", name, (*BOUNDARIES, *SYNONYMS), scipy)
    return tuple(cast(Boundary, SYNONYMS.get(name, name)) for name in given)


def _extend_axis(signal: jax.Array, axis: int, low: int, high: int, name: Boundary, fillvalue: Any):
    if low == high == 0:
        return signal
    if name == "fill":
        value = jnp.asarray(fillvalue).astype(signal.dtype)
        value = value.reshape(()) if value.size == 1 else value  # else one along other axes
        return lengthened(signal, axis, low, high, "constant", value)
    if signal.shape[axis] == 0:
        rule, got = f"have elements to continue by {name!r}", f"shape {signal.shape}"
        raise checks.value_error("extend", "signal", rule, got)
    return lengthened(signal, axis, low, high, name)
