"""Measures: how alike a window and a template are, in each of six ways."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.engine.planning import Plan
from jaxconv.matching.moments import window_sum
from jaxconv.matching.normalized import normalized_correlation
from jaxconv.matching.operands import (
    as_floats,
    check_fit,
    correlate_channels,
    correlate_each,
    slide_over,
    spatial,
)
from jaxconv.sliding import Axes
from jaxconv.types import MEASURES, Measure, Method


def match(
    image: Any,
    template: Any,
    measure: Measure = "normalized_coefficient",
    *,
    weights: Any = None,
    axes: Axes = None,
    channel_axis: int | None = None,
    method: Method | Plan = "auto",
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Compare a template with each window of an image, by any measure of OpenCV's matchTemplate.

    With windows x, the template t, weights w, and x' and t' less their means under the weights (of each
    channel by itself), all sums over the window and its channels:

    - "squared_difference" `sum w^2 (x - t)^2`
    - "normalized_squared_difference" the same over `sqrt(sum w^2 x^2 sum w^2 t^2)`
    - "correlation" `sum w^2 x t`
    - "normalized_correlation" the same over that root
    - "coefficient" `sum w^2 x' t'`
    - "normalized_coefficient" the same over `sqrt(sum w^2 x'^2 sum w^2 t'^2)`

    Args:
        image: where to look; real.
        template: what to look for, with as many axes and no larger.
        measure: one of the six; of the squared differences the least is the best.
        weights: how much each of the template's elements counts, OpenCV's `mask`; by default 1.
        axes: as for `normalized_correlation`.
        channel_axis: the axis, of both, whose elements are compared together.
        method: as for `jaxconv.convolve`.
        max_bytes: as for `jaxconv.convolve`.
        local: as for `jaxconv.convolve`.

    Shapes:
        image (n1, ..., nd), template and weights (m1, ..., md) -> ni - mi + 1; no channel axis.

    Units:
        squared differences, correlations and coefficients in the image's unit times the template's;
        normalized ones have none.

    Returns:
        The measure at each place. Where a normalized one divides by 0 it is 0, for the squared
        difference 1 (OpenCV gives the coefficient of a flat template as 1, and under a mask NaN).

    Raises:
        ValueError: if the numbers of axes differ, the template is larger, the measure is none of the
            six, or the weights have not the template's shape.
        TypeError: if an operand is not of real numbers.

    Gradient:
        In all operands; 0 where a normalized measure divides by 0.

    Source:
        OpenCV's documentation of `matchTemplate` and `TemplateMatchModes`.

    Example:
        >>> match([5.0, 1.0, 2.0, 5.0], [1.0, 2.0], "squared_difference").tolist()
        [17.0, 0.0, 10.0]
    """
    function = "match"
    x, t = as_floats(function, ("image", "template"), image, template)
    checks.one_of(function, "measure", measure, MEASURES)
    how = {"method": method, "max_bytes": max_bytes, "local": local}
    if weights is None and measure == "normalized_coefficient":
        return normalized_correlation(x, t, axes=axes, channel_axis=channel_axis, **how)
    if weights is not None:
        weights = checks.array(function, "weights", weights).astype(x.dtype)
        if weights.shape != t.shape:
            raise checks.value_error(
                function, "weights", f"have the template's shape {t.shape}", weights.shape
            )
    return _jitted(
        x, t, weights, measure, checks.static(function, "axes", axes), channel_axis, tuple(how.items())
    )


@partial(jax.jit, static_argnums=(3, 4, 5, 6))
def _jitted(x, t, weights, measure: Measure, axes: Any, channel_axis: int | None, how: Any) -> jax.Array:
    places = spatial("match", axes, channel_axis, x.ndim)
    check_fit("match", ("image", "template"), x, t, places)
    templates = [t] if weights is None else [t, weights]
    return slide_over(
        partial(_compare, measure=measure, how=dict(how)), [x], templates, places, channel_axis
    )


def _compare(
    x: jax.Array, t: jax.Array, weights: Any = None, *, measure: Measure, how: Any
) -> jax.Array:
    """Compare (channels, *space) with (channels, *space)."""
    kind = measure.removeprefix("normalized_")
    kinds = {"squared_difference": _squared_difference, "correlation": _correlation}
    value, window, template = kinds.get(kind, _coefficient)(x, t, weights, how)
    if measure == kind:
        return value
    some = ~(window <= 0) & ~(template <= 0)
    scale = [jnp.sqrt(jnp.where(some, part, 1)) for part in (window, template)]
    return jnp.where(some, value / scale[0] / scale[1], float(kind == "squared_difference"))


Parts = tuple[jax.Array, jax.Array, jax.Array]  # the measure, the windows' energies, the template's


def _squared_difference(x: jax.Array, t: jax.Array, w: Any, how: Any) -> Parts:
    middle = _mean(t, w)  # less it, the same differences are of smaller numbers
    value, window, template = _correlation(x - middle, t - middle, w, how)
    _, *energies = _correlation(x, t, w, how)
    return jnp.maximum(window + template - 2 * value, 0), energies[0], energies[1]


def _correlation(x: jax.Array, t: jax.Array, w: Any, how: Any) -> Parts:
    squares = 1 if w is None else w**2
    if w is None:
        window = window_sum(x**2, t.shape[1:]).sum(0)
    else:
        window = correlate_channels(x**2, w**2, **how)
    return correlate_channels(x, squares * t, **how), window, (squares * t**2).sum()


def _coefficient(x: jax.Array, t: jax.Array, w: Any, how: Any) -> Parts:
    t = t - _mean(t, w)
    x = x - x.mean(tuple(range(1, x.ndim)), keepdims=True)  # only the accuracy depends on it
    value, window, template = _correlation(x, t, w, how)
    if w is None:
        return value, window, template  # the windows' energies are not asked for
    space = tuple(range(1, t.ndim))
    total, squares, kept = (a.sum(space, keepdims=True) for a in (w, w**2, w**2 * t))
    mean = correlate_each(x, w, **how) / jnp.where(total == 0, 1, total)
    apart = window + (squares * mean**2 - 2 * mean * correlate_each(x, w**2, **how)).sum(0)
    flat = apart <= 64 * jnp.finfo(x.dtype).eps * window.max()
    return value - (kept * mean).sum(0), jnp.where(flat, 0, apart), template


def _mean(t: jax.Array, w: Any) -> jax.Array:
    """Return the template's mean in each channel, under the weights."""
    space = tuple(range(1, t.ndim))
    if w is None:
        return t.mean(space, keepdims=True)
    total = w.sum(space, keepdims=True)
    return (w * t).sum(space, keepdims=True) / jnp.where(total == 0, 1, total)
