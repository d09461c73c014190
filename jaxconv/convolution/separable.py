"""Separable kernels: one pass along each axis in place of one over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.convolution.boundaries import canonical
from jaxconv.convolution.conventions import CONVOLVE, result_type
from jaxconv.convolution.steps import slide
from jaxconv.engine.planning import Plan
from jaxconv.types import Axes, Boundary, Method, Mode


@partial(jax.tree_util.register_dataclass, data_fields=["terms"], meta_fields=["error"])
@dataclass(frozen=True)
class Factors:
    """A kernel as a sum of outer products: each term has one 1-D factor per axis; a pytree."""

    terms: tuple[tuple[jax.Array, ...], ...]
    error: float  # of the sum: the root of the squares' sum, relative to the kernel's


def convolve_separable(
    signal: Any,
    factors: Factors | Sequence[Any],
    mode: Mode = "full",
    *,
    axes: Axes = None,
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = 0,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Convolve with a kernel that is a sum of outer products, one axis after the other.

    It is `convolve` with the sum over terms of the outer product of their factors, in m1 + ... + md
    products per term and output instead of m1 ... md.

    Args:
        signal: the signal.
        factors: what `kernels.factor` returned, or one 1-D kernel per axis.
        mode: as for `convolve`.
        axes: the signal's axes along which the factors lie, in order; by default all of them.
        boundary: as for `convolve`.
        fillvalue: as for `convolve`.
        method: as for `convolve`, for each pass.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        signal (n1, ..., nd), factors (m1,), ..., (md,) per term -> as `convolve`.

    Returns:
        The convolution.

    Raises:
        ValueError: as `convolve`; if there is not one 1-D factor per axis.
        TypeError: as `convolve`.

    Gradient:
        In the signal and in the factors.

    Example:
        >>> image = jnp.zeros((3, 3)).at[1, 1].set(1)
        >>> convolve_separable(image, [[1, 2, 1], [1, 0, -1]], "same").tolist()
        [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]
    """
    function = "convolve_separable"
    signal = checks.array(function, "signal", signal)
    places = checks.axes(function, axes, signal.ndim)
    terms = factors.terms if isinstance(factors, Factors) else (factors,)
    names = canonical(function, boundary, len(places))
    how: Any = {"method": method, "precision": precision, "max_bytes": max_bytes, "local": local}
    convolve = partial(slide, CONVOLVE.called(function), mode=mode, **how)
    out = cast(jax.Array, 0)
    for number, term in enumerate(terms):
        taps = [checks.array(function, "factors", factor) for factor in term]
        if len(taps) != len(places) or any(k.ndim != 1 for k in taps):
            got = f"shapes {', '.join(str(k.shape) for k in taps)} in term {number}"
            rule = f"be one kernel with one axis for each of the {len(places)} axes"
            raise checks.value_error(function, "factors", rule, got)
        dtype = reduce(result_type, (k.dtype for k in taps), signal.dtype)
        passed, outside = signal.astype(dtype), checks.array(function, "fillvalue", fillvalue)
        for axis, k, name in zip(places, taps, names):
            line = jnp.expand_dims(k.astype(dtype), [i for i in range(signal.ndim) if i != axis])
            fill: Any = {"fillvalue": outside} if name == "fill" else {}
            passed = convolve(passed, line, axes=axis, boundary=name, **fill)
            outside = outside.astype(dtype) * k.astype(dtype).sum()  # what a pass makes of a constant
        out = passed if number == 0 else out + passed
    return out
