"""SNR: a signal in units of its noise, and the signal-to-noise ratio of a template at every place."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.detection.noise import as_spectrum, filter_circularly, resample
from jaxconv.engine.mesh.arrays import undivided
from jaxconv.floats import as_floats, magnitude, norm


def whiten(signal: Any, noise_spectrum: Any) -> jax.Array:
    """Whiten the noise of a signal, to unit variance.

    `ifft(fft(x) / sqrt(S))`. The signal is continued periodically, so the result is not reliable close
    to an edge, within the correlation length of the noise (at most half the size of the spectrum).

    Args:
        signal: the signal.
        noise_spectrum: spectrum of its noise, positive, as `detection.noise_spectrum` returns it.

    Shapes:
        signal (..., n1, ..., nd), noise_spectrum (s1, ..., sd) -> as the signal.

    Units:
        standard deviations of the noise.

    Returns:
        The whitened signal; real if the signal is.

    Raises:
        ValueError: if the signal has fewer axes than the spectrum.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In both.

    Source:
        S. M. Kay, "Fundamentals of Statistical Signal Processing", vol. 2 (1998), 4.4.

    Example:
        >>> whiten(jnp.array([2.0, -2.0, 2.0, -2.0]), jnp.array([1.0, 1.0, 4.0, 1.0])).tolist()
        [1.0, -1.0, 1.0, -1.0]
    """
    signal = checks.array("whiten", "signal", signal)
    spectrum = _spectrum_of("whiten", signal, noise_spectrum)
    shape = signal.shape[signal.ndim - spectrum.ndim :]
    white = filter_circularly(signal, 1 / jnp.sqrt(resample(spectrum, shape)))
    return white if jnp.iscomplexobj(signal) else white.real


def snr(signal: Any, template: Any, noise_spectrum: Any) -> jax.Array:
    """Return the signal-to-noise ratio of a template at every place: the optimal filter, normalized.

    `ifft(fft(x) conj(fft(t)) / S) / sigma` with `sigma^2 = mean over frequencies of |fft(t)|^2 / S`. In
    noise alone it has zero mean and unit variance; where the signal holds `a t`, its mean is `a sigma`
    (`output_snr`), the maximum over all linear filters.

    A complex template `t = c + i s` means a wave of unknown phase, with quadratures c and s of equal
    energy. The ratio is then complex, each part with unit variance in noise; compare its absolute value
    with `threshold(..., unknown_phase=True)`.

    Args:
        signal: the signal to search in, along the last axes; the axes before them are a batch.
        template: the template to search for, no larger than the signal.
        noise_spectrum: spectrum of the noise, positive, as `detection.noise_spectrum` returns it.

    Shapes:
        signal (..., n1, ..., nd), template (m1, ..., md), noise_spectrum (s1, ..., sd) ->
        (..., ni - mi + 1), at the position of the template's first sample.

    Units:
        standard deviations of the noise.

    Returns:
        The ratios; close to an edge they are not reliable, as for `whiten`.

    Raises:
        ValueError: if the numbers of axes differ, or the template is larger than the signal.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In all operands.

    Source:
        B. Allen et al., "FINDCHIRP", Physical Review D 85 (2012), IV; Turin (1960).

    Example:
        >>> signal = jnp.zeros(64).at[20].set(3.0)
        >>> ratio = snr(signal, jnp.ones(1), jnp.ones(16))
        >>> int(ratio.argmax()), f"{ratio.max():.2f}"
        (20, '3.00')
    """
    signal = checks.array("snr", "signal", signal)
    template = checks.array("snr", "template", template)
    spectrum = _spectrum_of("snr", signal, noise_spectrum)
    rank = spectrum.ndim
    shape = signal.shape[signal.ndim - rank :]
    if template.ndim != rank or any(m > n for n, m in zip(shape, template.shape)):
        rule = f"have as many axes as the spectrum and be no larger than the signal {shape}"
        raise checks.value_error("snr", "template", rule, template.shape)
    spectrum = resample(spectrum, shape)
    signal = undivided(signal, range(signal.ndim - rank, signal.ndim))
    quadratures = 2 if jnp.iscomplexobj(template) else 1
    (template,) = as_floats(template)
    wave = jnp.fft.fftn(template / magnitude(template).astype(template.dtype), shape)
    deviation = jnp.sqrt(spectrum).astype(wave.dtype)
    white = wave / deviation
    sigma = norm(white) / (math.prod(shape) * quadratures) ** 0.5
    ratio = filter_circularly(signal, white.conj() / sigma.astype(wave.dtype) / deviation)
    ratio = ratio[(..., *(slice(n - m + 1) for n, m in zip(shape, template.shape)))]
    return ratio if jnp.iscomplexobj(template) or jnp.iscomplexobj(signal) else ratio.real


def whitening_taps(noise_spectrum: Any) -> jax.Array:
    """Return a filter that whitens as `whiten` does, but reaches half the spectrum's size and no more.

    It is symmetric, of `2 (s // 2) + 1` taps, scaled so that the noise has unit variance behind it.
    """
    spectrum = as_spectrum("whiten", noise_spectrum, 1)
    fine, reach = resample(spectrum, [4 * spectrum.size]), spectrum.size // 2
    taps = jnp.roll(jnp.fft.ifft(1 / jnp.sqrt(fine)).real, reach)[: 2 * reach + 1]
    return taps / _deviation(taps, fine)


def snr_taps(template: Any, noise_spectrum: Any) -> jax.Array:
    """Return a filter to correlate with for `snr`: the template's taps, and `s // 2` at each side."""
    template = checks.array("snr", "template", template)
    spectrum = as_spectrum("snr", noise_spectrum, 1)
    quadratures = 2 if jnp.iscomplexobj(template) else 1
    (template,) = as_floats(template)
    reach = spectrum.size // 2
    size = template.size + 4 * spectrum.size
    fine = resample(spectrum, [size])
    wave = jnp.fft.fft(template / magnitude(template).astype(template.dtype), size)
    taps = jnp.roll(jnp.fft.ifft(wave / fine), reach)[: template.size + 2 * reach]
    taps = taps if quadratures == 2 else taps.real
    return taps / _deviation(taps, fine).astype(taps.dtype) * quadratures**0.5


def _deviation(taps: jax.Array, spectrum: jax.Array) -> jax.Array:
    """Return the standard deviation of the noise behind a filter."""
    coloured = jnp.fft.fft(taps, spectrum.size) * jnp.sqrt(spectrum).astype(taps.dtype)
    return norm(coloured) / spectrum.size**0.5


def _spectrum_of(function: str, signal: jax.Array, noise_spectrum: Any) -> jax.Array:
    return as_spectrum(function, noise_spectrum, min(np.ndim(noise_spectrum), signal.ndim))
