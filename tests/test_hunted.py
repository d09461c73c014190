"""Mistakes that a hunt by hostile cases found: each one small case, and where it helps its kind."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

import jaxconv
from jaxconv import detection, kernels, matching
from tests.helpers import assert_close

SCALES = (1e-30, 1e-15, 1e-10, 1e10, 1e15)


@pytest.mark.parametrize("scale", SCALES)
def test_coefficients_do_not_depend_on_the_scale(rng, single, scale):
    a, b = rng.standard_normal((2, 40)).astype("float32")
    want = jaxconv.correlate(a, b, normalize="coefficient")
    got = jaxconv.correlate(a * np.float32(scale), b * np.float32(scale), normalize="coefficient")
    np.testing.assert_allclose(got, want, atol=2e-6)


def test_coefficients_of_what_was_prepared(rng):
    a, b = 1e3 * rng.standard_normal((2, 40))
    want = jaxconv.correlate(a, b, normalize="coefficient")
    prepared = jaxconv.prepare(b, (40,), jaxconv.correlate, normalize="coefficient")
    np.testing.assert_allclose(jaxconv.correlate(a, prepared, normalize="coefficient"), want, atol=1e-6)


@pytest.mark.needs_x64
def test_options_per_axis_are_in_the_order_of_the_axes(rng):
    image, kernel = rng.standard_normal((20, 22)), rng.standard_normal((3, 4))
    for axes in ((1, 0), (-1, -2), (0, 1)):
        got = jaxconv.gaussian_filter(image, (1.0, 3.0), (1, 0), axes=axes)
        want = scipy.ndimage.gaussian_filter(image, (1.0, 3.0), (1, 0), axes=axes)
        np.testing.assert_allclose(got, want, atol=1e-5)
    options = {"boundary": ("wrap", "edge"), "stride": (2, 3), "dilation": (1, 2), "origin": (1, 0)}
    turned = {name: value[::-1] for name, value in options.items()}
    for function in (jaxconv.convolve, jaxconv.correlate):
        got = function(image, kernel, "same", axes=(1, 0), **options)
        np.testing.assert_array_equal(got, function(image, kernel, "same", axes=(0, 1), **turned))
    got = jaxconv.correlate(image, kernel, axes=(1, 0), lags=(2, 5))
    np.testing.assert_array_equal(got, jaxconv.correlate(image, kernel, lags=(5, 2)))
    beyond = {"mode": "same", "axes": (1, 0), "boundary": ("wrap", "edge")}
    got = matching.normalized_correlation(image, kernel, **beyond)
    want = matching.normalized_correlation(image, kernel, mode="same", boundary=("edge", "wrap"))
    np.testing.assert_allclose(got, want, atol=1e-12)
    factors = [rng.standard_normal(3), rng.standard_normal(5)]
    got = jaxconv.convolve_separable(image, factors, axes=(1, 0))
    np.testing.assert_allclose(got, jaxconv.convolve_separable(image, factors[::-1]), atol=1e-12)


@pytest.mark.parametrize("method", ["auto", "direct"])
def test_windows_that_lie_beyond_the_signal(method):
    got = jaxconv.correlate(jnp.ones(50), jnp.ones(5), lags=range(1000, 1003), method=method)
    assert got.tolist() == [0, 0, 0]
    lhs, rhs = jnp.ones((2, 16, 3, 20)), jnp.ones((16, 16, 3, 3))
    pads = [(1, 1), (-25, 40)]
    want = jax.lax.conv_general_dilated(lhs, rhs, (1, 1), pads)
    got = jaxconv.conv_general_dilated(lhs, rhs, (1, 1), pads, method=method)
    np.testing.assert_allclose(got, want)


@pytest.mark.parametrize("method", ["auto", "shifts", "direct"])
def test_an_empty_signal_under_padding_and_what_is_true_or_false(method):
    empty, kernel = jnp.ones((2, 2, 9, 0)), jnp.ones((3, 2, 3, 3))
    got = jaxconv.conv_general_dilated(empty, kernel, (1, 1), [(40, 40), (40, 40)], method=method)
    assert got.shape == (2, 3, 87, 78)
    assert not got.any()
    flags, taps = jnp.ones((1, 1, 5000), bool), jnp.ones((1, 1, 3), bool)
    want = jax.lax.conv_general_dilated(flags, taps, (1,), "VALID")
    got = jaxconv.conv_general_dilated(flags, taps, (1,), "VALID", method=method)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "dtypes", [("complex64", "float32"), ("float16", "float32"), ("int32", "int32")]
)
def test_strict_promotion_of_transforms(rng, dtypes):
    a, b = (jnp.asarray(rng.integers(0, 9, n)).astype(t) for n, t in zip((40, 7), dtypes, strict=True))
    with jax.numpy_dtype_promotion("strict"):
        for function in (jaxconv.fftconvolve, jaxconv.oaconvolve, jaxconv.convolve):
            got = function(a, b)
            np.testing.assert_allclose(got, np.convolve(a, b), atol=1e-3)


def test_a_nan_that_the_template_hides(rng):
    image = rng.standard_normal((12, 12))
    template, hidden = image[3:6, 4:7].copy(), np.zeros((3, 3), bool)
    hidden[1, 1] = True
    image[4, 5] = np.nan
    one = matching.normalized_correlation(image, template, template_mask=hidden)
    best = matching.best_match(image, template[None], template_mask=hidden)
    np.testing.assert_allclose(best.score, one, atol=1e-6)
    assert_close(one[3, 4], np.ones(()), 1)
    loudest = matching.loudest(image, template[None], template_mask=hidden)
    assert loudest.place.tolist() == [[3, 4]]


def test_a_template_of_one_sample_keeps_a_nan():
    signal = jnp.array([1.0, jnp.nan, 2.0])
    best = matching.best_match(signal, jnp.array([[1.0]])).score
    for score in (matching.normalized_correlation(signal, [1.0]), matching.match(signal, [1.0]), best):
        assert jnp.isnan(score).tolist() == [False, True, False]


@pytest.mark.parametrize("scale", [1e-25, 1e-12, 1.0, 1e12, 1e25])
@pytest.mark.parametrize("measure", ["normalized_squared_difference", "cosine"])
def test_unlike_scales(rng, single, scale, measure):
    image = rng.standard_normal((9, 8)).astype("float32")
    template = rng.standard_normal((3, 3)).astype("float32")
    wide = image.astype(float) * scale
    windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3))
    norms = np.sqrt((windows**2).sum((-1, -2)) * (template.astype(float) ** 2).sum())
    products, apart = (windows * template).sum((-1, -2)), ((windows - template) ** 2).sum((-1, -2))
    want = (products if measure == "cosine" else apart) / norms
    got = matching.match(image * np.float32(scale), template, measure)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["auto", "fft"])
@pytest.mark.parametrize("measure", ["squared_difference", "correlation", "cosine"])
def test_a_hot_sample_elsewhere_under_weights(rng, single, method, measure):
    image = rng.standard_normal((20, 20)).astype("float32")
    template, hot = image[10:13, 11:14].copy(), image.copy()
    hot[4, 4] = 1e20
    weights = np.abs(template) + 0.1
    far = np.ones((18, 18), bool)
    far[2:5, 2:5] = False
    compare = partial(matching.match, template=template, measure=measure, method=method)
    got, want = (compare(x, weights=weights) for x in (hot, image))
    np.testing.assert_allclose(got[far], want[far], rtol=1e-4, atol=1e-4)
    weights[1, 1] = 0  # which hides the hot sample from the window around it
    cold = hot.copy()
    cold[4, 4] = 0
    got, want = (compare(x, weights=weights)[3, 3] for x in (hot, cold))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", ["auto", "products", "direct"])
def test_few_windows_far_from_zero_under_weights(rng, single, method):
    """XLA joined the mean's division and the difference in one instruction in some loops, not in all."""
    for length in (21, 22, 24):
        signal = (1e4 + 1e-2 * rng.standard_normal((3, length))).astype("float32")
        template, weights = signal[:, 1:21].copy(), rng.random((3, 20)).astype("float32")
        got = matching.match(signal, template, weights=weights, channel_axis=0, method=method)[1]
        np.testing.assert_allclose(got, 1, atol=1e-4)


