"""How much of a template meets samples that are there, at each place."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.engine.how import How
from jaxconv.matching.operands import Beyond, correlate_channels, reach, slide_over
from jaxconv.types import MODES, Axes, Mode


def overlap_share(
    mask: Any, template_mask: Any, *, mode: Mode = "valid", axes: Axes = None
) -> jax.Array:
    """Return the share of the template's samples that meet samples of the signal, at each place.

    Where it is at least `overlap`, and more than one sample, a masked `normalized_correlation` is
    valid.

    Args:
        mask: True where a sample of the signal is missing; beyond its edges all are.
        template_mask: True where the template has no say.
        mode: as for `normalized_correlation`.
        axes: as for `normalized_correlation`.

    Shapes:
        mask (n1, ..., nd), template_mask (m1, ..., md) -> as `normalized_correlation`.

    Returns:
        Shares from 0 to 1.

    Raises:
        ValueError: if the numbers of axes differ, or the mode is not one of the three.
        TypeError: if a mask is not boolean.

    Source:
        D. Padfield, "Masked object registration in the Fourier domain" (2012), eq. 9.

    Example:
        >>> overlap_share([False, True, False, False], [False, False]).tolist()
        [0.5, 0.5, 1.0]
    """
    function = "overlap_share"
    mask, template_mask = (
        checks.array(function, name, value)
        for name, value in (("mask", mask), ("template_mask", template_mask))
    )
    hidden = checks.mask(function, "mask", mask, "signal", np.shape(mask))
    unheard = checks.mask(function, "template_mask", template_mask, "template", np.shape(template_mask))
    checks.same_rank(function, ("mask", "template_mask"), (hidden, unheard))
    checks.one_of(function, "mode", mode, MODES)
    places = checks.axes(function, axes, hidden.ndim)
    widths = reach(mode, [unheard.shape[a] for a in places])
    beyond = Beyond(widths, ("constant",) * len(places), [jnp.zeros((), jnp.float32)])

    def share(there: jax.Array, heard: jax.Array) -> jax.Array:
        return correlate_channels(there, heard, How("overlap_share")) / jnp.maximum(heard.sum(), 1)

    there, heard = ((~mask).astype(jnp.float32) for mask in (hidden, unheard))
    return jnp.clip(slide_over(share, [there], [heard], places, None, function, beyond), 0, 1)
