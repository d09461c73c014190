"""Noise: its power spectrum, measured, or of shapes that are in the way; its covariance; noise drawn.

A spectrum lies on the grid of `jnp.fft.fftn`, both signs of each frequency, and is scaled so that its
mean is the noise's power: white noise of standard deviation s has the spectrum s^2 everywhere.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.floats import as_floats, floating, magnitude


def noise_spectrum(
    noise: Any,
    size: int | Sequence[int],
    *,
    overlap: float = 0.5,
    average: Literal["mean", "median"] = "mean",
) -> jax.Array:
    """Estimate the power spectrum of noise from overlapping segments, by Welch's method.

    `mean over segments of |fft(w x)|^2 / sum w^2`, with a Hann window w. Nothing is subtracted: a mean
    that is not 0 is power at frequency 0, and at the frequencies beside it.

    Args:
        noise: recordings without the signal; along the last axes, further ones along those before.
        size: of a segment, along each of the last axes; a number for one axis.
        overlap: share of a segment that the next one repeats.
        average: over the segments; the median hardly notices a few that hold a signal after all.

    Shapes:
        noise (..., n1, ..., nd), size (s1, ..., sd) -> (s1, ..., sd).

    Units:
        the noise's, squared, over cycles per sample; the mean is the noise's power.

    Returns:
        The spectrum, both signs of each frequency, as `jnp.fft.fftn` orders them.

    Raises:
        ValueError: if a segment is larger than the recording, the overlap not a share from 0 to below 1,
            the average not one of the two; or if the noise is so faint that all power would be 0.
        TypeError: if the size is of no whole numbers.

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
        rule = f"have squares well above {limits.tiny:.0e}, the least that {power.dtype} holds"
        got = f"values up to {jnp.abs(noise).max():.3g}"
        remedy = "Count it, and the signal, in smaller units: multiply both by a power of ten."
        raise checks.value_error(function, "noise", rule, got, remedy)
    return power


@partial(jax.jit, static_argnums=(1, 2, 3))
def _welch(noise: jax.Array, sizes: tuple[int, ...], overlap: float, average: str) -> jax.Array:
    """Average the spectra of segments, of noise brought to a size whose squares can be summed."""
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
    power = jnp.abs(jnp.fft.fftn(stack, axes=range(1, rank + 1))) ** 2 / (window**2).sum()
    if average == "mean":
        return power.mean(0) * unit * unit
    odd = (len(power) - 1) // 2 * 2 + 1  # Allen et al.: the median of as many exponential values
    bias = sum((-1) ** (k + 1) / k for k in range(1, odd + 1))
    return jnp.median(power, axis=0) / bias * unit * unit


