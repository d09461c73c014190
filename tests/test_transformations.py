"""Gradients and batches of every public function that promises them: one table, one program each."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv import (
    boundaries,
    deconvolution,
    detection,
    fir,
    kernels,
    learning,
    matching,
    multirate,
    signals,
)
from jaxconv.matching import overlap_share
from jaxconv.types import BOUNDARIES
from tests.helpers import assert_close

LINE, SHORT = (12,), (4,)
IMAGE, TEMPLATE = (6, 5), (3, 2)
PLACES, KINDS = jnp.array([[[5]], [[9]], [[14]]]), jnp.array([[0], [1], [0]])
PAIRS = jnp.array([[[5], [15]]] * 3), jnp.array([[0, 1]] * 3)
KEY = jax.random.key(0)
FACTORS = jnp.array([0.8, 1.5])
NETWORK = {"window_strides": (2,), "padding": "SAME"}


def scenes(signal, places=PLACES, kinds=KINDS):
    return signals.Scene(signal, places, kinds)


def prepared(signal, kernel):
    function = jaxconv.conv_general_dilated
    return function(signal, jaxconv.prepare(kernel, signal.shape, function, **NETWORK), **NETWORK)


def peaks(score):
    found = matching.find_peaks(score, min_distance=2, max_peaks=2, threshold=-9.0)
    return found.scores, found.positions


def each_boundary(signal):
    return [boundaries.extend(signal, [(5, 3)], boundary) for boundary in BOUNDARIES]


def parts(kernel):
    return kernel.real, kernel.imag


CASES = {  # a function of floats, and their shapes or values
    "convolve": (jaxconv.convolve, LINE, SHORT),
    "correlate": (partial(jaxconv.correlate, mode="same", boundary="reflect"), LINE, SHORT),
    "fftconvolve": (partial(jaxconv.fftconvolve, mode="same"), IMAGE, TEMPLATE),
    "oaconvolve": (partial(jaxconv.oaconvolve, mode="valid"), (40,), (3,)),
    "convolve2d": (partial(jaxconv.convolve2d, mode="same", boundary="symm"), IMAGE, TEMPLATE),
    "correlate2d": (partial(jaxconv.correlate2d, boundary="wrap"), IMAGE, TEMPLATE),
    "sepfir2d": (jaxconv.sepfir2d, IMAGE, (3,), (5,)),
    "prepared conv_general_dilated": (prepared, (2, 2, 9), (3, 2, 4)),
    "convolve_masked": (jaxconv.convolve_masked, LINE, np.array([1.0, 2.0, 1.5, 0.5])),
    "convolve_separable": (lambda x, a, b: jaxconv.convolve_separable(x, [a, b]), IMAGE, (3,), (2,)),
    "gaussian_filter": (partial(jaxconv.gaussian_filter, radius=3), IMAGE, np.array(1.2)),
    "match_template": (jaxconv.match_template, IMAGE, TEMPLATE),
    "best_match": (lambda x, t: matching.best_match(x, t).score, (20,), (2, 5)),
    "loudest": (lambda x, t: matching.loudest(x, t).score, (20,), (2, 5)),
    "find_peaks": (peaks, (20,)),
    "scales": (lambda t: matching.scales(t, FACTORS).templates, (5, 4)),
    "rotations": (lambda t, a: matching.rotations(t, a).templates, (5, 4), np.array([10.0, 77.0])),
    "clutter_spectrum": (lambda x, r: detection.clutter_spectrum(x, r, 8), (2, 3), np.array(0.7)),
    "coloured_noise": (lambda s: detection.coloured_noise(KEY, (2, 16), jnp.exp(s)), (8,)),
    "noise_spectrum": (lambda x: detection.noise_spectrum(x, 8), (2, 30)),
    "whiten": (lambda x, s: detection.whiten(x, jnp.exp(s)), (16,), (8,)),
    "snr": (lambda x, k, s: detection.snr(x, k, jnp.exp(s)), (16,), (5,), (8,)),
    "whiten, compact": (lambda x, s: detection.whiten(x, jnp.exp(s), compact=True), (16,), (8,)),
    "snr, compact": (lambda x, k, s: detection.snr(x, k, jnp.exp(s), compact=True), (16,), (5,), (8,)),
    "threshold": (detection.threshold, np.array([0.2, 0.01])),
    "threshold of unknown phase": (
        partial(detection.threshold, unknown_phase=True),
        np.array([0.2, 0.01]),
    ),
    "detection_probability": (detection.detection_probability, np.array(1.3), np.array(0.1)),
    "detection_probability of unknown phase": (
        partial(detection.detection_probability, unknown_phase=True),
        np.array(1.3),
        np.array(0.1),
    ),
    "strew": (lambda p, s: signals.strew(KEY, (30,), p, noise=s).signal, (2, 4), np.array(0.4)),
    "gabor": (
        lambda f, angle, sigma: parts(kernels.gabor(f, angle, sigma=sigma, radius=2)),
        *map(np.array, (0.2, 0.3, 1.1)),
    ),
    "laplacian_of_gaussian": (partial(kernels.laplacian_of_gaussian, radius=3), np.array(1.3)),
    "extend": (each_boundary, (4,)),
    "blur": (lambda k, x: deconvolution.blur(k, (6,), "reflect")(x), (3,), (6,)),
    "varying_blur": (
        lambda k, w, x: deconvolution.varying_blur(k, w, "scene")(x),
        *((2, 3), (2, 8), (8,)),
    ),
    "richardson_lucy": (
        lambda x, k, v: deconvolution.richardson_lucy(
            jnp.exp(x), jnp.exp(k), 4, total_variation=v, acceleration=True, background=v
        ),
        *((8,), (3,), np.array(0.02)),
    ),
    "wiener": (
        lambda x, k, b: deconvolution.wiener(x, k, b, tolerance=1e-14),
        *((8,), (3,), np.array(0.3)),
    ),
    "wiener, wrapped": (partial(deconvolution.wiener, boundary="wrap"), (8,), (3,), np.array(0.3)),
    "filtfilt": (lambda b, x: fir.filtfilt(b, 1.0, x, padlen=3), (3,), (9,)),
    "firwin": (lambda f: fir.firwin(7, f), np.array(0.3)),
    "hilbert": (lambda x: parts(fir.hilbert(x)), (9,)),
    "lfilter": (lambda b, x, z: fir.lfilter(b, 1.0, x, zi=z), (3,), (9,), (2,)),
    "lfilter_zi": (lambda b: fir.lfilter_zi(b, 1.0), (4,)),
    "minimum_phase": (
        lambda h: fir.minimum_phase(h, "homomorphic"),
        np.array([0.1, 0.3, 0.9, 0.3, 0.1]),
    ),
    "savgol_filter": (lambda x, d: fir.savgol_filter(x, 5, 2, 1, d), (9,), np.array(0.7)),
    "upfirdn": (partial(multirate.upfirdn, up=3, down=2), (5,), (8,)),
    "resample_poly": (lambda x, h: multirate.resample_poly(x, 3, 2, window=h), (8,), (7,)),
    "decimate": (lambda x: multirate.decimate(x, 2, n=4, ftype="fir"), (40,)),
    "logistic": (
        lambda f, b, x: learning.logistic(learning.Detector(f, b), scenes(x)),
        (5,),
        (),
        (3, 20),
    ),
    "peak_least_squares": (lambda f, x: learning.peak_least_squares(f, scenes(x)), (5,), (3, 20)),
    "softmax": (lambda f, x: learning.softmax(f, scenes(x)), (2, 5), (3, 20)),
    "sorting": (lambda f, x: learning.sorting(f, scenes(x, *PAIRS)), (2, 5), (3, 20)),
}


def values(rng, operand):
    """Return random values of a shape, or those that were given, as an array."""
    return jnp.asarray(rng.standard_normal(operand) if isinstance(operand, tuple) else operand)


def inner(xs, ys):
    return sum((x * y).sum() for x, y in zip(jax.tree.leaves(xs), jax.tree.leaves(ys), strict=True))


@pytest.mark.needs_x64  # numerical differences
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_the_numerical_ones(rng, name):
    """Forward along a direction; reverse by <w, J v> = <J* w, v>."""
    call, *given = CASES[name]
    operands = [values(rng, x) for x in given]
    direction = [jnp.asarray(rng.standard_normal(x.shape)) * 0.1 for x in operands]
    step = 1e-4

    @jax.jit
    def both(*operands):
        out, slope = jax.jvp(call, operands, tuple(direction))
        ahead, behind = (
            call(*(x + s * v for x, v in zip(operands, direction, strict=True))) for s in (step, -step)
        )
        numerical = jax.tree.map(lambda a, b: (a - b) / (2 * step), ahead, behind)
        weights = jax.tree.map(lambda x: jnp.cos(jnp.arange(x.size * 1.0)).reshape(x.shape), out)
        back = jax.vjp(call, *operands)[1](weights)
        return slope, numerical, inner(weights, slope), inner(back, direction)

    slope, numerical, forward, reverse = both(*operands)
    assert any(np.abs(x).max() > 1e-3 for x in jax.tree.leaves(slope)), "nothing depends on anything"
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6), slope, numerical)
    np.testing.assert_allclose(reverse, forward, rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_batches_are_a_loop(rng, name):
    call, *given = CASES[name]
    operands = [values(rng, x) for x in given]
    stacks = [jnp.stack([x, x * 0.9, x * 1.1]) for x in operands]

    @jax.jit
    def both(*stacks):
        each = [call(*(x[i] for x in stacks)) for i in range(3)]
        return jax.vmap(call)(*stacks), jax.tree.map(lambda *xs: jnp.stack(xs), *each)

    got, want = both(*stacks)
    jax.tree.map(lambda x, y: assert_close(x, y, 1 + np.abs(y).max(), slack=256), got, want)


def test_shares_of_overlap_are_batched(rng):
    masks, template = rng.random((3, 6, 5)) < 0.4, rng.random((2, 3)) < 0.3
    share = partial(overlap_share, template_mask=template)
    assert_close(jax.vmap(share)(masks), np.stack([share(mask) for mask in masks]), size=1)
