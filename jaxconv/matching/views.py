"""Views: one template as it looks when it is turned or when it is larger or smaller."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.ndimage import map_coordinates

from jaxconv import checks
from jaxconv.floats import floating


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Views:
    """Views of one template, and for each a mask, True where it shows nothing of the template."""

    templates: jax.Array
    masks: jax.Array


def rotations(template: Any, angles: Any) -> Views:
    """Turn a template about its centre, for `best_match` and `loudest`.

    Args:
        template: what to turn.
        angles: by how much, each; counterclockwise as it is drawn, rows growing downwards.

    Shapes:
        template (m1, m2), angles (count,) -> templates and masks (count, m1, m2).

    Units:
        degrees.

    Returns:
        `Views`, interpolated linearly; masked where they show what lies beyond the template's edges.

    Raises:
        ValueError: if the template has not two axes, or the angles not one.
        TypeError: if one of them is not an array of numbers.

    Gradient:
        In the template and in the angles.

    Example:
        >>> views = rotations(jnp.array([[1.0, 2.0], [3.0, 4.0]]), [0.0, 90.0])
        >>> views.templates.round().tolist()
        [[[1.0, 2.0], [3.0, 4.0]], [[2.0, 4.0], [1.0, 3.0]]]
    """
    template, angles = _floats("rotations", template, "angles", angles)
    if template.ndim != 2:
        raise checks.value_error("rotations", "template", "have 2 axes", f"shape {template.shape}")
    rows, columns = (jnp.arange(n, dtype=angles.dtype) - (n - 1) / 2 for n in template.shape)
    y, x = rows[None, :, None], columns[None, None, :]
    turn = jnp.deg2rad(angles)[:, None, None]
    back_y = y * jnp.cos(turn) + x * jnp.sin(turn)
    back_x = x * jnp.cos(turn) - y * jnp.sin(turn)
    return _sampled(template, [back_y, back_x])


def scales(template: Any, factors: Any) -> Views:
    """Make a template larger or smaller about its centre, for `best_match` and `loudest`.

    Args:
        template: what to scale; any number of axes.
        factors: by how much, each, along all axes.

    Shapes:
        template (m1, ..., md), factors (count,) -> templates and masks (count, k1, ..., kd), where ki
        is mi times the greatest factor, rounded up, and odd or even as mi.

    Returns:
        `Views`, all with their centre in the middle, averaged where they are smaller and interpolated
        linearly where they are larger; masked beyond the template's edges.

    Raises:
        ValueError: if the factors are not positive, have not one axis, or are traced.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In the template.

    Example:
        >>> views = scales(jnp.ones((3, 3)), [1.0, 2.0])
        >>> views.templates.shape, (~views.masks).sum((1, 2)).tolist()
        ((2, 7, 7), [9, 49])
    """
    function = "scales"
    template, _ = _floats(function, template, "factors", factors)
    try:
        factors = np.asarray(factors, float)
    except jax.errors.TracerArrayConversionError:
        rule, remedy = "have known values", "The shape depends on them; close over them."
        raise checks.value_error(function, "factors", rule, "a traced array", remedy) from None
    if not (factors > 0).all():
        raise checks.value_error(function, "factors", "be positive", factors.min())
    sizes = [m + 2 * math.ceil((m * factors.max() - m) / 2) for m in template.shape]
    sizes = [max(size, 1) for size in sizes]
    axes = tuple(range(template.ndim))

    def view(factor: float) -> tuple[jax.Array, np.ndarray]:
        shift = [size / 2 - factor * m / 2 for size, m in zip(sizes, template.shape)]
        drawn = jax.image.scale_and_translate(
            template, sizes, axes, jnp.full(len(axes), factor), jnp.array(shift), "linear"
        )
        away = np.meshgrid(*[np.abs(np.arange(n) - (n - 1) / 2) for n in sizes], indexing="ij")
        beyond = [a > factor * m / 2 for a, m in zip(away, template.shape)]
        return drawn, np.any(beyond, axis=0)

    drawn, masks = zip(*map(view, factors))
    return Views(jnp.stack(drawn), jnp.asarray(np.stack(masks)))


def _floats(function: str, template: Any, name: str, values: Any) -> tuple[jax.Array, jax.Array]:
    template, values = checks.array(function, "template", template), checks.array(function, name, values)
    if values.ndim != 1 or values.size == 0:
        raise checks.value_error(function, name, "have one axis and elements", f"shape {values.shape}")
    return template.astype(floating(template.dtype)), values.astype(floating(values.dtype))


def _sampled(template: jax.Array, away: Sequence[jax.Array]) -> Views:
    """Sample a template at so far from its centre; beyond its edges, to half a sample, masked."""
    half = [(m - 1) / 2 for m in template.shape]
    places = [a + h for a, h in zip(away, half)]
    drawn = map_coordinates(template, places, order=1, mode="nearest")
    beyond = [jnp.abs(a) > h + 0.5 + 1e-4 for a, h in zip(away, half)]
    return Views(drawn, jnp.any(jnp.stack(beyond), axis=0))