def clutter_spectrum(shapes: Any, rate: float | Any, size: int | Sequence[int]) -> jax.Array:
    """Return the power spectrum of shapes strewn at random: what is in a detector's way besides noise.

    `sum over shapes of rate |fft(shape)|^2`: by Campbell's theorem the spectrum of shot noise. Add it to
    the noise's: `matched_filter` then avoids what the target and the shapes have in common.

    Args:
        shapes: one along the first axis after another.
        rate: how many of each there are, on average, for each sample of the signal; or one rate a shape.
        size: of the grid, along each axis; a number for one axis.

    Shapes:
        shapes (count, m1, ..., md), size (s1, ..., sd) -> (s1, ..., sd).

    Units:
        as `noise_spectrum`.

    Returns:
        The spectrum.

    Raises:
        ValueError: if the size has not the shapes' number of axes, or is smaller than they are.
        TypeError: if the shapes are no array of numbers.

    Gradient:
        In the shapes and in the rate.

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
    power = jnp.abs(jnp.fft.fftn(shapes, sizes, axes)) ** 2
    rates = jnp.broadcast_to(jnp.asarray(rate, power.dtype), (len(shapes),))
    return jnp.tensordot(rates, power, 1)


def noise_covariance(noise_spectrum: Any, shape: Sequence[int]) -> jax.Array:
    """Return the covariance of a patch of stationary noise of a known spectrum.

    `R[i, j] = r(i - j)`, r being the inverse transform of the spectrum.

    Args:
        noise_spectrum: as `noise_spectrum` returns it.
        shape: of the patch.

    Shapes:
        noise_spectrum (s1, ..., sd), shape (m1, ..., md) -> (m, m) with m = m1 ... md.

    Units:
        the noise's, squared.

    Returns:
        The covariance of the flattened patch.

    Raises:
        ValueError: if the patch has another number of axes than the spectrum.
        TypeError: if the spectrum is no array of numbers.

    Gradient:
        In the spectrum.

    Source:
        the Wiener-Khinchin theorem.

    Example:
        >>> noise_covariance(jnp.full(8, 4.0), (2,)).round(3).tolist()
        [[4.0, 0.0], [0.0, 4.0]]
    """
    spectrum = as_spectrum("noise_covariance", noise_spectrum, len(shape))
    spectrum = at_size(spectrum, [max(s, 2 * m) for s, m in zip(spectrum.shape, shape)])
    correlation = jnp.fft.ifftn(spectrum)
    places = np.stack([axis.ravel() for axis in np.meshgrid(*map(np.arange, shape), indexing="ij")])
    lags = places[:, :, None] - places[:, None, :]
    return correlation[tuple(lags)].real  # negative lags lie at the end, where negative indices point


def coloured_noise(key: jax.Array, shape: Sequence[int], noise_spectrum: Any) -> jax.Array:
    """Draw real Gaussian noise of a given spectrum, which wraps around.

    Args:
        key: a `jax.random` key.
        shape: of the noise; its last axes are those of the spectrum.
        noise_spectrum: as `noise_spectrum` returns it.

    Shapes:
        noise_spectrum (s1, ..., sd), shape (..., n1, ..., nd) -> shape.

    Units:
        the root of the spectrum's.

    Returns:
        The noise; along the axes before the last ones, independent recordings.

    Raises:
        ValueError: if the shape has fewer axes than the spectrum.
        TypeError: if the spectrum is no array of numbers.

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
    return filtered(white, jnp.sqrt(at_size(spectrum, shape[len(shape) - rank :]))).real


def filtered(signal: jax.Array, response: jax.Array) -> jax.Array:
    """Multiply each frequency of a signal's last axes with that of a response, going round the edges."""
    signal, axes = as_floats(signal)[0], tuple(range(-response.ndim, 0))
    response = response.reshape(*[1] * (signal.ndim - response.ndim), *response.shape)
    spectrum = jnp.fft.fftn(signal, axes=axes)
    return jnp.fft.ifftn(spectrum * response.astype(spectrum.dtype), axes=axes)


def at_size(spectrum: jax.Array, shape: Sequence[int]) -> jax.Array:
    """Return a spectrum on a grid of another size, interpolated linearly, frequencies going round."""
    for axis, (s, n) in enumerate(zip(spectrum.shape, shape)):
        if s != n:
            place = np.arange(n) * s / n
            low = np.floor(place).astype(int)
            share = [-1 if i == axis else 1 for i in range(spectrum.ndim)]
            share = jnp.asarray((place - low).reshape(share), spectrum.dtype)
            below, above = (jnp.take(spectrum, at % s, axis) for at in (low, low + 1))
            spectrum = below * (1 - share) + above * share
    return spectrum


def as_spectrum(function: str, spectrum: Any, rank: int) -> jax.Array:
    """Return a spectrum as floats, or raise unless it has so many axes."""
    spectrum = checks.array(function, "noise_spectrum", spectrum)
    if spectrum.ndim != rank or not rank:
        rule = f"have as many axes as it is asked for, {rank}"
        raise checks.value_error(function, "noise_spectrum", rule, f"shape {spectrum.shape}")
    return spectrum.astype(floating(spectrum.dtype))


def _outer(vectors: Sequence[np.ndarray]) -> np.ndarray:
    out = np.ones(())
    for vector in vectors:
        out = np.multiply.outer(out, vector)
    return out
