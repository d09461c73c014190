"""Matching, detection and learning of arrays divided over a mesh: the answers of one device."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

import jaxconv
from jaxconv.matching import normalized_correlation
from tests.conftest import SEED
from tests.meshes import compared, is_explicit, numbers, placed

SCORES = {
    "same": partial(normalized_correlation, mode="same"),
    "missing": partial(normalized_correlation, mode="same", boundary="missing"),
    "template": partial(jaxconv.match_template, pad_input=True, mode="reflect"),
    "masked": partial(normalized_correlation, mode="same", template_mask=np.eye(5, 7, dtype=bool)),
}


@pytest.mark.parametrize("spec", [("a", "b"), (None, ("a", "b"))])
@pytest.mark.parametrize("name", SCORES)
def test_scores_of_divided_images(mesh, rng, single, name, spec):
    x, t = numbers(rng, 32, 32), numbers(rng, 5, 7)
    sent, out = compared(mesh, SCORES[name], x, spec, t)
    if is_explicit(mesh):  # else the compiler divides what is around the convolutions, as it likes
        assert out.sharding.spec == P(*spec)
        assert set(sent.messages) <= {"collective-permute", "all-reduce"}  # halos, and the mean
        assert sent.bytes["all-reduce"] <= 32


@pytest.mark.parametrize("measure", ["squared_difference", "cosine", "coefficient"])
def test_measures_of_a_batch(mesh, rng, single, measure):
    x, t = numbers(rng, 4, 32, 32), numbers(rng, 1, 5, 7)
    fn = partial(jaxconv.matching.match, measure=measure, axes=(1, 2))
    sent, _ = compared(mesh, fn, x, (("a", "b"),), t)
    assert not is_explicit(mesh) or not sent.messages


@pytest.mark.parametrize("method", ["fft", "lines", "shifts"])
def test_banks_of_divided_images(mesh, rng, single, method):
    """A bank transforms the image for all templates, and each of several templates in one call."""
    x, bank = numbers(rng, 32, 28), numbers(rng, 5, 6, 7)
    best = partial(jaxconv.matching.best_match, mode="same", method=method)
    compared(mesh, best, x, ("a",), bank)
    compared(mesh, best, x, ("b", "a"), bank)


BATCHES = {  # of images, templates and masks, which may be divided as they are not used
    "a template each": (lambda x, t, m: normalized_correlation(x, t, mode="same", axes=(1, 2)), 4),
    "one template": (lambda x, t, m: jaxconv.matching.match(x, t, "cosine", axes=(1, 2)), 1),
    "masks": (lambda x, t, m: normalized_correlation(x, t, mask=m > 1, mode="same", axes=(1, 2)), 1),
}


@pytest.mark.parametrize("name", BATCHES)
def test_what_goes_with_a_batch_may_be_whole(mesh, rng, single, name):
    fn, count = BATCHES[name]
    x, t, m = numbers(rng, 4, 32, 32), numbers(rng, count, 5, 7), numbers(rng, 4, 32, 32) * 6
    sent, _ = compared(mesh, fn, x, (("a", "b"),), t, m)
    assert not is_explicit(mesh) or not sent.messages


def test_whitening_by_a_divided_spectrum(mesh, rng, single):
    psd = numbers(rng, 256) ** 2 + 1
    divided = placed(mesh, psd, ("a", "b"))
    with jax.set_mesh(mesh):
        found = jaxconv.detection.whiten(placed(mesh, numbers(rng, 4, 256), ("a", "b")), divided)
    rng = np.random.default_rng(SEED)
    numbers(rng, 256)
    truth = jaxconv.detection.whiten(numbers(rng, 4, 256), psd)
    np.testing.assert_allclose(found, truth, atol=1e-6)


def test_places_that_do_not_divide_evenly(rng, single):
    mesh = jax.make_mesh((4,), ("a",), axis_types=(AxisType.Explicit,))
    x = placed(mesh, numbers(rng, 32, 32), "a")
    with pytest.raises(ValueError, match=r"`mode` must have places .*; got 30 of them. Use mode='same'"):
        normalized_correlation(x, np.eye(3))


DETECTION = {
    "whiten": lambda x, psd: jaxconv.detection.whiten(x, psd**2 + 1),
    "snr": lambda x, psd: jaxconv.detection.snr(x, jnp.ones(9, x.dtype), psd**2 + 1),
    "loudest": lambda x, t: jaxconv.matching.loudest(x, t[None]),
    "whiten, compact": lambda x, psd: jaxconv.detection.whiten(x, psd**2 + 1, compact=True),
    "snr, compact": lambda x, psd: jaxconv.detection.snr(
        x, jnp.ones(9, x.dtype), psd**2 + 1, mode="same", compact=True
    ),
    "peaks": lambda x, t: jaxconv.matching.find_peaks(x * t.max(), max_peaks=9).places,
}


@pytest.mark.parametrize("spec", [(("a", "b"),), (None, ("a", "b"))])
@pytest.mark.parametrize("name", DETECTION)
def test_detection(mesh, rng, single, name, spec):
    sent, _ = compared(mesh, DETECTION[name], numbers(rng, 4, 256), spec, numbers(rng, 16))
    if "compact" in name:
        assert set(sent.messages) <= {"collective-permute"}
        assert sum(sent.bytes.values()) <= 4 * 4 * 24, "the halo"
    if spec[0] and (name in ("whiten", "snr") or (is_explicit(mesh) and name == "loudest")):
        assert not sent.messages


def test_views_of_a_divided_template(mesh, rng, single):
    angles = np.array([0.0, 30.0], "f")
    for fn in (
        lambda t, a: jaxconv.matching.rotations(t, a).templates,
        lambda t, a: jaxconv.matching.scales(t, [0.7, 1.3]).templates,
        lambda t, a: jaxconv.matching.views(t, angles=a, scales=[1.0, 1.5]),
    ):
        compared(mesh, fn, numbers(rng, 8, 12), ("a", "b"), angles)


MAPS = {  # with plateaus and equals, across the edges of the shards too
    "float32": lambda rng: numbers(rng, 32, 64),
    "uint8": lambda rng: rng.integers(0, 6, (32, 64)).astype("u1"),
}


@pytest.mark.parametrize("spec", [("a", "b"), (None, ("b", "a"))])
@pytest.mark.parametrize(("distance", "most"), [(1, 9), (5, 3000)])
@pytest.mark.parametrize("kind", MAPS)
def test_peaks_of_divided_maps(mesh, rng, single, spec, kind, distance, most):

    def fn(x, t):
        peaks = jaxconv.matching.find_peaks(x, threshold=t, min_distance=distance, max_peaks=most)
        return replace(peaks, scores=jnp.maximum(peaks.scores, -1))  # no infinite ones

    sent, _ = compared(mesh, fn, MAPS[kind](rng), spec, np.float32(0.1), tolerance=0)
    if is_explicit(mesh) and most == 9:  # of each shard's own, 9 heights and numbers
        assert sent.bytes["all-gather"] == 2 * 4 * 9 * 4


def test_peaks_of_divided_maps_are_differentiable(mesh, rng, single):
    def fn(x, t):
        peaks = jaxconv.matching.find_peaks(x, max_peaks=5, threshold=t)
        return (peaks.scores * jnp.arange(5.0)).sum() + jnp.sin(peaks.positions).sum()

    compared(mesh, jax.grad(fn), numbers(rng, 32, 64), ("a", "b"), np.float32(0.1))


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
@pytest.mark.parametrize("masked", [False, True])
def test_the_best_of_a_bank_in_divided_images(mesh, rng, single, mode, masked):
    mask = np.eye(6, 7, dtype=bool) if masked else None
    fn = partial(jaxconv.matching.best_match, mode=mode, template_mask=mask)
    x, bank = numbers(rng, 32, 27) + 1, numbers(rng, 5, 6, 7)
    if mode == "full" and is_explicit(mesh):  # 37 rows do not divide evenly
        with pytest.raises(ValueError, match="best_match: `mode` must have places along axis 1"):
            compared(mesh, fn, x, ("a",), bank)
        return
    sent, _ = compared(mesh, fn, x, ("a",), bank, tolerance=1e-4)  # the mean beyond the edges is rounded
    if is_explicit(mesh) and mode == "same":
        assert set(sent.messages) <= {"collective-permute", "all-reduce"}
        assert sent.bytes["all-reduce"] <= 32


PLACES = {
    "rows": (("a",), (3, 6)),
    "both": ((("a", "b"), None), (5, 7)),
    "segments and rows": (("b", "a"), (4, 3)),
    "a halo longer than a shard": ((None, ("a", "b")), (11, 3)),
}


@pytest.mark.parametrize("measure", ["normalized_coefficient", "correlation"])
@pytest.mark.parametrize("name", PLACES)
def test_the_loudest_place_of_divided_images(mesh, rng, single, measure, name):
    spec, size = PLACES[name]
    x, bank = numbers(rng, 4, 32, 16) + 1, numbers(rng, 5, *size)
    x[:, 3:30:9, 2:12] = 1  # equal windows, of which the first counts
    mask = np.arange(5 * np.prod(size)).reshape(5, *size) % 3 == 0

    def fn(x, t):
        own = mask if measure == "normalized_coefficient" else None
        return jaxconv.matching.loudest(x, t, measure=measure, template_mask=own)

    if "segments" not in name:
        x = x[0]
    if measure == "correlation":
        compared(mesh, jax.grad(lambda x, t: jnp.sin(fn(x, t).score).sum(), (0, 1)), x, spec, bank)
    sent, out = compared(mesh, fn, x, spec, bank, tolerance=1e-4)
    if is_explicit(mesh):
        assert out.place.sharding.is_fully_replicated or "segments" in name
        assert set(sent.messages) <= {"collective-permute", "all-reduce", "all-gather"}
        assert sent.bytes["all-gather"] <= 16 * 5 * 3 * 4 * 4, "scores and places alone"


def test_a_divided_bank_of_a_whole_image(mesh, rng, single):
    x, bank = numbers(rng, 20, 17), numbers(rng, 4, 5, 6)
    compared(mesh, lambda t, x: jaxconv.matching.loudest(x, t), bank, ("a",), x)
    compared(mesh, lambda t, x: jaxconv.matching.best_match(x, t), bank, ("a",), x)


@pytest.mark.parametrize("drawn", [True, False])
def test_a_fit_over_devices_is_that_of_one(rng, single, drawn):
    from jaxconv import learning, signals

    draw = signals.scenes(shape=(32, 32), kinds=["cross"], size=9)
    data = draw if drawn else jax.vmap(draw)(jax.random.split(jax.random.key(5), 32))
    start = learning.random_filter(jax.random.key(1), (9, 9))
    options = {"steps": 100, "batch": 16, "every": 50, "project": learning.unit_energy}
    args = jax.random.key(0), learning.negative_deflection, data, start
    one = learning.fit(*args, **options)
    mesh = jax.make_mesh((4,), ("batch",))
    over = learning.fit(*args, **options, mesh=mesh)
    np.testing.assert_allclose(over.parameters, one.parameters, atol=1e-5)
    np.testing.assert_allclose(over.losses, one.losses, rtol=1e-4)
    with pytest.raises(ValueError, match="`batch` must be a multiple of the mesh's 4 devices; got 6"):
        learning.fit(*args, **(options | {"batch": 6}), mesh=mesh)
