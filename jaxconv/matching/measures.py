"""Measures: how alike a window and a template are, in each of six ways."""

import warnings
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.engine.differentiated import differentiated_as
from jaxconv.engine.how import How, ask
from jaxconv.engine.planning import Plan
from jaxconv.engine.window_sums import window_sum
from jaxconv.floats import magnitude
from jaxconv.matching.moments import moments, spoiled_windows
from jaxconv.matching.normalized import Options, score_windows
from jaxconv.matching.operands import (
    as_floats,
    check_channels,
    check_fit,
    correlate_channels,
    correlate_each,
    slide_over,
    spatial,
)
from jaxconv.matching.refining import (
    about_weighted_mean,
    by_definition,
    cosine_about_means,
    empty_windows,
    flat_windows,
    is_doubtful,
    mean_of,
    refined,
    root_mean_square,
)
from jaxconv.types import MEASURES, Axes, Measure, Method

PLAIN = {  # what a normalized measure divides
    "normalized_squared_difference": "squared_difference",
    "cosine": "correlation",
    "normalized_coefficient": "coefficient",
}


def match(
    image: Any,
    template: Any,
    measure: Measure = "normalized_coefficient",
    *,
    weights: Any = None,
    axes: Axes = None,
    channel_axis: int | None = None,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Compare a template with each window of an image, by any measure of OpenCV's matchTemplate.

    With windows x, the template t, weights w, and x' and t' less their means under the weights (of each
    channel by itself), all sums over the window and its channels:

    - "squared_difference" `sum w^2 (x - t)^2`
    - "normalized_squared_difference" the same over `sqrt(sum w^2 x^2 sum w^2 t^2)`
    - "correlation" `sum w^2 x t`
    - "cosine" the same over that root (called "normalized_correlation" until 0.2)
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
        precision: as for `jaxconv.convolve`.
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
        ValueError: if the numbers of axes differ, the template is larger, the measure is not one of the
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
    if measure == "normalized_correlation":
        message = "match: measure 'normalized_correlation' is called 'cosine' now. No mean is taken out."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        measure = "cosine"
    checks.one_of(function, "measure", measure, MEASURES)
    how = ask(function, method, precision, max_bytes, local)
    along = checks.static(function, "axes", axes)
    if weights is None and measure == "normalized_coefficient":
        return score_windows(x, t, Options(how, axes=along, channel_axis=channel_axis))
    if weights is not None:
        weights = checks.array(function, "weights", weights)
        if jnp.iscomplexobj(weights):
            raise checks.type_error(function, "weights", "be real", f"dtype {weights.dtype}")
        weights = weights.astype(x.dtype)
        if weights.shape != t.shape:
            raise checks.value_error(
                function, "weights", f"have the template's shape {t.shape}", weights.shape
            )
    return _computed(x, t, weights, measure, along, channel_axis, how)


@partial(jax.jit, static_argnums=(3, 4, 5, 6))
def _computed(
    x, t, weights, measure: Measure, axes: Any, channel_axis: int | None, how: How
) -> jax.Array:
    places = spatial("match", axes, channel_axis, x.ndim)
    check_channels("match", ("image", "template"), x, t, channel_axis)
    check_fit("match", ("image", "template"), x, t, places)
    templates = [t] if weights is None else [t, weights]
    compare = partial(_compare, measure=measure, how=how)
    return slide_over(compare, [x], templates, places, channel_axis, how.function)


def _compare(
    x: jax.Array, t: jax.Array, weights: Any = None, *, measure: Measure, how: How
) -> jax.Array:
    """Compare (channels, *space) with (channels, *space)."""
    kind, window = PLAIN.get(measure, measure), t.shape[1:]
    finite, spoiled = jnp.isfinite(x), spoiled_windows(x, window)
    kinds = {"squared_difference": _squared_difference, "correlation": _correlation}
    scaled = kind != measure  # and then no unit matters; else none is introduced, which would round
    found = kinds.get(kind, _coefficient)(jnp.where(finite, x, 0), t, weights, how, scaled)
    doubtful = is_doubtful(found.apart, found.window, found.template, found.template, found.spread)
    if scaled and kind == "squared_difference":  # of one unit for both, in which one may vanish
        tiny = jnp.finfo(x.dtype).tiny / jnp.finfo(x.dtype).eps
        doubtful |= (found.window < tiny) | ((found.template < tiny) & (t != 0).any())
    is_flat = flat_windows if kind == "coefficient" else empty_windows
    weights = jnp.ones_like(t) if weights is None else weights
    where = doubtful & ~spoiled, x, None, window
    if scaled:
        energies, flat = (found.window, found.template), float(kind == "squared_difference")
        by, operands = partial(_score, measure=measure), (found.units, t, weights)
        score = refined(found.value, energies, *where, by, operands, flat, is_flat)
    else:
        unit = found.units[0] * found.units[1]
        rough, by = found.value * unit, partial(_value, measure=measure)
        flat = found.template * unit if kind == "squared_difference" else jnp.zeros((), x.dtype)
        values = by_definition(rough, *where, by, (t, weights), flat, is_flat)
        score = differentiated_as(rough, values)
    return jnp.where(spoiled | jnp.isnan(weights).any(), jnp.nan, score)


class Found(NamedTuple):
    """Sums over all windows, of operands that were brought near 1 if need be."""

    value: jax.Array  # the measure without norm, over the unit
    window: jax.Array  # the windows' energies
    template: jax.Array  # the template's
    units: tuple[jax.Array, ...]  # in whose squares the energies are, and the value in both
    apart: jax.Array  # how far the samples lie from 0, as `is_doubtful` takes it
    spread: Any = 0.0  # the same


def _squared_difference(x: jax.Array, t: jax.Array, w: Any, how: How, scaled: bool) -> Found:
    middle = lax.stop_gradient(_mean(t, w))  # about it, the same differences are of smaller numbers
    unit = jnp.ones((), x.dtype)
    if scaled:  # both to one unit, since they are subtracted
        scale = jnp.maximum(magnitude(x), magnitude(t))
        x, t, middle, unit = x / scale, t / scale, middle / scale, scale.reshape(())
    near, found = (_correlation(x - c, t - c, w, how, False) for c in (middle, 0))
    value = near.window + near.template - 2 * near.value
    value = differentiated_as(value, jnp.maximum(value, 0))  # below which only rounding leads
    return found._replace(value=value, units=tuple(unit * of for of in found.units))


def _correlation(x: jax.Array, t: jax.Array, w: Any, how: How, scaled: bool) -> Found:
    units = jnp.ones((), x.dtype), jnp.ones((), x.dtype)
    if scaled:
        scales = magnitude(x), magnitude(t)
        x, t, units = x / scales[0], t / scales[1], tuple(scale.reshape(()) for scale in scales)
    apart = root_mean_square(x)
    if w is None:
        window = window_sum(x**2, t.shape[1:]).sum(0)
        return Found(correlate_channels(x, t, how), window, (t**2).sum(), units, apart)
    heaviest = magnitude(w)
    squares, units = (w / heaviest) ** 2, tuple(unit * heaviest.reshape(()) for unit in units)
    value, window = correlate_channels(x, squares * t, how), correlate_channels(x**2, squares, how)
    spread = jnp.sqrt((squares**2).sum()) * root_mean_square(x**2) + window
    return Found(value, window, (squares * t**2).sum(), units, apart, spread)


def _coefficient(x: jax.Array, t: jax.Array, w: Any, how: How, scaled: bool) -> Found:
    del scaled  # it is, about the means
    space = tuple(range(1, t.ndim))
    x = x - lax.stop_gradient(mean_of(x))  # only the accuracy depends on it
    size = magnitude(x)
    x, apart = x / size, root_mean_square(x / size)
    if w is None:
        t, unit = about_weighted_mean(t, None)
        mean, variation = moments(x, t.shape[1:])
        apart += jnp.abs(mean).max(0)
        units = size.reshape(()), unit.reshape(())
        return Found(correlate_channels(x, t, how), variation.sum(0), (t**2).sum(), units, apart)
    heaviest = magnitude(w)
    w = w / heaviest
    t, unit = about_weighted_mean(t, w)
    total, squares = w.sum(space, keepdims=True), w**2
    mean = correlate_each(x, w, how) / jnp.where(total == 0, 1, total)
    second = correlate_channels(x**2, squares, how)
    across = squares.sum(space, keepdims=True) * mean**2 - 2 * mean * correlate_each(x, squares, how)
    value = correlate_channels(x, w * t, how) - ((w * t).sum(space, keepdims=True) * mean).sum(0)
    off = jnp.abs(mean).max(0)
    spread = jnp.sqrt((squares**2).sum()) * (root_mean_square(x**2) + apart * off) + second
    units = (size * heaviest).reshape(()), (unit * heaviest).reshape(())
    return Found(value, second + across.sum(0), (t**2).sum(), units, apart + off, spread)


def _value(x: jax.Array, seen: None, t: jax.Array, w: jax.Array, *, measure: Measure) -> jax.Array:
    """Compare one window with the template by a measure that is not normalized, by the definition."""
    del seen
    if measure == "coefficient":
        (x, of_x), (t, of_t) = (about_weighted_mean(a, w / magnitude(w)) for a in (x, t))
        return (x * t).sum() * of_x * of_t * magnitude(w).reshape(()) ** 2
    x, t = w * x, w * t
    return (x * t if measure == "correlation" else (x - t) ** 2).sum()


def _score(
    x: jax.Array, seen: None, units: tuple[jax.Array, ...], t: jax.Array, w: jax.Array,
    *, measure: Measure,
) -> tuple[jax.Array, ...]:  # fmt: skip
    """Compare them by a normalized one; and return the energies of both, in squares of the units."""
    if measure == "normalized_coefficient":
        heaviest = magnitude(w).reshape(())
        return cosine_about_means(x, seen, tuple(unit / heaviest for unit in units), t, w)
    x, t = w * x, w * t
    own = [magnitude(a).reshape(()) for a in (x, t)]
    alike = [a / unit for a, unit in zip((x, t), own)]
    some = (x != 0).any() & (t != 0).any()
    alone = [jnp.where(some, (a * a).sum(), 0) for a in alike]
    roots = [jnp.sqrt(jnp.where(some, energy, 1)) for energy in alone]
    energies = (energy * (of / unit) ** 2 for energy, of, unit in zip(alone, own, units))
    if measure == "cosine":
        return jnp.where(some, (alike[0] * alike[1]).sum() / roots[0] / roots[1], 0), *energies
    unit = jnp.maximum(*own)
    apart = jnp.linalg.norm((x / unit - t / unit).ravel())  # over each norm, which may differ far
    shares = [apart / root * (unit / of) for root, of in zip(roots, own)]
    return jnp.where(some, shares[0] * shares[1], 1), *energies


def _mean(t: jax.Array, w: Any) -> jax.Array:
    """Return the template's mean in each channel, under the weights."""
    space = tuple(range(1, t.ndim))
    if w is None:
        return mean_of(t)
    total = w.sum(space, keepdims=True)
    return (w * t).sum(space, keepdims=True) / jnp.where(total == 0, 1, total)
