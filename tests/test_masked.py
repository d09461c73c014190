"""Missing samples carry no weight; and how far a NaN or an infinity spreads, method by method."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from jax.test_util import check_grads

import jaxconv
from jaxconv.engine.methods import METHODS
from tests.helpers import OF_CONVOLVE, operands

pytestmark = pytest.mark.usefixtures("short_blocks", "traced_anew", "named_method_runs")


def weighted_means(signal, there, kernel, outside=None):
    """The definition in mode "same": of the samples under the kernel, the weighted mean."""
    m = kernel.size
    value, weight = (0, 0) if outside is None else (outside, 1)
    x = np.pad(np.where(there, signal, 0), m, constant_values=value)
    w = np.pad(there.astype(float), m, constant_values=weight)
    centre = (m - 1) // 2
    rows = [slice(i + m + centre - m + 1, i + m + centre + 1) for i in range(signal.size)]
    flipped = kernel[::-1]
    with np.errstate(invalid="ignore"):
        return np.array([(x * w)[r] @ flipped / (w[r] @ flipped) for r in rows])


@pytest.mark.parametrize("outside", [None, 0, 2.5])
def test_means_of_what_there_is(rng, outside):
    signal, kernel = rng.standard_normal(40), rng.random(6)
    signal[rng.random(40) < 0.3] = np.nan
    signal[10:20] = np.nan  # a gap longer than the kernel
    there = ~np.isnan(signal)
    beyond = {} if outside is None else {"boundary": "fill", "fillvalue": outside}
    got = jaxconv.convolve_masked(signal, kernel, **beyond)
    want = weighted_means(signal, there, kernel, outside)
    np.testing.assert_allclose(got, want, atol=1e-12)
    assert np.isnan(got).sum() >= 5  # inside the gap
    masked = jaxconv.convolve_masked(np.where(there, signal, 1e9), kernel, ~there, **beyond)
    np.testing.assert_allclose(masked, got, atol=1e-6)
    summed = jaxconv.convolve_masked(signal, kernel, normalize=False, **beyond)
    np.testing.assert_allclose(summed, got * kernel.sum(), atol=1e-12)


CONSTANT = [  # method, mode, signal, kernel
    ("direct", "full", (12, 11), (5, 4)),
    ("products", "valid", (12, 11), (5, 4)),
    ("shifts", "same", (12, 11), (5, 4)),
    ("folded", "same", (60,), (9,)),
    ("lines", "same", (12, 11), (5, 4)),
    ("overlap", "full", (70,), (9,)),
    ("fft", "full", (12, 11), (5, 4)),
    ("lags", "valid", (80,), (76,)),
]


@pytest.mark.parametrize(("method", "mode", "shape", "window"), CONSTANT)
def test_a_constant_stays_whatever_is_missing(rng, method, mode, shape, window):
    signal = np.where(rng.random(shape) < 0.4, np.nan, 3.0)
    got = jaxconv.convolve_masked(signal, np.ones(window), mode=mode, method=method)
    assert np.isnan(got).mean() < 0.1  # where in a corner only missing samples are seen
    np.testing.assert_allclose(got[~np.isnan(got)], 3, atol=1e-9)


@pytest.mark.parametrize("boundary", ["reflect", "wrap", "edge", "symmetric"])
def test_what_is_missing_is_missing_beyond_the_edge_too(rng, boundary):
    signal, kernel = rng.standard_normal(9), np.ones(5)
    signal[1] = np.nan
    wide = np.pad(signal, 2, boundary)
    want = [np.nanmean(wide[i : i + 5]) for i in range(9)]
    got = jaxconv.convolve_masked(signal, kernel, boundary=boundary)
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_nothing_missing_is_convolution(rng):
    a, b = operands(rng, [(9, 8), (3, 3)])
    got = jaxconv.convolve_masked(a, abs(b), normalize=False, boundary="reflect")
    np.testing.assert_allclose(got, jaxconv.convolve(a, abs(b), "same", boundary="reflect"), atol=1e-12)


def test_gradients_are_finite_and_right(rng):
    signal, kernel = jnp.asarray(rng.standard_normal(20)), jnp.asarray(rng.random(4))
    missing = np.zeros(20, bool)
    missing[[2, 9, 10, 11, 12, 13, 14]] = True

    def loss(signal, kernel):
        out = jaxconv.convolve_masked(jnp.where(missing, jnp.nan, signal), kernel)
        return (jnp.where(jnp.isnan(out), 0, out) ** 2).sum()

    check_grads(loss, (signal, kernel), 2, modes=["rev"])
    holes = jnp.where(missing, jnp.nan, signal)
    slopes = jax.grad(lambda x, k: jnp.nansum(jaxconv.convolve_masked(x, k) ** 2), (0, 1))(holes, kernel)
    assert all(np.isfinite(slope).all() for slope in slopes)
    assert not slopes[0][missing].any()


SPREADS = {  # shapes and a place, for those that do not take the first
    "lines": ((40, 40), (5, 5), (20, 20)),
    "lags": ((410,), (400,), (0,)),
    "products": ((10, 11), (5, 5), (5, 3)),
}


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("method", OF_CONVOLVE)
def test_how_far_one_bad_sample_spreads(method, value):
    """The methods that call themselves local harm only what their windows hold, and only these do."""
    shape, window, place = SPREADS.get(method, ((60,), (5,), (30,)))
    bad = np.zeros(shape)
    bad[place] = 1
    kernel = np.ones(window)
    held = scipy.signal.convolve(bad, kernel, "valid", "direct") > 0.5
    signal = np.where(bad, value, 1)
    assert jaxconv.plan(signal, kernel, "valid", method).method == method
    out = np.isfinite(jaxconv.convolve(signal, kernel, "valid", method))
    assert not out[held].any()
    assert out[~held].all() == METHODS[method].is_local
    local = jaxconv.convolve(signal, kernel, "valid", local=True)
    np.testing.assert_array_equal(np.isfinite(local), ~held)


def test_weights_that_are_small_are_weights(single, rng):
    line = jaxconv.kernels.gaussian(1.0)
    kernel = np.multiply.outer(line, line)  # its corners are 2e-8 of its sum
    signal = rng.standard_normal((40, 40)).astype(np.float32)
    mask = rng.random(signal.shape) < 0.97
    x, w = np.where(mask, 0, signal).astype(float), (~mask).astype(float)
    sums, weights = (scipy.signal.convolve(a, kernel.astype(float), "same", "direct") for a in (x, w))
    want = np.where(weights > 0, sums / np.where(weights > 0, weights, 1), np.nan)
    assert np.isnan(want).sum() < 200
    for how in ({"local": True}, {"method": "shifts"}, {"method": "direct"}):
        got = jaxconv.convolve_masked(signal, kernel, mask, **how)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    by_fft = np.asarray(jaxconv.convolve_masked(signal + 1e4, kernel, mask, method="fft"))
    known = ~np.isnan(by_fft)
    assert np.isnan(want).sum() < (~known).sum() < 300  # where weights round, it says so
    np.testing.assert_allclose(by_fft[known], want[known] + 1e4, atol=0.1)


def test_a_fill_value_needs_something_to_fill():
    with pytest.raises(ValueError, match="`fillvalue` must be left out by default; got 5"):
        jaxconv.convolve_masked(np.ones(5), np.ones(3), fillvalue=5)
    reflected = jaxconv.convolve_masked(np.arange(5.0), np.ones(3), boundary="reflect")
    want = np.convolve(np.pad(np.arange(5.0), 1, "reflect"), np.ones(3), "valid") / 3
    np.testing.assert_allclose(reflected, want, atol=1e-6)
