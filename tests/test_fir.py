"""FIR filters: SciPy's designs and answers, and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxconv import fir
from tests.helpers import assert_derivatives

DTYPES = ("float32", "float64", "int16", "uint8", "complex64", "float16")
MODES = ("interp", "mirror", "constant", "nearest", "wrap")


def numbers(data, shape, dtype):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    return (100 * rng.random(shape)).astype(dtype)


def assert_scipys(got, want, atol=None):
    """Compare to SciPy's answer, computed in 64 bits; of the type JAX has for it."""
    largest = np.abs(want).max(initial=1)
    assert not np.iscomplexobj(want) or np.iscomplexobj(got)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=(atol or 2e-6) * largest)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_firwin_is_scipys(data):
    taps = data.draw(st.sampled_from([1, 2, 40, 41]))
    count = data.draw(st.sampled_from([1, 3, 4]))
    cutoffs = sorted(
        data.draw(st.lists(st.integers(1, 99), min_size=count, max_size=count, unique=True))
    )
    options = dict(
        window=data.draw(st.sampled_from(["hamming", "hann", ("kaiser", 3.0), "boxcar"])),
        pass_zero=data.draw(st.booleans()),
        scale=data.draw(st.booleans()),
        width=data.draw(st.sampled_from([None, 11.0])),
        fs=200.0,
    )
    passes = (count % 2 == 0) == options["pass_zero"]
    cutoff = float(cutoffs[0]) if count == 1 else [float(c) for c in cutoffs]
    if passes and taps % 2 == 0:
        with pytest.raises(ValueError, match="`numtaps` must be odd"):
            fir.firwin(taps, cutoff, **options)
        return
    with np.errstate(all="ignore"):
        want = scipy.signal.firwin(taps, cutoff, **options)
    if np.abs(want).max() < 1e3:  # else scaled by a response that is nearly 0
        assert_scipys(fir.firwin(taps, cutoff, **options), want, 2e-4)


@pytest.mark.parametrize("name", ["lowpass", "highpass", "bandpass", "bandstop"])
def test_names_of_bands(name):
    cutoff = 0.3 if name in ("lowpass", "highpass") else [0.3, 0.6]
    assert_scipys(
        fir.firwin(31, cutoff, pass_zero=name), scipy.signal.firwin(31, cutoff, pass_zero=name)
    )


@pytest.mark.needs_x64
@pytest.mark.parametrize("pass_zero", [True, False])
def test_a_band_is_learned(pass_zero):
    """The gradient in the cut-offs is the numerical one, and finds a filter's band."""
    design = lambda c: jnp.sin(fir.firwin(21, c, pass_zero=pass_zero)).sum()  # noqa: E731
    assert_derivatives(design, np.array([0.25, 0.6]), tolerance=1e-3)
    wanted = fir.firwin(31, [0.3, 0.5], pass_zero=pass_zero)
    slope = jax.jit(jax.grad(lambda c: ((fir.firwin(31, c, pass_zero=pass_zero) - wanted) ** 2).sum()))
    cutoffs = jnp.array([0.27, 0.54])
    for _ in range(300):
        cutoffs -= 0.02 * slope(cutoffs)
    np.testing.assert_allclose(cutoffs, [0.3, 0.5], atol=1e-3)


def test_scipys_designs():
    bands, gains = [0, 0.3, 0.4, 1], [1, 1, 0, 0]
    assert_scipys(fir.firls(21, bands, gains), scipy.signal.firls(21, bands, gains))
    assert_scipys(
        fir.firls(21, jnp.array(bands), gains, weight=jnp.array([1, 9])),
        scipy.signal.firls(21, bands, gains, weight=[1, 9]),
        1e-5,
    )
    assert_scipys(fir.firwin2(22, bands, gains), scipy.signal.firwin2(22, bands, gains))
    assert_scipys(
        fir.remez(21, [0, 0.1, 0.2, 0.5], [1, 0]), scipy.signal.remez(21, [0, 0.1, 0.2, 0.5], [1, 0])
    )
    assert jax.jit(lambda: fir.firls(21, bands, gains))().shape == (21,)
    with pytest.raises(TypeError, match="firls: `desired` must be known when the call is traced"):
        jax.jit(lambda g: fir.firls(21, bands, g))(jnp.array(gains))


@pytest.mark.parametrize("options", [{}, {"half": False}, {"n_fft": 1001}, {"method": "hilbert"}])
@pytest.mark.parametrize("taps", [31, 32])
def test_minimum_phase_is_scipys(options, taps):
    h = scipy.signal.remez(taps, [0, 0.2, 0.3, 0.5], [1, 0])
    want = scipy.signal.minimum_phase(h, **options)
    rough = "method" in options  # there a logarithm of what is 0 but for rounding is taken
    assert_scipys(fir.minimum_phase(h, **options), want, 2e-3 if rough else 1e-5)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_lfilter_is_scipys(data):
    n, m = data.draw(st.sampled_from([1, 12, 13])), data.draw(st.sampled_from([1, 2, 12, 20]))
    x = numbers(data, (2, n, 3), data.draw(st.sampled_from(DTYPES)))
    b = numbers(data, m, data.draw(st.sampled_from(["float32", "float64", "complex64"])))
    axis, a = data.draw(st.integers(-3, 2)), data.draw(st.sampled_from([[1.0], [2.0], [-0.5]]))
    assert_scipys(fir.lfilter(b, a, x, axis), scipy.signal.lfilter(b, a, x, axis))
    state = [m - 1 if i == axis % 3 else length for i, length in enumerate(x.shape)]
    state = [
        length if i == axis % 3 or data.draw(st.booleans()) else 1 for i, length in enumerate(state)
    ]
    zi = numbers(data, state, "float32")
    for got, want in zip(fir.lfilter(b, a, x, axis, zi), scipy.signal.lfilter(b, a, x, axis, zi)):
        assert_scipys(got, want)


