"""`prepare`: what can be computed of a kernel once, for many signals."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
from jax import lax

from jaxconv import checks
from jaxconv.convolution.conventions import turned
from jaxconv.convolution.functions import conv_general_dilated, convolve, correlate
from jaxconv.convolution.layout import lay_out
from jaxconv.engine.prepared import Prepared, make_ready
from jaxconv.engine.primitive import plans_in

FUNCTIONS = (convolve, correlate, conv_general_dilated)


def prepare(
    kernel: Any,
    shape: Sequence[int],
    function: Callable[..., jax.Array] = convolve,
    *,
    dtype: Any = None,
    **options: Any,
) -> Prepared:
    """Plan the convolutions of many signals with one kernel, and compute what they share.

    That is the kernel's spectrum (one of an FFT's three transforms), or its banded matrix. The result is
    passed in the kernel's place.

    Args:
        kernel: as `function` takes it.
        shape: of the signals, as `function` takes them.
        function: `convolve`, `correlate` or `conv_general_dilated`.
        dtype: of the signals; by default the kernel's.
        **options: of `function`: the mode, the method, bounds, strides; the call must be given the same,
            but for the method and the bounds, which it takes from here.

    Shapes:
        As for `function`.

    Returns:
        A `Prepared`, a pytree: the kernel, what was made of it, and the plan.

    Raises:
        ValueError: as `function`; and the call, if it is another than was prepared for.
        TypeError: as `function`.

    Gradient:
        In the signal, and in the kernel from which it was prepared, as without preparation.

    Example:
        >>> prepared = prepare(jnp.ones(301), (1000,), mode="same", method="fft")
        >>> convolve(jnp.ones(1000), prepared, mode="same").shape, prepared.plan.method
        ((1000,), 'fft')
    """
    if function not in FUNCTIONS:
        rule = "be jaxconv's " + " or ".join(f.__name__ for f in FUNCTIONS)
        raise checks.value_error("prepare", "function", rule, function)
    name = function.__name__
    kernel = checks.array("prepare", "kernel", kernel)
    signal = jax.ShapeDtypeStruct(tuple(shape), dtype or kernel.dtype)
    draft = Prepared(kernel, None, name, None)
    plans = plans_in(partial(function, **options), [signal, draft])
    if not plans:
        rule = "have an axis to convolve along"
        raise checks.value_error("prepare", "shape", rule, tuple(shape))
    return Prepared(
        kernel, make_ready(plans[0], *_canonical(name, kernel, shape, options)), name, plans[0]
    )


def _canonical(function: str, kernel: jax.Array, shape: Sequence[int], options: dict[str, Any]):
    """Return the kernel as the engine gets it, and the order of its axes there."""
    if function == "conv_general_dilated":
        numbers = lax.conv_dimension_numbers(shape, kernel.shape, options.get("dimension_numbers"))
        return kernel, tuple(numbers.rhs_spec)
    axes = checks.axes(function, options.get("axes"), kernel.ndim)
    layout = lay_out(function, shape, kernel.shape, axes)
    return layout.kernel(turned(function, kernel, axes)), tuple(range(len(axes) + 2))
