"""The definition agrees with SciPy and with the lecture's numbers."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxconv import reference, signals
from tests.helpers import MODES, assert_sums_close, fitting, operands, scipy_sum


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("mode", MODES)
def test_agrees_with_scipy(rng, name, mode, dtype):
    for shapes in fitting(mode):
        a, b = operands(rng, shapes, dtype)
        got = getattr(reference, name)(a, b, mode)
        assert_sums_close(got, scipy_sum(name, a, b, mode), a, b)


def test_scalars_multiply():
    assert float(reference.convolve(jnp.array(3.0), jnp.array(4.0))) == 12


def test_overlap_total_is_the_convolution(rng):
    f, g = operands(rng, [(6,), (4,)])
    whole = np.convolve(f, g)
    totals = jnp.stack([reference.overlap(f, g, shift).total for shift in range(9)])
    assert_sums_close(totals, whole, f, g)


def test_overlap_shows_the_reflected_kernel():
    laid = reference.overlap(jnp.ones(6), jnp.array([1.0, 2.0, 3.0]), 3)
    assert laid.moved.tolist() == [0, 3, 2, 1, 0, 0]
    assert laid.product.tolist() == laid.moved.tolist()


@pytest.mark.parametrize("shift", [-50, -1, 9, 50])
def test_overlap_beyond_the_edge_is_nothing(shift):
    laid = reference.overlap(jnp.ones(6), jnp.ones(4), shift)
    assert not laid.moved.any()
    assert laid.total == 0


def test_overlap_in_two_dimensions(rng):
    f, g = operands(rng, [(5, 6), (3, 2)])
    whole = reference.convolve(f, g)
    assert np.isclose(reference.overlap(f, g, jnp.array([4, 1])).total, whole[4, 1])


def test_integers_wrap_as_their_dtype():
    a, b = np.array([100, 100], np.int8), np.array([100], np.int8)
    assert reference.convolve(a, b).tolist() == np.convolve(a, b).tolist() == [16, 16]


@pytest.mark.parametrize(("shift", "area"), [(-10, 0), (-5, 15), (0, 20), (5, 5), (10, 0), (14, 0)])
def test_lecture_square_wave_and_sawtooth(shift, area):
    step = 0.1
    t = signals.midpoints(-5, 5, step)
    f, g = signals.square_wave(t), signals.sawtooth(t)
    place = t.size - 1 + round(shift / step)
    assert np.isclose(reference.overlap(f, g, place).total * step, area, atol=1e-9)


def test_lecture_area_falls_as_the_overlap_shrinks():
    t = signals.midpoints(-5, 5, 0.1)
    area = reference.convolve(signals.square_wave(t), signals.sawtooth(t)) * 0.1
    middle = t.size - 1
    assert area.argmax() == middle
    assert (np.diff(area[: middle + 1]) > 0).all()
    assert (np.diff(area[middle:]) < 0).all()


LECTURE_IMAGE = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
LECTURE_FILTER = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_lecture_filter_by_numbers():
    image, kernel = jnp.array(LECTURE_IMAGE), jnp.array(LECTURE_FILTER)
    assert reference.convolve(image, kernel, "valid").tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
