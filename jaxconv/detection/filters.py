"""Filters: the linear filter with the highest output signal-to-noise ratio."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.detection.noise import as_spectrum, resample
from jaxconv.detection.noise import noise_covariance as covariance_of
from jaxconv.engine.mesh.transforms import fftn
from jaxconv.floats import as_floats, magnitude, norm


def output_snr(
    template: Any, noise: float | jax.Array | None = None, *, noise_spectrum: Any = None
) -> jax.Array:
    """Return the output signal-to-noise ratio of the matched filter of a template.

    In white noise `sqrt(sum t^2) / noise`, in noise of spectrum S `sqrt(mean over frequencies of
    |fft(t)|^2 / S)`: the peak of the response divided by the standard deviation of its noise, a ratio of
    amplitudes; `20 log10` of it is in dB.

    Args:
        template: the template; subtract its mean if the filter has mean zero.
        noise: standard deviation of white noise; or
        noise_spectrum: spectrum of coloured noise, as `detection.noise_spectrum` returns it.

    Shapes:
        template (m1, ..., md), noise_spectrum (s1, ..., sd) -> ().

    Returns:
        The ratio.

    Raises:
        ValueError: unless exactly one of `noise` and `noise_spectrum` is given, or if the spectrum and
            the template differ in their number of axes.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In all operands.

    Source:
        G. L. Turin, "An introduction to matched filters", IRE Trans. Inf. Theory 6 (1960), eq. 20.

    Example:
        >>> float(output_snr(jnp.array([3.0, 4.0]), 0.5))
        10.0
    """
    template = checks.array("output_snr", "template", template)
    if (noise is None) == (noise_spectrum is None):
        rule = "be given, or `noise_spectrum`, and not both"
        got = "both" if noise is not None else "none"
        raise checks.value_error("output_snr", "noise", rule, got)
    (template,) = as_floats(template)
    if noise is not None:
        return norm(template) / noise
    spectrum = as_spectrum("output_snr", noise_spectrum, template.ndim)
    size = [max(s, m) for s, m in zip(spectrum.shape, template.shape)]
    wave = fftn(template, size)
    white = wave / jnp.sqrt(resample(spectrum, size)).astype(wave.dtype)
    return norm(white) / math.prod(size) ** 0.5


def matched_filter(
    template: Any, noise_covariance: Any = None, *, noise_spectrum: Any = None
) -> jax.Array:
    """Return the linear filter with the highest output signal-to-noise ratio, of unit energy.

    `w = R^-1 t`, scaled to `sum |w|^2 = 1`; correlate with it. It is the best of all filters of the
    template's shape; for a longer filter pad the template with zeros. If R is the covariance of the
    whole background, other shapes included, and t the mean of the target minus the mean of the
    background, it is Fisher's linear discriminant, which maximizes the deflection
    `(mean at targets - mean of background)^2 / variance of background`.

    Args:
        template: the target minus the mean of its background.
        noise_covariance: R, the covariance of the flattened background, as `patch_statistics` measures
            it; or
        noise_spectrum: spectrum of a stationary background, as `detection.noise_spectrum` measures it;
            add `clutter_spectrum` for interfering shapes. Neither: white noise.

    Shapes:
        template (m1, ..., md), noise_covariance (m, m) with m = m1 ... md, noise_spectrum
        (s1, ..., sd) -> (m1, ..., md).

    Returns:
        The filter.

    Raises:
        ValueError: if both are given, the size of the covariance does not match the template, or the
            spectrum and the template differ in their number of axes.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In all operands, through the linear solve.

    Source:
        G. L. Turin, "An introduction to matched filters", IRE Trans. Inf. Theory 6 (1960), eq. 22;
        S. M. Kay, "Fundamentals of Statistical Signal Processing", vol. 2 (1998), 4.4;
        R. A. Fisher, "The use of multiple measurements in taxonomic problems" (1936).

    Example:
        >>> matched_filter(jnp.array([3.0, 4.0])).tolist()
        [0.6000000238418579, 0.800000011920929]
        >>> matched_filter(jnp.array([1.0, 1.0]), jnp.diag(jnp.array([1.0, 100.0]))).round(2).tolist()
        [1.0, 0.009999999776482582]
    """
    function = "matched_filter"
    (template,) = as_floats(checks.array(function, "template", template))
    template = template / magnitude(template)  # the filter is scaled at the end
    covariance = noise_covariance
    if noise_spectrum is not None:
        if covariance is not None:
            rule = "be left out where `noise_covariance` is given"
            raise checks.value_error(function, "noise_spectrum", rule, "both")
        spectrum = as_spectrum(function, noise_spectrum, template.ndim)
        covariance = covariance_of(spectrum, template.shape)
    solution = template
    if covariance is not None:
        covariance, template = as_floats(
            checks.array(function, "noise_covariance", covariance), template
        )
        covariance = covariance / magnitude(covariance)
        if covariance.shape != (template.size, template.size):
            rule = f"be {template.size} x {template.size} for a template of shape {template.shape}"
            raise checks.value_error(function, "noise_covariance", rule, covariance.shape)
        solution = jnp.linalg.solve(covariance, template.ravel()).reshape(template.shape)
    return solution / norm(solution)
