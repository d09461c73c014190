"""One function a rule; every error message of the library is written here.

The grammar: ``{function}: `{argument}` must {rule}; got {value}. {Remedy}``. Only static facts are
checked (shapes, dtypes, options), so a check does the same inside `jax.jit` as outside.
The SciPy-shaped functions put SciPy's own words first (`scipy`), for those who match on them.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


def _message(function: str, argument: str, rule: str, got: str, remedy: str, scipy: str) -> str:
    text = f"{function}: `{argument}` must {rule}; got {got}. {remedy}".rstrip()
    return f"{scipy} {text}" if scipy else text


def value_error(
    function: str, argument: str, rule: str, got: object, remedy: str = "", scipy: str = ""
) -> ValueError:
    """Return the ValueError of a wrong value, in the one grammar."""
    return ValueError(_message(function, argument, rule, str(got), remedy, scipy))


def type_error(
    function: str, argument: str, rule: str, got: object, remedy: str = "", scipy: str = ""
) -> TypeError:
    """Return the TypeError of a value of a wrong type, in the one grammar."""
    return TypeError(_message(function, argument, rule, str(got), remedy, scipy))


def one_of(function: str, argument: str, value: object, choices: Sequence[str], scipy: str = "") -> None:
    """Raise ValueError unless `value` is one of the `choices`."""
    if isinstance(value, str) and value in choices:
        return
    near = get_close_matches(value, choices, n=1) if isinstance(value, str) else []
    remedy = f"Did you mean {near[0]!r}?" if near else ""
    rule = "be one of " + ", ".join(map(repr, choices))
    raise value_error(function, argument, rule, repr(value), remedy, scipy)


def array(function: str, argument: str, value: Any) -> jax.Array:
    """Return `value` as a JAX array of numbers, or raise TypeError."""
    if isinstance(value, jax.Array):
        if jnp.issubdtype(value.dtype, np.number) or value.dtype == bool:
            return value
        got = f"an array of dtype {value.dtype}"
    else:
        try:
            as_numpy = np.asarray(value)
            if as_numpy.dtype.kind in "biufcV":  # V: NumPy's view of bfloat16 and its kin
                return jnp.asarray(value)
            got = f"{type(value).__name__} of dtype {as_numpy.dtype}"
        except (TypeError, ValueError) as error:
            got = f"{type(value).__name__} ({error})"
    raise TypeError(_message(function, argument, "be an array of numbers", got, "", ""))


def mask(function: str, argument: str, value: Any, whose: str, shape: tuple[int, ...]) -> Any:
    """Return a mask of an array's shape, True where a sample is missing, or raise; None stays None."""
    if value is None:
        return None
    given = array(function, argument, value)
    if given.dtype != bool:
        rule, got = "be boolean, True where a sample is missing", f"dtype {given.dtype}"
        raise TypeError(_message(function, argument, rule, got, "", ""))
    if given.shape != shape:
        raise value_error(function, argument, f"have the {whose}'s shape {shape}", given.shape)
    return given


def not_empty(function: str, argument: str, value: jax.Array, scipy: str = "") -> None:
    """Raise ValueError where an array has no elements."""
    if value.size == 0:
        remedy = "There is no sum over nothing; pass at least one element on every axis."
        raise value_error(function, argument, "have elements", f"shape {value.shape}", remedy, scipy)


def is_known(*shapes: Sequence[Any]) -> bool:
    """Return whether no length is symbolic, as in `jax.export` of shapes with letters."""
    return all(isinstance(n, int) for shape in shapes for n in shape)


def known(function: str, argument: str, lengths: Sequence[Any]) -> None:
    """Raise ValueError where a length is symbolic."""
    if not is_known(lengths):
        rule = "have known lengths along the axes that are convolved, on which the plan depends"
        remedy = "Batch axes may be symbolic: name the others as `axes`."
        raise value_error(function, argument, rule, tuple(lengths), remedy)


