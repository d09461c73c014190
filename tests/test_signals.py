"""Shapes are what their names say, and a scene tells the truth about itself."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxconv import detection, signals

SHAPES = tuple(signals.SHAPES)


def test_midpoint_sums_are_exact_for_straight_lines():
    t = signals.midpoints(-5, 5, 0.5)
    assert float((signals.sawtooth(t) * 0.5).sum()) == pytest.approx(20)
    assert float((signals.square_wave(t, height=3.0) * 0.5).sum()) == pytest.approx(30)


def test_ricker_has_negative_lobes_and_no_mean():
    wave = signals.ricker(signals.midpoints(-10, 10, 0.01), 1.5)
    assert wave.min() < -0.4
    assert abs(float(wave.sum() * 0.01)) < 1e-6


@pytest.mark.parametrize("size", [1, 3, 5, 21, 101])
@pytest.mark.parametrize("kind", SHAPES)
def test_shapes_lie_between_paper_and_ink(kind, size):
    drawn = signals.SHAPES[kind](size)
    assert drawn.shape == (size, size)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert drawn.sum() > 0


@pytest.mark.parametrize("kind", ["circle", "disk", "cross", "square"])
def test_shapes_look_the_same_from_four_sides(kind):
    drawn = np.asarray(signals.SHAPES[kind](21))
    np.testing.assert_allclose(drawn, np.rot90(drawn), atol=1e-6)
    np.testing.assert_allclose(drawn, drawn.T, atol=1e-6)


def test_triangle_is_upright_and_symmetric():
    drawn = np.asarray(signals.triangle(31))
    np.testing.assert_allclose(drawn, drawn[:, ::-1], atol=1e-6)
    rows = np.flatnonzero(drawn.sum(1))
    assert drawn[rows[0]].sum() < drawn[rows[-1]].sum()  # a corner above, a side below


@pytest.mark.parametrize(("kind", "area"), [("circle", 2 * np.pi * 30 * 4), ("disk", np.pi * 30**2)])
def test_drawn_by_coverage_the_ink_is_the_area(kind, area):
    drawn = signals.SHAPES[kind](81, radius=30.0, width=4.0)
    assert float(drawn.sum()) == pytest.approx(area, rel=0.005)
    assert ((drawn > 0) & (drawn < 1)).any(), "no pixel is partly covered"


@pytest.mark.parametrize("kind", SHAPES)
def test_as_a_filter(kind):
    drawn = signals.SHAPES[kind](21, zero_mean=True, unit_energy=True)
    assert abs(float(drawn.sum())) < 1e-6
    assert float((drawn**2).sum()) == pytest.approx(1)


def test_radius_can_be_learned():
    def misfit(radius):
        return ((signals.circle(41, radius=radius) - signals.circle(41, radius=12.0)) ** 2).sum()

    assert jax.grad(misfit)(11.7) < 0 < jax.grad(misfit)(12.3)


def test_scene_shows_each_kind_where_it_says():
    drawn = signals.scene(jax.random.key(3), (80, 100), SHAPES[:3], size=15, noise=0.0)
    assert drawn.kinds.tolist() == [0, 1, 2]
    for place, kind in zip(drawn.places, drawn.kinds, strict=True):
        row, column = (int(x) - 7 for x in place)
        patch = drawn.signal[row : row + 15, column : column + 15]
        np.testing.assert_allclose(patch, signals.SHAPES[SHAPES[kind]](15), atol=1e-6)


def test_shapes_in_a_scene_never_overlap():
    draw = jax.jit(jax.vmap(signals.scenes(shape=(60, 60), kinds=SHAPES[:2], size=11, count=6)))
    drawn = draw(jax.random.split(jax.random.key(0), 200))
    apart = jnp.abs(drawn.places[:, :, None] - drawn.places[:, None]).max(-1)
    assert (apart[:, ~np.eye(6, dtype=bool)] >= 11).all()
    assert (drawn.places >= 5).all()
    assert (drawn.places < 55).all()
    assert set(np.unique(drawn.kinds)) == {0, 1}


def test_scene_places_are_spread_evenly():
    draw = jax.jit(jax.vmap(signals.scenes(shape=(31, 31), kinds=["cross"], size=11)))
    places = draw(jax.random.split(jax.random.key(1), 4000)).places[:, 0]
    for axis in (0, 1):
        counts = np.bincount(places[:, axis] - 5, minlength=21)
        expected = 4000 / 21
        assert ((counts - expected) ** 2 / expected).sum() < 45.3  # chi-squared, 20 degrees, 0.1 %


def test_scenes_of_equal_options_are_equal():
    options = {"shape": [40, 40], "kinds": ["circle", "cross"], "noise": 0.5}
    draw = signals.scenes(**options)
    same = signals.scenes(noise=0.5, kinds=("circle", "cross"), shape=(40, 40))
    assert draw == same
    assert hash(draw) == hash(same)
    assert draw != signals.scenes(**options | {"noise": 0.6})
    assert draw != signals.scenes(**options | {"noise": np.float64(0.5)}), "of another type"
    array, function = jnp.array(0.5), partial(detection.coloured_noise, noise_spectrum=jnp.ones((8, 8)))
    for noise in (array, function):
        assert signals.scenes(noise=noise) == signals.scenes(noise=noise)
        assert hash(signals.scenes(noise=noise)) == hash(signals.scenes(noise=noise))
    assert signals.scenes(noise=array) != signals.scenes(noise=jnp.array(0.5))


def test_scene_noise_has_the_stated_deviation():
    drawn = signals.scene(jax.random.key(2), (300, 300), ["disk"], size=11, noise=0.4)
    clean = signals.scene(jax.random.key(2), (300, 300), ["disk"], size=11, noise=0.0)
    assert (drawn.places == clean.places).all()
    assert float((drawn.signal - clean.signal).std()) == pytest.approx(0.4, rel=0.01)


def test_scene_is_the_same_jitted_and_differs_by_key():
    draw = partial(signals.scene, shape=(40, 40), kinds=("circle",), size=15)
    key, other = jax.random.key(5), jax.random.key(6)
    np.testing.assert_allclose(jax.jit(draw)(key).signal, draw(key).signal, atol=1e-6)
    assert (draw(key).signal != draw(other).signal).any()


def test_strews_patterns_on_a_line_and_in_a_volume():
    rng = np.random.default_rng(0)
    for shape, size in (((60,), (7,)), ((20, 18, 16), (3, 4, 5))):
        patterns = jnp.asarray(rng.random((2, *size)))
        drawn = signals.strew(jax.random.key(0), shape, patterns, noise=0.0)
        for place, pattern in zip(drawn.places, patterns, strict=True):
            corner = [int(p) - m // 2 for p, m in zip(place, size, strict=True)]
            there = tuple(slice(c, c + m) for c, m in zip(corner, size, strict=True))
            np.testing.assert_array_equal(drawn.signal[there], pattern)
        assert float(drawn.signal.sum()) == pytest.approx(float(patterns.sum()))


def test_strewn_noise_may_be_coloured():
    spectrum = jnp.array([4.0, 1.0, 0.0, 1.0])
    noise = partial(detection.coloured_noise, noise_spectrum=spectrum)
    drawn = signals.strew(jax.random.key(0), (40_000,), jnp.zeros((1, 5)), noise=noise)
    assert float(drawn.signal.var()) == pytest.approx(1.5, rel=0.05)


def test_chirp_sweeps_from_its_first_frequency_to_its_last():
    t = signals.midpoints(0, 100, 0.01)
    wave = np.asarray(signals.chirp(t, 0, 100, 0.5, 1.5))
    crossings = np.asarray(t)[1:][(wave[1:] > 0) & (wave[:-1] <= 0)]
    rates = 1 / np.diff(crossings)
    assert rates[0] == pytest.approx(0.51, abs=0.02)
    assert rates[-1] == pytest.approx(1.5, abs=0.02)
    assert len(crossings) == pytest.approx(100, abs=1)  # cycles: the mean frequency times the length
