"""One way through: what `explain` lists is what the compiled program computes, for every function."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv import matching
from jaxconv.engine.planning import as_seen
from tests.calls import FLOATS, WRAP
from tests.conftest import COMPUTED, current_test
from tests.helpers import operands

BY_FFT = {"fft", "overlap", "lines", "lags", "circular"}


def assert_all_is_told(fn, *arrays):
    """Require that the plans of a function are what is computed, and return their methods."""
    plans = jaxconv.explain(fn, *arrays).forward
    COMPUTED.clear()
    lowered = jax.jit(fn).lower(*arrays)
    computed = {(method, problem) for test, method, problem in COMPUTED if test == current_test()}
    assert {(plan.method, as_seen(plan.method, plan.problem)) for plan in plans} == computed
    methods = {plan.method for plan in plans}
    if methods & BY_FFT:
        assert "fft_length" in lowered.compile().as_text()
    return methods


KNOWN = {"kernels.factor", "matching.scales"}  # whose operands must have known values


@pytest.mark.parametrize("name", sorted((WRAP | FLOATS).keys() - KNOWN))
def test_explain_lists_what_is_computed(traced_anew, name):
    call = (WRAP | FLOATS)[name]
    assert_all_is_told(lambda zero: call(lambda a: jnp.asarray(a, float) + zero), jnp.zeros(()))


@pytest.mark.parametrize("method", ["auto", "fft", "overlap", "lines", "shifts", "direct"])
@pytest.mark.parametrize("boundary", ["fill", "wrap", "reflect"])
def test_of_a_named_method(rng, traced_anew, method, boundary):
    arrays = operands(rng, [(260, 64), (9, 11)], "float32")
    named = {method} if method != "auto" else {"shifts", "lines"}
    call = partial(jaxconv.convolve, mode="same", method=method, boundary=boundary)
    assert assert_all_is_told(call, *arrays) <= named


@pytest.mark.parametrize("function", [jaxconv.convolve, jaxconv.fftconvolve])
def test_of_what_wraps_around(rng, traced_anew, function):
    arrays = operands(rng, [(128, 96), (63, 65)], "float32")
    assert assert_all_is_told(partial(function, mode="same", boundary="wrap"), *arrays) == {"circular"}


@pytest.mark.parametrize("side", ["kernel", "signal"])
@pytest.mark.parametrize("method", ["fft", "direct", "shifts"])
def test_of_what_was_prepared(rng, traced_anew, side, method):
    signal, kernel = (jnp.asarray(x) for x in operands(rng, [(300,), (40,)]))
    operand, other = (kernel, signal) if side == "kernel" else (signal, kernel)
    prepared = jaxconv.prepare(operand, other.shape, side=side, method=method)
    if side == "kernel":
        assert assert_all_is_told(lambda x: jaxconv.convolve(x, prepared), other) == {method}
    else:
        assert assert_all_is_told(lambda k: jaxconv.convolve(prepared, k), other) == {method}


@pytest.mark.parametrize("call", [matching.best_match, matching.loudest])
def test_of_many_templates_and_one_signal(rng, traced_anew, call):
    signal, templates = operands(rng, [(400,), (6, 120)], "float32")
    assert "fft" in assert_all_is_told(call, signal, templates)
    assert assert_all_is_told(partial(call, method="direct"), signal, templates)


def test_of_an_accelerated_function(rng, traced_anew):
    a, b = operands(rng, [(500,), (9,)])
    fast = jaxconv.accelerate(lambda a, b: jnp.convolve(a, b) ** 2)
    assert assert_all_is_told(fast, a, b) == {"shifts"}


def test_the_plan_of_a_call_is_what_the_call_does(rng):
    a, b = operands(rng, [(30, 40), (3, 5)])
    options = {"mode": "same", "stride": (2, 1), "boundary": "wrap", "dilation": 2}
    for function in (jaxconv.convolve, jaxconv.correlate):
        plan = jaxconv.plan(a, b, function=function, **options)
        (told,) = jaxconv.explain(partial(function, **options), a, b).forward
        assert plan == told
        assert plan.problem.boundaries == ("wrap", "wrap")
        assert plan.problem.strides == (2, 1)
        np.testing.assert_allclose(
            function(a, b, method=plan, **options), function(a, b, **options), atol=1e-12
        )
    lags = jaxconv.plan(a[0], b[0], function=jaxconv.correlate, lags=2)
    assert lags.problem.places == (5,)


CALLED = {  # each with an option that it refuses, and must say so by its own name
    "convolve": lambda **o: jaxconv.convolve(np.ones(9), np.ones(3), **o),
    "correlate": lambda **o: jaxconv.correlate(np.ones(9), np.ones(3), **o),
    "fftconvolve": lambda **o: jaxconv.fftconvolve(np.ones(9), np.ones(3), **o),
    "oaconvolve": lambda **o: jaxconv.oaconvolve(np.ones(9), np.ones(3), **o),
    "convolve2d": lambda **o: jaxconv.convolve2d(np.eye(9), np.eye(3), **o),
    "correlate2d": lambda **o: jaxconv.correlate2d(np.eye(9), np.eye(3), **o),
    "sepfir2d": lambda **o: jaxconv.sepfir2d(np.eye(9), np.ones(3), np.ones(3), **o),
    "conv_general_dilated": lambda **o: jaxconv.conv_general_dilated(
        np.ones((1, 1, 9)), np.ones((1, 1, 3)), (1,), "VALID", **o
    ),
    "convolve_masked": lambda **o: jaxconv.convolve_masked(np.ones(9), np.ones(3), **o),
    "convolve_separable": lambda **o: jaxconv.convolve_separable(np.eye(9), [np.ones(3)] * 2, **o),
    "gaussian_filter": lambda **o: jaxconv.gaussian_filter(np.eye(9), 1.0, **o),
    "match_template": lambda **o: jaxconv.match_template(np.eye(9), np.eye(3), **o),
    "normalized_correlation": lambda **o: matching.normalized_correlation(np.eye(9), np.eye(3), **o),
    "match": lambda **o: matching.match(np.eye(9), np.eye(3), **o),
    "best_match": lambda **o: matching.best_match(np.eye(9), np.eye(3)[None], **o),
    "loudest": lambda **o: matching.loudest(np.eye(9), np.eye(3)[None], **o),
}


@pytest.mark.parametrize("name", CALLED)
def test_errors_name_the_function_that_was_called(name):
    call = CALLED[name]
    refused = {"max_bytes": -1}
    if name not in ("fftconvolve", "oaconvolve"):
        refused |= {"method": "ftt"}
        with pytest.raises(ValueError, match=f"{name}: `method` must be able"):
            call(method="phases")
    for option, value in refused.items():
        with pytest.raises(ValueError, match=f"{name}: `{option}` must"):
            call(**{option: value})
    assert call(precision="highest", max_bytes=10**9) is not None  # the same keywords everywhere
    if name not in ("fftconvolve", "oaconvolve"):
        assert call(local=True, method="direct") is not None