def test_the_state_goes_on(rng):
    x, b = rng.standard_normal(100), rng.standard_normal(9)
    whole, state, pieces = fir.lfilter(b, 1, x), jnp.zeros(8), []
    for first, last in [(0, 3), (3, 50), (50, 51), (51, 100)]:
        piece, state = fir.lfilter(b, 1, x[first:last], zi=state)
        pieces.append(piece)
    np.testing.assert_allclose(jnp.concatenate(pieces), whole, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_filtfilt_is_scipys(data):
    m = data.draw(st.integers(2, 9))  # one tap has no state, and SciPy 1.17 fails
    n = data.draw(st.sampled_from([28, 41]))
    x = numbers(data, (2, n, 3), data.draw(st.sampled_from(DTYPES)))
    b = numbers(data, m, data.draw(st.sampled_from(["float32", "float64", "complex64"]))) / 100
    options = dict(
        axis=1,
        padtype=data.draw(st.sampled_from(["odd", "even", "constant", None])),
        padlen=data.draw(st.sampled_from([None, 0, 2, n - 1])),
    )
    x = x.astype(np.result_type(x.dtype, np.float32))  # SciPy extends uint8 in uint8
    assert_scipys(
        fir.filtfilt(b, [2.0], x, **options), scipy.signal.filtfilt(b, [2.0], x, **options), 1e-5
    )
    np.testing.assert_allclose(
        fir.lfilter_zi(b, 2), scipy.signal.lfilter_zi(b, [2.0]), rtol=1e-4, atol=1e-6
    )


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_savgol_is_scipys(data):
    n, window = data.draw(st.sampled_from([1, 8, 19])), data.draw(st.sampled_from([1, 2, 5, 8]))
    order, deriv = data.draw(st.integers(0, min(window - 1, 4))), data.draw(st.integers(0, 3))
    mode = data.draw(st.sampled_from(MODES))
    dtype = data.draw(st.sampled_from(["float32", "float64", "int16", "uint8", "float16"]))
    x, options = (
        numbers(data, (2, n, 3), dtype),
        dict(deriv=deriv, delta=0.5, axis=1, mode=mode, cval=2.5),
    )
    if mode == "interp" and window > n:
        with pytest.raises(ValueError, match="savgol_filter: `window_length` must be"):
            fir.savgol_filter(x, window, order, **options)
        return
    want = scipy.signal.savgol_filter(x, window, order, **options)
    assert_scipys(fir.savgol_filter(x, window, order, **options), want, 1e-4)
    taps = scipy.signal.savgol_coeffs(window, order, deriv, 0.5, use="dot")
    np.testing.assert_allclose(
        fir.savgol_coeffs(window, order, deriv, 0.5, use="dot"), taps, atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("n", [1, 2, 7, 8])
@pytest.mark.parametrize("size", [None, 5, 6, 12])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_hilbert_is_scipys(rng, n, size, dtype):
    x = (100 * rng.random((2, n, 3))).astype(dtype)
    assert_scipys(fir.hilbert(x, size, 1), scipy.signal.hilbert(x, size, 1))


def test_what_is_wrong_is_told():
    x = np.ones(30)
    for words, call in {
        "firwin: `cutoff` must lie between 0 and fs / 2": lambda: fir.firwin(5, 1.0),
        "firwin: `cutoff` must increase": lambda: fir.firwin(5, [0.5, 0.2]),
        "firwin: `cutoff` must be one for": lambda: fir.firwin(5, [0.2, 0.5], pass_zero="lowpass"),
        "firwin: `pass_zero` must be one of": lambda: fir.firwin(5, 0.5, pass_zero="low"),
        "firwin: `numtaps` must be a positive": lambda: fir.firwin(0, 0.5),
        "minimum_phase: `h` must be real": lambda: fir.minimum_phase(np.ones(2)),
        "minimum_phase: `n_fft` must be": lambda: fir.minimum_phase(np.ones(5), n_fft=3),
        "minimum_phase: `half` must be": lambda: fir.minimum_phase(np.ones(5), "hilbert", half=False),
        "lfilter: `a` must be one number": lambda: fir.lfilter([1.0], [1.0, 0.5], x),
        "lfilter: `zi` must be of shape": lambda: fir.lfilter(np.ones(3), 1, x, zi=np.ones(3)),
        "lfilter: `b` must have one axis": lambda: fir.lfilter(np.ones((2, 2)), 1, x),
        "filtfilt: `x` must have more than 30": lambda: fir.filtfilt(np.ones(10), 1, x),
        "filtfilt: `method` must be one of": lambda: fir.filtfilt(np.ones(3), 1, x, method="gust"),
        "hilbert: `x` must be real": lambda: fir.hilbert(x + 0j),
        "savgol_filter: `mode` must be one of": lambda: fir.savgol_filter(x, 5, 2, mode="reflect"),
        "polyorder must be less": lambda: fir.savgol_coeffs(3, 3),
    }.items():
        with pytest.raises(ValueError, match=words):
            call()
