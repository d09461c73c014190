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
    (lambda: jaxconv.convolve(np.arange(5), np.arange(3), method="fft"),
     "`method` must be able to compute the problem, and 'fft' cannot (integers are computed exactly, and an"
     " FFT rounds); got 'fft'. Use 'direct' or 'products' or 'shifts'."),
    (lambda: jaxconv.convolve(np.ones((2, 2, 2, 2)), np.ones((2, 2, 2, 2)), method="fft"),
     "4 spatial axes, and JAX transforms 1 to 3"),
    (lambda: jaxconv.convolve(np.ones(3000), np.ones(2000), method="shifts"),
     "2,000 terms, and at most 1,024 are unrolled"),
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
    (lambda: kernels.sobel(2), "sobel: `axis` must be 0 or 1; got 2"),
    (lambda: kernels.edges(X), "edges: `image` must have 2 axes; got shape (5,)"),
    (lambda: signals.midpoints(0, 1, 0), "midpoints: `step` must be positive; got 0"),
    (lambda: signals.midpoints(1, 1), "midpoints: `stop` must be greater than `start` 1; got 1"),
    (lambda: signals.circle(10), "circle: `size` must be a positive odd whole number; got 10. An odd size has"),
    (lambda: signals.cross(-3), "cross: `size` must be a positive odd whole number; got -3"),
    (lambda: signals.scene(jax.random.key(0), kinds=["ring"]), "scene: `kinds` must be one of 'circle'"),
    (lambda: signals.scene(jax.random.key(0), (40, 40)),
     "scene: `shape` must leave room for 3 patches of 21 pixels wherever the first ones fall; got (40, 40)."
     " Enlarge it, or draw fewer."),
    (lambda: detection.matched_filter(X, np.eye(4)),
     "matched_filter: `covariance` must be 5 x 5 for a template of shape (5,); got (4, 4)"),
    (lambda: detection.patch_statistics(np.ones((1, 6, 6)), np.array([[3, 3]]), 7),
     "patch_statistics: `size` must be no larger than the images, (6, 6); got 7"),
    (lambda: detection.detection_rate(np.ones((1, 6, 6)), np.array([[3, 3]]), reach=1, false_alarm=1.5),
     "detection_rate: `false_alarm` must lie between 0 and 1; got 1.5"),
    (lambda: learning.fit(jax.random.key(0), None, size=4), "fit: `size` must be a positive odd whole number"),
    (lambda: learning.fit(jax.random.key(0), None, steps=0), "fit: `steps` must be a positive whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), MESSAGES)
def test_wrong_values(wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        wrong()


KINDS = [
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
