"""SNR: a signal in units of its noise, and the signal-to-noise ratio of a template at every place."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.convolution import correlate
from jaxconv.detection.noise import as_spectrum, filter_circularly, resample
from jaxconv.engine.mesh.arrays import cut, undivided
from jaxconv.engine.mesh.transforms import fftn, ifftn
from jaxconv.floats import as_floats, magnitude, norm


def whiten(signal: Any, noise_spectrum: Any, *, compact: bool = False) -> jax.Array:
    """Whiten the noise of a signal, to unit variance.

    `ifft(fft(x) / sqrt(S))`. The signal is continued periodically, so the result is not reliable close
    to an edge, within the correlation length of the noise (at most half the size of the spectrum).

    Args:
        signal: the signal.
        noise_spectrum: spectrum of its noise, positive, as `detection.noise_spectrum` returns it.
        compact: whether the filter reaches half the size of the spectrum to both sides and no farther,
            as in a stream. It is a convolution then, with zeros beyond the edges, of which devices that
            divide the signal exchange the borders only.

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
    if compact:
        return _filtered(signal, whitening_taps(spectrum, jnp.iscomplexobj(signal)))
    shape = signal.shape[signal.ndim - spectrum.ndim :]
    white = filter_circularly(signal, 1 / jnp.sqrt(resample(spectrum, shape)))
    return white if jnp.iscomplexobj(signal) else white.real


def snr(
    signal: Any,
    template: Any,
    noise_spectrum: Any,
    *,
    mode: Literal["valid", "same"] = "valid",
    compact: bool = False,
) -> jax.Array:
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
        mode: "valid", only where the template fits inside the signal, at the place of its first sample;
            or "same", at the place of its sample `mi // 2`, as for `jaxconv.correlate`.
        compact: as for `whiten`.

    Shapes:
        signal (..., n1, ..., nd), template (m1, ..., md), noise_spectrum (s1, ..., sd) ->
        valid: (..., ni - mi + 1), same: (..., ni).

    Units:
        standard deviations of the noise.

    Returns:
        The ratios; close to an edge they are not reliable, as for `whiten`.

    Raises:
        ValueError: if the numbers of axes differ, the template is larger than the signal, or the mode
            is neither.
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
    checks.one_of("snr", "mode", mode, ("valid", "same"))
    signal = checks.array("snr", "signal", signal)
    template = checks.array("snr", "template", template)
    spectrum = _spectrum_of("snr", signal, noise_spectrum)
    shape = signal.shape[signal.ndim - spectrum.ndim :]
    if template.ndim != spectrum.ndim or any(m > n for n, m in zip(shape, template.shape)):
        rule = f"have as many axes as the spectrum and be no larger than the signal {shape}"
        raise checks.value_error("snr", "template", rule, template.shape)
    if compact:
        ratio = _filtered(signal, snr_taps(template, spectrum, jnp.iscomplexobj(signal)))
    else:
        ratio = _circular_snr(signal, template, resample(spectrum, shape))
    if mode == "valid":
        ratio = cut(ratio, [slice(m // 2, m // 2 + n - m + 1) for n, m in zip(shape, template.shape)])
    return ratio if jnp.iscomplexobj(template) or jnp.iscomplexobj(signal) else ratio.real


def _circular_snr(signal: jax.Array, template: jax.Array, spectrum: jax.Array) -> jax.Array:
    """Return the ratios of a signal that is continued periodically, in mode "same"."""
    shape, axes = spectrum.shape, tuple(range(-spectrum.ndim, 0))
    centre = tuple(m // 2 for m in template.shape)
    quadratures = 2 if jnp.iscomplexobj(template) else 1
    (template,) = as_floats(template)
    wave = fftn(template / magnitude(template).astype(template.dtype), shape)
    deviation = jnp.sqrt(spectrum).astype(wave.dtype)
    white = wave / deviation
    sigma = norm(white) / (math.prod(shape) * quadratures) ** 0.5
    signal = undivided(signal, range(signal.ndim - spectrum.ndim, signal.ndim))
    ratio = filter_circularly(signal, white.conj() / sigma.astype(wave.dtype) / deviation)
    return jnp.roll(ratio, centre, axes)


def _filtered(signal: jax.Array, taps: jax.Array) -> jax.Array:
    """Correlate the last axes of a signal with taps, in mode "same"."""
    signal, taps = as_floats(signal, taps)
    rank = taps.ndim
    taps = taps.reshape(*[1] * (signal.ndim - rank), *taps.shape)
    return correlate(signal, taps, "same", axes=tuple(range(-rank, 0)))


def whitening_taps(spectrum: jax.Array, is_complex: bool) -> jax.Array:
    """Return a filter that whitens as `whiten` does, but reaches half the spectrum's size and no more.

    It has `2 (s // 2) + 1` taps, real for a real signal, scaled so that the noise has unit variance
    behind it.
    """
    fine = resample(spectrum, [4 * s for s in spectrum.shape])
    taps = _near(ifftn(1 / jnp.sqrt(fine)), spectrum, [1] * spectrum.ndim)
    taps = taps if is_complex else taps.real
    return taps / _deviation(taps, fine).astype(taps.dtype)


def snr_taps(template: jax.Array, spectrum: jax.Array, is_complex: bool) -> jax.Array:
    """Return a filter to correlate a signal with for `snr`: the template's taps, and `s // 2` around."""
    quadratures = 2 if jnp.iscomplexobj(template) else 1
    (template,) = as_floats(template)
    size = [m + 4 * s for m, s in zip(template.shape, spectrum.shape)]
    fine = resample(spectrum, size)
    wave = fftn(template / magnitude(template).astype(template.dtype), size)
    taps = _near(ifftn(wave / fine.astype(wave.dtype)), spectrum, template.shape)
    taps = taps if is_complex or quadratures == 2 else taps.real
    return taps / _deviation(taps, fine).astype(taps.dtype) * quadratures**0.5


def _near(circular: jax.Array, spectrum: jax.Array, shape: Sequence[int]) -> jax.Array:
    """Cut a circular filter off where it is more than half the spectrum's size away from a shape."""
    reach = [s // 2 for s in spectrum.shape]
    sizes = [m + 2 * r for m, r in zip(shape, reach)]
    return jnp.roll(circular, reach, range(circular.ndim))[tuple(map(slice, sizes))]


def _deviation(taps: jax.Array, spectrum: jax.Array) -> jax.Array:
    """Return the standard deviation of the noise behind a filter."""
    response = fftn(taps, spectrum.shape)
    return norm(response * jnp.sqrt(spectrum).astype(response.dtype)) / spectrum.size**0.5


def _spectrum_of(function: str, signal: jax.Array, noise_spectrum: Any) -> jax.Array:
    return as_spectrum(function, noise_spectrum, min(np.ndim(noise_spectrum), signal.ndim))
