"""Normalized correlation and its measures: scikit-image's and OpenCV's values, and what theirs lose."""

from functools import partial

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage import data
from skimage.feature import match_template as skimages
from skimage.registration._masked_phase_cross_correlation import cross_correlate_masked

import jaxconv
from jaxconv import matching
from jaxconv.engine.differentiated import differentiated_as
from jaxconv.matching.moments import moments
from jaxconv.matching.refining import refined
from tests.helpers import assert_derivatives

OPENCV = {
    "squared_difference": cv2.TM_SQDIFF,
    "normalized_squared_difference": cv2.TM_SQDIFF_NORMED,
    "correlation": cv2.TM_CCORR,
    "cosine": cv2.TM_CCORR_NORMED,
    "coefficient": cv2.TM_CCOEFF,
    "normalized_coefficient": cv2.TM_CCOEFF_NORMED,
}
TEXTURE = np.random.default_rng(3).standard_normal((120, 130)).astype(np.float32)
PIECE = TEXTURE[20:41, 30:49]
SPECKLED = np.random.default_rng(4).random((40, 60)) < 0.1
UNHEARD = np.random.default_rng(5).random((9, 8)) < 0.2
WEIGHTS = np.where(UNHEARD, 0, 0.5 + np.random.default_rng(6).random((9, 8))).astype(np.float32)


@pytest.mark.parametrize(
    "shapes", [((60, 50), (7, 10)), ((20, 22, 18), (5, 4, 6)), ((30, 31), (30, 31))]
)
@pytest.mark.parametrize("pad_input", [False, True])
def test_match_template_is_scikit_images(rng, single, shapes, pad_input):
    image, template = (rng.random(shape) for shape in shapes)
    got = jaxconv.match_template(image, template, pad_input)
    assert got.dtype == jnp.float32
    np.testing.assert_allclose(got, skimages(image, template, pad_input), atol=1e-5)


@pytest.mark.parametrize("mode", matching.template.PADDING)
def test_match_template_pads_as_scikit_image(mode):
    image = data.camera()[100:160, 200:250]
    template = image[11:20, 15:30]
    want = skimages(image.astype(float), template.astype(float), pad_input=True, mode=mode)
    got = jaxconv.match_template(image, template, True, mode)
    np.testing.assert_allclose(got, want, atol=1e-9)


def test_match_template_finds_in_a_photograph_what_scikit_image_finds(single):
    coins = data.coins()
    got = jaxconv.match_template(coins, coins[170:220, 75:130])
    np.testing.assert_allclose(got, skimages(coins, coins[170:220, 75:130]), atol=1e-5)


def test_neither_offset_nor_scale_matters(single):
    plain = jaxconv.match_template(TEXTURE, PIECE)
    for scale in (1e-9, 1e9):
        scaled = jaxconv.match_template(TEXTURE * np.float32(scale), PIECE)
        np.testing.assert_allclose(scaled, plain, atol=1e-6)
    coarse = np.round(TEXTURE * 64) / 64  # which 1e4 can be added to without rounding
    plain = jaxconv.match_template(coarse, PIECE)
    np.testing.assert_allclose(jaxconv.match_template(coarse + 1e4, PIECE), plain, atol=1e-6)


def test_float32_survives_great_brightness(single):
    bright = (1e4 + TEXTURE.astype(float)).astype(np.float32)
    want = skimages(bright.astype(float), bright[20:41, 30:49].astype(float))
    np.testing.assert_allclose(jaxconv.match_template(bright, bright[20:41, 30:49]), want, atol=1e-4)
    faint = (1e4 + 1e-3 * np.random.default_rng(0).random((90, 90))).astype(np.float32)
    score = jaxconv.match_template(faint, faint[10:31, 40:61])
    assert jnp.unravel_index(score.argmax(), score.shape) == (10, 40)
    assert float(score.max()) == pytest.approx(1, abs=1e-5)


def test_a_bright_half_does_not_drown_the_other(single):
    half = TEXTURE.copy()
    half[:, 65:] += 1e4
    want = skimages(half.astype(float), PIECE.astype(float))
    np.testing.assert_allclose(jaxconv.match_template(half, PIECE), want, atol=2e-3)


