"""Each method tells the truth about itself, and the suite would notice if one did not compute."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P

import jaxconv
from jaxconv.engine.costs import Cost
from jaxconv.engine.fencing import LEAST
from jaxconv.engine.methods import METHODS
from jaxconv.engine.methods.method import Method
from jaxconv.types import METHODS as NAMES
from tests.conftest import require_computed
from tests.helpers import assert_close, assert_sums_close, in_double, operands, scipy_sum


def test_a_method_is_a_file_and_a_name_in_a_list(rng, monkeypatch):
    """A toy method, the slowest of all, computes what it is asked for and is told as any other."""
    assert ("auto", *METHODS) == NAMES
    toy = Method(
        supports=lambda problem: "" if problem.taps == 2 else "not two taps",
        cost=lambda problem, constants: Cost(1.0, 0, "a toy"),
        run=lambda problem, signal, kernel: METHODS["direct"].run(problem, signal, kernel),
    )
    monkeypatch.setitem(METHODS, "toy", toy)
    a, b = operands(rng, [(9,), (2,)])
    assert_sums_close(jaxconv.convolve(a, b, method="toy"), np.convolve(a, b), a, b)
    told = jaxconv.plan(a, b, method="toy")
    assert told.method == "toy"
    assert "a toy" in str(told)
    with pytest.raises(ValueError, match="'toy' cannot \\(not two taps\\)"):
        jaxconv.convolve(a, a, method="toy")


OWN = {  # operands of a 'valid' convolution that each method takes, in several blocks where it has any
    "direct": ((30,), (5,)),
    "products": ((30,), (26,)),
    "shifts": ((30,), (5,)),
    "folded": ((70,), (5,)),
    "lines": ((12, 13), (3, 4)),
    "overlap": ((6000,), (5,)),
    "fft": ((30,), (5,)),
    "lags": ((6000,), (5995,)),
}


def own(method):
    """Return operands that a method takes, and a convolution by any method that takes a name."""
    if method == "onednn":
        pytest.skip("computes float32 of several features, where it is to be had: test_onednn")
    if method == "phases":
        options = {"window_strides": (1,), "padding": [(2, 2)], "lhs_dilation": (3,)}
        general = partial(jaxconv.conv_general_dilated, **options)
        return ((1, 2, 20), (3, 2, 5)), lambda method: partial(general, method=method)
    if method == "circular":
        wrapped = partial(jaxconv.convolve, mode="same", boundary="wrap")
        return ((30,), (5,)), lambda method: partial(wrapped, method=method)
    return OWN[method], lambda method: partial(jaxconv.convolve, mode="valid", method=method)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_runs_through_every_transformation(rng, monkeypatch, method):
    """Value, both gradients, forward mode and batches, each of them by the method that was named."""
    shapes, convolve = own(method)
    a, b = (jnp.asarray(x) for x in operands(rng, shapes))
    ran = []
    run = METHODS[method].run
    monkeypatch.setattr(METHODS[method], "run", lambda *args: ran.append(1) or run(*args))
    ours, truth = convolve(method), convolve("direct")

    def compare(transform):
        before = len(ran)
        got = jax.jit(transform(ours))(a, b)
        assert len(ran) > before, "another method ran"
        jax.tree.map(assert_close, got, *in_double(transform(truth), a, b))

    compare(lambda f: f)
    compare(lambda f: jax.value_and_grad(lambda a, b: (f(a, b) ** 2).sum(), (0, 1)))
    compare(lambda f: lambda a, b: jax.jvp(f, (a, b), (jnp.flip(a), jnp.flip(b))))
    compare(lambda f: lambda a, b: jax.vmap(f, (0, None))(jnp.stack([a, 2 * a]), b))


@pytest.mark.parametrize("method", OWN)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_where_a_bad_value_spreads(rng, method, value):
    a, b = operands(rng, OWN[method])
    a[(2,) * a.ndim] = value
    spread = ~np.isfinite(jaxconv.convolve(a, b, "valid", method))
    windows = np.lib.stride_tricks.sliding_window_view(~np.isfinite(a), b.shape)
    where = windows.any(axis=tuple(range(-b.ndim, 0)))
    assert (spread & where).sum() == where.sum(), "a window with a bad value gives a good one"
    assert (spread == where).all() == METHODS[method].is_local


@pytest.mark.parametrize("method", ["direct", "shifts"])
def test_a_large_value_far_away_harms_nothing_local(rng, method):
    a, b = (jnp.asarray(x) for x in operands(rng, [(200,), (5,)], "float32"))
    loud = a.at[0].set(1e8)
    quiet, beside = (np.asarray(jaxconv.convolve(x, b, "same", method))[10:] for x in (a, loud))
    assert (quiet == beside).all()


ACCURACY = [
    *((method, ((5000,), (33,))) for method in ("direct", "shifts", "folded", "overlap", "fft")),
    *((method, ((64, 64), (7, 7))) for method in ("direct", "shifts", "lines", "fft")),
    *((method, ((16, 16, 16), (3, 3, 3))) for method in ("direct", "shifts", "lines", "fft")),
    *((method, ((6000,), (5968,))) for method in ("direct", "products", "fft", "lags")),
]


@pytest.mark.parametrize(("method", "shapes"), ACCURACY)
def test_error_against_double_precision(rng, method, shapes):
    a, b = operands(rng, shapes, "float32")
    exact = partial(scipy_sum, "convolve", mode="valid")
    want, sums = (
        exact(a.astype(float), b.astype(float)),
        exact(abs(a).astype(float), abs(b).astype(float)),
    )
    error = np.abs(np.asarray(jaxconv.convolve(a, b, "valid", method)) - want)
    eps = np.finfo(np.float32).eps
    if method in ("direct", "products", "shifts", "folded"):
        assert (error <= 4 * eps * np.sqrt(b.size) * sums).all()
    else:  # each error is spread over the whole transform
        norm = np.sqrt((a**2).sum() * (b**2).sum())
        assert (error <= eps * norm / 2).all()


def test_the_suite_notices_a_method_off_by_one_tap(rng, monkeypatch):
    right = METHODS["shifts"].run

    def off_by_one(problem, signal, kernel):
        return right(problem, signal, jnp.roll(kernel, 1, axis=-1))

    a, b = operands(rng, [(19,), (4,)])
    monkeypatch.setattr(METHODS["shifts"], "run", off_by_one)
    jax.clear_caches()
    got = jaxconv.convolve(a, b, method="shifts")
    monkeypatch.undo()
    jax.clear_caches()
    with pytest.raises(AssertionError, match="off by"):
        assert_sums_close(got, np.convolve(a, b), a, b)
    assert_sums_close(jaxconv.convolve(a, b, method="shifts"), np.convolve(a, b), a, b)


def test_the_suite_notices_a_method_that_did_not_run(rng):
    a, b = operands(rng, [(23,), (4,)])
    jaxconv.convolve(a, b, method="shifts")
    require_computed("shifts")
    with pytest.raises(AssertionError, match="'lags' computed nothing here"):
        require_computed("lags")


@pytest.mark.parametrize("dtype", ["float32", "float", "complex", "int32", "uint8"])
def test_shifts_are_summed_once_whatever_follows(rng, dtype):
    """Two consumers, one of which pads: the compiler would sum anew in each, tap by tap with a test."""
    a, b = (jnp.asarray(x) for x in operands(rng, [(LEAST,), (9,)], dtype))

    def consume(a, b):
        out = jaxconv.convolve(a, b, "same", "shifts")
        return jnp.pad(out, 3), out[::2]

    text = jax.jit(consume).lower(a, b).compile().as_text()
    assert text.count(" multiply(") == 9
    padded, halved = jax.jit(consume)(a, b)
    want = np.convolve(a, b, "same")
    assert_sums_close(padded[3:-3], want, a, b)
    assert_sums_close(halved, want[::2], a, b)


@pytest.mark.parametrize("method", ["shifts"])
@pytest.mark.parametrize(
    "dtype",
    ["uint8", "int16", "float32", "complex64", pytest.param("float64", marks=pytest.mark.needs_x64)],
)
@pytest.mark.parametrize("shape", [(4096 + 5,), (1, 4096 + 5), (2, 4096 + 5)])
def test_a_line_of_odd_length(rng, named_method_runs, method, dtype, shape):
    """The last output, computed by itself, is as good as the others."""
    a, b = operands(rng, [shape, (*[1] * (len(shape) - 1), 5)], dtype)
    for mode, dilation in (("valid", 1), ("full", 1), ("same", 2)):
        options = {"mode": mode, "dilation": dilation, "method": method}
        got = jaxconv.convolve(a, b, **options)
        assert got.shape[-1] % 2 == 1
        np.testing.assert_allclose(
            got, jaxconv.convolve(a, b, **{**options, "method": "direct"}), rtol=1e-4, atol=1e-4
        )


def in_lax(rng, dtype, numbers, shape, window, options):
    """Return whole numbers as signal and kernel, lax's options, and lax's answer in double precision."""
    x, k = (rng.integers(*numbers, s).astype(dtype) for s in (shape, window))
    options = {"window_strides": (1,) * (len(shape) - 2), "padding": "VALID"} | options
    wide = [v.astype("c16" if dtype == "c8" else "f8") for v in (x, k)]
    return x, k, options, jax.lax.conv_general_dilated(*wide, **options)


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


@pytest.mark.parametrize("dtype", ["f4", "c8", "u1", "i2"])
@pytest.mark.parametrize("name", FEW_PLACES)
def test_pieces_of_what_is_multiplied_are_the_whole(rng, monkeypatch, name, dtype):
    x, k, options, want = in_lax(rng, dtype, (0, 2), *FEW_PLACES[name])
    by_products = jax.jit(partial(jaxconv.conv_general_dilated, method="products", **options))
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
    "a volume": ((1, 1, 90, 20, 9), (1, 1, 5, 4, 3), {}),
}


@pytest.mark.parametrize("dtype", ["f4", "c8"])
@pytest.mark.parametrize("name", IN_GROUPS)
def test_groups_of_blocks_are_the_whole(rng, monkeypatch, name, dtype):
    x, k, options, want = in_lax(rng, dtype, (-99, 99), *IN_GROUPS[name])
    by_overlap = partial(jaxconv.conv_general_dilated, method="overlap", **options)
    monkeypatch.setattr("jaxconv.engine.methods.overlap.SHORTEST", {1: 512, 2: 32, 3: 16})
    monkeypatch.setattr("jaxconv.engine.methods.overlap.GROUP_BYTES", {1: 5e4, 2: 5e4, 3: 5e4})
    jaxconv.engine.planning.plan_afresh()
    jax.clear_caches()
    assert str(jax.jit(by_overlap).lower(x, k).as_text()).count("while") > 0
    got = by_overlap(x, k)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * float(jnp.abs(want).max()))
    jaxconv.engine.planning.plan_afresh()
    jax.clear_caches()


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
