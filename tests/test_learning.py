"""Gradient descent reaches what the closed form promises."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.test_util import check_grads

from jaxconv import learning, signals
from jaxconv.detection import patch_statistics

KINDS = ("circle", "cross")


def draw(noise, kinds=KINDS):
    """Return a small task: scenes of 40 x 40 with patches of 9."""
    return signals.scenes(shape=(40, 40), kinds=kinds, size=9, noise=noise)


def test_responses_are_centred_where_they_say():
    images = jnp.zeros((2, 20, 30)).at[:, 12, 17].set(1.0)
    maps = learning.responses(jnp.zeros((5, 5)).at[2, 2].set(1.0), images)
    assert maps.shape == (2, 16, 26)
    assert jnp.unravel_index(maps[0].argmax(), maps[0].shape) == (10, 15)


def test_deflection_is_its_definition_and_differentiable(rng):
    images, kernel = (
        jnp.asarray(rng.standard_normal((3, 12, 12))),
        jnp.asarray(rng.standard_normal((3, 3))),
    )
    places = jnp.array([[4, 5], [6, 6], [9, 2]])
    statistics = patch_statistics(images, places, 3, stride=1)
    mean = (kernel * (statistics.at_targets - statistics.anywhere)).sum()
    spread = jnp.sqrt(kernel.ravel() @ statistics.covariance @ kernel.ravel())
    got = learning.deflection(kernel, images, places)
    np.testing.assert_allclose(got, mean / spread, rtol=1e-10)
    np.testing.assert_allclose(learning.deflection(3 * kernel, images, places), got, rtol=1e-10)
    check_grads(
        lambda kernel: learning.deflection(kernel, images, places), (kernel,), order=2, atol=1e-5
    )


@pytest.mark.parametrize("kinds", [KINDS, KINDS[::-1]])
def test_learns_the_optimum(single, kinds):
    task, noiseless = draw(0.5, kinds), draw(0.0, kinds)
    fit = learning.fit(jax.random.key(0), task, size=9, steps=150, batch=32)
    optimum = learning.optimum(jax.random.key(1), noiseless, size=9, noise=0.5)
    start = float(learning.cosine_similarity(fit.filters[0], optimum))
    assert abs(start) < 0.4
    assert float(learning.cosine_similarity(fit.filter, optimum)) > 0.97
    assert fit.losses[-10:].mean() < fit.losses[:3].mean() - 1


def test_fit_returns_what_it_says_and_is_reproducible(single):
    reported = []
    options = {"size": 5, "steps": 12, "batch": 4, "every": 5}
    report = lambda step, loss: reported.append((step, loss))  # noqa: E731
    fit = learning.fit(jax.random.key(0), draw(0.5), report=report, **options)
    assert fit.filter.shape == (5, 5)
    assert float((fit.filter**2).sum()) == pytest.approx(1, abs=1e-5)
    assert fit.losses.shape == (12,)
    assert fit.steps.tolist() == [0, 5, 10, 12]
    assert fit.filters.shape == (4, 5, 5)
    assert [step for step, _ in reported] == [5, 10, 12]
    assert reported[-1][1] == float(fit.losses[-1])
    assert (learning.fit(jax.random.key(0), draw(0.5), **options).filter == fit.filter).all()
    assert (learning.fit(jax.random.key(1), draw(0.5), **options).filter != fit.filter).any()


def test_fit_takes_any_optimizer(single):
    options = {"size": 5, "steps": 5, "batch": 4}
    plain = learning.fit(jax.random.key(0), draw(0.5), **options)
    other = learning.fit(jax.random.key(0), draw(0.5), optimizer=optax.sgd(0.01), **options)
    still = learning.fit(jax.random.key(0), draw(0.5), optimizer=optax.sgd(0.0), **options)
    assert (plain.filter != other.filter).any()
    np.testing.assert_allclose(still.filter, still.filters[0], atol=1e-6)


def test_optimum_has_the_greatest_deflection(single):
    optimum = learning.optimum(jax.random.key(1), draw(0.0), size=9, noise=0.5)
    images, places = learning._batch(draw(0.5), jax.random.key(2), 400, 0)
    score = lambda kernel: float(learning.deflection(kernel, images, places))  # noqa: E731
    template = signals.circle(9, zero_mean=True, unit_energy=True)
    shaken = [optimum + 0.05 * jax.random.normal(jax.random.key(i), (9, 9)) for i in range(8)]
    assert max(map(score, [template, *shaken])) < score(optimum)


def test_evaluate_tells_a_good_filter_from_a_bad_one(single):
    good = signals.circle(9, zero_mean=True)
    rate = learning.evaluate(jax.random.key(3), draw(0.4), jnp.stack([good, -good]), count=200)
    assert rate.detected.shape == (2,)
    assert rate.ranked_first[0] > 0.95
    assert rate.ranked_first[1] < 0.05


def test_cosine_similarity_ignores_mean_and_scale(rng):
    a = jnp.asarray(rng.standard_normal((4, 4)))
    assert float(learning.cosine_similarity(a, 5 * a + 2)) == pytest.approx(1)
    assert float(learning.cosine_similarity(a, -a)) == pytest.approx(-1)
