"""Prepared kernels: the same results and derivatives, under every transformation."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv.engine.methods import METHODS
from tests.helpers import (
    MODES,
    OF_CONVOLVE,
    assert_agrees,
    assert_sums_close,
    operands,
    scipy_sum,
    short_blocks,
)

pytestmark = pytest.mark.usefixtures("short_blocks", "traced_anew", "named_method_runs")


SHAPES = [
    ((60,), (5,), "float"),
    ((12, 13), (3, 4), "complex"),
    ((4,), (9,), "complex"),
    ((200,), (190,), "float"),
]
CALLS = [*((jaxconv.convolve, mode) for mode in MODES), (jaxconv.correlate, "same")]


def takes(function, mode, method, shape, window, dtype):
    """Tell whether a method takes a kernel, prepared, as it is: operands are not exchanged."""
    prepare = partial(jaxconv.prepare, shape=shape, function=function, mode=mode, method=method)
    try:
        with short_blocks():
            jax.eval_shape(partial(prepare, dtype=dtype), jax.ShapeDtypeStruct(window, dtype))
    except ValueError:
        return False
    return True


PREPARED = [
    pytest.param(*call, method, cases, id=f"{call[0].__name__}-{call[1]}-{method}")
    for call in CALLS
    for method in OF_CONVOLVE
    if (cases := [case for case in SHAPES if takes(*call, method, *case)])
]


@pytest.mark.parametrize(("function", "mode", "method", "cases"), PREPARED)
def test_results_are_those_of_the_kernel(rng, function, mode, method, cases):
    for *shapes, dtype in cases:
        signal, kernel = operands(rng, shapes, dtype)
        prepared = jaxconv.prepare(kernel, signal.shape, function, mode=mode, method=method)
        got = jax.jit(partial(function, mode=mode))(signal, prepared)
        assert_sums_close(got, scipy_sum(function.__name__, signal, kernel, mode), signal, kernel)


LONGEST = {"overlap": ((70,), (4,)), "folded": ((40,), (5,)), "lags": ((60,), (55,))}


@pytest.mark.parametrize("method", ["auto", *OF_CONVOLVE])
def test_derivatives_are_those_of_the_kernel(rng, method):
    shapes = LONGEST.get(method, ((9, 8), (3, 4)))
    signal, kernel = (jnp.asarray(x) for x in operands(rng, shapes))

    def with_prepared(signal, kernel):
        prepared = jaxconv.prepare(kernel, signal.shape, mode="valid", method=method)
        return (jaxconv.convolve(signal, prepared, "valid") ** 3).sum()

    def plain(signal, kernel):
        return (jaxconv.convolve(signal, kernel, "valid", "direct") ** 3).sum()

    for transform in (jax.grad, jax.hessian) if method in ("auto", "fft") else (jax.grad,):
        assert_agrees(transform(with_prepared, (0, 1)), transform(plain, (0, 1)), signal, kernel)


@pytest.mark.needs_x64
def test_a_prepared_kernel_passes_through_transformations(rng):
    signal, kernel = (jnp.asarray(x) for x in operands(rng, [(40,), (5,)]))
    prepared = jaxconv.prepare(kernel, (40,), mode="same", method="fft")
    convolve = partial(jaxconv.convolve, mode="same")
    want = convolve(signal, kernel)
    once = jax.jit(lambda p, x: jax.vmap(convolve, (0, None))(jnp.stack([x, x]), p))(prepared, signal)
    np.testing.assert_allclose(once[1], want, atol=1e-12)
    twice, _ = jax.lax.scan(lambda x, _: (convolve(x, prepared), None), signal, length=2)
    np.testing.assert_allclose(twice, convolve(want, kernel), atol=1e-12)
    kernels = jax.vmap(lambda k: jaxconv.prepare(k, (40,), mode="same", method="fft"))(
        jnp.stack([kernel, -kernel])
    )
    each = jax.vmap(convolve, (None, 0))(signal, kernels)
    np.testing.assert_allclose(each[1], -want, atol=1e-12)
    (slope,) = jax.linear_transpose(lambda x: convolve(x, prepared), signal)(want)
    np.testing.assert_allclose(
        slope, jax.vjp(lambda x: convolve(x, kernel), signal)[1](want)[0], atol=1e-12
    )


@pytest.mark.needs_x64
def test_general_convolutions_take_prepared_kernels(rng):
    signal, kernel = (jnp.asarray(x) for x in operands(rng, [(2, 9, 8, 3), (3, 2, 3, 5)]))
    options = {
        "window_strides": (2, 1),
        "padding": "SAME",
        "dimension_numbers": ("NHWC", "HWIO", "NHWC"),
    }
    for method in ("direct", "shifts", "fft"):
        function = jaxconv.conv_general_dilated
        prepared = jaxconv.prepare(kernel, signal.shape, function, method=method, **options)
        got = function(signal, prepared, **options)
        np.testing.assert_allclose(
            got, jax.lax.conv_general_dilated(signal, kernel, **options), atol=1e-12
        )


def test_the_kernel_is_transformed_once(rng, monkeypatch):
    signal, kernel = operands(rng, [(300,), (40,)])
    prepared = jaxconv.prepare(kernel, (300,), method="fft")
    monkeypatch.setattr(METHODS["fft"], "prepare_kernel", None)
    jaxconv.convolve(signal, prepared)


@pytest.mark.needs_x64
def test_a_call_that_was_not_prepared_for_is_an_error(rng):
    signal, kernel = operands(rng, [(20,), (5,)])
    prepared = jaxconv.prepare(kernel, (20,))
    wrong = [
        (
            lambda: jaxconv.correlate(signal, prepared),
            "prepared as the kernel of this function; got one prepared as the kernel of convolve",
        ),
        (lambda: jaxconv.convolve(signal[:9], prepared), "got one for space (20,), not (9,)"),
        (
            lambda: jaxconv.convolve(signal, prepared, "same"),
            "got one for padding ((4, 4),), not ((2, 2),)",
        ),
        (lambda: jaxconv.convolve(signal + 1j, prepared), "dtype float64, not complex128"),
        (lambda: jaxconv.convolve(signal, prepared, method="fft"), "method auto, not fft"),
        (
            lambda: jaxconv.prepare(kernel, (20,), jnp.convolve),
            "`function` must be jaxconv's convolve or",
        ),
        (lambda: jaxconv.prepare(1.0, ()), "`shape` must have an axis to convolve along; got ()"),
    ]
    for call, message in wrong:
        with pytest.raises(ValueError, match="must") as error:
            call()
        assert message in str(error.value)
