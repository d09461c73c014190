"""Masked convolution: samples that are missing carry no weight."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.convolution.boundaries import SYNONYMS
from jaxconv.convolution.call import Call, called, fill_of
from jaxconv.convolution.conventions import CONVOLVE
from jaxconv.convolution.steps import computed
from jaxconv.engine.planning import Plan
from jaxconv.engine.primitive import plans_in
from jaxconv.floats import floating
from jaxconv.types import Axes, Boundary, Method, Mode


def convolve_masked(
    signal: Any,
    kernel: Any,
    mask: Any = None,
    mode: Mode = "same",
    method: Method | Plan = "auto",
    *,
    normalize: bool = True,
    axes: Axes = None,
    boundary: Boundary | str | Sequence[str] = "missing",
    fillvalue: Any = 0,
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Convolve what there is: NaN and masked samples carry no weight (normalized convolution).

    `y = (signal w) * kernel / (w * kernel)`, w being 1 where there is a sample and else 0, is the
    weighted mean of the samples under the kernel, if that is of one sign. It fills gaps as it smooths.

    Args:
        signal: the signal, NaN where a sample is missing.
        kernel: the weights, with as many axes, of one sign.
        mask: True where a sample is missing besides, as in NumPy's masked arrays and astropy.
        mode: as for `convolve`.
        method: as for `convolve`.
        normalize: whether the weights are divided by their sum; if not, a constant signal comes out
            times that sum, missing samples or not.
        axes: as for `convolve`.
        boundary: what lies beyond the edges: nothing ("missing"), or as for `convolve`.
        fillvalue: as for `convolve`.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        signal (n1, ..., nd), kernel (m1, ..., md), mask as the signal -> as `convolve`.

    Returns:
        The convolution, of floats; NaN where no sample is under the kernel. Methods that are not local
        round relative to the kernel's sum: with them, an output whose samples weigh less than 64 eps of
        that sum is NaN too. With `local=True` every output is the mean of its own samples.

    Raises:
        ValueError: as `convolve`; if the mask has not the signal's shape, or a fill value is given
            where nothing is filled.
        TypeError: as `convolve`; if the mask is not boolean.

    Gradient:
        In the signal and in the kernel, never NaN; 0 where samples are missing.

    Source:
        H. Knutsson and C.-F. Westin, "Normalized and differential convolution" (CVPR 1993).

    Example:
        >>> [f"{y:.3f}" for y in convolve_masked([1.0, jnp.nan, 3.0, 4.0], [1, 2, 1])]
        ['1.000', '2.000', '3.333', '3.667']
    """
    function = "convolve_masked"
    signal = checks.array(function, "signal", signal)
    kernel = checks.array(function, "kernel", kernel)
    checks.same_rank(function, ("signal", "kernel"), (signal, kernel))
    checks.not_empty(function, "signal", signal)
    hidden = checks.mask(function, "mask", mask, "signal", signal.shape)
    fillvalue = fill_of(function, fillvalue)
    if fillvalue is not None and boundary == "missing":
        remedy = "Use boundary='fill', whose samples then count as present."
        raise checks.value_error(function, "fillvalue", "be left out by default", fillvalue, remedy)
    missing = boundary == "missing"
    call = called(
        CONVOLVE.called(function),
        mode=mode,
        method=method,
        precision=precision,
        max_bytes=max_bytes,
        local=local,
        axes=axes,
        boundary="fill" if missing else boundary,
    )
    return _computed(call, signal, kernel, hidden, fillvalue, missing, normalize)


@partial(jax.jit, static_argnums=(0, 5, 6))
def _computed(
    call: Call,
    signal: jax.Array,
    kernel: jax.Array,
    hidden: Any,
    fillvalue: Any,
    missing: bool,
    normalize: bool,
) -> jax.Array:
    """Divide the convolution of what there is by that of the weights, at each place."""
    dtype = floating(signal.dtype, kernel.dtype)
    there = ~jnp.isnan(signal) if hidden is None else ~jnp.isnan(signal) & ~hidden
    x, kernel, present = (
        jnp.where(there, signal, 0).astype(dtype),
        kernel.astype(dtype),
        there.astype(dtype),
    )
    filled = not missing and _is_filled(call.boundary)

    def convolve(x: jax.Array, outside: Any = 0) -> jax.Array:
        fill = fill_of(call.name, outside) if filled or fillvalue is not None else None
        return computed(call, x, kernel, fill)

    is_local = all(plan.is_local for plan in plans_in(convolve, [x]))
    # other methods round by what is elsewhere: they are given differences from the mean of all
    middle = 0 if is_local else lax.stop_gradient(x.sum() / jnp.maximum(present.sum(), 1))
    sums = convolve((x - middle) * present, (0 if fillvalue is None else fillvalue) - middle)
    weights = convolve(present, int(filled))
    total = kernel.sum(checks.axes(call.name, call.axes, kernel.ndim), keepdims=True)
    least = 0 if is_local else 64 * jnp.finfo(dtype).eps * jnp.abs(total)
    empty = jnp.abs(weights) <= least
    mean = middle + sums / jnp.where(empty, 1, weights)
    return jnp.where(empty, jnp.nan, mean if normalize else mean * total)


def _is_filled(boundary: Any) -> bool:
    """Return whether samples are filled in beyond an edge, which then count as present."""
    names = boundary if isinstance(boundary, tuple | list) else (boundary,)
    return any(SYNONYMS.get(name, name) == "fill" for name in names)
