"""Views: one template as it looks when it is turned, or larger, or smaller."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.ndimage import map_coordinates

from jaxconv import checks
from jaxconv.engine.mesh.arrays import undivided
from jaxconv.floats import floating

SHARE = 1e-3  # of a sample that may come from what is hidden


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Views:
    """Views of one template, and for each a mask, True where it shows nothing of the template.

    The angle, in degrees, and the factor of each tell what `which` of `best_match` points to.
    """

    templates: jax.Array
    masks: jax.Array
    angles: jax.Array
    factors: jax.Array


def views(template: Any, *, angles: Any = (0.0,), scales: Any = (1.0,), mask: Any = None) -> Views:
    """Turn and scale a template about its centre, by every angle at every scale, for `best_match`.

    Args:
        template: what to turn and scale.
        angles: by how much it is turned, each, as for `rotations`.
        scales: by how much it is scaled, each, as for `scales`.
        mask: True where the template has no say.

    Shapes:
        template and mask (m1, m2), angles (a,), scales (s,) -> templates and masks (a s, k1, k2), all
        angles of the first scale first, where ki is mi times the greatest scale, rounded up, and odd or
        even as mi; angles and factors (a s,).

    Units:
        degrees.

    Returns:
        `Views`; masked also where a sample is in part of what the mask hides, or beyond the edges.

    Raises:
        ValueError: as `rotations` and `scales`; or if the mask has another shape.
        TypeError: as these; or if the mask is not boolean.

    Gradient:
        In the template and in the angles.

    Example:
        >>> seen = views(jnp.eye(5), angles=[0.0, 90.0], scales=[1.0, 2.0])
        >>> seen.templates.shape, seen.angles.tolist(), seen.factors.tolist()
        ((4, 11, 11), [0.0, 90.0, 0.0, 90.0], [1.0, 1.0, 2.0, 2.0])
    """
    function = "views"
    template, angles = _floats(function, template, "angles", angles)
    if template.ndim != 2:
        raise checks.value_error(function, "template", "have 2 axes", f"shape {template.shape}")
    hidden = checks.mask(function, "mask", mask, "template", template.shape)
    sized = _scaled(function, template, scales)
    covered = sized.masks
    if hidden is not None:
        covered = covered | (_scaled(function, hidden.astype(template.dtype), scales).templates > SHARE)
    turned = jax.vmap(lambda t: rotations(t, angles))(sized.templates)
    veiled = jax.vmap(lambda m: rotations(m.astype(template.dtype), angles).templates)(covered)
    count, size = sized.factors.size * angles.size, sized.templates.shape[1:]
    return Views(
        turned.templates.reshape(count, *size),
        (turned.masks | (veiled > SHARE)).reshape(count, *size),
        jnp.tile(angles, sized.factors.size),
        jnp.repeat(sized.factors, angles.size),
    )


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
    drawn, beyond = _sampled(template, [back_y, back_x])
    return Views(drawn, beyond, angles, jnp.ones_like(angles))


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
    return _scaled("scales", template, factors)


def _scaled(function: str, template: Any, factors: Any) -> Views:
    """Return the views of `scales`, with the errors of a function."""
    named = "factors" if function == "scales" else "scales"
    template, _ = _floats(function, template, named, factors)
    try:
        factors = np.asarray(factors, float)
    except jax.errors.TracerArrayConversionError:
        rule, remedy = "have known values", "The shape depends on them; close over them."
        raise checks.value_error(function, named, rule, "a traced array", remedy) from None
    if not (factors > 0).all():
        raise checks.value_error(function, named, "be positive", factors.min())
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
    known = jnp.asarray(factors, template.dtype)
    return Views(jnp.stack(drawn), jnp.asarray(np.stack(masks)), jnp.zeros_like(known), known)


def _floats(function: str, template: Any, name: str, values: Any) -> tuple[jax.Array, jax.Array]:
    template, values = checks.array(function, "template", template), checks.array(function, name, values)
    if values.ndim != 1 or values.size == 0:
        raise checks.value_error(function, name, "have one axis and elements", f"shape {values.shape}")
    template, values = (undivided(a, range(a.ndim)) for a in (template, values))  # small, as they are
    return template.astype(floating(template.dtype)), values.astype(floating(values.dtype))


def _sampled(template: jax.Array, away: Sequence[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Sample a template at so far from its centre; tell where that is half a sample beyond its edges."""
    half = [(m - 1) / 2 for m in template.shape]
    places = [a + h for a, h in zip(away, half)]
    drawn = map_coordinates(template, places, order=1, mode="nearest")
    beyond = [jnp.abs(a) > h + 0.5 + 1e-4 for a, h in zip(away, half)]
    return drawn, jnp.any(jnp.stack(beyond), axis=0)