def same_rank(
    function: str, arguments: tuple[str, str], values: tuple[jax.Array, jax.Array], scipy: str = ""
) -> None:
    """Raise ValueError unless both arrays have as many axes."""
    (name1, name2), (value1, value2) = arguments, values
    if value1.ndim != value2.ndim:
        rule = f"have as many axes as `{name1}`"
        got = f"{name1} {value1.shape}, {name2} {value2.shape}"
        remedy = "Add axes of length 1, or use jax.vmap over those that are a batch."
        raise value_error(function, name2, rule, got, remedy, scipy)


def nested(
    function: str,
    arguments: tuple[str, str],
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    scipy: str = "",
) -> None:
    """Raise ValueError unless one shape is at least as large as the other on every axis."""
    (name1, name2), (shape1, shape2) = arguments, shapes
    pairs = list(zip(shape1, shape2, strict=True))
    if not (all(n >= m for n, m in pairs) or all(n <= m for n, m in pairs)):
        rule = f"fit inside `{name1}`, or hold it, on every axis in mode 'valid'"
        got = f"{name1} {shape1}, {name2} {shape2}"
        remedy = "Use mode='full' or mode='same', which take any shapes."
        raise value_error(function, name2, rule, got, remedy, scipy)


def axes(function: str, value: Any, rank: int, argument: str = "axes") -> tuple[int, ...]:
    """Return axes (given as None for all, one, or several) counted from the first, as ordered."""
    if value is None:
        return tuple(range(rank))
    given = value if isinstance(value, tuple | list) else (value,)

    def wrong(words: str, remedy: str = "") -> ValueError:
        rule = f"name axes of an array that has {rank}"
        return value_error(function, argument, rule, repr(value), remedy, words)

    if not given:
        raise wrong("when provided, axes cannot be empty:", "Leave it out for all of them.")
    if any(isinstance(axis, bool) or not isinstance(axis, int | np.integer) for axis in given):
        raise wrong("axes must be a scalar or iterable of integers:")
    if not all(-rank <= axis < rank for axis in given):
        remedy = f"They are {-rank} to {rank - 1}." if rank else "It has no axes."
        raise wrong("axes exceeds dimensionality of input:", remedy)
    counted = tuple(int(axis) % rank for axis in given)
    if len(set(counted)) < len(counted):
        raise wrong("all axes must be unique:", "Name each once.")
    return counted


def per_axis(function: str, argument: str, value: Any, rank: int, least: int | None) -> tuple[int, ...]:
    """Return one whole number per axis, `least` at least; a single one stands for all axes."""
    given = value if isinstance(value, tuple | list) else (value,) * rank
    rule = f"be a whole number, or one per axis ({rank})"
    whole = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in given)
    if not whole:
        raise TypeError(_message(function, argument, rule, repr(value), "", ""))
    if len(given) != rank:
        raise value_error(function, argument, rule, repr(value))
    if least is not None and min(given, default=least) < least:
        raise value_error(function, argument, f"be {least} or greater on every axis", repr(value))
    return tuple(int(v) for v in given)


def is_traced(value: Any) -> bool:
    """Return whether a value is not known yet: the function that it is in is being traced."""
    return isinstance(value, Tracer)


def static(function: str, argument: str, value: Any) -> Any:
    """Return an option as a value that can be hashed, arrays and lists as tuples; or raise TypeError."""
    if isinstance(value, np.ndarray | np.generic | jax.Array) and not is_traced(value):
        value = np.asarray(value).tolist()
    if isinstance(value, list) or type(value) is tuple:
        return tuple(static(function, argument, item) for item in value)
    try:
        hash(value)
    except TypeError:
        rule = "be known before the call is compiled: a number, a word, or a tuple or list of these"
        raise TypeError(_message(function, argument, rule, repr(value), "", "")) from None
    return value


def positive(function: str, argument: str, value: Any, odd: bool = False) -> int:
    """Return `value` as an int, or raise unless it is a positive (and odd, if asked) whole number."""
    rule = f"be a positive {'odd ' if odd else ''}whole number"
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(_message(function, argument, rule, repr(value), "", ""))
    if value < 1 or (odd and value % 2 == 0):
        remedy = "An odd size has a centre." if odd else ""
        raise value_error(function, argument, rule, value, remedy)
    return int(value)
