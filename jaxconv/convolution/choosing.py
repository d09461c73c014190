"""Choosing: by which method a convolution would be computed, told without computing it."""

import timeit
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.convolution.functions import convolve, correlate
from jaxconv.convolution.scipy_family import convolve2d, correlate2d
from jaxconv.engine.planning import Plan
from jaxconv.engine.primitive import plans_in
from jaxconv.types import Method, Mode

_FUNCTIONS = (convolve, correlate, convolve2d, correlate2d)


def plan(
    in1: Any,
    in2: Any,
    mode: Mode = "full",
    method: Method = "auto",
    *,
    function: Callable[..., jax.Array] = convolve,
    dtype: Any = None,
    platform: str | None = None,
    max_bytes: int | None = None,
    local: bool = False,
    **options: Any,
) -> Plan:
    """Plan the convolution or correlation of two arrays, or of two shapes, without computing it.

    Args:
        in1: the signal, or its shape as a tuple; a list of numbers is a signal, as for `convolve`.
        in2: the kernel, or its shape as a tuple.
        mode: as for `convolve`.
        method: as for `convolve`.
        function: `convolve`, `correlate`, `convolve2d` or `correlate2d`.
        dtype: of both where shapes are given; by default JAX's default float.
        platform: "cpu", "cuda", "rocm" or "tpu"; None for the default device's.
        max_bytes: as for `convolve`.
        local: as for `convolve`.
        **options: the function's others: axes, boundary, stride, dilation, lags, ...

    Shapes:
        As for `convolve`.

    Returns:
        A `Plan`: frozen, hashable, printable; pass it as `method`, and the same shapes are computed so.

    Raises:
        ValueError: as `convolve`.
        TypeError: as `convolve`.

    Example:
        >>> planned = plan((1_000_000,), (9,))
        >>> planned.method
        'shifts'
        >>> convolve(jnp.ones(1_000_000), jnp.ones(9), method=planned).shape
        (1000008,)
    """
    if function not in _FUNCTIONS:
        rule = "be jaxconv's " + " or ".join(f.__name__ for f in _FUNCTIONS)
        raise checks.value_error("plan", "function", rule, function)
    operands = [_operand(name, value, dtype) for name, value in (("in1", in1), ("in2", in2))]
    bounds = {"max_bytes": max_bytes, "local": local}
    call = partial(function, mode=mode, method=method, **bounds, **options)
    plans = plans_in(call, operands, platform)
    if not plans:
        raise checks.value_error("plan", "in1", "have an axis to convolve along", operands[0].shape)
    return plans[0]


def choose_conv_method(in1: Any, in2: Any, mode: Mode = "full", measure: bool = False) -> Any:
    """Tell which of "direct" and "fft" is the faster, as `scipy.signal.choose_conv_method`.

    `convolve`'s own method="auto" has more to choose from, and `plan` tells it.

    Args:
        in1: as for `convolve`.
        in2: as for `convolve`.
        mode: as for `convolve`.
        measure: whether to time both, each compiled before, instead of predicting.

    Shapes:
        As for `convolve`.

    Returns:
        The name; with `measure` the name and a dict of the seconds that each took.

    Raises:
        ValueError: as `convolve`.
        TypeError: as `convolve`.

    Source:
        `scipy.signal.choose_conv_method`.

    Example:
        >>> choose_conv_method(jnp.ones(100_000), jnp.ones(50_000))
        'fft'
    """
    in1, in2 = checks.array("convolve", "in1", in1), checks.array("convolve", "in2", in2)
    jax.eval_shape(lambda a, b: convolve(a, b, mode), in1, in2)  # raises convolve's errors
    if measure:
        seconds = {name: _seconds(in1, in2, mode, name) for name in ("fft", "direct")}
        return min(seconds, key=lambda name: seconds[name]), seconds
    inexact = all(jnp.issubdtype(x.dtype, np.inexact) for x in (in1, in2))
    if in1.ndim == 0 or not inexact:
        return "direct"
    able = {c.method: c.seconds for c in plan(in1, in2, mode).candidates if not c.refusal}
    return min(("direct", "fft"), key=lambda name: able.get(name, np.inf))


def _operand(name: str, value: Any, dtype: Any) -> jax.ShapeDtypeStruct:
    """Read an array, or a shape, as a shape with a type."""
    if isinstance(value, tuple) and all(isinstance(n, int | np.integer) for n in value):
        if any(n < 0 for n in value):
            raise checks.value_error("plan", name, "be an array or a shape", value)
        return jax.ShapeDtypeStruct(tuple(value), jnp.dtype(dtype or jnp.zeros(()).dtype))
    array = value if isinstance(value, jax.ShapeDtypeStruct) else checks.array("plan", name, value)
    return jax.ShapeDtypeStruct(array.shape, dtype or array.dtype)


def _seconds(in1: jax.Array, in2: jax.Array, mode: Mode, method: Literal["fft", "direct"]) -> float:
    """Return the least time of a few calls, once compiled."""

    def call():
        jax.block_until_ready(convolve(in1, in2, mode, method))

    call()
    return min(timeit.repeat(call, number=1, repeat=5))
