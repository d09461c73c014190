"""The matched filter beats every other filter at what theory says it is best at."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxconv import detection, signals
from jaxconv.learning import responses


def snr(kernel, template, covariance):
    """Return the output signal-to-noise ratio of a linear filter."""
    kernel, template = np.ravel(kernel), np.ravel(template)
    return kernel @ template / np.sqrt(kernel @ covariance @ kernel)


def test_matched_filter_of_white_noise_is_the_template():
    template = signals.circle(11, zero_mean=True)
    unit = template / jnp.sqrt((template**2).sum())
    np.testing.assert_allclose(detection.matched_filter(template), unit, atol=1e-12)


def test_no_filter_beats_the_matched_filter_in_coloured_noise(rng):
    template, mix = rng.standard_normal((4, 4)), rng.standard_normal((16, 16))
    covariance = mix @ mix.T + 0.1 * np.eye(16)
    best = np.asarray(detection.matched_filter(jnp.asarray(template), jnp.asarray(covariance)))
    bound = np.sqrt(template.ravel() @ np.linalg.solve(covariance, template.ravel()))
    assert snr(best, template, covariance) == pytest.approx(bound, rel=1e-9)
    others = [
        template,
        *rng.standard_normal((200, 4, 4)),
        *(best + 0.05 * rng.standard_normal((50, 4, 4))),
    ]
    assert max(snr(other, template, covariance) for other in others) < bound


def test_output_snr_is_what_noise_measures():
    template, noise = signals.cross(9, zero_mean=True), 0.7
    image = noise * jax.random.normal(jax.random.key(0), (200, 30, 30))
    measured = float((template**2).sum() / responses(template, image).std())
    assert measured == pytest.approx(float(detection.output_snr(template, noise)), rel=0.02)


def test_detection_rate_holds_its_false_alarm(rng):
    noise, targets = rng.standard_normal((3, 100_000)), 2.0 + rng.standard_normal((3, 20_000))
    noise[:, ::7] = np.nan
    rate = detection.detection_rate(targets, noise, false_alarm=0.01)
    want = detection.detection_probability(2.0, 0.01)
    np.testing.assert_allclose(rate, np.full(3, want), atol=0.02)
