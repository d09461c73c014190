"""Every mistake names the argument, the rule, the value and the remedy."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv import detection, kernels, learning, matching, reference, signals

X = np.ones(5)
KEY = jax.random.key(0)
SCENES = signals.Scene(jnp.ones((1, 6, 6)), jnp.full((1, 1, 2), 3), jnp.zeros((1, 1), int))
IMAGE = np.ones((6, 6))

MESSAGES = [
    # SciPy's words come first in the functions of SciPy's shape
    (lambda: jaxconv.convolve(X, X, "vaild"),
     "Acceptable mode flags are 'valid', 'same', or 'full', not mode=vaild. convolve: `mode` must be one of"
     " 'full', 'same', 'valid'; got 'vaild'. Did you mean 'valid'?"),
    (lambda: jaxconv.correlate(X, X, "fulll"),
     "Acceptable mode flags are 'valid', 'same', or 'full'. correlate: `mode` must be one of"),
    (lambda: jaxconv.convolve(X, X, 1), "`mode` must be one of 'full', 'same', 'valid'; got 1"),
    (lambda: jaxconv.convolve(X, X, method="ftt"),
     "Acceptable method flags are 'auto', 'direct', or 'fft'. convolve: `method` must be one of 'auto',"),
    (lambda: jaxconv.convolve(X, IMAGE),
     "volume and kernel should have the same dimensionality: convolve: `in2` must have as many axes as"
     " `in1`; got in1 (5,), in2 (6, 6). Add axes of length 1, or use jax.vmap"),
    (lambda: jaxconv.correlate(IMAGE, X),
     "in1 and in2 should have the same dimensionality: correlate: `in2` must have as many axes"),
    (lambda: jaxconv.convolve(X, []), "convolve: `in2` must have elements; got shape (0,)"),
    (lambda: jaxconv.convolve(np.ones((0, 3)), IMAGE), "`in1` must have elements; got shape (0, 3)"),
    (lambda: jaxconv.convolve(np.ones((2, 9)), IMAGE, "valid"),
     "For 'valid' mode, one must be at least as large as the other in every dimension: convolve: `in2` must"
     " fit inside `in1`, or hold it, on every axis in mode 'valid'; got in1 (2, 9), in2 (6, 6)"),
    (lambda: jaxconv.convolve(np.arange(5), np.arange(3), method="overlap"),
     "`method` must be able to compute the problem, and 'overlap' cannot (integers are computed exactly, and an"
     " FFT rounds); got 'overlap'. Use 'direct' or 'products' or 'shifts'."),
    (lambda: jaxconv.convolve(np.ones((2, 2, 2, 2)), np.ones((2, 2, 2, 2)), method="overlap"),
     "4 spatial axes, and blocks are of 1 to 3"),
    (lambda: jaxconv.convolve(np.ones(3000), np.ones(2000), method="products"),
     "4,999 places, and at most 64 are unrolled"),
    (lambda: reference.convolve(X, X, "most"), "convolve: `mode` must be one of"),
    (lambda: reference.convolve(X, IMAGE), "convolve: `g` must have as many axes as `f`; got f (5,), g (6, 6)"),
    (lambda: reference.correlate(X, IMAGE), "correlate: `g` must have as many axes as `f`"),
    (lambda: reference.overlap(X, IMAGE, 0), "overlap: `g` must have as many axes as `f`"),
    (lambda: matching.normalized_correlation(X, np.ones(6)),
     "normalized_correlation: `template` must be no larger than `signal` (5,) on any axis in mode 'valid';"
     " got (6,). Use a smaller template, or mode='same'."),
    (lambda: matching.normalized_correlation(X, IMAGE), "`template` must have as many axes as `signal`"),
    (lambda: matching.normalized_correlation(X, X, mode="sane"), "Did you mean 'same'?"),
    (lambda: matching.find_peaks(X, min_distance=0), "`min_distance` must be a positive whole number; got 0"),
    (lambda: matching.find_peaks(X, max_peaks=-1), "`max_peaks` must be a positive whole number; got -1"),
    (lambda: jaxconv.match_template(X, IMAGE), "Dimensionality of template must be less than or equal to the"
     " dimensionality of image. match_template: `template` must have as many axes as `image`"),
    (lambda: jaxconv.match_template(X, np.ones(6)), "Image must be larger than template. match_template: `template`"
     " must be no larger than `image` (5,) on any axis"),
    (lambda: jaxconv.match_template(X, X, True, "refelct"), "`mode` must be one of 'constant', 'edge',"),
    (lambda: matching.normalized_correlation(X, X, mask=X[:3] > 0), "`mask` must have the signal's shape (5,)"),
    (lambda: matching.normalized_correlation(X, X, template_mask=IMAGE > 0), "`template_mask` must have the template's"),
    (lambda: matching.normalized_correlation(X, X, overlap=0), "`overlap` must be a share, over 0 and up to 1; got 0"),
    (lambda: matching.normalized_correlation(X, X, mode="same", boundary="mising"), "normalized_correlation: `boundary`"),
    (lambda: matching.normalized_correlation(X, X, mode="same", boundary="wrap", fillvalue=1),
     "normalized_correlation: `fillvalue` must be left out where no boundary is 'fill'; got boundary 'wrap'"),
    (lambda: matching.normalized_correlation(IMAGE, IMAGE, axes=1, channel_axis=-1), "leave out the channel axis"),
    (lambda: matching.match(X, X, "correlaton"), "Did you mean 'correlation'?"),
    (lambda: matching.match(X, X, weights=IMAGE), "`weights` must have the template's shape (5,); got (6, 6)"),
    (lambda: matching.best_match(X, X), "`templates` must have one axis more than the signal"),
    (lambda: matching.best_match(IMAGE, IMAGE), "(6, 6) for a signal (6, 6)"),
    (lambda: matching.best_match(X, IMAGE), "`templates` must have elements and fit inside the signal (5,); got (6, 6)"),
    (lambda: matching.best_match(X, X[None], measure="coefficient"), "`measure` must be one of 'normalized_coefficient'"),
    (lambda: matching.loudest(1j * X, X[None]), "`measure` must be 'correlation' for complex operands"),
    (lambda: matching.loudest(X, X[None], measure="correlation", template_mask=X > 0), "Put zeros into the templates."),
    (lambda: matching.rotations(X, [1.0]), "rotations: `template` must have 2 axes; got shape (5,)"),
    (lambda: matching.rotations(IMAGE, 1.0), "`angles` must have one axis and elements; got shape ()"),
    (lambda: matching.scales(IMAGE, [1.0, -1.0]), "scales: `factors` must be positive; got -1.0"),
    (lambda: jax.jit(lambda f: matching.scales(IMAGE, f))(X), "`factors` must have known values; got a traced array"),
    (lambda: matching.find_peaks(np.ones(0)), "find_peaks: `score` must have elements"),
    (lambda: detection.noise_spectrum(X, 6), "noise_spectrum: `size` must be no larger than the noise, (5,)"),
    (lambda: detection.noise_spectrum(X, 4, overlap=1.0), "`overlap` must be a share, from 0 to below 1; got 1.0"),
    (lambda: detection.noise_spectrum(X, 4, average="medain"), "Did you mean 'median'?"),
    (lambda: detection.clutter_spectrum(IMAGE, 1, 5), "`size` must hold the shapes, (6,); got 5"),
    (lambda: detection.matched_filter(X, noise_spectrum=IMAGE), "`noise_spectrum` must have as many axes as the operand, 1"),
    (lambda: detection.matched_filter(X, np.eye(5), noise_spectrum=X), "be left out where `noise_covariance` is given"),
    (lambda: detection.output_snr(X), "`noise` must be given, or `noise_spectrum`, and not both; got none"),
    (lambda: detection.snr(X, np.ones(6), X), "`template` must have as many axes as the spectrum and be no larger"),
    (lambda: detection.snr(X, X[:2], X, mode="full"), "`mode` must be one of 'valid', 'same'; got 'full'"),
    (lambda: detection.whiten(X, IMAGE), "`noise_spectrum` must have as many axes"),
    (lambda: detection.threshold(1.5), "threshold: `false_alarm` must lie between 0 and 1; got 1.5"),
    (lambda: detection.roc(X, X[:3] > 0), "roc: `scores` must have one axis, and the length of `truth`"),
    (lambda: kernels.sobel(2), "sobel: `axis` must name axes of an array that has 2; got 2. They are -2 to 1."),
    (lambda: kernels.edges(X), "edges: `image` must have 2 axes; got shape (5,)"),
    (lambda: signals.midpoints(0, 1, 0), "midpoints: `step` must be positive; got 0"),
    (lambda: signals.midpoints(1, 1), "midpoints: `stop` must be greater than `start` 1; got 1"),
    (lambda: signals.circle(10), "circle: `size` must be a positive odd whole number; got 10. An odd size has"),
    (lambda: signals.cross(-3), "cross: `size` must be a positive odd whole number; got -3"),
    (lambda: signals.scene(jax.random.key(0), kinds=["ring"]), "scene: `kinds` must be one of 'circle'"),
    (lambda: signals.scene(jax.random.key(0), (40, 40)),
     "strew: `shape` must leave room for 3 patterns of 21 x 21 samples wherever the first ones are put; got (40, 40)."
     " Use a larger shape or fewer patterns."),
    (lambda: detection.matched_filter(X, np.eye(4)),
     "matched_filter: `noise_covariance` must be 5 x 5 for a template of shape (5,); got (4, 4)"),
    (lambda: detection.patch_statistics(SCENES, 7),
     "patch_statistics: `size` must be no larger than the signals, (6, 6); got 7"),
    (lambda: learning.optimum(SCENES, (3, 3, 3), 0.5),
     "patch_statistics: `size` must be a whole number, or one per axis (2); got (3, 3, 3)"),
    (lambda: detection.detection_rate(X, X, false_alarm=1.5),
     "detection_rate: `false_alarm` must lie between 0 and 1; got 1.5"),
    (lambda: learning.fit(KEY, abs, X, X, steps=0), "fit: `steps` must be a positive whole number; got 0"),
    (lambda: learning.fit(KEY, abs, X, X, patience=-1), "fit: `patience` must be a positive whole number; got -1"),
    (lambda: learning.fit(KEY, abs, X, X), "fit: `batch` must be at most the 5 examples; got 64. Use batch=None"),
    (lambda: learning.fit(KEY, abs, (X, np.ones(3)), X),
     "fit: `data` must have one leading axis of examples; got [(5,), (3,)]"),
    (lambda: learning.fit(KEY, abs, abs, X, batch=None), "fit: `batch` must be a number if `data` draws examples"),
    (lambda: learning.responses(np.ones(3), SCENES.signal),
     "responses: `filters` must have 2 axes, or 3 if it is a bank; got shape (3,)"),
    (lambda: learning.deflection(np.ones((7, 7)), SCENES),
     "responses: `filters` must be no larger than the signals, (6, 6); got shape (7, 7)"),
    (lambda: learning.softmax(np.ones((2, 3, 3)), signals.Scene(SCENES.signal, jnp.zeros((1, 2, 2), int), jnp.zeros((1, 2), int))),
     "softmax: `scenes` must hold one pattern each; got kinds of shape (1, 2)"),
    (lambda: learning.separable(np.ones(3)), "separable: `filter` must have two axes; got shape (3,)"),
    (lambda: learning.cosine_similarity(X, np.ones(4)),
     "cosine_similarity: `b` must have the shape of `a`, (5,); got (4,)"),
    (lambda: learning.confusion([1], [1, 2], 3), "confusion: `given` must have the shape of `true`, (1,); got (2,)"),
    (lambda: signals.strew(KEY, (9, 9), np.ones((2, 3))),
     "strew: `shape` must have as many axes as one of the patterns, 1; got (9, 9)"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), MESSAGES)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        wrong()


KINDS = [
    (
        lambda: jaxconv.match_template(1j * X, X),
        "`image` must be real; got complex128. Match the real and",
    ),
    (
        lambda: matching.normalized_correlation(X, X, mask=X),
        "`mask` must be boolean, True where a sample is missing",
    ),
    (lambda: matching.find_peaks(1j * X), "`score` must be real; got complex128. Take jnp.abs of it."),
    (
        lambda: detection.roc(X, X),
        "`truth` must be boolean, True where there is a target; got dtype float64",
    ),
    (
        lambda: jaxconv.convolve("abc", X),
        "convolve: `in1` must be an array of numbers; got str of dtype",
    ),
    (lambda: jaxconv.correlate(X, None), "correlate: `in2` must be an array of numbers; got NoneType"),
    (lambda: jaxconv.convolve(X, [[1], [1, 2]]), "`in2` must be an array of numbers; got list"),
    (
        lambda: jaxconv.convolve(X, jax.random.key(0)),
        "`in2` must be an array of numbers; got an array of",
    ),
    (lambda: reference.convolve(X, "abc"), "convolve: `g` must be an array of numbers; got str"),
    (lambda: signals.circle(3.5), "circle: `size` must be a positive odd whole number; got 3.5"),
    (
        lambda: matching.find_peaks(X, min_distance=True),
        "`min_distance` must be a positive whole number",
    ),
]


@pytest.mark.needs_x64  # the dtypes that are told
@pytest.mark.parametrize(("wrong", "message"), KINDS)
def test_wrong_kinds(wrong, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        wrong()


@pytest.mark.parametrize(
    ("shapes", "mode"), [(((2, 9), (6, 6)), "valid"), (((5,), (2, 2)), "full"), (((0,), (3,)), "same")]
)
def test_jit_changes_no_message(shapes, mode):
    a, b = map(jnp.ones, shapes)
    convolve = partial(jaxconv.convolve, mode=mode)
    with pytest.raises(ValueError, match="convolve: ") as eager:
        convolve(a, b)
    with pytest.raises(ValueError, match="convolve: ") as jitted:
        jax.jit(convolve)(a, b)
    assert str(eager.value) == str(jitted.value)


FAMILY = {
    name: getattr(jaxconv, name)
    for name in ("convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d")
} | {"convolve_masked": jaxconv.convolve_masked}
MISTAKES = {  # what is wrong: operands and options, and what the message must say of it
    "rank": ((IMAGE, np.ones((2, 2, 2))), {}, "axes"),
    "mode": ((IMAGE, IMAGE), {"mode": "vaild"}, "Did you mean 'valid'?"),
    "mode of no kind": ((IMAGE, IMAGE), {"mode": 2}, "`mode` must be one of 'full', 'same', 'valid'; got 2"),
    "boundary": ((IMAGE, IMAGE), {"boundary": "reflct"}, "Did you mean 'reflect'?"),
    "boundaries": ((IMAGE, IMAGE), {"boundary": ("wrap",) * 3}, "be one name, or one per axis (2)"),
    "axes out of range": ((IMAGE, IMAGE), {"axes": 2}, "axes exceeds dimensionality of input: "),
    "axes repeated": ((IMAGE, IMAGE), {"axes": (1, -1)}, "all axes must be unique: "),
    "axes of no kind": ((IMAGE, IMAGE), {"axes": 0.5}, "axes must be a scalar or iterable of integers: "),
    "no axes": ((IMAGE, IMAGE), {"axes": ()}, "when provided, axes cannot be empty: "),
    "a batch that does not broadcast": (
        (IMAGE, np.ones((2, 6))), {"axes": 1}, "incompatible shapes for in1 and in2: (6, 6) and (2, 6): "),
    "larger on one axis": (
        (IMAGE, np.ones((2, 9))), {"mode": "valid"},
        "For 'valid' mode, one must be at least as large as the other in every dimension: "),
    "stride": ((IMAGE, IMAGE), {"stride": -1}, "`stride` must be 1 or greater on every axis; got -1"),
    "dilation": ((IMAGE, IMAGE), {"dilation": (0, 1)}, "`dilation` must be 1 or greater on every axis"),
    "strides": ((IMAGE, IMAGE), {"stride": (1, 2, 3)}, "`stride` must be a whole number, or one per axis (2)"),
    "origin": ((IMAGE, np.ones((3, 3))), {"mode": "same", "origin": 2}, "leave the centre within the 3 taps"),
    "origin without same": ((IMAGE, IMAGE), {"mode": "full", "origin": 1}, "be 0 unless mode is 'same'"),
    "fillvalue": ((IMAGE, IMAGE), {"boundary": "wrap", "fillvalue": 1}, "be left out where no boundary is"),
    "fillvalues": ((IMAGE, IMAGE), {"boundary": "fill", "fillvalue": [1, 2]},
                   "`fillvalue` must be scalar or an array with one element. "),
    "a complex fillvalue": ((IMAGE, IMAGE), {"boundary": "fill", "fillvalue": 1j},
                            "could not cast `fillvalue` directly to the output type"),
    "method": ((IMAGE, IMAGE), {"method": "ftt"}, "Acceptable method flags are 'auto', 'direct', or 'fft'. "),
    "memory": ((IMAGE, IMAGE), {"max_bytes": -1}, "`max_bytes` must not be negative; got -1"),
}  # fmt: skip
TAKES = {  # what a function does not take
    "fftconvolve": {"method"},
    "oaconvolve": {"method"},
    "convolve_masked": {"stride", "dilation", "origin"},
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", FAMILY)
def test_the_family_tells_every_mistake(name, mistake):
    operands, options, message = MISTAKES[mistake]
    if mistake == "fillvalue" and name in ("convolve2d", "correlate2d"):
        options = options | {"fillvalue": [1, 2]}  # SciPy's ignore one that nothing uses
        message = "`fillvalue` must be scalar or an array with one element."
    if TAKES.get(name, set()) & set(options):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            FAMILY[name](*operands, **options)
        return
    with pytest.raises(ValueError, match=re.escape(message)) as eager:
        FAMILY[name](*operands, **options)
    assert re.search(r"(?i)(^|[.:] )\w+: `\w+` must ", str(eager.value))
    with pytest.raises(ValueError, match=re.escape(message)):
        jax.jit(partial(FAMILY[name], **options))(*operands)


@pytest.mark.parametrize("wrong", ["abc", ["a", "b"], None, [object()], np.array([object()]), {}])
@pytest.mark.parametrize("name", FAMILY)
def test_the_family_takes_numbers_only(name, wrong):
    for operands in ((wrong, IMAGE), (IMAGE, wrong)):
        with pytest.raises(TypeError, match="must be an array of numbers; got "):
            FAMILY[name](*operands)


@pytest.mark.parametrize("name", ["convolve", "correlate", "convolve_masked"])
def test_the_family_convolves_something(name):
    for operands in ((np.ones((0, 3)), IMAGE), (IMAGE, np.ones((3, 0)))):
        with pytest.raises(ValueError, match="must have elements"):
            FAMILY[name](*operands)


@pytest.mark.parametrize("name", FAMILY)
def test_options_must_be_known_while_tracing(name):
    with pytest.raises(TypeError, match="of type <class 'str'>"):  # a traced string
        jax.jit(FAMILY[name])(IMAGE, IMAGE, mode="same")
    with pytest.raises(ValueError, match="`mode` must be one of"):
        jax.jit(lambda mode: FAMILY[name](IMAGE, IMAGE, mode=mode))(1)


@pytest.mark.parametrize("name", FAMILY)
def test_a_nan_kernel_is_not_silent(name):
    kernel = np.full((3, 3), np.nan)
    assert np.isnan(FAMILY[name](IMAGE, kernel, mode="valid")).all()


@pytest.mark.parametrize("name", FAMILY)
def test_an_option_that_is_none_is_told(name):
    with pytest.raises(TypeError, match="bounday"):
        FAMILY[name](IMAGE, IMAGE, bounday="wrap")


OTHERS = [
    (lambda: jaxconv.correlate(X, X, lags=-1), "`lags` must be an int (the largest lag) or an increasing range"),
    (lambda: jaxconv.correlate(X, X, lags=range(3, 0, -1)), "Try 100, or range(-100, 101)."),
    (lambda: jaxconv.correlate(X, X, lags=1.5), "`lags` must be an int (the largest lag)"),
    (lambda: jaxconv.correlate(IMAGE, IMAGE, lags=(1, 2, 3)), "or a tuple with one of these per axis"),
    (lambda: jaxconv.correlate(X, X, "same", lags=1), "be left out where mode or stride is given"),
    (lambda: jaxconv.correlate(X, X, normalize="coeff"), "Did you mean 'coefficient'?"),
    (lambda: jaxconv.correlate(X, X, normalize="biased", boundary="wrap"),
     "`normalize` must be 'none' unless zeros lie beyond the edges"),
    (lambda: jaxconv.correlate(X, X, "same", "fft", normalize="biased", boundary="wrap"),
     "`normalize` must be 'none' unless zeros lie beyond the edges"),
    (lambda: jaxconv.correlation_lags(3, 4, "spam"), "Mode spam is invalid: correlation_lags: `mode`"),
    (lambda: jaxconv.correlation_lags(-3, 4), "`in1_len` must be 0 or greater"),
    (lambda: jaxconv.choose_conv_method(X, IMAGE), "volume and kernel should have the same dimensionality"),
    (lambda: jaxconv.choose_conv_method(X, X, "sane"), "Did you mean 'same'?"),
    (lambda: jaxconv.sepfir2d(IMAGE, [1, 2], [1]), "hrow and hcol must be odd length: sepfir2d: `hrow`"),
    (lambda: jaxconv.sepfir2d(X, [1], [1]), "object of too small depth for desired array: sepfir2d: `input`"),
    (lambda: jaxconv.convolve2d(X, IMAGE), "convolve2d inputs must both be 2-D arrays: convolve2d: `in1`"),
    (lambda: jaxconv.boundaries.extend(X, [(1, 1)], "mirrored"), "Did you mean 'mirror'?"),
    (lambda: jaxconv.boundaries.extend(X, [(-1, 1)]), "`widths` must be 1 pairs of numbers that are not"),
    (lambda: jaxconv.boundaries.extend(np.ones(0), [(1, 1)], "edge"), "have elements to continue by 'edge'"),
    (lambda: jaxconv.convolve_masked(X, X, X[:3] > 0), "`mask` must have the signal's shape (5,); got (3,)"),
    (lambda: jaxconv.convolve_separable(IMAGE, [X]), "`factors` must be one kernel with one axis for each"),
    (lambda: jaxconv.gaussian_filter(X, -1), "gaussian: `sigma` must be positive and finite; got -1"),
    (lambda: jaxconv.gaussian_filter(X, (1, 2)), "`sigma` must be one number, or 1 of them, one per axis"),
    (lambda: jaxconv.gaussian_filter(X, 1, -1), "`order` must be 0 or greater on every axis; got -1"),
    (lambda: jax.jit(kernels.gaussian)(1.0), "`radius` must be given if `sigma` is traced; got none"),
    (lambda: kernels.box(0), "`size` must be a positive whole number; got 0"),
    (lambda: kernels.laplacian(0), "`rank` must be a positive whole number; got 0"),
    (lambda: kernels.factor(np.ones(0)), "factor: `kernel` must have elements"),
    (lambda: kernels.factor([np.nan]), "factor: `kernel` must be finite; got NaN or infinity in it"),
    (lambda: kernels.factor(IMAGE, terms=0), "`terms` must be a positive whole number; got 0"),
    (lambda: jax.jit(lambda k: kernels.factor(k).terms)(IMAGE), "have known values; got a traced array."),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), OTHERS)
def test_other_mistakes(wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        wrong()


def test_a_mask_of_numbers_is_ambiguous():
    with pytest.raises(TypeError, match="`mask` must be boolean, True where a sample is missing"):
        jaxconv.convolve_masked(X, X, X)
