"""Rates: SciPy's answers at every rational rate, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxconv import explain
from jaxconv.multirate import decimate, polyphase, resample_poly, upfirdn
from jaxconv.streaming import finish, push, start
from tests.helpers import assert_derivatives

MODES = tuple(polyphase.EXTENSIONS)
FOR_ONE_SAMPLE = ("constant", "wrap", "edge", "symmetric", "antisymmetric")  # of others SciPy 1.17 dies


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_upfirdn_is_scipys(data):
    n, m = data.draw(st.sampled_from([1, 2, 7, 30])), data.draw(st.sampled_from([1, 4, 25]))
    up, down = data.draw(st.sampled_from([1, 2, 5, 9])), data.draw(st.sampled_from([1, 3, 5, 8]))
    mode = data.draw(st.sampled_from(MODES if n > 1 else FOR_ONE_SAMPLE))
    dtype = data.draw(st.sampled_from(["float32", "float64", "int16", "uint8", "complex64", "float16"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, h = (100 * rng.random((2, n, 3))).astype(dtype), rng.standard_normal(m)
    cval: float = 3.5 if mode == "constant" else 0
    want = scipy.signal.upfirdn(h, x, up, down, axis=1, mode=mode, cval=cval)  # pyright: ignore
    got = upfirdn(h, x, up, down, axis=1, mode=mode, cval=cval)
    assert got.dtype == jax.dtypes.canonicalize_dtype(want.dtype)
    np.testing.assert_allclose(got, want, atol=1e-3 if got.dtype.itemsize < 8 else 1e-2)


@pytest.mark.parametrize("mode", ["reflect", "antireflect", "smooth", "line"])
def test_one_sample_reflected_is_itself(mode):
    assert upfirdn(np.ones(3), np.full(1, 2.0), mode=mode).tolist() == [6.0, 6.0, 6.0]


@pytest.mark.parametrize(("up", "down"), [(160, 147), (3, 200), (200, 3), (7, 7), (64, 63)])
@pytest.mark.parametrize("limit", [0, 1 << 22])
def test_both_ways_of_computing(rng, monkeypatch, up, down, limit):
    monkeypatch.setattr(polyphase, "LARGEST_BANK", limit)
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
    np.testing.assert_allclose(decimate(x, q, n, "fir", zero_phase=zero_phase), want, atol=1e-5)


@pytest.mark.needs_x64
@pytest.mark.parametrize("limit", [0, 1 << 22])
def test_gradients_are_numerical(rng, monkeypatch, limit):
    monkeypatch.setattr(polyphase, "LARGEST_BANK", limit)
    x, h = rng.standard_normal(20), rng.standard_normal(9)
    assert_derivatives(lambda h, x: jnp.sin(upfirdn(h, x, 3, 4, mode="reflect")).sum(), h, x)


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
        "upfirdn: `mode` must be one of": lambda: upfirdn(np.ones(2), np.ones(3), mode="mirror"),
        "upfirdn: `x` must have a sample": lambda: upfirdn(np.ones(2), np.ones(0)),
        "resample_poly: `cval` must be left out": lambda: resample_poly(
            np.ones(3), 2, 1, padtype="edge", cval=1
        ),
        "resample_poly: `padtype` must be one of": lambda: resample_poly(np.ones(3), 2, 1, padtype="x"),
        "decimate: `q` must be": lambda: decimate(np.ones(3), 0),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()


def in_chunks(state, x, lengths):
    """Return all outputs of a stream whose chunks have these lengths, the last the rest."""
    outputs, first = [], 0
    for length in (*lengths, x.shape[-1]):
        state, out = push(state, x[..., first : first + length])
        outputs.append(out)
        first += length
    return jnp.concatenate([*outputs, finish(state)], -1)


@pytest.mark.parametrize("taps", [1, 40])
@pytest.mark.parametrize(
    ("up", "down", "dtype"),
    [(1, 1, "int16"), (3, 2, "complex64"), (2, 7, "float32"), (160, 147, "float32"), (4, 1, "uint8")],
)
def test_chunks_are_the_whole_at_every_rate(rng, up, down, dtype, taps):
    x, h, lengths = (100 * rng.random((2, 45))).astype(dtype), rng.standard_normal(taps), (5, 0, 8, 1, 8)
    got = in_chunks(start(h, (2, 8), upfirdn, dtype=dtype, up=up, down=down), x, lengths)
    want = upfirdn(h, x, up, down)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    np.testing.assert_allclose(got, want, atol=1e-3)
    window = h if taps == 1 else "hamming"
    got = in_chunks(start(window, (2, 8), resample_poly, dtype=dtype, up=up, down=down), x, lengths)
    np.testing.assert_allclose(got, resample_poly(x, up, down, -1, window), atol=1e-3)


@given(data=st.data())
@settings(max_examples=500, deadline=None)
@pytest.mark.long
def test_any_chunks_are_the_whole(data):
    up, down = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    lengths = data.draw(st.lists(st.integers(0, 9), max_size=6))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, h = rng.standard_normal((2, 45)), rng.standard_normal(data.draw(st.integers(1, 30)))
    for function in (upfirdn, resample_poly):
        got = in_chunks(start(h, (2, 8), function, dtype=x.dtype, up=up, down=down), x, lengths)
        want = upfirdn(h, x, up, down) if function is upfirdn else resample_poly(x, up, down, -1, h)
        np.testing.assert_allclose(got, want, atol=1e-4)


def test_a_stream_of_another_rate_in_scan_and_grad(rng):
    x, h = jnp.asarray(rng.standard_normal((3, 60))), jnp.asarray(rng.standard_normal(25))

    def streamed(h, x):
        state = start(h, (3, 4), upfirdn, dtype=x.dtype, up=3, down=4)
        chunks = jnp.moveaxis(x.reshape(3, 15, 4), 1, 0)
        state, out = jax.lax.scan(push, state, chunks)
        return jnp.concatenate([jnp.moveaxis(out, 0, 1).reshape(3, -1), finish(state)], -1)

    np.testing.assert_allclose(jax.jit(streamed)(h, x), upfirdn(h, x, 3, 4), atol=1e-5)
    for got, want in zip(
        jax.grad(lambda h, x: (streamed(h, x) ** 2).sum(), (0, 1))(h, x),
        jax.grad(lambda h, x: (upfirdn(h, x, 3, 4) ** 2).sum(), (0, 1))(h, x),
    ):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)


def test_what_a_stream_of_another_rate_does_not_take_is_told():
    for words, call in {
        "start: `function` must come without": lambda: start(np.ones(3), 4, upfirdn, mode="same"),
        "start: `lags` must be left out": lambda: start(np.ones(3), 4, upfirdn, lags=3),
        "start: `up` must be": lambda: start(np.ones(3), 4, upfirdn, up=0),
        "start: `kernel` must have one axis": lambda: start(np.ones((3, 2)), 4, upfirdn),
        "push: `chunk` must be of shape": lambda: push(
            start(np.ones(3), (2, 4), upfirdn), np.ones((3, 4))
        ),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()
