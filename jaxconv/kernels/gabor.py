"""The Gabor kernel: a wave under a Gaussian window."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.kernels.smoothing import gaussian_radius


def gabor(
    frequency: Any,
    angle: Any = 0.0,
    *,
    sigma: Any,
    aspect: Any = 1.0,
    phase: Any = 0.0,
    truncate: float = 4.0,
    radius: int | None = None,
) -> jax.Array:
    """Return a Gabor kernel: a plane wave under a Gaussian window; a detector of stripes.

    `k[y, x] = g exp(i (2 pi frequency u + phase))`, with `u = x cos(angle) + y sin(angle)` along the
    wave, `v = y cos(angle) - x sin(angle)` across it, and the window
    `g = exp(-(u^2 + (aspect v)^2) / (2 sigma^2))`, divided by its sum.

    Args:
        frequency: frequency of the wave.
        angle: direction of the wave: 0 along a row, pi / 2 along a column.
        sigma: standard deviation of the window along the wave.
        aspect: ratio of the window's width along the wave to its width across it.
        phase: phase of the wave at the centre.
        truncate: the kernel ends at this many sigma.
        radius: as for `gaussian`.

    Shapes:
        -> (2 radius + 1, 2 radius + 1).

    Units:
        frequency in cycles per sample, sigma in samples, angles in radians.

    Returns:
        The kernel, complex: its real part responds to bright stripes, its imaginary part to edges.

    Raises:
        ValueError: as `gaussian`.

    Gradient:
        In all parameters except `truncate` and `radius`.

    Source:
        J. G. Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation"
        (1985).

    Example:
        >>> gabor(0.25, sigma=1.0, radius=2).shape
        (5, 5)
    """
    radius = gaussian_radius("gabor", sigma, truncate, radius)
    y, x = jnp.mgrid[-radius : radius + 1, -radius : radius + 1].astype(float)
    u = x * jnp.cos(angle) + y * jnp.sin(angle)
    v = y * jnp.cos(angle) - x * jnp.sin(angle)
    window = jnp.exp(-0.5 * (u**2 + (aspect * v) ** 2) / jnp.asarray(sigma) ** 2)
    window = window / window.sum()
    total_phase = 2 * jnp.pi * frequency * u + phase
    return lax.complex(window * jnp.cos(total_phase), window * jnp.sin(total_phase))
