"""Exchange: a layer's gradient of its kernel, with the operands in each other's place."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv.engine import proof, tuned
from jaxconv.engine.exchange import is_exchanged
from jaxconv.engine.how import How
from jaxconv.engine.methods import METHODS
from jaxconv.engine.methods.layout import is_gradient
from jaxconv.engine.planning import as_seen, plan
from jaxconv.engine.primitive import plans_in
from jaxconv.engine.problem import Problem
from jaxconv.engine.tuned import Times
from tests.conftest import COMPUTED, current_test, require_computed
from tests.helpers import random_array
from tests.meshes import both, compared, numbers

EXCHANGING = [name for name, method in METHODS.items() if method.work]
THERE = [name for name in EXCHANGING if name != "onednn" or not proof.refusal()]
DTYPES = ["float32", "bfloat16", "float16", "complex64", "int16", "uint8"]
SPACES = {1: (9,), 2: (9, 8), 3: (7, 5, 6)}  # of the layer's images, odd and even


def gradient_like(batch=24, outputs=3, inputs=2, rank=2, padding=None, **facts):
    """Return the problem of a kernel's gradient, of 3 places along each axis or as the padding lets."""
    space, ones = SPACES[rank], (1,) * rank
    facts = {"strides": ones, "signal_dilation": ones, "kernel_dilation": ones, "groups": 1} | facts
    padding = ((1, 1),) * rank if padding is None else padding
    types = {"dtype": "float32", "result": "float32"}
    return Problem(
        batch=batch,
        outputs=outputs,
        inputs=inputs,
        space=space,
        window=space,
        padding=padding,
        **types | facts,
    )


def seen_exchanged(method, problem, local=False):
    return is_exchanged(problem, as_seen(method, problem, local))


def in_float64(problem, signal, kernel):
    """Return the convolution and the sum of the absolute products, by NumPy's own sums."""
    p, wide = problem, np.complex128 if problem.is_complex else np.float64
    signal, kernel = (np.asarray(x).astype(wide) for x in (signal, kernel))
    padded = np.pad(signal, [(0, 0)] * 3 + [(max(low, 0), max(high, 0)) for low, high in p.padding])
    out = np.zeros((2, *p.output), wide)
    for place in np.ndindex(p.places):
        at = tuple(slice(s * stride, s * stride + m) for s, stride, m in zip(place, p.strides, p.window))
        under = padded[(slice(None),) * 3 + at]
        pair = under.reshape(*under.shape[:3], -1), kernel.reshape(*kernel.shape[:3], -1)
        sums = [
            np.einsum("ngit,goit->ngo", f(pair[0]), f(pair[1]), optimize=True)
            for f in (np.asarray, np.abs)
        ]
        out[(slice(None),) * 4 + place] = sums
    return out


@pytest.mark.parametrize(
    ("method", "dtype"),
    [(m, d) for m in THERE for d in (DTYPES if m != "onednn" else ["float32"])],
)
@pytest.mark.parametrize(
    ("rank", "facts"),
    [
        (1, {}),
        (2, {}),
        (2, {"padding": ((0, 2), (1, 0)), "groups": 3, "batch": 17, "outputs": 1}),
        (2, {"padding": ((2, 2), (3, 2)), "strides": (2, 3)}),
        (3, {"inputs": 1, "outputs": 8}),
    ],
)
def test_sums_are_those_of_the_definition(rng, method, dtype, rank, facts):
    p = gradient_like(rank=rank, dtype=dtype, result=dtype, **facts)
    signal = random_array(rng, (p.batch, p.groups, p.inputs, *p.space), dtype)
    kernel = random_array(rng, (p.groups, p.outputs, p.inputs, *p.window), dtype)
    signal = signal + (100 if dtype == "float32" else 0)  # far from zero
    signal, kernel = jnp.asarray(signal, dtype), jnp.asarray(kernel, dtype)
    chosen = plan(p, How(method=method))
    assert seen_exchanged(method, p) == (method != "products" or rank == 3)
    got = chosen.run(chosen.prepare_signal(signal), chosen.prepare_kernel(kernel))
    want, scale = in_float64(p, signal, kernel)
    require_computed(method)
    assert (got.dtype, got.shape) == (dtype, p.output)
    if p.is_exact:
        np.testing.assert_array_equal(got, want.astype(np.int64).astype(dtype))
    else:
        eps = float(jnp.finfo(dtype).eps)
        np.testing.assert_array_less(
            np.abs(np.asarray(got).astype(want.dtype) - want), 8 * eps * abs(scale)
        )


@pytest.mark.parametrize("method", ["direct", "onednn"])
@pytest.mark.parametrize(
    ("features", "exchanged"),
    [
        ((64, 16), True),
        ((16, 64), False),
        ((20, 16), False),  # one vector for each of 20, or two for each of 16
        ((12, 20), True),
        ((32, 32), False),
        ((8, 4), True),
    ],
)
def test_fewer_vectors_of_output_features_decide(method, features, exchanged):
    p = gradient_like(*features)
    assert seen_exchanged(method, p) == exchanged
    assert not seen_exchanged(method, gradient_like(*features, platform="cuda"))


