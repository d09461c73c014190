"""Normalized correlation: how well a template fits, whatever the brightness and the contrast."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.convolution.boundaries import canonical
from jaxconv.engine.how import How, ask
from jaxconv.engine.planning import Plan
from jaxconv.matching.operands import (
    Beyond,
    as_floats,
    check_channels,
    check_fit,
    reach,
    slide_over,
    spatial,
)
from jaxconv.matching.refining import mean_of
from jaxconv.matching.scores import masked_scores, plain_scores
from jaxconv.types import MODES, Axes, Boundary, Method, Mode


def normalized_correlation(
    signal: Any,
    template: Any,
    *,
    mode: Mode = "valid",
    mask: Any = None,
    template_mask: Any = None,
    overlap: float = 0.3,
    axes: Axes = None,
    channel_axis: int | None = None,
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = None,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Correlate with each window's brightness and contrast taken out: how well the template fits.

    `sum (x - mean x)(t - mean t) / sqrt(sum (x - mean x)^2 sum (t - mean t)^2)` over each window x
    of the signal: the cosine between window and template, both less their means. With masks all sums
    and means are over what neither of them hides.

    Args:
        signal: where to look; real.
        template: what to look for, with as many axes.
        mode: as for `jaxconv.correlate`.
        mask: True where a sample of the signal is missing.
        template_mask: True where the template has no say.
        overlap: with masks, or the boundary "missing", the least share of the template's samples that
            must meet samples of the signal; with fewer the score is 0. `overlap_share` maps it.
        axes: along which the template slides; along the others both broadcast. By default all.
        channel_axis: the axis, of both, whose elements are matched together, each about its own mean.
        boundary: what lies beyond the edges in "same" and "full": as for `jaxconv.convolve`, or
            "missing", nothing that counts.
        fillvalue: what lies there by "fill"; None for the signal's mean.
        method: as for `jaxconv.convolve`, for the correlations with the template.
        precision: as for `jaxconv.convolve`.
        max_bytes: as for `jaxconv.convolve`.
        local: as for `jaxconv.convolve`.

    Shapes:
        signal (n1, ..., nd), template (m1, ..., md) -> valid: ni - mi + 1, same: ni, full: ni + mi - 1;
        the channel axis is gone. mask as the signal, template_mask as the template.

    Returns:
        Scores from -1 to 1, of floats; 0 where the window, or the template, is flat. NaN in the windows
        that hold a NaN which no mask hides. Neither scale nor offset of the signal matters.

    Raises:
        ValueError: if the numbers of axes differ, an option is not one of its allowed values, the
            shape of a mask is not that of its array, or the template does not fit inside the signal in
            mode "valid".
        TypeError: if an operand is not of real numbers, or a mask not boolean.

    Gradient:
        In both operands; 0 where the score is 0 for flatness.

    Source:
        J. P. Lewis, "Fast normalized cross-correlation" (1995); with masks D. Padfield, "Masked object
        registration in the Fourier domain", IEEE Trans. Image Processing 21 (2012).

    Example:
        >>> signal = jnp.array([5.0, 5.0, 6.0, 7.0, 6.0, 5.0, 5.0])
        >>> score = normalized_correlation(signal, jnp.array([1.0, 3.0, 1.0]))
        >>> int(score.argmax()), float(score.max().round(3))
        (2, 1.0)
    """
    function = "normalized_correlation"
    x, t = as_floats(function, ("signal", "template"), signal, template)
    checks.one_of(function, "mode", mode, MODES)
    if not 0 < overlap <= 1:
        raise checks.value_error(function, "overlap", "be a share, over 0 and up to 1", overlap)
    hidden = checks.mask(function, "mask", mask, "signal", x.shape)
    unheard = checks.mask(function, "template_mask", template_mask, "template", t.shape)
    how = ask(function, method, precision, max_bytes, local)
    along, beyond = (checks.static(function, n, v) for n, v in (("axes", axes), ("boundary", boundary)))
    options = Options(how, mode, overlap, along, channel_axis, beyond)
    return score_windows(x, t, options, hidden, unheard, fillvalue)


class Options(NamedTuple):
    """What a call asks for besides its arrays: hashable, since `jit` takes it as static."""

    how: How
    mode: Mode = "valid"
    overlap: float = 0.3
    axes: Any = None
    channel_axis: Any = None
    boundary: Any = "fill"


@partial(jax.jit, static_argnums=2)
def score_windows(
    x: jax.Array,
    t: jax.Array,
    o: Options,
    hidden: Any = None,
    unheard: Any = None,
    fillvalue: Any = None,
) -> jax.Array:
    """Return the normalized correlation of checked operands."""
    function = o.how.function
    places = spatial(function, o.axes, o.channel_axis, x.ndim)
    check_channels(function, ("signal", "template"), x, t, o.channel_axis)
    if o.mode == "valid":
        check_fit(function, ("signal", "template"), x, t, places)
    signals, beyond = [x], None
    if o.mode != "valid":
        widths = reach(o.mode, [t.shape[a] for a in places])
        missing = o.boundary == "missing"
        names = canonical(function, "fill" if missing else o.boundary, len(places))
        filled = "fill" in names and not missing
        if fillvalue is not None and not filled:
            rule = "be left out where no boundary is 'fill'"
            raise checks.value_error(function, "fillvalue", rule, f"boundary {o.boundary!r}")
        seen = jnp.isfinite(x) if hidden is None else jnp.isfinite(x) & ~hidden
        value = mean_of(x, seen, places) if fillvalue is None else jnp.asarray(fillvalue, x.dtype)
        if missing and hidden is None:
            hidden = jnp.zeros_like(x, bool)
        names = tuple("constant" if name == "fill" else name for name in names)
        beyond = Beyond(widths, names, [value] if hidden is None else [value, jnp.asarray(not missing)])
    if hidden is None and unheard is None:
        score, templates = partial(plain_scores, how=o.how), [t]
    elif unheard is None:
        score, templates = partial(masked_scores, heard=None, overlap=o.overlap, how=o.how), [t]
    else:
        score, templates = partial(masked_scores, overlap=o.overlap, how=o.how), [t, ~unheard]
    if hidden is not None or unheard is not None:
        signals = [x, jnp.ones_like(x, bool) if hidden is None else ~hidden]
    if beyond is not None and len(signals) > len(beyond.values):  # all counts, and what is beyond
        beyond = beyond._replace(values=[*beyond.values, jnp.asarray(True)])
    return slide_over(score, signals, templates, places, o.channel_axis, function, beyond)
