"""Theory: thresholds and probabilities of detection in Gaussian noise, in closed form."""

from numbers import Number
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import i0e
from jax.scipy.stats import norm

from jaxconv import checks
from jaxconv.floats import as_floats, floating

NODES = 128  # of the integral over the magnitude
WIDTH = 10  # standard deviations; the tail beyond is below 1e-23


def threshold(false_alarm: Any, *, unknown_phase: bool = False) -> jax.Array:
    """Return the ratio that noise alone exceeds with a given probability, at one place.

    `Q^-1(p)`, where Q is the Gaussian tail; for the absolute value of a complex ratio `sqrt(-2 ln p)`.

    Args:
        false_alarm: the probability p, between 0 and 1.
        unknown_phase: whether the threshold is for the absolute value of a complex ratio.

    Shapes:
        false_alarm any -> the same.

    Units:
        standard deviations of the noise, as `snr`.

    Returns:
        The threshold. Over n places with independent noise it is exceeded somewhere with probability
        `1 - (1 - p)^n`.

    Raises:
        ValueError: if the probability is a number that is not between 0 and 1.

    Gradient:
        In the probability.

    Source:
        S. M. Kay, "Fundamentals of Statistical Signal Processing", vol. 2 (1998), 3.3 and 7.6.

    Example:
        >>> f"{threshold(0.001):.3f}", f"{threshold(0.001, unknown_phase=True):.3f}"
        ('3.090', '3.717')
    """
    p = _probability("threshold", false_alarm)
    return jnp.sqrt(-2 * jnp.log(p)) if unknown_phase else -norm.ppf(p)  # isf would form 1 - p


def detection_probability(snr: Any, false_alarm: Any, *, unknown_phase: bool = False) -> jax.Array:
    """Return the probability that a target of a given signal-to-noise ratio exceeds the threshold.

    `Q(Q^-1(p) - snr)`; for unknown phase Marcum's `Q1(snr, sqrt(-2 ln p))`.

    Args:
        snr: signal-to-noise ratio of the target, as `output_snr` returns it.
        false_alarm: the probability p that noise alone exceeds the threshold.
        unknown_phase: as for `threshold`; `snr` is then the ratio of both quadratures together.

    Shapes:
        snr and false_alarm broadcast.

    Returns:
        The probability.

    Raises:
        ValueError: as `threshold`.

    Gradient:
        In both.

    Source:
        S. M. Kay, "Fundamentals of Statistical Signal Processing", vol. 2 (1998), eq. 4.14;
        J. I. Marcum, "A statistical theory of target detection by pulsed radar", IRE Trans. Inf. Theory
        6 (1960).

    Example:
        >>> f"{detection_probability(5.0, 0.001):.4f}"
        '0.9719'
        >>> f"{detection_probability(5.0, 0.001, unknown_phase=True):.4f}"
        '0.9192'
    """
    limit = threshold(_probability("detection_probability", false_alarm), unknown_phase=unknown_phase)
    limit, snr = as_floats(limit, checks.array("detection_probability", "snr", snr))
    return _marcum(snr, limit) if unknown_phase else norm.sf(limit - snr)


def _marcum(a: jax.Array, b: jax.Array) -> jax.Array:
    """Return the probability that |a + z| exceeds b, where z is complex with parts of unit variance.

    The integral over r > b of the density of |a + z|, `r exp(-(r - a)^2 / 2) exp(-a r) I0(a r)`, by
    Gauss-Legendre quadrature where it is not negligible. Nothing is subtracted, so small probabilities
    are as accurate as large ones.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    a, b = jnp.broadcast_arrays(jnp.abs(a), b)
    shape = (*[1] * b.ndim, NODES)
    nodes, weights = (jnp.asarray(x / 2, b.dtype).reshape(shape) for x in (nodes + 1, weights))
    first = jnp.maximum(b, a - WIDTH)
    length = jnp.maximum(b, a) + WIDTH - first
    a, first, length = a[..., None], first[..., None], length[..., None]
    r = first + length * nodes
    density = r * jnp.exp(-0.5 * (r - a) ** 2) * i0e(a * r)
    return jnp.minimum((density * weights * length).sum(-1), 1)


def _probability(function: str, value: Any) -> jax.Array:
    if isinstance(value, Number) and not 0 < value < 1:  # pyright: ignore[reportOperatorIssue]
        raise checks.value_error(function, "false_alarm", "lie between 0 and 1", value)
    value = checks.array(function, "false_alarm", value)
    return value.astype(floating(value.dtype))
