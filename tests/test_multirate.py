"""Rates: SciPy's answers at every rational rate, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from jaxconv import explain
from jaxconv.multirate import decimate, polyphase, resample_poly, upfirdn

MODES = tuple(polyphase.EXTENSIONS)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_upfirdn_is_scipys(data):
    n, m = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 25))
    up, down = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    able = [
        mode for mode in MODES if n > 1 or "reflect" not in mode
    ]  # there SciPy 1.17 divides by 0, and dies
    mode = data.draw(st.sampled_from(able))
    dtype = data.draw(st.sampled_from(["float32", "float64", "int16", "uint8", "complex64", "float16"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, h = (100 * rng.random((2, n, 3))).astype(dtype), rng.standard_normal(m)
    cval: float = 3.5 if mode == "constant" else 0
    want = scipy.signal.upfirdn(h, x, up, down, axis=1, mode=mode, cval=cval)  # pyright: ignore
    got = upfirdn(h, x, up, down, axis=1, mode=mode, cval=cval)
    assert got.dtype == jax.dtypes.canonicalize_dtype(want.dtype)
    np.testing.assert_allclose(got, want, atol=1e-3 if got.dtype.itemsize < 8 else 1e-2)


@pytest.mark.parametrize("mode", ["reflect", "antireflect"])
def test_one_sample_reflected_is_itself(mode):
    assert upfirdn(np.ones(3), np.full(1, 2.0), mode=mode).tolist() == [6.0, 6.0, 6.0]


@pytest.mark.parametrize(("up", "down"), [(160, 147), (3, 200), (200, 3), (7, 7), (64, 63)])
@pytest.mark.parametrize("limit", [0, 16, 10_000])
def test_both_ways_of_computing(rng, monkeypatch, up, down, limit):
    monkeypatch.setattr(polyphase, "MOST_ZEROS", limit)
    x, h = rng.standard_normal(500), rng.standard_normal(333)
    np.testing.assert_allclose(upfirdn(h, x, up, down), scipy.signal.upfirdn(h, x, up, down), atol=1e-3)


@pytest.mark.parametrize("padtype", [*MODES, "mean", "median", "minimum", "maximum"])
@pytest.mark.parametrize(("up", "down"), [(1, 10), (10, 1), (3, 2), (4, 6), (160, 147), (5, 5)])
def test_resampled_as_scipy_does(rng, padtype, up, down):
    x = rng.standard_normal((50, 2)) + 5
    want = scipy.signal.resample_poly(x, up, down, padtype=padtype)
    np.testing.assert_allclose(resample_poly(x, up, down, padtype=padtype), want, atol=2e-5)


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8", "complex64"])
@pytest.mark.parametrize("window", ["hann", ("kaiser", 3.0), np.ones(7), [0.5, 1.0, 0.5, 0.25]])
def test_windows_filters_and_types(rng, dtype, window):
    x = (100 * rng.random((2, 41))).astype(dtype)
    want = scipy.signal.resample_poly(x, 3, 4, axis=-1, window=window)
    got = resample_poly(x, 3, 4, axis=-1, window=window)
    assert got.dtype == jax.dtypes.canonicalize_dtype(want.dtype)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("zero_phase", [True, False])
@pytest.mark.parametrize(("q", "n"), [(2, None), (5, None), (3, 11), (4, 12)])
def test_decimated_as_scipy_does(rng, q, n, zero_phase):
    x = rng.standard_normal((3, 101))
    want = scipy.signal.decimate(x, q, n, "fir", zero_phase=zero_phase)
    np.testing.assert_allclose(decimate(x, q, n, zero_phase=zero_phase), want, atol=1e-5)


@pytest.mark.needs_x64
@pytest.mark.parametrize("limit", [0, 16])
def test_gradients_are_numerical(rng, monkeypatch, limit):
    monkeypatch.setattr(polyphase, "MOST_ZEROS", limit)
    x, h = jnp.asarray(rng.standard_normal(20)), jnp.asarray(rng.standard_normal(9))
    check_grads(lambda h, x: upfirdn(h, x, 3, 4, mode="reflect"), (h, x), 2, atol=1e-4, rtol=1e-4)


def test_inside_jit_and_vmap_it_is_one_planned_convolution(rng):
    x, h = rng.standard_normal((4, 100)), rng.standard_normal(21)
    want = scipy.signal.upfirdn(h, x, 3, 2)
    got = jax.jit(jax.vmap(lambda line: upfirdn(h, line, 3, 2)))(x)
    np.testing.assert_allclose(got, want, atol=1e-5)
    told = explain(lambda x: resample_poly(x, 160, 147), jax.ShapeDtypeStruct((100_000,), "float32"))
    assert len(told.forward) == 1


def test_what_is_wrong_is_told():
    for words, call in {
        "upfirdn: `h` must have one axis": lambda: upfirdn(np.ones((2, 2)), np.ones(3)),
        "upfirdn: `up` must be": lambda: upfirdn(np.ones(2), np.ones(3), 0),
        "upfirdn: `mode` must be one of": lambda: upfirdn(np.ones(2), np.ones(3), mode="smooth"),
        "upfirdn: `x` must have a sample": lambda: upfirdn(np.ones(2), np.ones(0)),
        "resample_poly: `cval` must be left out": lambda: resample_poly(
            np.ones(3), 2, 1, padtype="edge", cval=1
        ),
        "resample_poly: `padtype` must be one of": lambda: resample_poly(np.ones(3), 2, 1, padtype="x"),
        "decimate: `q` must be": lambda: decimate(np.ones(3), 0),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()
