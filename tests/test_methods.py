"""Each method tells the truth about itself, and the suite would notice if one did not compute."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv.engine.methods import METHOD_MODULES, shifts
from jaxconv.types import METHODS as NAMES
from tests.helpers import METHODS, assert_sums_close, operands


def test_the_table_the_types_and_the_tests_name_the_same_methods():
    assert ("auto", *METHOD_MODULES) == NAMES
    assert tuple(METHOD_MODULES) == METHODS


@pytest.mark.parametrize(
    ("method", "local"), [("auto", True), ("direct", True), ("shifts", True), ("fft", False)]
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_where_a_bad_value_spreads(rng, method, local, value):
    a, b = operands(rng, [(30,), (5,)])
    a[20] = value
    bad = ~np.isfinite(jaxconv.convolve(a, b, "same", method))
    if local:
        assert np.flatnonzero(bad).tolist() == list(range(18, 23))
    else:
        assert bad.all()


@pytest.mark.parametrize("method", ["direct", "shifts"])
def test_a_large_value_far_away_harms_nothing_local(rng, method):
    a, b = (jnp.asarray(x) for x in operands(rng, [(200,), (5,)], "float32"))
    loud = a.at[0].set(1e8)
    quiet, beside = (np.asarray(jaxconv.convolve(x, b, "same", method))[10:] for x in (a, loud))
    assert (quiet == beside).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shapes", [((5000,), (33,)), ((64, 64), (7, 7)), ((16, 16, 16), (3, 3, 3))])
def test_error_against_double_precision(rng, method, shapes):
    a, b = operands(rng, shapes, "float32")
    want = jaxconv.convolve(a.astype(float), b.astype(float), method="direct")
    got = np.asarray(jaxconv.convolve(a, b, method=method))
    eps, taps = np.finfo(np.float32).eps, b.size
    size = np.asarray(jaxconv.convolve(abs(a).astype(float), abs(b).astype(float), method="direct"))
    if method == "fft":
        assert (np.abs(got - want) <= 16 * eps * np.log2(got.size) * size.max()).all()
    else:
        assert (np.abs(got - want) <= 4 * eps * np.sqrt(taps) * size).all()


def test_the_suite_notices_a_method_off_by_one_tap(rng, monkeypatch):
    right = shifts.run

    def off_by_one(problem, signal, kernel):
        return right(problem, signal, jnp.roll(kernel, 1, axis=-1))

    a, b = operands(rng, [(19,), (4,)])
    monkeypatch.setattr(shifts, "run", off_by_one)
    jax.clear_caches()
    got = jaxconv.convolve(a, b, method="shifts")
    monkeypatch.undo()
    jax.clear_caches()
    with pytest.raises(AssertionError, match="off by"):
        assert_sums_close(got, np.convolve(a, b), a, b)
    assert_sums_close(jaxconv.convolve(a, b, method="shifts"), np.convolve(a, b), a, b)
