"""Noise: its power spectrum, measured or computed from interfering shapes; its covariance; random noise.

A spectrum is on the grid of `jnp.fft.fftn`, with both signs of each frequency, and is scaled so that its
mean is the power of the noise: white noise of standard deviation s has the spectrum s^2 everywhere.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.engine.mesh.arrays import over_batch, undivided
from jaxconv.engine.mesh.transforms import fftn, ifftn
from jaxconv.floats import as_floats, floating, magnitude


def noise_spectrum(
    noise: Any,
    size: int | Sequence[int],
    *,
    overlap: float = 0.5,
    average: Literal["mean", "median"] = "mean",
) -> jax.Array:
    """Estimate the power spectrum of noise from overlapping segments, by Welch's method.

    `mean over segments of |fft(w x)|^2 / sum w^2`, with a Hann window w. The mean is not subtracted: it
    is power at frequency 0 and its neighbours.

    Args:
        noise: a recording without the signal, along the last axes; the axes before them are a batch.
        size: size of a segment along each of the last axes; a number for one axis.
        overlap: share of a segment that the next segment repeats.
        average: how to average over segments; the median is robust to a few that hold a signal.

    Shapes:
        noise (..., n1, ..., nd), size (s1, ..., sd) -> (s1, ..., sd).

    Units:
        the unit of the noise, squared, per cycle per sample; the mean is the power of the noise.

    Returns:
        The spectrum, both signs of each frequency, as `jnp.fft.fftn` orders them.

    Raises:
        ValueError: if a segment is larger than the recording, the overlap is not from 0 to below 1, the
            average is not one of the two, or the noise is so small that its power underflows.
        TypeError: if the size does not consist of whole numbers.

    Gradient:
        In the noise.

    Source:
        P. D. Welch, "The use of fast Fourier transform for the estimation of power spectra" (1967); the
        median's bias from B. Allen et al., "FINDCHIRP", Physical Review D 85 (2012), appendix B.

    Example:
        >>> noise = jax.random.normal(jax.random.key(0), (100_000,))
        >>> bool(jnp.abs(noise_spectrum(noise, 64) - 1).max() < 0.1)
        True
    """
    function = "noise_spectrum"
    noise = checks.array(function, "noise", noise)
    rank = len(size) if isinstance(size, tuple | list) else 1
    sizes = checks.per_axis(function, "size", size, rank, 2)
    checks.one_of(function, "average", average, ("mean", "median"))
    if not 0 <= overlap < 1:
        raise checks.value_error(function, "overlap", "be a share, from 0 to below 1", overlap)
    space = noise.shape[noise.ndim - rank :] if noise.ndim >= rank else ()
    if not space or any(s > n for n, s in zip(space, sizes)):
        rule = f"be no larger than the noise, {noise.shape}, along its last axes"
        raise checks.value_error(function, "size", rule, size)
    power = _welch(as_floats(noise)[0], sizes, overlap, average)
    limits = jnp.finfo(power.dtype)
    if (
        not checks.is_traced(power)
        and noise.any()
        and power.min() < limits.tiny
        and power.max() < limits.tiny / limits.eps
    ):
        rule = f"have squares well above {limits.tiny:.0e}, the smallest {power.dtype}"
        got = f"values up to {jnp.abs(noise).max():.3g}"
        remedy = "Multiply it, and the signal, by a power of ten."
        raise checks.value_error(function, "noise", rule, got, remedy)
    return power


@partial(jax.jit, static_argnums=(1, 2, 3))
def _welch(noise: jax.Array, sizes: tuple[int, ...], overlap: float, average: str) -> jax.Array:
    """Average the spectra of segments; the noise is scaled so that its squares do not overflow."""
    rank = len(sizes)
    windows = [0.5 - 0.5 * np.cos(2 * np.pi * np.arange(s) / s) for s in sizes]
    window = jnp.asarray(_outer(windows), jnp.finfo(noise.dtype).dtype)
    unit = magnitude(noise).reshape(())
    stack, lead, space = noise / unit, noise.ndim - rank, noise.shape[noise.ndim - rank :]
    for axis, (n, s) in enumerate(zip(space, sizes)):
        starts = np.arange(0, n - s + 1, max(1, round(s * (1 - overlap))))
        stack = jnp.take(stack, starts[:, None] + np.arange(s), lead + 2 * axis)
    stack = jnp.moveaxis(stack, range(lead + 1, stack.ndim, 2), range(-rank, 0))
    stack = stack.reshape(-1, *sizes) * window[None]
    power = jnp.abs(fftn(stack, axes=range(1, rank + 1))) ** 2 / (window**2).sum()
    if average == "mean":
        return power.mean(0) * unit * unit
    odd = (len(power) - 1) // 2 * 2 + 1  # Allen et al.: the median of this many exponential values
    bias = sum((-1) ** (k + 1) / k for k in range(1, odd + 1))
    return jnp.median(power, axis=0) / bias * unit * unit


def clutter_spectrum(shapes: Any, rate: float | Any, size: int | Sequence[int]) -> jax.Array:
    """Return the power spectrum of shapes at random places, which disturb a detector besides the noise.

    `sum over shapes of rate |fft(shape)|^2`: by Campbell's theorem the spectrum of shot noise. Add it to
    the spectrum of the noise: `matched_filter` then avoids what the target shares with the shapes.

    Args:
        shapes: the shapes, stacked along the first axis.
        rate: mean number of each shape per sample of the signal; or one rate per shape.
        size: size of the grid along each axis; a number for one axis.

    Shapes:
        shapes (count, m1, ..., md), size (s1, ..., sd) -> (s1, ..., sd).

    Units:
        as `noise_spectrum`.

    Returns:
        The spectrum.

    Raises:
        ValueError: if the size does not have as many axes as the shapes, or is smaller than they are.
        TypeError: if the shapes are not an array of numbers.

    Gradient:
        In the shapes and the rate.

    Source:
        S. O. Rice, "Mathematical analysis of random noise", Bell System Technical Journal 23 (1944),
        1.5.

    Example:
        >>> clutter_spectrum(jnp.ones((1, 2)), 0.5, 4).round(3).tolist()
        [2.0, 1.0, 0.0, 1.0]
    """
    function = "clutter_spectrum"
    shapes = checks.array(function, "shapes", shapes)
    sizes = checks.per_axis(function, "size", size, shapes.ndim - 1, 1)
    if any(m > s for m, s in zip(shapes.shape[1:], sizes)):
        raise checks.value_error(function, "size", f"hold the shapes, {shapes.shape[1:]}", size)
    (shapes,) = as_floats(shapes)
    axes = tuple(range(1, shapes.ndim))
    power = jnp.abs(fftn(shapes, sizes, axes)) ** 2
    rates = jnp.broadcast_to(jnp.asarray(rate, power.dtype), (len(shapes),))
    return jnp.tensordot(rates, power, 1)


def noise_covariance(noise_spectrum: Any, shape: Sequence[int]) -> jax.Array:
    """Return the covariance of a patch of stationary noise of a known spectrum.

    `R[i, j] = r(i - j)`, where r is the inverse transform of the spectrum.

    Args:
        noise_spectrum: the spectrum, as `noise_spectrum` returns it.
        shape: shape of the patch.

    Shapes:
        noise_spectrum (s1, ..., sd), shape (m1, ..., md) -> (m, m) with m = m1 ... md.

    Units:
        the unit of the noise, squared.

    Returns:
        The covariance of the flattened patch.

    Raises:
        ValueError: if the patch and the spectrum differ in their number of axes.
        TypeError: if the spectrum is not an array of numbers.

    Gradient:
        In the spectrum.

    Source:
        the Wiener-Khinchin theorem.

    Example:
        >>> noise_covariance(jnp.full(8, 4.0), (2,)).round(3).tolist()
        [[4.0, 0.0], [0.0, 4.0]]
    """
    spectrum = as_spectrum("noise_covariance", noise_spectrum, len(shape))
    spectrum = resample(spectrum, [max(s, 2 * m) for s, m in zip(spectrum.shape, shape)])
    correlation = ifftn(spectrum)
    places = np.stack([axis.ravel() for axis in np.meshgrid(*map(np.arange, shape), indexing="ij")])
    lags = places[:, :, None] - places[:, None, :]
    return correlation[tuple(lags)].real  # negative lags are at the end, as negative indices


def coloured_noise(key: jax.Array, shape: Sequence[int], noise_spectrum: Any) -> jax.Array:
    """Draw real, periodic Gaussian noise of a given spectrum.

    Args:
        key: a `jax.random` key.
        shape: shape of the noise; its last axes are those of the spectrum.
        noise_spectrum: the spectrum, as `noise_spectrum` returns it.

    Shapes:
        noise_spectrum (s1, ..., sd), shape (..., n1, ..., nd) -> shape.

    Units:
        the square root of the unit of the spectrum.

    Returns:
        The noise; the axes before the last ones hold independent recordings.

    Raises:
        ValueError: if the shape has fewer axes than the spectrum.
        TypeError: if the spectrum is not an array of numbers.

    Gradient:
        In the spectrum.

    Example:
        >>> noise = coloured_noise(jax.random.key(0), (50_000,), jnp.array([4.0, 1.0, 0.0, 1.0]))
        >>> f"{noise.var():.1f}"
        '1.5'
    """
    rank = np.ndim(noise_spectrum)
    spectrum = as_spectrum("coloured_noise", noise_spectrum, min(rank, len(shape)))
    white = jax.random.normal(key, shape, spectrum.dtype)
    return filter_circularly(white, jnp.sqrt(resample(spectrum, shape[len(shape) - rank :]))).real


def filter_circularly(signal: jax.Array, response: jax.Array) -> jax.Array:
    """Multiply the spectrum along the last axes by a frequency response: a circular convolution."""
    batch = signal.ndim - response.ndim
    (signal,) = as_floats(undivided(signal, range(batch, signal.ndim)))
    return over_batch(_filtered, signal, batch, response)


@jax.jit
def _filtered(signal: jax.Array, response: jax.Array) -> jax.Array:
    axes = tuple(range(-response.ndim, 0))
    spectrum = fftn(signal, axes=axes)
    response = response.reshape(*[1] * (signal.ndim - response.ndim), *response.shape)
    return ifftn(spectrum * response.astype(spectrum.dtype), axes=axes)


def resample(spectrum: jax.Array, shape: Sequence[int]) -> jax.Array:
    """Return a spectrum on a grid of another size, by periodic linear interpolation."""
    for axis, (s, n) in enumerate(zip(spectrum.shape, shape)):
        if s != n:
            position = np.arange(n) * s / n
            low = np.floor(position).astype(int)
            shape_along = [-1 if i == axis else 1 for i in range(spectrum.ndim)]
            weight = jnp.asarray((position - low).reshape(shape_along), spectrum.dtype)
            below, above = (jnp.take(spectrum, index % s, axis) for index in (low, low + 1))
            spectrum = below * (1 - weight) + above * weight
    return spectrum


def as_spectrum(function: str, spectrum: Any, rank: int) -> jax.Array:
    """Return a spectrum in floats, or raise unless it has `rank` axes."""
    spectrum = checks.array(function, "noise_spectrum", spectrum)
    if spectrum.ndim != rank or not rank:
        rule = f"have as many axes as the operand, {rank}" if rank else "have at least one axis"
        raise checks.value_error(function, "noise_spectrum", rule, f"shape {spectrum.shape}")
    checks.not_empty(function, "noise_spectrum", spectrum)
    return spectrum.astype(floating(spectrum.dtype))


def _outer(vectors: Sequence[np.ndarray]) -> np.ndarray:
    out = np.ones(())
    for vector in vectors:
        out = np.multiply.outer(out, vector)
    return out
