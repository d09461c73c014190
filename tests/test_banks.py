"""Banks and views: many templates at once are as many templates one after another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxconv import matching, signals
from jaxconv.matching import bank

METHODS = ["auto", "fft", "shifts"]


@pytest.fixture
def image(rng):
    return rng.random((60, 50, 2))


@pytest.fixture
def templates(image):
    return np.stack([image[i : i + 9, i : i + 8] for i in range(0, 40, 4)])


@pytest.mark.parametrize(
    ("method", "hidden", "at_once"),
    [
        *(("auto", "none", 1), ("auto", "each", 1)),
        *(("fft", "one", 1), ("fft", "each", 1 << 22)),
        ("shifts", "none", 1 << 22),
    ],
)
def test_best_match_is_the_best_of_all_maps(rng, monkeypatch, image, templates, method, hidden, at_once):
    monkeypatch.setattr(bank, "AT_ONCE", at_once * 60 * 50 * 2 * 8 * 3 if at_once == 1 else at_once)
    masks = rng.random(templates.shape) < 0.3
    mask = {"none": None, "one": masks[0], "each": masks}[hidden]
    each = {"none": [None] * 10, "one": [masks[0]] * 10, "each": masks}[hidden]
    maps = jnp.stack(
        [
            matching.normalized_correlation(image, t, template_mask=m, channel_axis=2)
            for t, m in zip(templates, each, strict=True)
        ]
    )
    best = matching.best_match(image, templates, template_mask=mask, channel_axis=2, method=method)
    np.testing.assert_allclose(best.score, maps.max(0), atol=1e-9)
    np.testing.assert_array_equal(best.which, maps.argmax(0))
    found = matching.loudest(image, templates, template_mask=mask, channel_axis=2, method=method)
    np.testing.assert_allclose(found.score, maps.max((1, 2)), atol=1e-9)
    assert found.place.tolist() == [list(np.unravel_index(m.argmax(), m.shape)) for m in maps]


@pytest.mark.parametrize("method", METHODS)
def test_loudest_of_several_signals(rng, method):
    x, t = rng.standard_normal((3, 500)), rng.standard_normal((7, 40))
    for a, b in ((x, t), (x + 1j * x[::-1], t + 1j * t[::-1])):
        found = matching.loudest(a, b, measure="correlation", method=method)
        maps = np.array([[np.correlate(x, t, "valid") for t in b] for x in a])
        maps = np.abs(maps) if np.iscomplexobj(maps) else maps
        np.testing.assert_allclose(found.score, maps.max(-1), rtol=1e-9)
        np.testing.assert_array_equal(found.place[..., 0], maps.argmax(-1))


def test_lists_will_do():
    best = matching.best_match(
        [0.0, 1, 0, 2, 4, 2], [[1, 2, 1], [0, 1, 0]], template_mask=[False, False, True]
    )
    assert best.which.shape == (4,)
    assert matching.loudest([[0.0, 1, 0], [2, 4, 2]], [[1, 2]]).score.shape == (2, 1)


def test_a_nan_spoils_its_windows_in_a_bank(image, templates):
    image[30, 25, 1] = np.nan
    best = matching.best_match(image, templates, channel_axis=2)
    plain = matching.normalized_correlation(image, templates[0], channel_axis=2)
    np.testing.assert_array_equal(jnp.isnan(best.score), jnp.isnan(plain))
    assert jnp.isfinite(matching.loudest(image, templates, channel_axis=2).score).all()


def test_memory_does_not_grow_with_the_number_of_templates():
    image = jax.ShapeDtypeStruct((1024, 1024), np.float32)

    def needed(count):
        bank = jax.ShapeDtypeStruct((count, 32, 32), np.float32)
        compiled = (
            jax.jit(lambda x, t: matching.best_match(x, t, method="fft")).lower(image, bank).compile()
        )
        return compiled.memory_analysis().temp_size_in_bytes

    assert needed(64) < needed(8) + 64 * 32 * 32 * 4 * 2


def test_gradient_of_a_bank(rng):
    x, t = jnp.asarray(rng.standard_normal(60)), jnp.asarray(rng.standard_normal((5, 8)))

    def by_bank(x, t):
        return matching.best_match(x, t).score.sum()

    def one_by_one(x, t):
        return jnp.stack([matching.normalized_correlation(x, k) for k in t]).max(0).sum()

    for got, want in zip(
        jax.grad(by_bank, (0, 1))(x, t), jax.grad(one_by_one, (0, 1))(x, t), strict=True
    ):
        np.testing.assert_allclose(got, want, atol=1e-9)


def test_a_turned_template_is_found_and_its_angle_told(rng):
    letter = np.zeros((21, 21))
    letter[3:18, 5:8] = letter[3:6, 5:16] = letter[9:12, 5:13] = 1  # an F
    angles = np.arange(0, 360, 10.0)
    views = matching.rotations(letter, angles)
    scene = rng.normal(0, 0.1, (90, 90))
    scene[30:51, 40:61] += np.asarray(views.templates[7] * ~views.masks[7])
    best = matching.best_match(scene, views.templates, template_mask=views.masks)
    place = np.unravel_index(best.score.argmax(), best.score.shape)
    assert place == (30, 40)
    assert angles[best.which[place]] == 70


def test_rotations_by_right_angles_are_numpys(rng):
    template = rng.random((8, 8))
    views = matching.rotations(template, [0.0, 90.0, 180.0, 270.0])
    for turns, view in enumerate(views.templates):
        np.testing.assert_allclose(view, np.rot90(template, turns), atol=1e-9)
    assert not views.masks.any()
    corners = matching.rotations(template, [45.0]).masks[0]
    assert corners[0, 0]
    assert not corners[4, 4]


def test_a_scaled_template_is_found_and_its_scale_told(rng):
    factors = [0.6, 0.8, 1.0, 1.25, 1.6]
    views = matching.scales(signals.circle(21), factors)
    scene = rng.normal(0, 0.1, (120, 120))
    scene[40:75, 30:65] += np.asarray(views.templates[3])[: 75 - 40, : 65 - 30]
    best = matching.best_match(scene, views.templates, template_mask=views.masks)
    place = np.unravel_index(best.score.argmax(), best.score.shape)
    assert place == (40, 30)
    assert factors[best.which[place]] == 1.25
    assert views.templates.shape == (5, 35, 35)


def test_the_gradient_reaches_the_angle():
    shape = signals.triangle(15)
    target = matching.rotations(shape, [20.0]).templates[0]

    def error(angle):
        return ((matching.rotations(shape, angle[None]).templates[0] - target) ** 2).sum()

    assert float(jax.grad(error)(jnp.asarray(15.0))) < 0 < float(jax.grad(error)(jnp.asarray(25.0)))


@pytest.mark.parametrize("mode", ["same", "full"])
@pytest.mark.parametrize("channel_axis", [None, 0, -1])
def test_beyond_the_edges_lies_the_mean_as_for_one_template(rng, mode, channel_axis):
    space, window = (20, 23), (5, 4)
    x, t = rng.standard_normal((3, *space)) + 9, rng.standard_normal((6, 3, *window))
    if channel_axis is None:
        x, t = x[0], t[:, 0]
    elif channel_axis == -1:
        x, t = np.moveaxis(x, 0, -1), np.moveaxis(t, 1, -1)
    best = matching.best_match(x, t, mode=mode, channel_axis=channel_axis)
    one = [matching.normalized_correlation(x, each, mode=mode, channel_axis=channel_axis) for each in t]
    np.testing.assert_allclose(best.score, np.max(one, 0), atol=1e-6)
    np.testing.assert_array_equal(best.which, np.argmax(one, 0))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_a_correlation_beyond_the_edges_meets_zeros(rng, dtype):
    x, t = rng.integers(0, 99, (20,)).astype(dtype), rng.integers(0, 9, (2, 5)).astype(dtype)
    best = matching.best_match(x, t, mode="same", measure="correlation")
    wide = np.pad(x.astype(float), 2)
    maps = [np.correlate(wide, each.astype(float), "valid") for each in t]
    np.testing.assert_allclose(best.score, np.max(maps, 0), rtol=1e-5)


def test_views_are_every_angle_at_every_scale(rng):
    template = rng.standard_normal((9, 9))
    views = matching.views(template, angles=[0.0, 90.0], scales=[1.0, 2.0])
    assert views.templates.shape == views.masks.shape == (4, 19, 19)
    assert views.angles.tolist() == [0, 90, 0, 90]
    assert views.factors.tolist() == [1, 1, 2, 2]
    middle = slice(5, 14)
    np.testing.assert_allclose(views.templates[0, middle, middle], template, atol=1e-5)
    np.testing.assert_allclose(views.templates[1, middle, middle], np.rot90(template), atol=1e-5)
    own = np.ones((19, 19), bool)
    own[middle, middle] = False
    np.testing.assert_array_equal(views.masks[0], own)
    np.testing.assert_array_equal(views.masks[1], own)
    assert (~views.masks[2]).sum() > 15**2


def test_a_mask_turns_with_its_template_and_hides_what_it_touches(rng):
    template, mask = rng.standard_normal((9, 9)), np.zeros((9, 9), bool)
    mask[:3] = True
    shown = matching.views(template, angles=[0.0, 90.0, 45.0], mask=mask)
    np.testing.assert_array_equal(shown.masks[0], mask)
    np.testing.assert_array_equal(shown.masks[1], np.rot90(mask))
    other = np.where(mask, 1e3, template)  # whatever lies behind the mask
    unlike = matching.views(other, angles=[0.0, 90.0, 45.0], mask=mask)
    seen = ~np.asarray(shown.masks)
    np.testing.assert_allclose(
        np.asarray(unlike.templates)[seen], np.asarray(shown.templates)[seen], atol=1.1
    )
    assert seen[2].sum() > 20


def test_a_turned_and_scaled_patch_under_a_mask_is_found_in_eight_lines(rng):
    patch, mask = (
        rng.standard_normal((15, 15)).repeat(2, 0).repeat(2, 1)[:29, :29],
        np.zeros((29, 29), bool),
    )
    mask[:, :6] = True
    scene = 0.1 * rng.standard_normal((150, 160))
    scene[60:89, 70:99] = np.where(np.rot90(mask), 5, np.rot90(patch))
    views = matching.views(patch, angles=np.arange(0, 360, 30.0), scales=[0.8, 1.0, 1.2], mask=mask)
    best = matching.best_match(scene, views.templates, mode="same", template_mask=views.masks)
    peaks = matching.find_peaks(best.score, threshold=0.8, min_distance=10, max_peaks=5)
    (row, column), which = peaks.places[0], best.which[tuple(peaks.places[0])]
    assert (int(peaks.count), int(peaks.left_out), int(row), int(column)) == (1, 0, 74, 84)
    assert (float(views.angles[which]), float(views.factors[which])) == (90, 1)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"angles": [[0.0]]}, "`angles` must have one axis"),
        ({"scales": [0.0]}, "`scales` must be positive"),
        ({"mask": np.zeros((3, 3), bool)}, "mask"),
    ],
)
def test_wrong_views_are_told(options, match):
    with pytest.raises(ValueError, match=match):
        matching.views(np.ones((4, 4)), **options)