def test_products_decide_by_the_rows_of_volumes_that_they_copy():
    assert seen_exchanged("products", gradient_like(48, 4, rank=3))
    assert not seen_exchanged("products", gradient_like(4, 48, rank=3))
    assert not seen_exchanged("products", gradient_like(48, 8, rank=2))


@pytest.mark.parametrize(
    "facts",
    [
        {"padding": ((3, 3), (20, 20))},
        {"kernel_dilation": (2, 1), "padding": ((9, 9), (1, 1))},
        {"signal_dilation": (2, 1), "padding": ((1, 1), (1, 1))},
    ],
)
def test_what_is_no_gradient_or_would_be_dilated_stays_as_it_is(facts):
    assert not any(seen_exchanged(method, gradient_like(**facts)) for method in EXCHANGING)


@pytest.mark.parametrize("method", ["direct"])
def test_where_errors_must_stay_local_nothing_is_exchanged(method):
    p = gradient_like(24, 2, inputs=1, rank=1, padding=((1, 1),))
    signal = (
        jnp.ones((24, 1, 1, 9), "float32").at[5, 0, 0, 0].set(jnp.nan)
    )  # the last of three places misses it
    kernel = jnp.ones((1, 2, 1, 9), "float32")
    for local, spread in ((False, [1, 1, 1]), (True, [1, 1, 0])):
        chosen = plan(p, How(method=method, local=local))
        out = chosen.run(chosen.prepare_signal(signal), chosen.prepare_kernel(kernel))
        assert chosen.is_local == local
        np.testing.assert_array_equal(jnp.isnan(out[5, 0, 0]), spread)
        assert not jnp.isnan(jnp.delete(out, 5, 0)).any()


@pytest.mark.skipif("onednn" not in THERE, reason=proof.refusal())
def test_what_is_refused_without_an_exchange_is_where_nothing_may_be_exchanged():
    p = gradient_like(24, 1)
    notes = [
        next(c for c in plan(p, How(local=local)).candidates if c.method == "onednn")
        for local in (False, True)
    ]
    assert [bool(note.refusal) for note in notes] == [False, True]
    assert "one output feature" in notes[1].refusal


def test_what_was_measured_exchanged_tells_nothing_of_what_is_not(monkeypatch):
    p = gradient_like()
    monkeypatch.setattr(tuned, "find", lambda problem: Times(str(problem), {"direct": 1e-9}))
    plan.cache_clear()
    chosen = [plan(p, How(method="direct", local=local)).chosen for local in (False, True)]
    plan.cache_clear()
    assert [c.measured for c in chosen] == [True, False]


def layer(signal, kernel, method="auto"):
    return jaxconv.conv_general_dilated(signal, kernel, (1, 1), "SAME", method=method)


@pytest.mark.parametrize("method", [m for m in THERE if m != "products"])  # which takes no such layer
def test_a_plan_tells_it_and_gradients_to_second_order_are_right(rng, method):
    signal, kernel = (
        jnp.asarray(rng.standard_normal(shape), jnp.float32) for shape in ((2, 40, 9, 8), (4, 40, 3, 3))
    )

    def gradient(signal, kernel, method=method):
        return jax.grad(lambda k: jnp.sin(layer(signal, k, method)).sum())(kernel)

    told = [p for p in plans_in(gradient, [signal, kernel]) if p.problem.batch == 40]
    assert told
    assert all(p.is_exchanged and p.chosen.parameters == "operands exchanged" for p in told)
    assert all("operands exchanged" in str(p) for p in told)

    def second(signal, kernel, method=method):
        return jax.grad(lambda s: (gradient(s, kernel, method) ** 2).sum())(signal)

    for fn in (gradient, second):
        outs = fn(signal, kernel), fn(signal, kernel), jax.jit(fn)(signal, kernel)
        with jax.enable_x64(True):
            want = fn(*(jnp.asarray(np.asarray(x), float) for x in (signal, kernel)), "shifts")
        want = np.asarray(want)
        tolerance = 1e-4 * np.abs(want).max()
        for out in outs:
            np.testing.assert_allclose(out, want, rtol=0, atol=tolerance)
    require_computed(method)


@pytest.mark.parametrize("spec", [("a",), ("a", None, "b"), (None, None, "a")])
def test_on_meshes(rng, mesh, spec):
    signal, kernel = numbers(rng, 4, 40, 8, 8), numbers(rng, 4, 40, 3, 3)
    compared(mesh, both(partial(layer, method="direct")), signal, spec, kernel)
    computed = [p for test, _, p in COMPUTED if test == current_test() and is_gradient(p)]
    assert computed
    assert all(p.outputs == 40 > p.batch for p in computed)
