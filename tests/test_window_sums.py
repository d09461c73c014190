"""Sums over windows are the definition's, and so are their derivatives."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P

from jaxconv.engine.window_sums import window_sum

WINDOWS = {  # of signals of a shape, by their number of taps along each axis
    **{f"{m} of a line": ((5003,), (m,)) for m in (1, 2, 3, 4, 5, 7, 16, 31, 33, 64)},
    "images": ((2, 90, 71), (17, 6)),
    "rows alone": ((90, 71), (64, 1)),
    "all of an image": ((19, 23), (19, 23)),
    "volumes": ((19, 18, 17), (3, 4, 5)),
}


def by_definition(signal, window):
    axes = tuple(range(-len(window), 0))
    return np.lib.stride_tricks.sliding_window_view(signal, window, axes).sum(axes)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", WINDOWS)
def test_sums_and_their_transposes_are_the_definitions(rng, name, dtype):
    shape, window = WINDOWS[name]
    signal = jnp.asarray(rng.standard_normal(shape).astype(dtype))
    want = by_definition(np.asarray(signal, "f8"), window)
    cotangent = jnp.asarray(rng.standard_normal(want.shape).astype(dtype))
    got, back = jax.vjp(jax.jit(partial(window_sum, window=window)), signal)
    near = partial(np.testing.assert_allclose, rtol=0, atol=1e3 * jnp.finfo(got.dtype).eps)
    near(got, want)
    beyond = [(0, 0)] * (len(shape) - len(window)) + [(m - 1, m - 1) for m in window]
    near(back(cotangent)[0], by_definition(np.pad(np.asarray(cotangent, "f8"), beyond), window))
    near(jax.vjp(lambda g: back(g)[0], cotangent)[1](signal)[0], want)  # the transpose's transpose


def test_a_bad_value_is_in_the_sums_of_its_own_windows(rng):
    signal = rng.standard_normal(9000)
    signal[70] = np.nan
    signal[4000] = np.inf
    (bad,) = np.nonzero(~np.isfinite(window_sum(jnp.asarray(signal), (33,))))
    assert bad.tolist() == [*range(38, 71), *range(3968, 4001)]


def test_sums_in_a_batch_and_on_shards(rng):
    signals = rng.standard_normal((70, 4, 80))
    slopes = jax.grad(lambda signal: (window_sum(signal, (9, 5)) ** 3).sum())
    want = np.stack([slopes(jnp.asarray(signals[:, i])) for i in range(4)], 1)
    got = jax.vmap(slopes, in_axes=1, out_axes=1)(jnp.asarray(signals))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)
    for kind in (jax.sharding.AxisType.Explicit, jax.sharding.AxisType.Auto):
        mesh = jax.make_mesh((2,), ("x",), axis_types=(kind,))
        part = P(None, "x")
        each = jax.vmap(slopes, in_axes=1, out_axes=1)
        divided = jax.jit(jax.shard_map(each, mesh=mesh, in_specs=part, out_specs=part))
        with jax.set_mesh(mesh):
            shards = divided(jax.device_put(signals, part))
        np.testing.assert_allclose(shards, want, rtol=1e-4, atol=1e-3)
