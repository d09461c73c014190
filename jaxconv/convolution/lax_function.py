"""`conv_general_dilated`: what lax's function of that name does, planned."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
from jax import lax

from jaxconv import checks
from jaxconv.engine.how import How, ask
from jaxconv.engine.planning import Plan
from jaxconv.engine.preparation import convolution, one_of_both, taken
from jaxconv.types import Method


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: lax.PrecisionLike = None,
    preferred_element_type: Any = None,
    *,
    method: Method | Plan = "auto",
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Do what `jax.lax.conv_general_dilated` does, planned.

    The arguments, results and errors are lax's; the options after the star are `convolve`'s.

    Args:
        lhs: the signal, with a batch axis and a feature axis. Or one from `prepare`.
        rhs: the kernel, with an axis of output features and one of input features; it is not reflected.
            Or one from `prepare`.
        window_strides: one step between outputs per axis.
        padding: "SAME", "SAME_LOWER", "VALID", or one pair (low, high) per axis; negative numbers crop.
        lhs_dilation: step between the signal's elements, per axis; zeros lie between them.
        rhs_dilation: the same for the kernel.
        dimension_numbers: which axis is which, as for lax; by default ("NCHW", "OIHW", "NCHW"), and the
            like for other numbers of axes.
        feature_group_count: number of groups of features, each convolved with its own kernels.
        batch_group_count: number of groups of the batch, each convolved with its own kernels.
        precision: as for lax.
        preferred_element_type: dtype to sum in and to return.
        method: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        lhs (batch, inputs, n1, ..., nd), rhs (outputs, inputs / groups, m1, ..., md) -> (batch, outputs,
        s1, ..., sd), or as `dimension_numbers` says.

    Returns:
        The convolution as neural networks have it: a correlation without conjugation.

    Raises:
        ValueError: as lax, and as `convolve` for the options after the star.
        TypeError: as lax.

    Gradient:
        As for `convolve`.

    Source:
        `jax.lax.conv_general_dilated`, which defines the arguments.

    Example:
        >>> image, kernels = jnp.ones((1, 2, 5, 5)), jnp.ones((3, 2, 3, 3))
        >>> conv_general_dilated(image, kernels, (1, 1), "SAME")[0, 0, :2].tolist()
        [[8.0, 12.0, 12.0, 12.0, 8.0], [12.0, 18.0, 18.0, 18.0, 12.0]]
    """
    name = "conv_general_dilated"
    how = ask(name, method, precision, max_bytes, local)
    given = {
        "window_strides": window_strides,
        "padding": padding,
        "lhs_dilation": lhs_dilation,
        "rhs_dilation": rhs_dilation,
        "dimension_numbers": dimension_numbers,
        "feature_group_count": feature_group_count,
        "batch_group_count": batch_group_count,
        "preferred_element_type": preferred_element_type,
    }
    options = tuple((option, checks.static(name, option, value)) for option, value in given.items())
    return _computed(lhs, rhs, how, options)


@partial(jax.jit, static_argnums=(2, 3))
def _computed(lhs: Any, rhs: Any, how: How, options: tuple[tuple[str, Any], ...]) -> jax.Array:
    """Compute of two operands, either of which may be prepared."""
    signal, kernel = taken(how.function, "lhs", "signal", lhs), taken(how.function, "rhs", "kernel", rhs)
    ready = one_of_both(how.function, "lhs", signal, kernel)
    operands = signal.operand if signal else lhs, kernel.operand if kernel else rhs
    return convolution(*operands, how, ready=ready, **dict(options))