def test_a_nan_spoils_the_windows_that_hold_it():
    spoilt = TEXTURE.copy()
    spoilt[50, 60] = np.nan
    plain, score = (np.asarray(jaxconv.match_template(x, PIECE)) for x in (TEXTURE, spoilt))
    held = np.zeros(score.shape, bool)
    held[30:51, 42:61] = True
    np.testing.assert_array_equal(np.isnan(score), held)
    np.testing.assert_allclose(score[~held], plain[~held], atol=1e-6)
    gradient = jax.grad(lambda x: jnp.nansum(jaxconv.match_template(x, PIECE) ** 2))(jnp.asarray(spoilt))
    assert jnp.isfinite(gradient).all()


def test_masks_are_padfields(rng):
    image, template = rng.random((40, 45)), rng.random((9, 8))
    here, heard = rng.random(image.shape) > 0.2, rng.random(template.shape) > 0.3
    here[:20, :20] = True  # so that somewhere the whole template meets samples
    for mode in ("full", "same"):
        want = cross_correlate_masked(image, template, here, heard, mode=mode, axes=(0, 1))
        got = matching.normalized_correlation(
            image, template, mode=mode, mask=~here, template_mask=~heard, boundary="missing"
        )
        np.testing.assert_allclose(got, want, atol=1e-9)
        share = matching.overlap_share(~here, ~heard, mode=mode)
        np.testing.assert_array_equal(share >= 0.3, want != 0)


def test_what_a_mask_hides_does_not_matter(rng):
    image, template = rng.random((30, 30)), rng.random((6, 6))
    mask = rng.random(image.shape) < 0.3
    spoilt = np.where(mask, np.nan, image)
    plain = matching.normalized_correlation(image, template, mask=mask)
    got = matching.normalized_correlation(spoilt, template, mask=mask)
    np.testing.assert_allclose(got, plain, atol=1e-9)
    whole = matching.normalized_correlation(image, template, mask=np.zeros_like(mask))
    np.testing.assert_allclose(whole, matching.normalized_correlation(image, template), atol=1e-9)


@pytest.mark.parametrize("measure", OPENCV)
@pytest.mark.parametrize("channels", [False, True])
def test_measures_are_opencvs(rng, single, measure, channels):
    image = (rng.random((60, 70, 3)) * 255).astype(np.float32)
    weights = rng.random((11, 14, 3)).astype(np.float32)
    template, options = image[20:31, 30:44], {"channel_axis": 2}
    if not channels:
        image, template, weights = (np.ascontiguousarray(a[..., 0]) for a in (image, template, weights))
        options = {}
    for extra, mask in (({}, None), ({"weights": weights}, weights)):
        want = cv2.matchTemplate(image, template.copy(), OPENCV[measure], mask=mask)
        got = matching.match(image, template, measure, **options, **extra)
        np.testing.assert_allclose(got, want, atol=1e-4 * np.abs(want).max())


@pytest.mark.parametrize("measure", OPENCV)
def test_measures_do_what_they_say_where_opencv_does_not(rng, measure):
    image = rng.random((20, 20))
    image[:10, :10] = 0.7
    for template in (np.full((4, 4), 0.1), image[12:16, 12:16]):
        for weights in (None, np.ones((4, 4))):
            score = matching.match(image, template, measure, weights=weights)
            assert jnp.isfinite(score).all()
            if "coefficient" in measure:
                assert jnp.abs(score[:6, :6]).max() < 1e-9
            compare = partial(matching.match, template=template, measure=measure, weights=weights)
            gradient = jax.jit(jax.jacrev(compare))(jnp.asarray(image)).sum((0, 1))
            assert jnp.isfinite(gradient).all()


