"""SNR: a signal in units of its noise, and a template's signal-to-noise ratio at every place."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.detection.noise import as_spectrum, at_size, filtered
from jaxconv.floats import as_floats, magnitude, norm


def whiten(signal: Any, noise_spectrum: Any) -> jax.Array:
    """Make a signal's noise white, of unit variance.

    `ifft(fft(x) / sqrt(S))`; what lies beyond an edge is taken from the other one, so that the result is
    not to be trusted nearer to an edge than the noise's memory, half a spectrum's size at most.

    Args:
        signal: the signal.
        noise_spectrum: of its noise, positive, as `detection.noise_spectrum` returns it.

    Shapes:
        signal (..., n1, ..., nd), noise_spectrum (s1, ..., sd) -> as the signal.

    Units:
        none: standard deviations of the noise.

    Returns:
        The white signal; real where the signal is.

    Raises:
        ValueError: if the signal has fewer axes than the spectrum.
        TypeError: if an operand is no array of numbers.

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
    white = filtered(signal, 1 / jnp.sqrt(at_size(spectrum, shape)))
    return white if jnp.iscomplexobj(signal) else white.real


def snr(signal: Any, template: Any, noise_spectrum: Any) -> jax.Array:
    """Return a template's signal-to-noise ratio at every place: the optimal filter's output, calibrated.

    `ifft(fft(x) conj(fft(t)) / S) / sigma` with `sigma^2 = mean over frequencies of |fft(t)|^2 / S`. In
    noise alone it has zero mean and unit variance; where the template lies in the signal, a times as
    strong, its mean is `a sigma` (`output_snr`), the most that any linear filter reaches.

    A complex template stands for one of unknown phase, `t = c + i s` with quadratures c and s of equal
    strength; its ratio is complex, each part with unit variance in noise, and its absolute value is what
    to compare with a threshold (`unknown_phase=True` there).

    Args:
        signal: where to look; along the axes before the last ones, further signals.
        template: what to look for, no larger.
        noise_spectrum: of the noise, positive, as `detection.noise_spectrum` returns it.

    Shapes:
        signal (..., n1, ..., nd), template (m1, ..., md), noise_spectrum (s1, ..., sd) ->
        (..., ni - mi + 1), at the place of the template's first sample.

    Units:
        none: standard deviations of the noise.

    Returns:
        The ratios; near an edge they are to be trusted no more than those of `whiten`.

    Raises:
        ValueError: if the numbers of axes differ, or the template is larger than the signal.
        TypeError: if an operand is no array of numbers.

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
    spectrum = at_size(spectrum, shape)
    quadratures = 2 if jnp.iscomplexobj(template) else 1
    (template,) = as_floats(template)
    wave = jnp.fft.fftn(template / magnitude(template).astype(template.dtype), shape)
    deviation = jnp.sqrt(spectrum).astype(wave.dtype)
    white = wave / deviation
    sigma = norm(white) / (math.prod(shape) * quadratures) ** 0.5
    ratio = filtered(signal, white.conj() / sigma.astype(wave.dtype) / deviation)
    ratio = ratio[(..., *(slice(n - m + 1) for n, m in zip(shape, template.shape)))]
    return ratio if jnp.iscomplexobj(template) or jnp.iscomplexobj(signal) else ratio.real


def _spectrum_of(function: str, signal: jax.Array, noise_spectrum: Any) -> jax.Array:
    return as_spectrum(function, noise_spectrum, min(np.ndim(noise_spectrum), signal.ndim))
