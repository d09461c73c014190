"""Normalized correlation against scikit-image and the definition; peaks against a slow search."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.ndimage import label
from skimage import data
from skimage.feature import match_template, peak_local_max

from jaxconv import kernels, matching


def test_agrees_with_scikit_image(rng):
    image, template = rng.random((40, 50)), rng.random((7, 9))
    got = matching.normalized_correlation(image, template)
    np.testing.assert_allclose(got, match_template(image, template), atol=1e-10)


@pytest.mark.parametrize("shapes", [((30,), (5,)), ((12, 9), (3, 4)), ((7, 8, 6), (3, 2, 4))])
def test_agrees_with_the_definition(rng, shapes):
    signal, template = (rng.standard_normal(shape) for shape in shapes)
    windows = np.lib.stride_tricks.sliding_window_view(signal, template.shape)
    axes = tuple(range(-template.ndim, 0))
    x, t = windows - windows.mean(axes, keepdims=True), template - template.mean()
    want = (x * t).sum(axes) / np.sqrt((x**2).sum(axes) * (t**2).sum())
    np.testing.assert_allclose(matching.normalized_correlation(signal, template), want, atol=1e-12)


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
def test_brightness_and_contrast_do_not_matter(rng, mode):
    signal, template = rng.random((30, 31)), rng.random((5, 4))
    plain = matching.normalized_correlation(signal, template, mode=mode)
    other = matching.normalized_correlation(7 * signal + 3, 2 * template - 1, mode=mode)
    np.testing.assert_allclose(plain, other, atol=1e-9)


def test_a_copy_scores_one_and_its_negative_minus_one(rng, single):
    signal = jnp.asarray(rng.random((60, 60)), jnp.float32) + 100
    template = signal[20:31, 30:41]
    score = matching.normalized_correlation(signal, template)
    assert jnp.unravel_index(score.argmax(), score.shape) == (20, 30)
    assert float(score.max()) == pytest.approx(1, abs=1e-4)
    assert float(matching.normalized_correlation(signal, -template)[20, 30]) == pytest.approx(
        -1, abs=1e-4
    )


def test_flat_places_and_flat_templates_score_nothing(single):
    signal = jnp.full((20, 20), 1000.1).at[15, 15].set(1001.0)
    score = matching.normalized_correlation(signal, jnp.eye(3))
    assert (score[:10, :10] == 0).all()
    assert (matching.normalized_correlation(signal, jnp.ones((3, 3)) * 0.1) == 0).all()


def test_gradient_is_finite_where_flat_and_right_elsewhere(rng):
    signal = jnp.asarray(rng.random((10, 10))).at[:4, :4].set(0.5)
    template = jnp.asarray(rng.random((3, 3)))

    def total(signal, template):
        return (matching.normalized_correlation(signal, template) ** 2).sum()

    for gradient in jax.grad(total, (0, 1))(signal, template):
        assert jnp.isfinite(gradient).all()
    check_grads(lambda t: total(signal, t), (template,), order=1, atol=1e-5, rtol=1e-5)


def slow_peaks(score, threshold, distance):
    """Take the highest of the plateaus above the threshold, forget what is near it, and so on."""
    left, found = score.copy(), []
    summit = np.array(
        [
            score[index]
            >= score[tuple(slice(max(i - distance, 0), i + distance + 1) for i in index)].max()
            for index in np.ndindex(score.shape)
        ]
    ).reshape(score.shape)
    plateaus, count = label(summit & (score > threshold), np.ones((3,) * score.ndim))
    firsts = [np.flatnonzero(plateaus == number + 1)[0] for number in range(count)]
    left[...] = -np.inf
    left.ravel()[firsts] = score.ravel()[firsts]
    while np.isfinite(left).any():
        index = np.unravel_index(left.argmax(), left.shape)
        found.append(tuple(int(i) for i in index))
        left[tuple(slice(max(i - distance, 0), i + distance + 1) for i in index)] = -np.inf
    return found


@pytest.mark.parametrize("shape", [(60,), (20, 25), (8, 7, 9)])
@pytest.mark.parametrize("distance", [1, 2, 4])
def test_peaks_agree_with_a_slow_search(rng, shape, distance):
    score = rng.integers(0, 12, shape).astype(float)  # many equals
    peaks = jax.jit(matching.find_peaks, static_argnames=("min_distance", "max_peaks"))(
        score, threshold=6.0, min_distance=distance
    )
    count = int(peaks.count)
    assert [tuple(p) for p in peaks.places[:count].tolist()] == slow_peaks(score, 6.0, distance)[:100]
    assert (np.diff(peaks.scores[:count]) <= 0).all()


@pytest.mark.parametrize("distance", [1, 8])
def test_peaks_of_photographs_are_scikit_images(distance):
    for image, row, column in ((data.coins(), 75, 370), (data.camera(), 100, 220)):
        score = matching.normalized_correlation(
            image, image[row : row + 41, column : column + 11], mode="same"
        )
        want = peak_local_max(
            np.asarray(score), distance, threshold_abs=0.3, exclude_border=False, p_norm=np.inf
        )
        peaks = matching.find_peaks(score, threshold=0.3, min_distance=distance, max_peaks=5000)
        got = peaks.places[: int(peaks.count)].tolist()
        assert len(got) > 10
        assert sorted(got) == sorted(want.tolist())


def test_positions_are_the_tops_of_parabolas():
    y, x = jnp.mgrid[:20, :20]
    for top in ((7.3, 11.8), (9.0, 5.45)):
        dy, dx = y - top[0], x - top[1]
        bowl = 5 - (dy**2 + 0.8 * dy * dx + 2 * dx**2)  # not along the axes
        np.testing.assert_allclose(matching.find_peaks(bowl, max_peaks=1).positions[0], top, atol=1e-9)
    ridge = jnp.array([0.0, 3.0, 3.0, 0.0])
    assert float(matching.find_peaks(ridge).positions[0, 0]) == 1.5
    edge = jnp.array([5.0, 1.0, 0.0])
    assert float(matching.find_peaks(edge).positions[0, 0]) == 0


def test_peaks_beyond_the_count_are_empty():
    peaks = matching.find_peaks(jnp.array([0.0, 3.0, 0.0, 0.0, 2.0]), max_peaks=4)
    assert int(peaks.count) == 2
    assert peaks.places.tolist() == [[1], [4], [-1], [-1]]
    assert peaks.scores.tolist() == [3, 2, -jnp.inf, -jnp.inf]


def test_no_peaks_in_a_map_below_the_threshold():
    assert int(matching.find_peaks(jnp.zeros((5, 5)), threshold=0.0).count) == 0


def test_edges_of_a_ramp_are_its_slope():
    ramp = jnp.outer(jnp.ones(9), jnp.arange(9.0)) * 0.25
    np.testing.assert_allclose(kernels.edges(ramp)[:, 1:-1], 0.25, atol=1e-12)
    np.testing.assert_allclose(kernels.edges(ramp.T)[1:-1], 0.25, atol=1e-12)


def test_edges_have_a_gradient_where_the_image_is_flat():
    gradient = jax.grad(lambda image: kernels.edges(image).sum())(jnp.zeros((5, 5)).at[4, 4].set(1.0))
    assert jnp.isfinite(gradient).all()


def test_edges_of_the_photograph_are_where_scikit_image_finds_them():
    from skimage import data
    from skimage.filters import sobel

    camera = data.camera()[::2, ::2] / 255.0
    ours, theirs = np.asarray(kernels.edges(camera)), sobel(camera) / np.sqrt(2)  # his scale
    np.testing.assert_allclose(ours[1:-1, 1:-1], theirs[1:-1, 1:-1], atol=1e-6)


def test_peaks_that_are_left_out_are_counted():
    grid = jnp.zeros((60, 60)).at[::4, ::4].set(1.0)
    with pytest.warns(UserWarning, match="the map has 225 peaks, and the highest 100 are returned"):
        peaks = matching.find_peaks(grid)
    assert (int(peaks.count), int(peaks.total)) == (100, 225)
    peaks = matching.find_peaks(grid, max_peaks=300)
    assert (int(peaks.count), int(peaks.total)) == (225, 225)


def test_peaks_of_integers_are_compared_as_integers(single):
    score = np.array([2**24, 0, 2**24 + 1, 0, 2**24], np.int32)
    peaks = matching.find_peaks(score, threshold=1, min_distance=4, max_peaks=3)
    assert peaks.places[: peaks.count].tolist() == [[2]]
    narrow = matching.find_peaks(np.array([0, 200, 0, 255, 1], np.uint8), max_peaks=5)
    assert narrow.places[: narrow.count].tolist() == [[3], [1]]
    with pytest.raises(ValueError, match="`score` must have axes"):
        matching.find_peaks(3.0)