def test_channels_are_matched_together_and_batches_apart(rng):
    images, template = rng.random((4, 20, 22, 3)), rng.random((5, 6, 3))
    each = jnp.stack([matching.match(image, template, channel_axis=2) for image in images])
    options = {"axes": (1, 2), "channel_axis": 3}
    got = matching.normalized_correlation(images, template[None], **options)
    np.testing.assert_allclose(got, each, atol=1e-9)
    apart = jaxconv.match_template(images, template[None], axes=(1, 2))
    for number in range(3):
        want = skimages(images[1, ..., number], template[..., number])
        np.testing.assert_allclose(apart[1, ..., number], want, atol=1e-9)
    mapped = jax.vmap(lambda x: matching.match(x, template, channel_axis=2))(images)
    np.testing.assert_allclose(mapped, each, atol=1e-9)


def test_gradients_of_scores(rng):
    image, template = rng.random((9, 10)), rng.random((3, 4))
    mask, unheard = rng.random(image.shape) < 0.2, rng.random(template.shape) < 0.2

    def plain(image, template):
        return (matching.normalized_correlation(image, template, mode="same") ** 3).sum()

    def masked(image, template):
        score = matching.normalized_correlation(image, template, mask=mask, template_mask=unheard)
        return (score**3).sum()

    for total in (plain, masked):
        assert_derivatives(total, image, template, tolerance=1e-3)


@pytest.mark.parametrize(
    ("shape", "window"),
    [((50,), (9,)), ((3, 40, 37), (6, 5)), ((12, 13, 14), (3, 4, 5)), ((700_000,), (33,))],
)
def test_moments_are_the_definitions(rng, shape, window):
    signal = rng.standard_normal(shape) + 1e6
    axes = tuple(range(-len(window), 0))
    windows = np.lib.stride_tricks.sliding_window_view(signal, window, axes)
    mean, variation = jax.jit(moments, static_argnums=1)(jnp.asarray(signal), window)
    np.testing.assert_allclose(mean, windows.mean(axes), rtol=1e-12)
    np.testing.assert_allclose(variation, windows.var(axes) * np.prod(window), rtol=1e-6)


def test_the_curvature_of_a_refined_score_is_the_scores():
    """Its first derivative is, and was once not differentiated again with it."""

    def score(x):
        """The cube over the root of x, 5 times as large by the definition, which knows the energy."""
        by = lambda window, seen: (window.sum() * 3**2.5, 3.0, 1.0)  # noqa: E731
        value, signal = jnp.full((1,), x**3), jnp.array([[2.0, 3.0]])
        return refined(value, (jnp.full((1,), x), jnp.ones(())), value > 0, signal, None, (2,), by, ())[
            0
        ]

    root = 5 * 3**2.5  # what the definition gives; then the derivatives of value / sqrt(energy)
    first = 3 * 3**2 / 3**0.5 - root / 2 / 3
    second = 6 * 3 / 3**0.5 - 2 * (3 * 3**2 / 3**0.5) / 2 / 3 + root * 0.75 / 3**2
    for n, want in enumerate((root, first, second)):
        fn = score
        for _ in range(n):
            fn = jax.grad(fn)
        np.testing.assert_allclose(fn(3.0), want, rtol=1e-12)


@pytest.mark.parametrize("under", [lambda f: f, jax.checkpoint, jax.jit])
def test_values_have_the_derivatives_of_a_score_in_a_loop(under):
    """To the second order, where JAX forgets the rule of a `custom_jvp` function."""

    def total(x, fn):
        steps = jnp.arange(1.0, 4.0)
        return jax.lax.scan(lambda sum, step: (sum + fn(step * x), None), jnp.zeros(()), steps)[0]

    stepped = lambda x: differentiated_as(jnp.sin(x), jnp.round(jnp.sin(x), 3)) ** 2  # noqa: E731
    loss, truth = partial(total, fn=under(stepped)), partial(total, fn=lambda x: jnp.sin(x) ** 2)
    assert float(loss(0.7)) != float(truth(0.7))
    for order in (jax.grad, lambda f: jax.grad(jax.grad(f)), lambda f: jax.jacfwd(jax.grad(f))):
        np.testing.assert_allclose(order(loss)(0.7), order(truth)(0.7), rtol=0.01)
    each = jax.vmap(differentiated_as, (0, None))(jnp.ones(2), jnp.zeros(()))
    assert each.tolist() == [0, 0]


