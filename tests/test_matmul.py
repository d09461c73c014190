"""Matmul: jaxlib's matrix product, where it is to be had."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv.engine import proof
from tests.conftest import COMPUTED, current_test, require_computed

there = pytest.mark.skipif(bool(proof.refusal()), reason=proof.refusal())
LAST = ("NXYC", "XYIO", "NXYC")
FIRST = ("NCXY", "OIXY", "NCXY")


def layer(method, **options):
    options = {"window_strides": (1, 1), "padding": "VALID"} | options
    return partial(jaxconv.conv_general_dilated, method=method, **options)


def drawn(rng, numbers, window, groups=1):
    """Return signal, kernel and layout of 12 features to 16."""
    signal = rng.normal(size=(3, 12, 7, 8))
    kernel = rng.normal(size=(16, 12 // groups, *window))
    if numbers == LAST:
        signal, kernel = np.moveaxis(signal, 1, -1), np.moveaxis(kernel, (0, 1), (-1, -2))
    return jnp.asarray(signal, jnp.float32), jnp.asarray(kernel, jnp.float32)


@there
@pytest.mark.parametrize("numbers", [FIRST, LAST])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("window", [(1, 1), (7, 8)])
def test_values_and_gradients_are_those_of_direct(rng, window, groups, numbers):
    signal, kernel = drawn(rng, numbers, window, groups)
    options = {"feature_group_count": groups, "dimension_numbers": numbers}
    for strides in [(1, 1), (2, 3)]:

        def loss(signal, kernel, method, strides=strides):
            call = layer(method, window_strides=strides, **options)
            return (call(signal, kernel) ** 2).sum()

        got, want = (
            jax.jit(jax.value_and_grad(partial(loss, method=m), 1))(signal, kernel)
            for m in ("matmul", "direct")
        )
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-2), got, want)
        require_computed("matmul")
        own = {p.batch_axis > 0 for test, m, p in COMPUTED if (test, m) == (current_test(), "matmul")}
        assert own == {False, True}, "values and gradients"


@there
def test_it_runs_in_batches_loops_and_on_shards(rng):
    signal, kernel = drawn(rng, FIRST, (1, 1))
    want = layer("direct")(signal, kernel)
    batched = jax.vmap(layer("matmul"), (0, None))(jnp.stack([signal, -signal]), kernel)
    np.testing.assert_allclose(batched, jnp.stack([want, -want]), rtol=1e-4, atol=1e-4)
    several = jax.vmap(layer("matmul"), (None, 0))(signal, jnp.stack([kernel, -kernel]))
    np.testing.assert_allclose(several, jnp.stack([want, -want]), rtol=1e-4, atol=1e-4)
    _, looped = jax.lax.scan(lambda _, x: (None, layer("matmul")(x, kernel)), None, signal[None])
    np.testing.assert_allclose(looped[0], want, rtol=1e-4, atol=1e-4)
    mesh = jax.make_mesh((3,), ("batch",), devices=jax.devices()[:3])
    spread = jax.device_put(signal, jax.NamedSharding(mesh, jax.P("batch")))
    with jax.set_mesh(mesh):
        np.testing.assert_allclose(jax.jit(layer("matmul"))(spread, kernel), want, rtol=1e-4, atol=1e-4)
    require_computed("matmul")


@there
@pytest.mark.parametrize("numbers", [FIRST, LAST])
def test_a_nan_stays_at_its_place(rng, numbers):
    signal, kernel = drawn(rng, numbers, (1, 1))
    out = layer("matmul", dimension_numbers=numbers)(signal.at[1, 2, 3, 4].set(jnp.nan), kernel)
    features = 1 if numbers == FIRST else 3
    assert jnp.isnan(out).any(features).sum() == 1


@there
def test_an_exported_program_does_without(rng):
    signal, kernel = drawn(rng, FIRST, (1, 1))
    exported = jax.export.export(jax.jit(layer("auto")))(signal, kernel)
    assert "__onednn$" not in exported.mlir_module()
    with pytest.raises(ValueError, match="belongs to this machine"):
        jax.export.export(jax.jit(layer("matmul")))(signal, kernel)


@there
def test_what_it_cannot_is_refused_before_it_is_called(rng):
    signal, kernel = drawn(rng, FIRST, (2, 2))
    with pytest.raises(ValueError, match="several taps at several places"):
        layer("matmul")(signal, kernel)
    signal, kernel = (a.astype("bfloat16") for a in drawn(rng, FIRST, (1, 1)))
    with pytest.raises(ValueError, match="float32 only"):
        layer("matmul")(signal, kernel)