def test_weights_are_real_and_a_nan_among_them_is_told():
    with pytest.raises(TypeError, match="match: `weights` must be real"):
        matching.match(np.ones((9, 9)), np.eye(3), weights=np.eye(3) * 1j)
    assert jnp.isnan(matching.match(np.eye(9), np.eye(3), weights=np.full((3, 3), np.nan))).all()


@pytest.mark.needs_x64
def test_fill_values_that_are_zero_or_that_nothing_uses(rng):
    signal, kernel = rng.standard_normal(9), np.ones(3)
    for zero in (0, 0.0, np.float32(0), np.int32(0)):
        assert jaxconv.convolve_masked(signal, kernel, fillvalue=zero).shape == (9,)
    image, patch = rng.standard_normal((6, 5)), rng.standard_normal((3, 2))
    got = jaxconv.convolve2d(image, patch, "same", "wrap", 1 + 2j)
    np.testing.assert_allclose(got, scipy.signal.convolve2d(image, patch, "same", "wrap"), atol=1e-12)


def test_whole_numbers_are_compared_with_the_threshold_as_they_are():
    line = np.array([0, 16_777_217, 0], np.int32)
    assert int(matching.find_peaks(line, threshold=16_777_216).count) == 1
    assert int(matching.find_peaks(line, threshold=16_777_217).count) == 0
    assert int(matching.find_peaks(line, threshold=16_777_216.5).count) == 1
    small = np.array([0, 200, 0], np.uint8)
    for threshold, count in ((-1e30, 1), (199.5, 1), (200, 0), (1e30, 0), (np.nan, 0), (-np.inf, 1)):
        assert int(matching.find_peaks(small, threshold=threshold).count) == count


