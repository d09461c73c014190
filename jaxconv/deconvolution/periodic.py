"""Periodic: an image without the jumps from one edge to the opposite one, where it wraps around."""

import jax
import jax.numpy as jnp

from jaxconv.deconvolution.observed import spectrum


def periodic_spectrum(x: jax.Array) -> jax.Array:
    """Return the Fourier transform of a real image's periodic part.

    What is left out is smooth: its Laplacian is zero but at the edges, where it is the jumps. From L.
    Moisan, "Periodic plus smooth image decomposition", J. Math. Imaging and Vision 39 (2011).
    """
    jumps, laplacian = jnp.zeros_like(x), jnp.zeros([1] * x.ndim, x.dtype)
    whole = spectrum(x)
    for axis, n in enumerate(x.shape):
        first, last = (jax.lax.slice_in_dim(x, i, i + 1, axis=axis) for i in (0, n - 1))
        along = [-1 if a == axis else 1 for a in range(x.ndim)]
        at_edges = jnp.zeros(n, x.dtype).at[0].add(1).at[n - 1].add(-1)
        jumps = jumps + at_edges.reshape(along) * (first - last)
        turn = 2 * jnp.pi * jnp.arange(whole.shape[axis], dtype=x.dtype) / n
        laplacian = laplacian + (2 - 2 * jnp.cos(turn)).reshape(along)
    smooth = spectrum(jumps) / jnp.where(laplacian == 0, 1, laplacian).astype(whole.dtype)
    return whole - jnp.where(laplacian == 0, 0, smooth)
