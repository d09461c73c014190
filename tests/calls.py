"""One small call of each public function that takes arrays, as a function of how its data are made.

`make` turns a list or an array of whole numbers from 0 to 100 into the operand: of another type, say.
"""

import jax
import jax.numpy as jnp
import numpy as np

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
    reference,
    signals,
)
from jaxconv.signals import Scene

rng = np.random.default_rng(5)
LINE, TAPS = rng.integers(0, 100, 40), rng.integers(0, 100, 5)
IMAGE, PATCH = rng.integers(0, 100, (14, 15)), rng.integers(0, 100, (3, 4))
LONG = rng.integers(0, 100, 200)
MASK, HIDDEN = rng.random(IMAGE.shape) < 0.2, np.eye(3, 4, dtype=bool)
SPECTRUM = np.array([4.0, 1.0, 2.0, 3.0, 2.0, 1.0, 3.0, 1.0], np.float32)
PLACES, KINDS = np.array([[[6, 5]], [[7, 7]]], np.int32), np.zeros((2, 1), np.int32)
KEY = jax.random.key(0)


def scenes(make):
    return Scene(make(np.stack([IMAGE, IMAGE[::-1]])), jnp.asarray(PLACES), jnp.asarray(KINDS))


WRAP = {  # exact in their own type, whose modulus they keep, as NumPy's and SciPy's
    "convolve": lambda make: jaxconv.convolve(make(LINE), make(TAPS)),
    "correlate": lambda make: jaxconv.correlate(make(LINE), make(TAPS), "same"),
    "convolve2d": lambda make: jaxconv.convolve2d(make(IMAGE), make(PATCH), "same", "symm"),
    "correlate2d": lambda make: jaxconv.correlate2d(make(IMAGE), make(PATCH)),
    "convolve_separable": lambda make: jaxconv.convolve_separable(
        make(IMAGE), [make(TAPS), make(TAPS)], "same", fillvalue=3
    ),
    "reference.convolve": lambda make: reference.convolve(make(LINE), make(TAPS)),
    "reference.correlate": lambda make: reference.correlate(make(LINE), make(TAPS)),
    "boundaries.extend": lambda make: boundaries.extend(make(LINE), [(3, 4)], "reflect"),
}
FLOATS = {  # computed in floats, whatever they are given
    "fftconvolve": lambda make: jaxconv.fftconvolve(make(LINE), make(TAPS)),
    "oaconvolve": lambda make: jaxconv.oaconvolve(make(LINE), make(TAPS)),
    "sepfir2d": lambda make: jaxconv.sepfir2d(make(IMAGE), make(TAPS), make(TAPS)),
    "correlate, normalized": lambda make: jaxconv.correlate(
        make(LINE), make(TAPS), normalize="coefficient"
    ),
    "convolve_masked": lambda make: jaxconv.convolve_masked(make(IMAGE), make(PATCH), MASK),
    "gaussian_filter": lambda make: jaxconv.gaussian_filter(make(IMAGE), 1.5, (0, 1)),
    "match_template": lambda make: jaxconv.match_template(make(IMAGE), make(PATCH), True),
    "matching.normalized_correlation": lambda make: matching.normalized_correlation(
        make(IMAGE), make(PATCH), mode="same"
    ),
    "matching.normalized_correlation, masked": lambda make: matching.normalized_correlation(
        make(IMAGE), make(PATCH), mask=MASK, template_mask=HIDDEN
    ),
    "matching.match": lambda make: matching.match(make(IMAGE), make(PATCH), "squared_difference"),
    "matching.match, weighted": lambda make: matching.match(
        make(IMAGE), make(PATCH), weights=make(PATCH // 10 + 1)
    ),
    "matching.best_match": lambda make: (
        matching.best_match(make(IMAGE), make(np.stack([PATCH, PATCH[::-1]]))).score
    ),
    "matching.loudest": lambda make: (
        matching.loudest(make(LINE), make(np.stack([TAPS, TAPS[::-1]])), measure="correlation").score
    ),
    "matching.find_peaks": lambda make: matching.find_peaks(make(LINE), max_peaks=5).scores,
    "matching.views": lambda make: matching.views(make(PATCH), angles=make([0, 30])).templates,
    "matching.rotations": lambda make: matching.rotations(make(PATCH), make([0, 30])).templates,
    "matching.scales": lambda make: matching.scales(make(PATCH), make([1, 2])).templates,
    "detection.noise_spectrum": lambda make: detection.noise_spectrum(make(LONG), 16, average="median"),
    "detection.clutter_spectrum": lambda make: detection.clutter_spectrum(make(PATCH), 0.1, 8),
    "detection.noise_covariance": lambda make: detection.noise_covariance(make(LINE[:8] + 1), (3,)),
    "detection.coloured_noise": lambda make: detection.coloured_noise(KEY, (16,), make(LINE[:8])),
    "detection.matched_filter": lambda make: detection.matched_filter(make(TAPS), make(np.eye(5))),
    "detection.matched_filter, coloured": lambda make: detection.matched_filter(
        make(TAPS), noise_spectrum=SPECTRUM
    ),
    "detection.output_snr": lambda make: detection.output_snr(make(TAPS), 2.0),
    "detection.output_snr, coloured": lambda make: detection.output_snr(
        make(TAPS), noise_spectrum=make(LINE[:8] + 1)
    ),
    "detection.whiten": lambda make: detection.whiten(make(LINE), SPECTRUM),
    "detection.snr": lambda make: detection.snr(make(LINE), make(TAPS), make(LINE[:8] + 1)),
    "detection.whiten, compact": lambda make: detection.whiten(make(LINE), SPECTRUM, compact=True),
    "detection.snr, compact": lambda make: detection.snr(
        make(LINE), make(TAPS), make(LINE[:8] + 1), mode="same", compact=True
    ),
    "detection.roc": lambda make: detection.roc(make(LINE), LINE % 3 == 0).detection,
    "detection.detection_rate": lambda make: detection.detection_rate(
        make(LINE), make(LONG), false_alarm=0.1
    ),
    "detection.detection_probability": lambda make: detection.detection_probability(
        make([1, 3]), 1e-3, unknown_phase=True
    ),
    "detection.patch_statistics": lambda make: detection.patch_statistics(scenes(make), 3).covariance,
    "deconvolution.blur": lambda make: deconvolution.blur(make(PATCH), IMAGE.shape, "edge")(make(IMAGE)),
    "deconvolution.varying_blur": lambda make: deconvolution.varying_blur(
        make(np.stack([PATCH, PATCH[::-1]])), make(np.stack([IMAGE, IMAGE[::-1]])), "image", "edge"
    ).adjoint(make(IMAGE)),
    "deconvolution.richardson_lucy": lambda make: deconvolution.richardson_lucy(
        make(IMAGE), make(PATCH), 3
    ),
    "deconvolution.richardson_lucy, all": lambda make: deconvolution.richardson_lucy(
        make(IMAGE),
        make(PATCH),
        5,
        boundary="fill",
        mask=MASK,
        background=make([1])[0],
        acceleration=True,
        total_variation=0.01,
        tolerance=0.1,
        initial=make(IMAGE + 1),
    ),
    "deconvolution.total_variation": lambda make: deconvolution.total_variation(
        make(IMAGE), make(PATCH) / 600, make([1])[0] / 10, num_iter=3
    ),
    "deconvolution.unsupervised_wiener": lambda make: sum(
        part.sum() for part in deconvolution.unsupervised_wiener(KEY, make(IMAGE), make(PATCH), draws=2)
    ),
    "deconvolution.wiener": lambda make: deconvolution.wiener(
        make(IMAGE), make(PATCH), make([9])[0], regularization=make(TAPS[None])
    ),
    "deconvolution.wiener, wrapped": lambda make: deconvolution.wiener(
        make(IMAGE),
        make(PATCH),
        signal_spectrum=make([9])[0],
        noise_spectrum=make([30])[0],
        boundary="wrap",
    ),
    "fir.filtfilt": lambda make: fir.filtfilt(make(TAPS), 1, make(LINE)),
    "fir.hilbert": lambda make: fir.hilbert(make(LINE)),
    "fir.lfilter": lambda make: fir.lfilter(make(TAPS), 2, make(LINE)),
    "fir.lfilter_zi": lambda make: fir.lfilter_zi(make(TAPS), 1),
    "fir.minimum_phase": lambda make: fir.minimum_phase(make([1, 9, 30, 9, 1]), "homomorphic"),
    "fir.savgol_filter": lambda make: fir.savgol_filter(make(LINE), 5, 2),
    "multirate.upfirdn": lambda make: multirate.upfirdn(make(TAPS), make(LINE), 3, 2),
    "multirate.resample_poly": lambda make: multirate.resample_poly(make(LINE), 3, 2),
    "multirate.decimate": lambda make: multirate.decimate(make(LONG), 3, ftype="fir"),
    "kernels.edges": lambda make: kernels.edges(make(IMAGE)),
    "kernels.factor": lambda make: kernels.factor(make(PATCH)).terms[0][0],
    "signals.strew": lambda make: signals.strew(KEY, (12,), make([[1, 2, 1]]), noise=0.0).signal,
    "learning.cosine_similarity": lambda make: learning.cosine_similarity(make(LINE), make(LINE[::-1])),
    "learning.responses": lambda make: learning.responses(
        make(PATCH).astype(float), scenes(make).signal
    ),
    "learning.deflection": lambda make: learning.deflection(make(PATCH), scenes(make)),
    "learning.negative_deflection": lambda make: learning.negative_deflection(make(PATCH), scenes(make)),
    "learning.logistic": lambda make: learning.logistic(
        learning.Detector(make(PATCH) / 1e4, jnp.zeros(())), scenes(make)
    ),
    "learning.peak_least_squares": lambda make: learning.peak_least_squares(
        make(PATCH) / 1e4, scenes(make)
    ),
    "learning.peak_responses": lambda make: learning.peak_responses(
        make(np.stack([PATCH, PATCH[::-1]])) / 1e4, scenes(make).signal
    ),
    "learning.softmax": lambda make: learning.softmax(
        make(np.stack([PATCH, PATCH[::-1]])) / 1e4, scenes(make)
    ),
    "learning.sorting": lambda make: learning.sorting(
        make(np.stack([PATCH, PATCH[::-1]])) / 1e4, scenes(make)
    ),
    "learning.optimum": lambda make: learning.optimum(scenes(make), (2, 2), 1.0, stride=1),
    "learning.unit_energy": lambda make: learning.unit_energy(make(TAPS)),
    "learning.zero_mean": lambda make: learning.zero_mean(make(TAPS)),
    "learning.symmetric": lambda make: learning.symmetric(make(TAPS)),
    "learning.separable": lambda make: learning.separable(make(PATCH)),
}
OTHERS = {  # whose operands have a type of their own
    "conv_general_dilated": lambda make: jaxconv.conv_general_dilated(
        make(LINE[None, None]).astype(float), make(TAPS[None, None]).astype(float), (1,), "SAME"
    ),
    "accelerate": lambda make: jaxconv.accelerate(jnp.convolve)(
        make(LINE).astype(float), make(TAPS).astype(float)
    ),
    "matching.overlap_share": lambda make: matching.overlap_share(MASK, HIDDEN),
    "kernels.gaussian": lambda make: kernels.gaussian(1.5),
    "kernels.gabor": lambda make: kernels.gabor(0.1, sigma=1.5),
    "kernels.laplacian_of_gaussian": lambda make: kernels.laplacian_of_gaussian(1.5),
    "detection.threshold": lambda make: detection.threshold(1e-3),
    "signals.scene": lambda make: signals.scene(KEY, (48, 48), ["cross"]).signal,
    "learning.confusion": lambda make: learning.confusion([0, 1], [1, 1], 2),
    "learning.evaluate": lambda make: (
        learning.evaluate(
            KEY, signals.scenes(shape=(24, 24), kinds=("cross",), size=7), jnp.ones((1, 7, 7)), count=4
        ).first
    ),
}
ALL = WRAP | FLOATS | OTHERS
