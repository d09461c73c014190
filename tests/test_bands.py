"""Bands: large arrays some rows at a time give what they give at once, derivatives too."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxconv.matching import best_match, match, normalized_correlation
from tests.helpers import assert_derivatives

HIDDEN = np.random.default_rng(1).random((83, 41)) < 0.1
UNHEARD = np.random.default_rng(2).random((5, 4)) < 0.2


def best_of(x, t):
    best = best_match(x, t)
    return best.score + 0 * best.which


SCORES = {
    "valid": (normalized_correlation, (83, 41), (5, 4)),
    "as long as a band": (normalized_correlation, (83, 41), (60, 4)),
    "same, reflected": (
        partial(normalized_correlation, mode="same", boundary="reflect"),
        (83, 41),
        (5, 4),
    ),
    "masked": (
        partial(normalized_correlation, mask=HIDDEN, template_mask=UNHEARD, mode="full"),
        (83, 41),
        (5, 4),
    ),
    "a line": (normalized_correlation, (3001,), (7,)),
    "a volume": (partial(normalized_correlation, mode="same"), (40, 9, 8), (4, 3, 2)),
    "channels": (partial(normalized_correlation, channel_axis=0), (3, 83, 41), (3, 5, 4)),
    "a batch, one template": (
        partial(normalized_correlation, axes=(1, 2)),
        (7, 19, 17),
        (1, 5, 4),
    ),
    "a batch of large": (
        partial(normalized_correlation, axes=(1, 2), mode="same"),
        (2, 83, 41),
        (2, 5, 4),
    ),
    "a batch of two axes": (
        partial(normalized_correlation, axes=(1, 3), mode="same"),
        (2, 19, 3, 17),
        (2, 5, 1, 4),
    ),
    "the best of two": (best_of, (83, 41), (2, 5, 4)),
    "differences": (partial(match, measure="squared_difference"), (83, 41), (5, 4)),
}

PARTS = {"as long as a band": 0, "a batch of large": 2}  # how many loops over parts


@pytest.fixture
def bands(monkeypatch):
    """Return how to set the length of a band."""

    def set_to(samples):
        monkeypatch.setattr("jaxconv.engine.bands.BAND", samples)
        jax.clear_caches()

    yield set_to
    jax.clear_caches()


def scans(fn, *operands):
    return str(jax.make_jaxpr(fn)(*operands)).count("scan[")


@pytest.mark.parametrize("name", SCORES)
def test_bands_are_the_whole(rng, bands, name):
    fn, size, window = SCORES[name]
    x, t = rng.standard_normal(size).astype("f"), rng.standard_normal(window).astype("f")
    weights = np.cos(np.arange(np.prod(jax.eval_shape(fn, x, t).shape))).astype("f")

    def both(x, t):
        def loss(x, t):
            score = fn(x, t)
            return (score.ravel() * weights).sum(), score

        return jax.value_and_grad(loss, (0, 1), has_aux=True)(x, t)

    bands(1 << 30)
    whole, had = jax.jit(both)(x, t), scans(fn, x, t)
    bands(400)
    banded = jax.jit(both)(x, t)
    assert scans(fn, x, t) == had + PARTS.get(name, 1)
    for a, b in zip(jax.tree.leaves(banded), jax.tree.leaves(whole), strict=True):
        tolerance = 1e-4 if name == "masked" else 2e-5  # of windows in which a mask leaves two samples
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(np.abs(b).max(), 1))


def test_a_gradient_makes_no_correlation_again(rng, bands):
    """The value's is kept, and there is one for each operand."""
    bands(400)
    x, t = rng.standard_normal((83, 41)), rng.standard_normal((5, 4))
    score = lambda x, t: normalized_correlation(x, t).sum()  # noqa: E731
    assert str(jax.make_jaxpr(jax.grad(score, (0, 1)))(x, t)).count("= convolution[") == 3


@pytest.mark.parametrize("offset", [0, 1000])
def test_bands_of_flat_and_bright_rows(rng, bands, offset):
    x, t = rng.standard_normal((83, 41)) + offset, rng.standard_normal((5, 4))
    x[10:20] = offset
    x[30:40] *= 100
    x[50, 7] = np.nan
    x, t = x.astype("f"), t.astype("f")
    whole = normalized_correlation(x, t)
    bands(400)
    np.testing.assert_allclose(normalized_correlation(x, t), whole, atol=1e-4)
    assert (np.asarray(whole)[10:16] == 0).all()


def test_bands_under_strict_promotion(rng, bands):
    bands(400)
    x, t = rng.standard_normal((83, 41)).astype("f"), rng.standard_normal((5, 4)).astype("f")
    with jax.numpy_dtype_promotion("strict"):
        assert normalized_correlation(x, t, mask=HIDDEN).shape == (79, 38)


def test_bands_in_uint8_and_under_vmap(rng, bands):
    images = rng.integers(0, 255, (3, 83, 41)).astype("u1")
    whole = jax.vmap(normalized_correlation, (0, None))(images, images[0, :5, :4])
    bands(400)
    banded = jax.vmap(normalized_correlation, (0, None))(images, images[0, :5, :4])
    np.testing.assert_allclose(banded, whole, atol=2e-5)
    assert float(banded[0, 0, 0]) == pytest.approx(1)


def test_bands_of_a_shard(rng, bands):
    bands(400)
    x, t = rng.standard_normal((400, 41)).astype("f"), rng.standard_normal((5, 4)).astype("f")
    whole = normalized_correlation(x, t, mode="same")
    mesh = jax.make_mesh((2,), ("rows",))
    with jax.set_mesh(mesh):
        divided = jax.device_put(x, jax.NamedSharding(mesh, jax.P("rows")))
        assert scans(partial(normalized_correlation, mode="same"), divided, t) > 0
        np.testing.assert_allclose(normalized_correlation(divided, t, mode="same"), whole, atol=2e-5)


@pytest.mark.parametrize("fn", [normalized_correlation, partial(match, measure="squared_difference")])
def test_bands_of_a_signal_that_all_shards_share(rng, bands, fn):
    bands(400)
    x, t = rng.standard_normal((83, 41)).astype("f"), rng.standard_normal((2, 5, 4)).astype("f")
    mesh = jax.make_mesh((2,), ("a",), axis_types=(jax.sharding.AxisType.Auto,))
    specs = {"in_specs": (jax.P(), jax.P("a")), "out_specs": jax.P("a")}
    each = jax.jit(jax.shard_map(lambda x, t: fn(x, t[0])[None], mesh=mesh, **specs))(x, t)
    np.testing.assert_allclose(each, np.stack([fn(x, one) for one in t]), atol=1e-4)


@pytest.mark.needs_x64
def test_derivatives_of_bands(rng, bands):
    bands(100)
    x, t = rng.standard_normal((40, 9)), rng.standard_normal((3, 4))
    assert_derivatives(lambda x, t: jnp.sin(3 * normalized_correlation(x, t)).sum(), x, t)