@pytest.mark.parametrize("scale", SCALES)
def test_edges_of_any_scale(rng, single, scale):
    image = rng.standard_normal((8, 9)).astype("float32")
    got = kernels.edges(image * np.float32(scale)) / scale
    np.testing.assert_allclose(got, kernels.edges(image), rtol=1e-5)


def test_rates_of_nothing_are_unknown():
    assert jnp.isnan(detection.roc(np.zeros(0, np.float32), np.zeros(0, bool)).area)


REFUSED = [
    (lambda: detection.threshold(np.float32(2.0)), "threshold: `false_alarm` must lie between 0 and 1"),
    (lambda: detection.whiten(np.ones(4), np.ones(0)), "`noise_spectrum` must have elements"),
    (lambda: matching.loudest(np.zeros((0, 5)), np.ones((1, 3))), "`signal` must have elements"),
    (lambda: matching.match(2.0, 2.0), "`image` must have an axis along which to slide"),
    (lambda: kernels.gaussian(np.inf), "`sigma` must be positive and finite"),
    (
        lambda: matching.normalized_correlation(np.ones((2, 9)), np.ones((3, 3)), channel_axis=0),
        "`template` must have as many channels as `signal`, 2; got 3",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_has_no_answer_is_refused_in_plain_words(call, message):
    with pytest.raises(ValueError, match="must") as error:
        call()
    assert message in str(error.value)


def test_the_best_template_is_the_one_with_the_score():
    """A map that was computed twice was rounded in two ways, and then none equalled the maximum."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x, bank = (rng.standard_normal(shape).astype("f4") for shape in ((50, 20), (4, 4, 2)))
        best = matching.best_match(x, bank, measure="correlation")
        maps = np.stack([jaxconv.correlate(x, t, "valid") for t in bank])
        np.testing.assert_array_equal(best.which, maps.argmax(0))
        np.testing.assert_allclose(best.score, maps.max(0), atol=1e-5)
