"""What theory promises of detection, held against experiment in white and in 1/f noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy.signal import welch
from scipy.stats import binom, ncx2, norm

from jaxconv import detection, learning, signals
from jaxconv.matching import find_peaks
from jaxconv.signals import Scene
from tests.conftest import SEED

TRIALS = 1_000_000
SIZE = 24
FREQUENCY = np.abs(np.fft.fftfreq(4 * SIZE))
SPECTRA = {"white": np.ones(4 * SIZE), "1/f": 0.02 / np.maximum(FREQUENCY, 1 / (4 * SIZE))}
TEMPLATE = np.asarray(signals.sawtooth(jnp.arange(SIZE), 4, 20))


def in_interval(count, trials, probability):
    """Tell whether a count lies in the 99 % binomial interval."""
    low, high = binom.interval(0.99, trials, probability)
    return low <= count <= high


@pytest.mark.parametrize("colour", SPECTRA)
def test_rates_are_what_theory_says(colour):
    spectrum = jnp.asarray(SPECTRA[colour])
    covariance = detection.noise_covariance(spectrum, (SIZE,))
    weights = detection.matched_filter(jnp.asarray(TEMPLATE), noise_spectrum=spectrum)
    weights = weights / jnp.sqrt(weights @ covariance @ weights)
    root = jnp.linalg.cholesky(covariance)
    white = jax.random.normal(jax.random.key(SEED), (TRIALS, SIZE))  # a million independent patches
    ratio = np.asarray(white @ (root.T @ weights))
    best = float(weights @ jnp.asarray(TEMPLATE))
    assert best == pytest.approx(float(jnp.sqrt(TEMPLATE @ jnp.linalg.solve(covariance, TEMPLATE))))
    for p in (0.1, 0.01, 1e-3):
        least = float(detection.threshold(p))
        assert in_interval((ratio > least).sum(), TRIALS, p)
        for strength in (0.5, 2.0, 4.0):
            found = (ratio + strength > least).sum()  # a target as strong
            assert in_interval(found, TRIALS, float(detection.detection_probability(strength, p)))


@pytest.mark.parametrize("colour", SPECTRA)
def test_snr_is_calibrated_and_the_phase_unknown(colour):
    spectrum = jnp.asarray(SPECTRA[colour])
    time = jnp.arange(64)
    wave = jnp.exp(-(((time - 32) / 10) ** 2)) * jnp.exp(2j * jnp.pi * 0.2 * time)
    keys = jax.random.split(jax.random.key(1), 2000)
    count = 1024

    def series(key):
        noise = detection.coloured_noise(key, (count,), spectrum)
        return detection.snr(noise, wave.real, spectrum), detection.snr(noise, wave, spectrum)

    real, complex_ = jax.lax.map(series, keys, batch_size=100)
    assert float(real.var()) == pytest.approx(1, abs=0.01)
    assert float(real.mean()) == pytest.approx(0, abs=0.01)
    for part in (complex_.real, complex_.imag):
        assert float(part.var()) == pytest.approx(1, abs=0.01)
    apart = np.abs(np.asarray(complex_[:, 100:900:100])).ravel()  # of one another independent
    for p in (0.1, 0.01):
        least = float(detection.threshold(p, unknown_phase=True))
        assert in_interval((apart > least).sum(), apart.size, p)


def test_a_target_is_as_strong_as_theory_says_wherever_it_lies():
    spectrum = jnp.asarray(SPECTRA["1/f"])
    quiet = jnp.zeros(512).at[200 : 200 + SIZE].set(3 * TEMPLATE)
    ratio = detection.snr(quiet, jnp.asarray(TEMPLATE), spectrum)
    assert int(ratio.argmax()) == 200
    strength = detection.output_snr(TEMPLATE, noise_spectrum=detection.noise.resample(spectrum, (512,)))
    assert float(ratio.max()) == pytest.approx(3 * float(strength), rel=1e-6)


def test_the_place_of_a_peak_is_unbiased():
    wave = jnp.asarray(signals.ricker(jnp.linspace(-4, 4, 41)))
    spectrum = jnp.asarray(SPECTRA["1/f"])
    place = 100

    def error(key):
        noise = detection.coloured_noise(key, (256,), spectrum)
        ratio = detection.snr(noise.at[place : place + 41].add(4 * wave), wave, spectrum)
        return find_peaks(ratio, max_peaks=1).positions[0, 0] - place

    errors = np.asarray(jax.vmap(error)(jax.random.split(jax.random.key(2), 4000)))
    assert np.abs(errors).max() < 5
    assert abs(errors.mean()) < 2.576 * errors.std() / np.sqrt(errors.size)


@pytest.mark.parametrize("colour", SPECTRA)
def test_no_filter_of_thousands_beats_the_optimum(rng, colour):
    spectrum = SPECTRA[colour]
    covariance = np.asarray(detection.noise_covariance(spectrum, (SIZE,)))
    best = np.asarray(detection.matched_filter(TEMPLATE, noise_spectrum=spectrum))
    near = best + rng.standard_normal((3000, SIZE)) * np.geomspace(1e-3, 1, 3000)[:, None]
    others = np.concatenate([rng.standard_normal((3000, SIZE)), near, TEMPLATE[None]])
    power = np.einsum("ni,ij,nj->n", others, covariance, others)
    bound = best @ TEMPLATE / np.sqrt(best @ covariance @ best)
    reached = others @ TEMPLATE / np.sqrt(power)
    assert (reached <= bound * (1 + 1e-9)).all()
    assert reached.max() > 0.999 * bound  # so near did the search come


def test_interfering_shapes_are_avoided():
    target, other = signals.circle(15), signals.square(15)
    clutter = detection.clutter_spectrum(other[None], 1 / 200, (45, 45))
    noise = jnp.full((45, 45), 0.01)
    key = jax.random.key(3)
    strewn = jax.random.bernoulli(key, 1 / 200, (20, 128, 128)).astype(float)
    images = jax.vmap(lambda s: jnp.fft.ifftn(jnp.fft.fftn(s) * jnp.fft.fftn(other, (128, 128))).real)(
        strewn
    )
    images += 0.1 * jax.random.normal(jax.random.key(4), images.shape)
    aware = detection.matched_filter(target, noise_spectrum=clutter + noise)
    naive = detection.matched_filter(target)

    def reached(weights):
        response = jax.vmap(lambda image: jax.scipy.signal.correlate(image, weights, "valid"))(images)
        return float((weights * target).sum() / response.std())

    theory = jnp.sqrt(
        jnp.vdot(
            target,
            jnp.linalg.solve(detection.noise_covariance(clutter + noise, (15, 15)), target.ravel()),
        )
    )
    assert reached(aware) == pytest.approx(float(theory), rel=0.1)
    assert reached(aware) > 2 * reached(naive)


def test_fisher_discriminant_in_a_measured_covariance(rng):
    mix = rng.standard_normal((9, 9))
    patches = rng.standard_normal((100_000, 9)) @ mix
    weights = np.asarray(detection.matched_filter(np.arange(9.0), np.cov(patches.T)))
    exact = np.linalg.solve(mix.T @ mix, np.arange(9.0))
    assert weights @ exact / np.linalg.norm(exact) > 0.99


@pytest.mark.parametrize("average", ["mean", "median"])
def test_spectrum_is_welchs(rng, average):
    x = rng.standard_normal(3000)
    _, want = welch(x, nperseg=64, noverlap=48, detrend=False, return_onesided=False, average=average)
    got = detection.noise_spectrum(x, 64, overlap=0.75, average=average)
    np.testing.assert_allclose(got, want, rtol=1e-9)


def test_spectrum_of_an_image_is_the_one_it_was_drawn_with():
    y, x = jnp.meshgrid(jnp.fft.fftfreq(32), jnp.fft.fftfreq(32), indexing="ij")
    spectrum = 1 / (0.05 + y**2 + 4 * x**2)
    images = detection.coloured_noise(jax.random.key(5), (40, 256, 256), spectrum)
    ratio = detection.noise_spectrum(images, (32, 32)) / spectrum
    assert float(jnp.abs(ratio - 1).max()) < 0.12  # a Hann window smears a little
    white = detection.whiten(images, spectrum)
    assert float(white.var()) == pytest.approx(1, abs=0.01)
    inside = (slice(None), slice(16, -16), slice(16, -16))
    compact = detection.whiten(images, spectrum, compact=True)[inside]
    assert float(compact.var()) == pytest.approx(1, abs=0.01)
    assert float(jnp.abs(compact - white[inside]).max()) < 0.1


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("shape", [(5,), (8,), (4, 3)])
def test_modes_of_snr_are_the_same_ratios(rng, shape, compact):
    """Integers, batches, quadratures; "valid" is cut out of "same"."""
    spectrum = jnp.asarray(rng.random([8, 6][: len(shape)]) + 1)
    template = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    sizes = [40, 30][: len(shape)]
    image = rng.integers(-99, 99, (2, *sizes)).astype("i2")
    same, valid = (
        detection.snr(image, template, spectrum, mode=mode, compact=compact)
        for mode in ("same", "valid")
    )
    assert same.shape == image.shape
    assert valid.shape == (2, *(n - m + 1 for n, m in zip(sizes, shape)))
    cut = tuple(slice(m // 2, m // 2 + n - m + 1) for n, m in zip(sizes, shape))
    np.testing.assert_array_equal(same[(slice(None), *cut)], valid)
    energy = detection.output_snr(template.real, noise_spectrum=spectrum)
    found = detection.snr(
        jnp.zeros(sizes).at[tuple(map(slice, shape))].set(template.real),
        template.real,
        spectrum,
        compact=compact,
    )
    assert float(found.max()) == pytest.approx(float(energy), rel=0.03)


def test_median_hardly_notices_a_signal(rng):
    noise = rng.standard_normal(20_000)
    noise[5000:5100] += 100 * np.sin(np.arange(100))
    assert float(detection.noise_spectrum(noise, 64, average="median").mean()) == pytest.approx(
        1, abs=0.1
    )
    assert float(detection.noise_spectrum(noise, 64).mean()) > 10


def test_probabilities_agree_with_scipy():
    strengths = np.array([0.0, 0.5, 1, 3, 5, 8, 20])
    for p in (0.3, 1e-3, 1e-8):
        b = np.sqrt(-2 * np.log(p))
        want = ncx2.sf(b**2, 2, np.maximum(strengths**2, 1e-12))
        got = detection.detection_probability(strengths, p, unknown_phase=True)
        np.testing.assert_allclose(got, want, atol=1e-10)
        want = norm.sf(norm.isf(p) - strengths)
        np.testing.assert_allclose(detection.detection_probability(strengths, p), want, rtol=1e-6)


def test_detection_is_differentiable():
    template = jnp.asarray(TEMPLATE)
    signal = jax.random.normal(jax.random.key(6), (64,))
    spectrum = jnp.asarray(SPECTRA["1/f"])
    functions = (
        (lambda s, t, n: detection.snr(s, t, n).max(), (signal, template, spectrum)),
        (lambda s, n: (detection.whiten(s, n) ** 3).sum(), (signal, spectrum)),
        (lambda t, n: (detection.matched_filter(t, noise_spectrum=n) ** 3).sum(), (template, spectrum)),
        (lambda a: detection.detection_probability(a, 0.01), (2.0,)),
        (lambda a: detection.detection_probability(a, 0.01, unknown_phase=True), (2.0,)),
        (lambda t, n: detection.output_snr(t, noise_spectrum=n), (template, spectrum)),
    )
    for function, arguments in functions:
        check_grads(function, arguments, order=1, modes=["rev"], atol=1e-3, rtol=1e-3)


def test_roc_agrees_with_counting(rng):
    truth = rng.random(400) < 0.3
    scores = np.round(rng.standard_normal(400) + truth, 1)  # with ties
    curve = detection.roc(scores, truth)
    pairs = scores[truth][:, None] - scores[~truth][None]
    assert float(curve.area) == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2)
    for number in (0, 1, 57, 400):
        least = float(curve.threshold[number])
        assert float(curve.detection[number]) == pytest.approx((scores[truth] >= least).mean())
        assert float(curve.false_alarm[number]) == pytest.approx((scores[~truth] >= least).mean())


def test_small_probabilities_hold_in_32_bits(single):
    """An image of 1000 x 1000 asks for a threshold of 1e-9 at each place."""
    p = 10.0 ** -np.arange(1, 13)
    least = norm.isf(p)
    np.testing.assert_allclose(detection.threshold(jnp.asarray(p, jnp.float32)), least, rtol=1e-6)
    for ratio in (0.0, 1.0, 3.0, 8.0, 30.0):
        got = detection.detection_probability(ratio, jnp.asarray(p, jnp.float32))
        np.testing.assert_allclose(got, norm.sf(least - ratio), rtol=2e-5)
        got = detection.detection_probability(ratio, jnp.asarray(p, jnp.float32), unknown_phase=True)
        want = ncx2.sf(-2 * np.log(p), 2, ratio**2) if ratio else p
        np.testing.assert_allclose(got, want, rtol=2e-5)


def test_a_large_image_is_searched_at_a_rate_per_image(single):
    image, template = (jax.random.normal(jax.random.key(k), (n, n)) for k, n in ((0, 300), (1, 21)))
    ratio = detection.snr(image.at[100:121, 100:121].add(2 * template), template, jnp.ones((16, 16)))
    peaks = find_peaks(ratio, threshold=detection.threshold(1e-3 / ratio.size), min_distance=21)
    assert peaks.places[: peaks.count].tolist() == [[100, 100]]


def test_faint_units_are_told_or_held(single):
    """Strain of 1e-21: its power is below what float32 holds, its filters and ratios are not."""
    noise = 1e-21 * np.random.default_rng(0).standard_normal(10_000).astype(np.float32)
    with pytest.raises(ValueError, match=r"noise_spectrum: `noise` must have squares .* Multiply it"):
        detection.noise_spectrum(noise, 64)
    counted = noise * np.float32(1e21)
    white = detection.whiten(counted, detection.noise_spectrum(counted, 64))
    assert float(white.std()) == pytest.approx(1, abs=0.02)
    faint = np.float32([3e-21, 4e-21])
    np.testing.assert_allclose(detection.matched_filter(faint), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(learning.unit_energy(jnp.asarray(faint)), [0.6, 0.8], rtol=1e-6)
    assert float(detection.output_snr(faint, np.float32(1e-21))) == pytest.approx(5)
    assert float(learning.cosine_similarity(faint, [3.0, 4.0])) == pytest.approx(1)


def test_covariances_do_not_depend_on_the_mean(single, rng):
    signal = rng.standard_normal((4, 60, 60)).astype(np.float32)
    places, kinds = jnp.full((4, 1, 2), 30), jnp.zeros((4, 1), int)

    def measured(signal):
        return detection.patch_statistics(Scene(jnp.asarray(signal), places, kinds), 3)

    plain, far = measured(signal), measured(signal + np.float32(1e4))
    np.testing.assert_allclose(far.covariance, plain.covariance, atol=2e-3)  # 1e4 rounds the samples
    np.testing.assert_allclose(far.elsewhere, plain.elsewhere + 1e4, rtol=1e-6)


def test_roc_ranks_integers_as_they_are():
    truth = np.array([True, False, True, True])
    for dtype in ("uint8", "int32"):
        scores = np.array([255, 10, 0, 200], dtype)
        assert float(detection.roc(scores, truth).area) == pytest.approx(2 / 3)
    lowest = np.array([-(2**31), 3], np.int32)
    assert float(detection.roc(lowest, [False, True]).area) == 1
    assert float(detection.roc([True, False], [True, False]).area) == 1
    assert np.isnan(detection.roc([np.nan, 1.0], [True, False]).area)


def test_compact_filters_of_complex_signals(rng):
    """Whose spectrum differs between positive and negative frequencies, so that filters are complex."""
    spectrum = np.where(np.fft.fftfreq(64) > 0, 10, 0.1)
    spectrum = np.convolve(np.tile(spectrum, 3), np.hanning(9) / 4, "same")[64:128]
    response = np.sqrt(np.interp(np.arange(4096) / 64, np.arange(65), np.append(spectrum, spectrum[0])))
    noise = np.fft.ifft(
        np.fft.fft(rng.standard_normal(4096) + 1j * rng.standard_normal(4096)) * response
    )
    noise /= 2**0.5
    inside = slice(64, -64)
    white, whole = (detection.whiten(noise, spectrum, compact=c)[inside] for c in (True, False))
    assert float(jnp.abs(white - whole).max()) < 0.3
    assert float((jnp.abs(white) ** 2).mean()) == pytest.approx(1, abs=0.1)
    template = np.hanning(9)
    quiet = np.zeros(512, complex)
    quiet[200:209] = template
    peaks = [jnp.abs(detection.snr(quiet, template, spectrum, compact=c)).max() for c in (True, False)]
    assert float(peaks[0]) == pytest.approx(float(peaks[1]), rel=0.03)
