"""What a CPU computes a piece at a time is the whole: pieces of a sum, blocks, rows, some of a batch."""

from contextlib import contextmanager
from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P

import jaxconv
from jaxconv.engine.methods import products
from jaxconv.engine.primitive import plans_in
from tests.helpers import assert_close, in_double, operands


def in_lax(rng, dtype, numbers, shape, window, options):
    """Return whole numbers as signal and kernel, lax's options, and lax's answer in double precision."""
    x, k = (rng.integers(*numbers, s).astype(dtype) for s in (shape, window))
    options = {"window_strides": (1,) * (len(shape) - 2), "padding": "VALID"} | options
    return x, k, options, in_double_lax(x, k, options)


def in_double_lax(x, k, options):
    wide = [v.astype("c16" if v.dtype == "c8" else "f8") for v in (x, k)]
    return jax.lax.conv_general_dilated(*wide, **options)


BY_PIECES = {  # lax's shapes and options, summed in pieces of 7 terms
    "a line, and taps left over": ((2, 1, 60), (1, 1, 23), {}),
    "a line of odd length": ((1, 1, 5023), (1, 1, 23), {}),
    "features, and one left over": ((2, 5, 30), (4, 5, 2), {}),
    "features at no place": ((2, 30), (4, 30), {}),
    "features, then rows": (
        (1, 6, 19, 21),
        (4, 3, 4, 5),
        {
            "window_strides": (2, 1),
            "rhs_dilation": (3, 2),
            "lhs_dilation": (1, 2),
            "padding": [(4, -2), (0, 3)],
            "feature_group_count": 2,
        },
    ),
    "a volume, by planes and rows": ((1, 1, 9, 8, 12), (1, 1, 3, 2, 9), {"rhs_dilation": (2, 1, 1)}),
}


@pytest.mark.parametrize("dtype", ["f4", "c8", "u1", "i2"])
@pytest.mark.parametrize("name", BY_PIECES)
def test_pieces_of_a_long_sum_are_the_whole(rng, monkeypatch, name, dtype):
    x, k, options, want = in_lax(rng, dtype, (0, 3), *BY_PIECES[name])
    by_shifts = jax.jit(partial(jaxconv.conv_general_dilated, method="shifts", **options))
    monkeypatch.setattr("jaxconv.engine.methods.shifts.PIECE", 14 if dtype == "c8" else 7)
    assert by_shifts.lower(x, k).as_text().count("while") > 0
    np.testing.assert_array_equal(by_shifts(x, k), want.astype(dtype))


CROWDED = {  # lax's shapes and options, of rows a multiple of 4096 bytes apart; and a longer size
    "rows": ((2, 1, 40, 1024), (3, 1, 17, 1), {}, "x40x1040x"),
    "rows that are dilated": (
        (1, 1, 9, 1000),
        (1, 1, 9, 3),
        {"padding": [(9, 9), (8, 16)], "rhs_dilation": (2, 3)},
        "x27x1040x",
    ),
    "groups and strides": (
        (1, 4, 30, 509),
        (4, 2, 13, 2),
        {
            "window_strides": (3, 2),
            "padding": [(3, -2), (2, 5)],
            "lhs_dilation": (1, 2),
            "feature_group_count": 2,
        },
        "x31x1040x",
    ),
    "planes": ((1, 1, 18, 32, 32), (1, 1, 17, 1, 2), {}, "x18x33x32x"),
    "features": ((1, 17, 2, 1024), (2, 17, 1, 2), {}, "x2x1040x"),
}


@pytest.mark.parametrize("dtype", ["f4", "c8", "i2"])
@pytest.mark.parametrize("name", CROWDED)
def test_rows_that_would_crowd_a_cache_are_made_longer(rng, dtype, name):
    *case, size = CROWDED[name]
    x, k, options, want = in_lax(rng, dtype, (0, 3), *case)
    by_shifts = jax.jit(partial(jaxconv.conv_general_dilated, method="shifts", **options))
    assert dtype != "f4" or size in by_shifts.lower(x, k).as_text()
    np.testing.assert_array_equal(by_shifts(x, k), want.astype(dtype))


