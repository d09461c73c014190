"""The planner's choices, from shapes alone."""

import pytest

from jaxconv.engine.how import How
from jaxconv.engine.planning import plan
from jaxconv.engine.problem import Problem


def problem(space, window, **changes):
    """Return a plain one-channel 'valid' problem."""
    ones = (1,) * len(space)
    facts = {
        "batch": 1,
        "groups": 1,
        "inputs": 1,
        "outputs": 1,
        "space": space,
        "window": window,
        "strides": ones,
        "padding": ((0, 0),) * len(space),
        "signal_dilation": ones,
        "kernel_dilation": ones,
        "dtype": "float32",
        "result": "float32",
    }
    return Problem(**{**facts, **changes})


ANY = How()
MILLION = 1_000_000
CHOICES = [  # what was measured to win on 2 CPU cores
    ((MILLION,), (9,), "shifts"),
    ((MILLION,), (33,), "shifts"),
    ((MILLION,), (129,), "folded"),
    ((MILLION,), (1025,), "overlap"),
    ((MILLION,), (8193,), "overlap"),
    ((1024, 1024), (3, 3), "shifts"),
    ((1024, 1024), (9, 9), "shifts"),
    ((1024, 1024), (11, 11), "shifts"),
    ((1024, 1024), (17, 17), "lines"),
    ((1024, 1024), (31, 31), "lines"),
    ((2048, 2048), (15, 15), "shifts"),
    ((2048, 2048), (63, 63), "overlap"),
    ((128, 128, 128), (3, 3, 3), "shifts"),
    ((128, 128, 128), (5, 5, 5), "shifts"),
    # few places of two large operands, as a kernel's gradient has
    ((1024, 1024), (1022, 1022), "direct"),
    ((1024, 1024), (1020, 1020), "shifts"),
    ((1024, 1024), (900, 900), "fft"),
]


@pytest.mark.parametrize(("space", "window", "best"), CHOICES)
def test_the_measured_winner_is_chosen(space, window, best):
    assert plan(problem(space, window), ANY).method == best


def test_channels_go_to_direct():
    chosen = plan(problem((56, 56), (3, 3), batch=4, inputs=64, outputs=64), ANY)
    assert chosen.method in ("direct", "onednn")  # the latter where it is to be had


def test_integers_never_go_to_fft():
    chosen = plan(problem((4096,), (4000,), dtype="int32", result="int32"), ANY)
    assert chosen.method != "fft"
    refusals = {c.method: c.refusal for c in chosen.candidates}
    assert "an FFT rounds" in refusals["fft"]


def test_a_plan_prints_as_a_table():
    text = str(plan(problem((MILLION,), (1025,)), ANY))
    assert "> overlap" in text
    assert "places, and at most 64 are unrolled" in text
    assert "calibrated on" in text


def test_what_was_not_measured_says_so():
    assert "not measured" in str(plan(problem((MILLION,), (9,), platform="tpu"), ANY))


def test_plans_are_cached_by_value():
    assert plan(problem((99,), (9,)), ANY) is plan(problem((99,), (9,)), ANY)


def test_derivatives_that_a_named_method_cannot_compute_are_planned_afresh(rng):
    import jax
    import numpy as np

    import jaxconv

    a, b = rng.standard_normal((2, 3000)), rng.standard_normal((2, 3))
    # the kernel's gradient has 2998 taps: more than shifts unrolls
    kernel_gradient = jax.grad(lambda b: jaxconv.convolve(a[0], b, "valid", "shifts").sum())(b[0])
    want = np.convolve(a[0][::-1], np.ones(2998), "valid")
    np.testing.assert_allclose(kernel_gradient, want, atol=1e-9)
