"""Each method tells the truth about itself, and the suite would notice if one did not compute."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

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
    "products": ((12, 13), (8, 9)),
    "shifts": ((30,), (5,)),
    "folded": ((70,), (5,)),
    "lines": ((12, 13), (3, 4)),
    "overlap": ((6000,), (5,)),
    "fft": ((30,), (5,)),
    "lags": ((6000,), (5995,)),
}


def own(method):
    """Return operands that a method takes, and a convolution by any method that takes a name."""
    if method in ("onednn", "matmul"):
        pytest.skip(f"computes float32 alone, where it is to be had: test_{method}")
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
