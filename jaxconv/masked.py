"""Masked convolution: samples that are missing carry no weight."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.boundaries import SYNONYMS
from jaxconv.convolution import convolve
from jaxconv.engine.planning import Plan
from jaxconv.sliding import Axes
from jaxconv.types import Boundary, Method, Mode


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
        The convolution, of floats; NaN where no sample is under the kernel.

    Raises:
        ValueError: as `convolve`; if the mask has not the signal's shape.
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
    dtype = jnp.promote_types(jnp.result_type(signal, kernel), jnp.float32)
    there = ~jnp.isnan(signal)
    hidden = checks.mask(function, "mask", mask, "signal", signal.shape)
    if hidden is not None:
        there &= ~hidden
    options = {"axes": axes, "precision": precision, "max_bytes": max_bytes, "local": local}
    beyond = {"boundary": "fill" if boundary == "missing" else boundary}

    def slide(x: jax.Array, outside: Any) -> jax.Array:
        fill = {} if boundary == "missing" else {"fillvalue": outside}
        return convolve(x, kernel, mode, method, **options, **beyond, **fill)

    kernel = kernel.astype(dtype)
    sums = slide(jnp.where(there, signal, 0).astype(dtype), fillvalue)
    weights = slide(there.astype(dtype), _one_where_filled(boundary))
    total = kernel.sum(checks.axes(function, axes, kernel.ndim), keepdims=True)
    empty = jnp.abs(weights) <= 64 * jnp.finfo(dtype).eps * jnp.abs(total)
    mean = sums / jnp.where(empty, 1, weights)
    return jnp.where(empty, jnp.nan, mean if normalize else mean * total)


def _one_where_filled(boundary: Any) -> int:
    """Return the weight of what is filled in beyond the edges: that of samples, if any is."""
    names = boundary if isinstance(boundary, tuple | list) else (boundary,)
    return int(any(SYNONYMS.get(name, name) == "fill" for name in names))