def best_score(x, t, **options):
    return matching.best_match(x, jnp.stack([t, -t]), **options).score


FAINT = {
    "plain": matching.normalized_correlation,
    "masked": partial(matching.normalized_correlation, mask=SPECKLED),
    "template masked": partial(matching.normalized_correlation, template_mask=UNHEARD),
    "both masked": partial(matching.normalized_correlation, mask=SPECKLED, template_mask=UNHEARD),
    "weighted": partial(matching.match, weights=WEIGHTS),
    "weighted cosine": partial(matching.match, measure="cosine", weights=WEIGHTS),
    "weighted difference": partial(
        matching.match, measure="normalized_squared_difference", weights=WEIGHTS
    ),
    "best of two": best_score,
    "best of two, masked": partial(best_score, template_mask=UNHEARD),
}


@pytest.mark.parametrize("method", ["fft", "direct"])
@pytest.mark.parametrize("name", FAINT)
def test_gradients_of_faint_windows_beside_loud_ones(rng, name, method):
    """Of which sums over all windows know no digit; a gradient was once noise, of ten times its size."""
    fn = FAINT[name]
    x, t = rng.standard_normal((40, 60)), rng.standard_normal((9, 8))
    x[:, 30:] *= 1e-4
    weights = rng.standard_normal((32, 15))
    operands = x.astype("f"), t.astype("f")

    def loss(x, t):
        return (fn(x, t, method=method)[:, 38:] * weights.astype(x.dtype)).sum()

    got = jax.jit(jax.grad(loss, (0, 1)))(*operands)
    want = jax.jit(jax.grad(loss, (0, 1)))(*(a.astype(float) for a in operands))
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-3 * np.abs(b).max())


def test_where_masks_leave_nothing_but_one_value_there_is_no_gradient(rng):
    x = rng.standard_normal((12, 13))
    x[3:9, 3:9] = x[0, 0]
    mask = rng.random((12, 13)) < 0.2
    t = rng.standard_normal((4, 4))
    unheard = np.eye(4, dtype=bool)

    def total(x):
        score = matching.normalized_correlation(x, t, mask=mask, template_mask=unheard)
        return score[3:6, 3:6].sum()

    value, gradient = jax.value_and_grad(total)(x)
    assert float(value) == 0
    assert not np.any(gradient)


@pytest.mark.parametrize("dtype", ["u1", "f2", "f4", "f8"])
@pytest.mark.parametrize("measure", OPENCV)
def test_measures_of_every_type(rng, measure, dtype):
    """In 64 bits, too, where float32 once met a zero of float64."""
    x, t = (rng.integers(0, 255, shape).astype(dtype) for shape in ((20, 21), (4, 3)))
    got = matching.match(x, t, measure)
    want = matching.match(x.astype(float), t.astype(float), measure)
    assert got.dtype == (jnp.float32 if dtype in ("f2", "f4") else jnp.result_type(float))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * max(1, float(jnp.abs(want).max())))


@pytest.mark.parametrize("mask", [None, np.zeros(400, bool)])
def test_a_score_of_0_that_is_not_for_flatness_has_a_gradient(rng, mask):
    """Of a template orthogonal to its window, which is faint beside what is loud."""
    x, t = np.zeros(400, np.float32), np.array([-1, 0, 1], np.float32)
    x[:200] = 1e4 * rng.standard_normal(200)
    x[300:303] = [1, 2, 1]

    def score(x):
        return matching.normalized_correlation(x, t, mask=mask)[300]

    value, gradient = jax.value_and_grad(score)(x)
    assert abs(float(value)) < 1e-6
    np.testing.assert_allclose(gradient[300:303], [-(0.75**0.5), 0, 0.75**0.5], atol=1e-4)


def test_weighted_measures_of_flat_windows_have_no_gradient(rng):
    x = rng.standard_normal(60).astype("f4")
    x[20:40] = 0.3

    def total(x):
        score = matching.match(x, x[:5], "normalized_coefficient", weights=np.ones(5, "f4"))
        return score[20:36].sum()

    value, gradient = jax.value_and_grad(total)(x)
    assert float(value) == 0
    assert not np.any(gradient)
