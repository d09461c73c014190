"""What is hidden or elsewhere does not matter: scores in float32 are float64's, window by window."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import jaxconv
from jaxconv import matching

pytestmark = pytest.mark.usefixtures("single")

rng = np.random.default_rng(0)
IMAGE = rng.standard_normal((40, 41)).astype(np.float32)
PATCH = IMAGE[10:17, 12:19].copy()
CORNER = np.zeros(IMAGE.shape, bool)
CORNER[30:, 30:] = True
ONE = np.zeros(IMAGE.shape, bool)
ONE[0, 0] = True
DIAGONAL = np.eye(7, dtype=bool)
WEIGHTS = rng.random(PATCH.shape).astype(np.float32)
CORRELATE = jax.jit(matching.normalized_correlation, static_argnames="method")


def right_half(change):
    out = IMAGE.copy()
    out[:, 20:] = change(out[:, 20:])
    return out


def one_pixel(value):
    out = IMAGE.copy()
    out[3, 3] = value
    return out


IMAGES = {
    "plain": IMAGE,
    **{f"{offset:g} brighter": IMAGE + np.float32(offset) for offset in (1e4, 1e6)},
    **{
        f"a half {offset:g} brighter": right_half(lambda x, b=offset: x + np.float32(b))
        for offset in (3e2, 1e4, 1e6, 1e20)
    },
    "a faint half": right_half(lambda x: x * np.float32(1e-28)),
    **{f"a pixel of {value:g}": one_pixel(value) for value in (1e4, 1e20, 3e37)},
    **{f"contrast {scale:g}": IMAGE * np.float32(scale) for scale in (1e-30, 1e-20, 1e19, 1e30)},
    "black below": np.where(np.arange(40)[:, None] < 20, IMAGE, 0).astype(np.float32),
}


def by_definition(image, template, mask=None, template_mask=None, overlap=0.3):
    """Return normalized correlation in float64, from the windows themselves."""
    x, t = np.asarray(image, float), np.asarray(template, float)
    windows, axes = sliding_window_view(x, t.shape), (-2, -1)
    heard = np.ones(t.shape, bool) if template_mask is None else ~template_mask
    seen = heard & (True if mask is None else ~sliding_window_view(mask, t.shape))
    seen = np.broadcast_to(seen, windows.shape)
    count = seen.sum(axes, keepdims=True)

    def about_mean(a):
        a = np.where(seen, a, 0)
        a = np.where(seen, a - a.sum(axes, keepdims=True) / np.maximum(count, 1), 0)
        most = np.abs(a).max(axes, keepdims=True)
        return a / np.where(most > 0, most, 1)

    low, high = (f(np.where(seen, windows, i), axes) for f, i in ((np.min, np.inf), (np.max, -np.inf)))
    a, b = about_mean(windows), about_mean(t)
    energies = (a * a).sum(axes) * (b * b).sum(axes)
    score = np.where(high > low, (a * b).sum(axes) / np.sqrt(np.where(energies > 0, energies, 1)), 0)
    return np.where(count[..., 0, 0] >= overlap * heard.sum(), score, 0)


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", IMAGES)
def test_scores_are_those_of_their_own_window(name):
    image = IMAGES[name]
    want = by_definition(image, PATCH)
    for method in ("auto", "fft"):
        close(CORRELATE(image, PATCH, method=method), want)
        close(CORRELATE(image, PATCH, mask=ONE, method=method), by_definition(image, PATCH, ONE))
        heard = by_definition(image, PATCH, None, DIAGONAL)
        close(CORRELATE(image, PATCH, template_mask=DIAGONAL, method=method), heard)
    close(jaxconv.match_template(image, PATCH), want)
    bank = jnp.stack([jnp.asarray(PATCH), jnp.asarray(PATCH[::-1])])
    both = np.stack([want, by_definition(image, PATCH[::-1])])
    close(matching.best_match(image, bank).score, both.max(0))
    close(matching.loudest(image, bank).score, both.max((1, 2)))
    masked = np.stack([by_definition(image, t, None, DIAGONAL) for t in bank])
    close(matching.best_match(image, bank, template_mask=DIAGONAL).score, masked.max(0))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_a_template_may_be_of_any_contrast(scale):
    close(CORRELATE(IMAGE, PATCH * np.float32(scale)), by_definition(IMAGE, PATCH))
    close(CORRELATE(IMAGE, PATCH + np.float32(1e4)), by_definition(IMAGE, PATCH + np.float32(1e4)))


@pytest.mark.parametrize("value", [-9999, -32768, 65535, 1e6, 1e20, np.nan, np.inf])
def test_what_a_mask_hides_may_be_anything(value):
    spoilt = np.where(CORNER, np.float32(value), IMAGE)
    want = by_definition(IMAGE, PATCH, CORNER)
    for method in ("auto", "fft"):
        close(CORRELATE(spoilt, PATCH, mask=CORNER, method=method), want)
    assert CORRELATE(spoilt, PATCH, mask=CORNER)[10, 12] == pytest.approx(1, abs=1e-5)


def test_a_mask_of_nothing_changes_nothing():
    image = IMAGES["a half 10000 brighter"]
    close(CORRELATE(image, PATCH, mask=np.zeros_like(ONE)), CORRELATE(image, PATCH))


@pytest.mark.parametrize("value", [1e3, 1e6, 1e20])
def test_missing_edges_beside_a_bright_half(value):
    image = right_half(lambda x: x + np.float32(value))
    got = matching.normalized_correlation(image, PATCH, mode="same", boundary="missing")
    close(got[3:-3, 3:-3], by_definition(image, PATCH))
    assert got[13, 15] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("other", [1e4, 1e7, 1e20, 1e-20])
def test_another_image_of_the_batch_does_not_matter(other):
    batch = np.stack([IMAGE, np.float32(other) + 0 * IMAGE, IMAGE * np.float32(other)])
    want = by_definition(IMAGE, PATCH)
    got = matching.normalized_correlation(batch, PATCH[None], axes=(1, 2))
    close(got[0], want)
    close(got[2], want)
    close(jaxconv.match_template(batch, PATCH[None], axes=(1, 2))[0], want)
    alone = matching.normalized_correlation(IMAGE, PATCH, mode="same")
    close(matching.normalized_correlation(batch, PATCH[None], axes=(1, 2), mode="same")[0], alone)
    found = matching.loudest(batch, PATCH[None])
    close(found.score[0], want.max())
    mapped = jax.vmap(lambda x: matching.normalized_correlation(x, PATCH))(batch)
    close(mapped[0], want)


MEASURES = [
    "correlation",
    "cosine",
    "squared_difference",
    "normalized_squared_difference",
    "coefficient",
    "normalized_coefficient",
]


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("measure", MEASURES)
def test_measures_are_those_of_their_own_window(measure, weights):
    """An error is judged by the energies of window and template, which a cosine is divided by."""
    w = np.ones(PATCH.shape) if weights is None else WEIGHTS.astype(float)
    t, kind = PATCH.astype(float), measure.removeprefix("normalized_").replace("cosine", "correlation")
    match = jax.jit(partial(matching.match, measure=measure, weights=weights, method="fft"))
    for name in ("plain", "a half 300 brighter", "a half 10000 brighter", "a pixel of 10000"):
        windows = sliding_window_view(IMAGES[name].astype(float), PATCH.shape)
        x, y = windows, t
        if kind == "coefficient":
            x, y = (a - (w * a).sum((-2, -1), keepdims=True) / w.sum() for a in (x, y))
        terms = (x - y) ** 2 if kind == "squared_difference" else x * y
        want = (w**2 * terms).sum((-2, -1))
        size = np.sqrt((w**2 * x**2).sum((-2, -1)) * (w**2 * y**2).sum())
        if kind == "squared_difference":
            size = np.maximum(size, want)
        got = np.asarray(match(IMAGES[name], PATCH))
        if kind != measure:
            want = want / np.sqrt((w**2 * x**2).sum((-2, -1)) * (w**2 * y**2).sum())
            size = np.maximum(np.abs(want), 1)
        assert (np.abs(got - want) <= 1e-4 * size).all(), name


def test_the_gradient_of_refined_scores_is_finite():
    image = jnp.asarray(IMAGES["a half 1e+06 brighter"])
    value, (of_image, of_patch) = jax.value_and_grad(
        lambda x, t: (matching.normalized_correlation(x, t) ** 2).sum(), (0, 1)
    )(image, jnp.asarray(PATCH))
    assert value == pytest.approx((by_definition(image, PATCH) ** 2).sum(), rel=1e-4)
    assert jnp.isfinite(of_image).all()
    assert jnp.isfinite(of_patch).all()


@pytest.mark.parametrize("channel", [0, 1])
def test_a_nan_in_any_channel_spoils_its_windows(channel):
    image = np.stack([IMAGE, IMAGE[::-1]])
    image[channel, 20, 21] = np.nan
    template = np.stack([PATCH, PATCH[::-1]])
    spoilt = sliding_window_view(np.isnan(image).any(0), PATCH.shape).any((-2, -1))
    for method in ("auto", "fft"):
        got = matching.normalized_correlation(image, template, channel_axis=0, method=method)
        np.testing.assert_array_equal(jnp.isnan(got), spoilt)
