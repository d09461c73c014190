"""Streams: whatever the chunks are, the outputs are those of the whole."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from jaxconv import convolve, correlate, streaming
from jaxconv.detection import coloured_noise, snr, whiten
from jaxconv.matching import find_peaks, normalized_correlation
from jaxconv.streaming import finish, push, start
from jaxconv.streaming.state import _steadily
from tests.conftest import require_computed
from tests.helpers import assert_close

FUNCTIONS = {"convolve": convolve, "correlate": correlate}


def in_chunks(state, signal, cuts, axis=-1):
    """Push a signal cut at these places; return all outputs."""
    outputs = []
    for piece in np.split(np.asarray(signal), cuts, axis):
        state, out = push(state, piece)
        outputs.append(out)
    return np.concatenate([*outputs, finish(state)], axis)


@st.composite
def streams(draw):
    """A signal, a kernel, where the signal is cut, and the options of both calls."""
    n, m = draw(st.integers(1, 60)), draw(st.integers(1, 12))
    dilation = draw(st.integers(1, 3))
    modes = ["full", "same"] + ["valid"] * (n >= (m - 1) * dilation + 1)
    mode = draw(st.sampled_from(modes))
    boundary = draw(st.sampled_from(["fill", "edge", "reflect", "symmetric"]))
    options = {"mode": mode, "stride": draw(st.integers(1, 4)), "dilation": dilation}
    if mode != "valid":
        options |= {"boundary": boundary}
        options |= {"fillvalue": draw(st.integers(-2, 2))} if boundary == "fill" else {}
    cuts = sorted(draw(st.lists(st.integers(0, n), max_size=5)))
    dtype = draw(st.sampled_from(["int16", "uint8", "int32", "float32", "complex64"]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    signal, kernel = (rng.integers(0, 50, size).astype(dtype) for size in (n, m))
    return signal, kernel, cuts, options, draw(st.sampled_from([0, 7, 1000]))


@settings(max_examples=60, deadline=None)
@given(stream=streams(), function=st.sampled_from([convolve, correlate]))
def test_chunked_is_the_whole(stream, function):
    signal, kernel, cuts, options, latency = stream
    whole = np.asarray(function(signal, kernel, **options))
    state = start(kernel, 8, function, latency=latency, dtype=signal.dtype, **options)
    got = in_chunks(state, signal, cuts)
    assert got.dtype == whole.dtype
    if whole.dtype.kind in "iu":
        np.testing.assert_array_equal(got, whole)
    else:
        assert_close(got, whole, np.abs(whole).max() + 1)


CHUNKS = {"direct": 2000, "shifts": 2000, "products": 40, "folded": 2000, "overlap": 6000, "fft": 2000}


@pytest.mark.parametrize("method", CHUNKS)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_every_method(rng, method, function):
    chunk = CHUNKS[method]
    signal, kernel = (rng.standard_normal(n).astype(np.float32) for n in (2 * chunk + 7, 33))
    state = start(kernel, chunk, function, method=method)
    assert [plan.method for _, plan in state.plans] == [method]
    got = in_chunks(state, signal, [chunk, 2 * chunk])
    require_computed(method)
    is_exact = method in ("direct", "shifts")
    whole = np.asarray(function(signal, kernel, method=method if is_exact else "auto"))
    if is_exact:
        np.testing.assert_array_equal(got, whole)
    assert_close(got, whole, np.abs(whole).max())


@pytest.mark.parametrize("blocks", [(4,), (4, 8), (8, 32), (4, 8, 16, 32)])
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_kernels_that_are_cut(rng, function, blocks):
    signal, kernel = rng.standard_normal((2, 150)), rng.standard_normal(70)
    whole = np.asarray(function(signal, kernel[None], axes=1))
    state = start(kernel, (2, 4), function, blocks=blocks)
    assert [every for every, _ in state.plans] == [4, *blocks]
    cuts = [4, 8, 9, 12, 12, 16, 90]  # shorter, as long, none, and much longer
    assert_close(in_chunks(state, signal, cuts), whole, np.abs(whole).max(), slack=16)


def test_integers_of_a_kernel_that_is_cut_are_exact(rng):
    signal, kernel = (rng.integers(-9, 9, n).astype(np.int32) for n in (100, 40))
    got = in_chunks(start(kernel, 4, blocks=(4, 16)), signal, range(4, 100, 4))
    np.testing.assert_array_equal(got, convolve(signal, kernel))


def test_a_long_kernel_is_cut_as_planned(rng):
    state = start(np.ones(20_000, np.float32), 64)
    assert state.later is not None
    assert len(state.plans) > 1
    assert all(b % a == 0 for a, b in pairwise(state.later.cuts))
    assert "every 64 samples" in str(state)
    assert start(np.ones(9, np.float32), 64).later is None
    assert start(np.ones(20_000, np.float32), 64, method="fft").later is None


def test_each_channel_has_its_own_taps(rng):
    signal, kernel = rng.standard_normal((40, 3)), rng.standard_normal((5, 3))
    whole = convolve(signal, kernel, "same", axes=0, boundary="edge")
    state = start(kernel, (8, 3), axis=0, mode="same", boundary="edge")
    assert_close(in_chunks(state, signal, [8, 11, 30], axis=0), whole, np.abs(whole).max())


@pytest.mark.parametrize("blocks", [(), (4, 8)])
def test_inside_jit_scan_vmap_and_grad(rng, blocks):
    signal, kernel = rng.standard_normal((3, 32)), rng.standard_normal(20)

    def of_chunks(kernel, signal):
        state = start(kernel, 4, blocks=blocks)
        state, outputs = jax.lax.scan(push, state, signal.reshape(8, 4))
        return jnp.concatenate([outputs.ravel(), finish(state)])

    whole = partial(convolve, mode="full")
    got = jax.jit(jax.vmap(of_chunks, (None, 0)))(kernel, signal)
    assert_close(got, jax.vmap(whole, (0, None))(signal, kernel), np.abs(got).max(), slack=16)
    weights = jnp.cos(jnp.arange(51.0))
    slopes = [
        jax.jit(jax.grad(lambda k, x, f=f: f(k, x) @ weights, (0, 1)))(kernel, signal[0])
        for f in (of_chunks, lambda k, x: convolve(x, k))
    ]
    for one, other in zip(*slopes, strict=True):
        assert_close(one, other, np.abs(other).max() + 1, slack=64)


@pytest.mark.needs_x64
def test_gradients_are_numerical(rng):
    def last(kernel, chunk):
        state, _ = push(start(kernel, 3), chunk)
        return push(state, chunk**2)[1]

    check_grads(jax.jit(last), (rng.standard_normal(4), rng.standard_normal(3)), 2, ["fwd", "rev"])


@pytest.mark.parametrize("function", [convolve, normalized_correlation])
def test_short_chunks_compile_few_programs(rng, function):
    signal, kernel = rng.standard_normal(3000) + 1e3, rng.standard_normal(9)
    signal[700] = np.nan
    stream, outputs = start(kernel, 64, function), []
    stream, first = push(stream, signal[:64])
    before, place = _steadily._cache_size(), 64
    for length in [*range(1, 65), 5, 63]:
        stream, out = push(stream, signal[place : place + length])
        assert out.shape == (length,)
        outputs.append(out)
        place += length
    assert _steadily._cache_size() - before <= 7  # 1, 2, 4, ... 64
    whole = function(signal[:place], kernel, mode="full" if function is convolve else "valid")
    chunked = np.concatenate([first, *outputs])
    np.testing.assert_allclose(chunked, whole[: len(chunked)], atol=2e-6)


def test_memory_stays_as_it_is(rng):
    state = start(np.ones(100, np.float32), 64, stride=4, mode="same", boundary="reflect")
    sizes = set()
    for _ in range(9):
        state, _ = push(state, rng.standard_normal(64).astype(np.float32))
        sizes.add(sum(x.size for x in jax.tree.leaves(state)))
    assert max(sizes) < 1000
    assert len(sizes) <= 3


@pytest.mark.parametrize("is_complex", [False, True])
def test_snr_of_a_stream(rng, is_complex):
    f = np.fft.fftfreq(64)
    spectrum = 3 + 2 * np.cos(2 * np.pi * f)
    noise = coloured_noise(jax.random.key(0), (20_000,), spectrum)
    template = rng.standard_normal(20) * (1 + (1j if is_complex else 0))
    signal = np.asarray(noise) + 0.0
    signal[700:720] += 3 * template.real
    state = start(template, 100, snr, noise_spectrum=spectrum, dtype=signal.dtype)
    got = in_chunks(state, signal, [5, 9, 300, 777, 10_000])
    whole = np.asarray(snr(signal, template, spectrum))
    assert got.shape == whole.shape
    np.testing.assert_allclose(got, snr(signal, template, spectrum, compact=True), atol=1e-5)
    inner = slice(32, -32)
    np.testing.assert_allclose(got[inner], whole[inner], atol=0.01)
    assert abs(np.abs(got).argmax() - 700) <= 1
    parts = [got.real, got.imag] if is_complex else [got]
    for part in parts:
        assert abs(np.std(part[1000:]) - 1) < 0.05


def test_whitened_as_it_comes(rng):
    f = np.fft.fftfreq(64)
    spectrum = 3 + 2 * np.cos(2 * np.pi * f)
    noise = np.asarray(coloured_noise(jax.random.key(0), (5000,), spectrum))
    got = in_chunks(start(spectrum, 100, whiten, dtype=noise.dtype), noise, [5, 9, 300, 777])
    np.testing.assert_allclose(got, whiten(noise, spectrum, compact=True), atol=1e-5)
    whole = np.asarray(whiten(noise, spectrum))
    np.testing.assert_allclose(got[32:-32], whole[32:-32], atol=0.01)
    assert abs(np.std(got) - 1) < 0.05
    with pytest.raises(ValueError, match="`mode` must be left out for whiten"):
        start(spectrum, 100, whiten, mode="full")
    with pytest.raises(ValueError, match="`noise_spectrum` must be given for snr"):
        start(spectrum, 100, snr)


def test_scores_of_a_stream(rng):
    signal, template = rng.standard_normal(300) + 1e3, rng.standard_normal(21)
    whole = normalized_correlation(signal, template)
    state = start(template, 50, normalized_correlation)
    got = in_chunks(state, signal, [50, 60, 61, 200])
    np.testing.assert_allclose(got, whole, atol=1e-9 if jax.config.jax_enable_x64 else 1e-3)


@settings(max_examples=60, deadline=None)
@given(
    scores=st.lists(st.integers(0, 4), min_size=1, max_size=60),
    dtype=st.sampled_from(["float32", "int32", "uint8", "bfloat16"]),
    distance=st.integers(1, 6),
    threshold=st.sampled_from([0.0, 1.0, 2.5]),
    cuts=st.lists(st.integers(0, 60), max_size=5),
)
def test_peaks_are_none_lost_and_none_doubled(scores, dtype, distance, threshold, cuts):
    scores = jnp.asarray(scores, dtype)
    peaks = find_peaks(scores, threshold=threshold, min_distance=distance, max_peaks=60)
    want = dict(zip(np.ravel(peaks.places).tolist(), np.ravel(peaks.positions).tolist()))
    want.pop(-1, None)
    state, told = streaming.start_peaks(threshold, distance), []
    for piece in np.split(np.asarray(scores), sorted(cuts)):
        state, found = streaming.push_peaks(state, piece)
        told.append(found)
    told.append(streaming.finish_peaks(state))
    places, positions = (np.concatenate(parts) for parts in list(zip(*told))[:2])
    assert places.tolist() == sorted(want)
    np.testing.assert_allclose(positions, [want[place] for place in places], atol=1e-5)


def test_what_is_wrong_is_told():
    taps = np.ones(5, np.float32)
    for words, options in {
        "`boundary` must be known as the signal comes": {"boundary": "wrap"},
        "`blocks` must be left out unless": {"blocks": (2,), "stride": 2},
        "`blocks` must be lengths below the kernel's 5": {"blocks": (8,)},
        "`latency` must not be negative": {"latency": -1},
        "`mode` must be 'valid'": {"function": normalized_correlation, "mode": "same"},
        "`function` must be jaxconv's": {"function": jnp.convolve},
        "`kernel` must have one axis": {"shape": (2, 3, 4), "kernel": np.ones((2, 2))},
    }.items():
        with pytest.raises(ValueError, match=f"^start: {words}"):
            start(options.pop("kernel", taps), options.pop("shape", 4), **options)
    state = start(taps, (2, 4))
    with pytest.raises(ValueError, match=r"^push: `chunk` must be of shape"):
        push(state, np.ones((3, 4), np.float32))
    with pytest.raises(TypeError, match=r"^push: `chunk` must be of float32"):
        push(state, np.ones((2, 4), np.complex64))
    with pytest.raises(ValueError, match=r"^finish: `state` must have got samples"):
        finish(start(taps, 4, boundary="edge"))
