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


def test_patch_statistics_agree_with_numpy(rng):
    images, places = rng.standard_normal((4, 9, 10)), np.array([[2, 3], [6, 7], [4, 4], [1, 8]])
    got = detection.patch_statistics(jnp.asarray(images), jnp.asarray(places), 3, stride=1)
    patches = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2)).reshape(-1, 9)
    targets = [image[r - 1 : r + 2, c - 1 : c + 2] for image, (r, c) in zip(images, places, strict=True)]
    np.testing.assert_allclose(got.at_targets, np.mean(targets, 0), atol=1e-12)
    np.testing.assert_allclose(got.anywhere.ravel(), patches.mean(0), atol=1e-12)
    np.testing.assert_allclose(got.covariance, np.cov(patches.T, bias=True), atol=1e-12)


def test_detection_rate_holds_its_false_alarm():
    """In pure noise a target that differs from nothing is detected as often as anything else."""
    maps = jax.random.normal(jax.random.key(1), (4000, 12, 12))
    places = jnp.full((4000, 2), 6)
    rate = detection.detection_rate(maps, places, reach=3, false_alarm=0.05)
    false = maps.at[:, 3:10, 3:10].set(-jnp.inf).max((1, 2))
    assert float((false > rate.threshold).mean()) == pytest.approx(0.05, abs=1e-3)
    assert rate.detected < 0.05


def test_detection_rate_counts(rng):
    maps = np.zeros((10, 15, 15))
    maps[:, 2, 2] = np.arange(10)  # the false responses
    maps[:, 9, 9] = 4.5  # the target's
    rate = detection.detection_rate(jnp.asarray(maps), jnp.full((10, 2), 9), reach=4, false_alarm=0.5)
    assert float(rate.threshold) == 4.5
    assert float(rate.detected) == 0.0
    assert float(rate.ranked_first) == 0.5
