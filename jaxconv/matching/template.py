"""`match_template`: scikit-image's function of that name, by normalized correlation."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.engine.how import ask
from jaxconv.engine.planning import Plan
from jaxconv.matching.normalized import Options, score_windows
from jaxconv.matching.operands import as_floats, check_fit
from jaxconv.types import Axes, Method

RANK_WORDS = (  # scikit-image's, for what it refuses
    "Dimensionality of template must be less than or equal to the dimensionality of image."
)
SIZE_WORDS = "Image must be larger than template."
PADDING = (  # of NumPy's, those that JAX has
    *("constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum"),
    *("reflect", "symmetric", "wrap"),
)
BOUNDARIES = {"constant": "fill"} | {name: name for name in ("edge", "reflect", "symmetric", "wrap")}


def match_template(
    image: Any,
    template: Any,
    pad_input: bool = False,
    mode: str = "constant",
    constant_values: Any = 0,
    *,
    axes: Axes = None,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Find a template as `skimage.feature.match_template` does, by `normalized_correlation`.

    Args:
        image: where to look; real, of 1 to 3 dimensions and more.
        template: what to look for, no larger.
        pad_input: whether the result has the image's shape and is indexed by the template's centre, at
            `m // 2`, instead of by its first element.
        mode: with `pad_input`, what lies beyond the edges, as for `numpy.pad`.
        constant_values: what lies there by "constant".
        axes: along which the template slides; along the others both broadcast. By default all.
        method: as for `jaxconv.convolve`.
        precision: as for `jaxconv.convolve`.
        max_bytes: as for `jaxconv.convolve`.
        local: as for `jaxconv.convolve`.

    Shapes:
        image (n1, ..., nd), template (m1, ..., md) -> ni - mi + 1; with `pad_input` ni.

    Returns:
        Scores from -1 to 1; see `normalized_correlation`.

    Raises:
        ValueError: if the numbers of axes differ, the template is larger than the image, or the mode is
            unknown.
        TypeError: if an operand is not of real numbers.

    Gradient:
        As `matching.normalized_correlation`.

    Source:
        `skimage.feature.match_template`, which loses float32 images of great brightness or faint
        contrast; this does not.

    Example:
        >>> image = jnp.zeros((5, 5)).at[1:4, 2:5].set(jnp.eye(3))
        >>> score = match_template(image, jnp.eye(3))
        >>> jnp.unravel_index(score.argmax(), score.shape), float(score.max().round(3))
        ((Array(1, dtype=int32), Array(2, dtype=int32)), 1.0)
    """
    function = "match_template"
    x, t = as_floats(function, ("image", "template"), image, template, RANK_WORDS)
    how = ask(function, method, precision, max_bytes, local)
    places = checks.axes(function, axes, x.ndim)
    check_fit(function, ("image", "template"), x, t, places, SIZE_WORDS)
    if pad_input:
        checks.one_of(function, "mode", mode, PADDING)
        if mode in BOUNDARIES:
            value = constant_values if mode == "constant" else None
            options = Options(how, "same", axes=places, boundary=BOUNDARIES[mode])
            return score_windows(x, t, options, fillvalue=value)
        fill = {"constant_values": constant_values} if mode == "constant" else {}
        sizes = [m if axis in places else 0 for axis, m in enumerate(t.shape)]
        starts = [m - m // 2 for m in sizes]  # of what is looked at; but a ramp depends on it all
        counts = [n + max(m - 1, 0) for n, m in zip(x.shape, sizes)]
        padded = jnp.pad(x, [(m, m) for m in sizes], mode, **fill)
        x = lax.slice(padded, starts, [start + n for start, n in zip(starts, counts)])
    return score_windows(x, t, Options(how, axes=places))
