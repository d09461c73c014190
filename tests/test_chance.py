"""Thresholds from scores of chance: held to counts, in noise and in photographs."""

import jax
import numpy as np
import pytest
import skimage.data
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxconv import detection, matching

SHARES = np.array([1e-1, 1e-2, 1e-3, 1e-4])


def photograph(name):
    """Return a photograph's brightness."""
    picture = np.asarray(getattr(skimage.data, name)(), np.float32)[:512, :512]
    return picture.mean(-1) if picture.ndim == 3 else picture


def test_in_noise_as_many_exceed_it_as_stated(rng):
    noise = np.tanh(0.15 * rng.standard_normal((2, 1000, 1000)))
    thresholds = detection.score_threshold(noise[0].astype(np.float32), SHARES)
    for share, threshold in zip(SHARES, thresholds):
        assert (noise[1] > float(threshold)).mean() == pytest.approx(share, rel=0.5)


def test_where_so_few_exceed_it_that_none_is_there_to_count(rng):
    few = np.tanh(0.15 * rng.standard_normal(20_000))
    many = np.tanh(0.15 * rng.standard_normal(10_000_000))
    threshold = float(detection.score_threshold(few, 1e-5))
    assert 1e-6 < (many > threshold).mean() < 1e-4  # of 400 scores in the tail


@pytest.mark.parametrize(
    ("picture", "other"), [("camera", "coins"), ("brick", "camera"), ("coins", "moon"), ("text", "page")]
)
def test_in_photographs_as_many_exceed_it_as_stated(picture, other):
    """The template is from another photograph, so that whatever is found is found by chance."""
    template = photograph(other)[100:115, 120:135]
    scores = matching.normalized_correlation(photograph(picture), template)
    for share in (1e-2, 1e-3):
        threshold = detection.score_threshold(scores, share)
        assert 0.6 * share < float((scores > threshold).mean()) < 1.6 * share


def test_a_threshold_rises_as_the_share_falls_and_takes_any_shape(rng):
    scores = rng.uniform(-1, 1, (50, 60)).astype(np.float32)
    shares = np.array([[0.5, 0.1], [1e-3, 1e-9]])
    found = np.asarray(detection.score_threshold(scores, shares))
    assert found.shape == (2, 2)
    assert (np.diff(found.ravel()) > 0).all()
    assert found.max() <= 1


@pytest.mark.parametrize("scores", [np.zeros(100), np.full((5, 5), 0.5), np.ones(9), [0.3]])
def test_flat_scores_have_a_threshold_of_their_own_value(scores):
    value = np.ravel(scores)[0]
    assert float(detection.score_threshold(scores, 1e-3)) == pytest.approx(value, abs=1e-3)


def test_nan_do_not_count_and_jit_changes_nothing(rng):
    scores = np.tanh(0.1 * rng.standard_normal(5000)).astype(np.float32)
    holes = np.concatenate([scores, np.full(777, np.nan, np.float32)])
    want = detection.score_threshold(scores, 1e-4)
    np.testing.assert_allclose(detection.score_threshold(holes, 1e-4), want, rtol=1e-5)
    np.testing.assert_allclose(jax.jit(detection.score_threshold)(scores, 1e-4), want, rtol=1e-5)


@pytest.mark.parametrize("kind", [AxisType.Explicit, AxisType.Auto])
def test_a_map_that_lies_on_many_devices_has_the_same_threshold(rng, kind):
    scores = np.tanh(0.1 * rng.standard_normal((64, 40)))
    mesh = jax.make_mesh((4,), ("rows",), axis_types=(kind,))
    divided = jax.device_put(scores, NamedSharding(mesh, P("rows")))
    with jax.set_mesh(mesh):
        got = detection.score_threshold(divided, 1e-3)
    np.testing.assert_allclose(got, detection.score_threshold(scores, 1e-3), rtol=1e-6)


@pytest.mark.parametrize(
    ("scores", "share", "error", "match"),
    [
        ([3.0, 2.0], 0.1, ValueError, "from -1 to 1; got 3.0. `detection.threshold`"),
        ([0.1], 0.0, ValueError, "over 0 and up to 1"),
        ([0.1], 1.5, ValueError, "over 0 and up to 1"),
        ([], 0.1, ValueError, "scores"),
        ([1j], 0.1, TypeError, "be real"),
    ],
)
def test_mistakes_are_told(scores, share, error, match):
    with pytest.raises(error, match=match):
        detection.score_threshold(scores, share)