FEW_PLACES = {  # lax's shapes and options, some hundred products gathered at a time
    "a line": ((3, 1, 60), (4, 1, 53), {}),
    "features, and one left over": ((2, 5, 30), (4, 5, 27), {}),
    "images of groups, then rows": (
        (2, 6, 19, 21),
        (4, 3, 5, 7),
        {
            "window_strides": (2, 1),
            "rhs_dilation": (3, 2),
            "lhs_dilation": (1, 2),
            "padding": [(4, -6), (0, -20)],
            "feature_group_count": 2,
        },
    ),
    "a volume, by planes and rows": ((2, 2, 7, 6, 8), (3, 2, 5, 6, 7), {}),
}
SHARED = {  # the same, where the kernel is copied too
    "a line of a batch": ((9, 3, 33), (2, 3, 29), {}),
    "images of groups, with steps and padding": (
        (5, 6, 19, 23),
        (4, 3, 5, 7),
        {
            "window_strides": (3, 5),
            "rhs_dilation": (2, 1),
            "lhs_dilation": (1, 2),
            "padding": [(4, 6), (1, -20)],
            "feature_group_count": 2,
        },
    ),
    "volumes": ((5, 2, 7, 6, 8), (3, 2, 5, 4, 5), {}),
}


@pytest.mark.parametrize("dtype", ["f4", "c8", "u1", "i2"])
@pytest.mark.parametrize("name", FEW_PLACES | SHARED)
def test_pieces_of_what_is_multiplied_are_the_whole(rng, monkeypatch, name, dtype):
    x, k, options, want = in_lax(rng, dtype, (0, 2), *(FEW_PLACES | SHARED)[name])
    by_products = jax.jit(partial(jaxconv.conv_general_dilated, method="products", **options))
    (plan,) = plans_in(by_products, [x, k])
    assert (products._shared(plan.problem) is plan.problem) == (name not in SHARED)
    monkeypatch.setattr("jaxconv.engine.methods.products.PIECE_BYTES", 1000)
    assert by_products.lower(x, k).as_text().count("while") > 0
    np.testing.assert_array_equal(by_products(x, k), want.astype(dtype))


@pytest.mark.parametrize("method", ["shifts", "products"])
def test_pieces_of_a_long_sum_change_nothing_else(rng, monkeypatch, method):
    """A bad value stays where it is seen, derivatives are right, and inside a mesh it runs."""
    monkeypatch.setattr("jaxconv.engine.methods.shifts.PIECE", 7)
    monkeypatch.setattr("jaxconv.engine.methods.products.PIECE_BYTES", 1000)
    a, b = (jnp.asarray(x) for x in operands(rng, [(60,), (23,)]))
    convolve = partial(jaxconv.convolve, mode="valid", method=method)
    assert "while" in jax.jit(convolve).lower(a, b).as_text()
    bad = jax.jit(convolve)(a.at[3].set(np.nan), b)
    assert np.isnan(bad).tolist() == [True] * 4 + [False] * 34

    def loss(convolve, a, b):
        return (convolve(a, b) ** 2).sum()

    slopes = jax.grad(partial(loss, convolve), (0, 1))
    truth = jax.grad(partial(loss, partial(jnp.convolve, mode="valid")), (0, 1))
    jax.tree.map(assert_close, jax.jit(slopes)(a, b), *in_double(truth, a, b))
    mesh = jax.make_mesh((1,), ("x",))
    parts = P("x"), P()
    divided = jax.shard_map(convolve, mesh=mesh, in_specs=parts, out_specs=P("x"))
    with jax.set_mesh(mesh):
        got = jax.jit(divided)(*(jax.device_put(v, p) for v, p in zip((a, b), parts)))
    np.testing.assert_allclose(got, convolve(a, b), rtol=1e-5)


IN_GROUPS = {  # lax's shapes and options
    "a line": ((1, 1, 20_011), (1, 1, 301), {}),
    "a line, to its ends": ((2, 1, 20_011), (1, 1, 301), {"padding": [(150, 300)]}),
    "a line, cropped": ((1, 1, 20_011), (1, 1, 301), {"padding": [(-7, -30)]}),
    "a line among zeros": ((1, 1, 2000), (1, 1, 301), {"padding": [(9_000, 8_000)]}),
    "strides and dilation": (
        (1, 1, 300, 150),
        (1, 1, 9, 5),
        {
            "window_strides": (3, 2),
            "rhs_dilation": (2, 1),
            "lhs_dilation": (1, 2),
            "padding": [(5, 3), (0, 1)],
        },
    ),
    "features": ((2, 4, 700, 16), (6, 2, 20, 3), {"feature_group_count": 2}),
    "a volume, padded": (
        (1, 2, 90, 20, 9),
        (3, 2, 5, 4, 3),
        {"padding": [(4, 1), (3, -2), (0, 9)]},
    ),
    "a volume": ((1, 1, 90, 20, 9), (1, 1, 5, 4, 3), {}),
}


