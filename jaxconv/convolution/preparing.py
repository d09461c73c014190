"""`prepare`: what can be computed of one operand once, for many others."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
from jax import lax

from jaxconv import checks
from jaxconv.convolution.conventions import CONVOLVE, CORRELATE
from jaxconv.convolution.functions import convolve, correlate
from jaxconv.convolution.lax_function import conv_general_dilated
from jaxconv.convolution.layout import lay_out
from jaxconv.engine.preparation import Prepared, Side, prepared
from jaxconv.engine.primitive import plans_in

_CONVENTIONS = {convolve: CONVOLVE, correlate: CORRELATE, conv_general_dilated: None}


def prepare(
    operand: Any,
    shape: Sequence[int],
    function: Callable[..., jax.Array] = convolve,
    *,
    side: Side = "kernel",
    dtype: Any = None,
    **options: Any,
) -> Prepared:
    """Plan the convolutions of one operand with many others, and compute what they share.

    That is a kernel's spectrum (one of an FFT's three transforms) or its banded matrix, or a signal's
    spectrum. The result is passed in the operand's place.

    Args:
        operand: a kernel, or a signal, as `function` takes it.
        shape: of the others, as `function` takes them.
        function: `convolve`, `correlate` or `conv_general_dilated`.
        side: which operand it is: "kernel" or "signal".
        dtype: of the others; by default the operand's.
        **options: of `function`: the mode, the method, bounds, strides; the call must be given the same,
            but for the method and the bounds, which it takes from here.

    Shapes:
        As for `function`.

    Returns:
        A `Prepared`, a pytree: the operand, what was made of it, and the plan.

    Raises:
        ValueError: as `function`; and the call, if it is another than was prepared for.
        TypeError: as `function`.

    Gradient:
        In the other operand, and in the one that was prepared, as without preparation.

    Example:
        >>> prepared = prepare(jnp.ones(301), (1000,), mode="same", method="fft")
        >>> convolve(jnp.ones(1000), prepared, mode="same").shape, prepared.plan.method
        ((1000,), 'fft')
    """
    if function not in _CONVENTIONS:
        rule = "be jaxconv's " + " or ".join(f.__name__ for f in _CONVENTIONS)
        raise checks.value_error("prepare", "function", rule, function)
    checks.one_of("prepare", "side", side, ("kernel", "signal"))
    operand = checks.array("prepare", "operand", operand)
    other = jax.ShapeDtypeStruct(tuple(shape), dtype or operand.dtype)
    draft = Prepared(operand, None, side, function.__name__, None)
    pair = (other, draft) if side == "kernel" else (draft, other)
    plans = plans_in(partial(function, **options), pair)
    if not plans:
        raise checks.value_error("prepare", "shape", "have an axis to convolve along", tuple(shape))
    shapes = [tuple(shape), operand.shape] if side == "kernel" else [operand.shape, tuple(shape)]
    laid_out, params = _laid_out(function, operand, side, shapes, options)
    return prepared(operand, side, plans[0], laid_out, **params)


def _laid_out(function: Callable[..., Any], operand: jax.Array, side: Side, shapes: Any, options: Any):
    """Return the operand as lax gets it, and lax's parameters that tell what its axes are."""
    convention = _CONVENTIONS[function]
    if convention is None:
        numbers = lax.conv_dimension_numbers(shapes[0], shapes[1], options.get("dimension_numbers"))
        groups = options.get("batch_group_count", 1)
        return operand, {"dimension_numbers": numbers, "batch_group_count": groups}
    axes = sorted(checks.axes(convention.name, options.get("axes"), operand.ndim))
    layout = lay_out(convention.name, shapes[0], shapes[1], axes)
    if side == "signal":
        laid_out = layout.signal(operand)
    else:
        laid_out = layout.kernel(convention.turned(operand, axes))
    numbers = lax.conv_dimension_numbers(laid_out.shape, laid_out.shape, None)
    return laid_out, {"dimension_numbers": numbers, "batch_group_count": 1}