@contextmanager
def small_groups(monkeypatch):
    """Let blocks, groups of them and bands of rows be small meanwhile."""
    with monkeypatch.context() as patch:
        patch.setattr("jaxconv.engine.methods.overlap.SHORTEST", {1: 512, 2: 32, 3: 16})
        patch.setattr("jaxconv.engine.methods.overlap.GROUP_BYTES", {1: 5e4, 2: 5e4, 3: 5e4})
        patch.setattr("jaxconv.engine.methods.lines.WHOLE_BYTES", 0)
        patch.setattr("jaxconv.engine.methods.lines.BAND_BYTES", 50_000)
        jaxconv.engine.planning.plan_afresh()
        jax.clear_caches()
        yield
    jaxconv.engine.planning.plan_afresh()
    jax.clear_caches()


IMAGES = [name for name, (shape, *_) in IN_GROUPS.items() if len(shape) > 3]


@pytest.mark.parametrize("dtype", ["f4", "c8"])
@pytest.mark.parametrize(
    ("method", "name"), [*product(["overlap"], IN_GROUPS), *product(["lines"], IMAGES)]
)
def test_some_rows_at_a_time_are_the_whole(rng, monkeypatch, name, method, dtype):
    x, k, options, want = in_lax(rng, dtype, (-99, 99), *IN_GROUPS[name])
    if method == "lines":
        options["window_strides"] = (1, *options["window_strides"][1:])
        want = in_double_lax(x, k, options)
    convolve = partial(jaxconv.conv_general_dilated, method=method, **options)
    with small_groups(monkeypatch):
        assert jax.jit(convolve).lower(x, k).as_text().count("while") > 0
        got = convolve(x, k)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * float(jnp.abs(want).max()))


@pytest.mark.parametrize("method", ["overlap", "lines"])
def test_some_rows_at_a_time_inside_a_mesh_and_for_derivatives(rng, monkeypatch, method):
    x, k = (jnp.asarray(v) for v in operands(rng, [(2, 1, 300, 40), (1, 1, 9, 7)]))
    options = {"window_strides": (1, 1), "padding": "SAME", "method": method}
    convolve = partial(jaxconv.conv_general_dilated, **options)
    mesh = jax.make_mesh((2,), ("x",))
    divided = jax.shard_map(convolve, mesh=mesh, in_specs=(P("x"), P()), out_specs=P("x"))
    plain = partial(jax.lax.conv_general_dilated, window_strides=(1, 1), padding="SAME")

    def slopes(convolve):
        return jax.jit(jax.grad(lambda x, k: (convolve(x, k) ** 2).sum(), (0, 1)))

    with small_groups(monkeypatch), jax.set_mesh(mesh):
        mine = jax.device_put(x, P("x"))
        assert "while" in jax.jit(divided).lower(mine, k).as_text()
        for fn in (jax.jit(divided), jax.jit(convolve), convolve, convolve):  # the last is not the first
            assert_close(fn(mine, k), *in_double(plain, x, k))
        jax.tree.map(assert_close, slopes(convolve)(x, k), *in_double(slopes(plain), x, k))


@pytest.mark.parametrize("dtype", ["f4", "c8"])
def test_some_of_a_batch_at_a_time_are_all(rng, monkeypatch, dtype):
    options = {"window_strides": (2, 1), "padding": "SAME", "feature_group_count": 2}
    x, k, options, want = in_lax(rng, dtype, (-9, 9), (7, 4, 50, 20), (6, 2, 9, 5), options)
    by_fft = partial(jaxconv.conv_general_dilated, method="fft", **options)
    whole = jax.jit(by_fft).lower(x, k).as_text()
    monkeypatch.setattr("jaxconv.engine.methods.fft.FRESH_BYTES", 0)
    monkeypatch.setattr("jaxconv.engine.methods.fft.GROUP_BYTES", 80_000)
    jax.clear_caches()
    assert jax.jit(by_fft).lower(x, k).as_text().count("while") > whole.count("while")
    np.testing.assert_allclose(by_fft(x, k), want, rtol=0, atol=1e-5 * float(jnp.abs(want).max()))
    jax.clear_caches()
