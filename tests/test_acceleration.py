"""accelerate changes how a function's convolutions are computed, and nothing else; explain tells it."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import jax.scipy.signal
import numpy as np
import optax
import pytest
from flax import nnx
from jax import lax
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

import jaxconv
from jaxconv import accelerate
from tests.helpers import METHODS


def slide(x, k):
    """Convolve through lax, as the layers of libraries do."""
    return lax.conv_general_dilated(x[None, None], k[None, None], (1,), "SAME")[0, 0]


@jax.custom_vjp
def own_reverse(x, k):
    return slide(x, k)


own_reverse.defvjp(
    lambda x, k: (slide(x, k), (x, k)),
    lambda saved, ct: (3 * slide(ct, saved[1][::-1]), jnp.zeros_like(saved[1])),
)


@jax.custom_jvp
def own_forward(x, k):
    return slide(x, k)


@own_forward.defjvp
def _(primals, tangents):
    (x, k), (dx, _) = primals, tangents
    return own_forward(x, k), 5 * slide(dx, k)


def in_shard_map(x, k):
    mesh = jax.make_mesh((4,), ("i",), axis_types=(AxisType.Auto,))
    return jax.shard_map(slide, mesh=mesh, in_specs=(P("i"), P()), out_specs=P("i"))(x, k)


FUNCTIONS = {
    "plain": slide,
    "jit": jax.jit(slide),
    "nested jit": jax.jit(lambda x, k: jax.jit(slide)(slide(x, k), k)),
    "scan": lambda x, k: lax.scan(lambda c, _: (slide(c, k), c.sum()), x, None, length=3)[0],
    "while": lambda x, k: lax.while_loop(
        lambda c: c[1] < 3, lambda c: (slide(c[0], k), c[1] + 1), (x, 0)
    )[0],
    "fori": lambda x, k: lax.fori_loop(0, 3, lambda _, c: slide(c, k), x),
    "cond": lambda x, k: lax.cond(x[0] > 0, slide, lambda x, k: -slide(x, k), x, k),
    "vmap": lambda x, k: jax.vmap(slide, (None, 0))(x, jnp.stack([k, 2 * k])).sum(0),
    "grad": lambda x, k: jax.grad(lambda x: (slide(x, k) ** 3).sum())(x),
    "remat": jax.checkpoint(slide),
    "custom_vjp": own_reverse,
    "custom_jvp": own_forward,
    "custom_vjp in jit in scan": lambda x, k: lax.scan(
        lambda c, _: (jax.jit(own_reverse)(c, k), 0), x, None, length=2
    )[0],
    "shard_map": in_shard_map,
    "jax.scipy": lambda x, k: jax.scipy.signal.convolve(x, k, mode="same"),
    "jnp": lambda x, k: jnp.convolve(x, k, mode="same"),
    "map": lambda x, k: lax.map(lambda s: slide(s * x, k), jnp.arange(3.0)).sum(0),
}


def lax_convolutions(text):
    return len(re.findall(r"conv_general_dilated\[", text))


def planned_convolutions(text):
    return len(re.findall(r"\bconvolution\[", text))


@pytest.fixture
def operands(rng):
    return jnp.asarray(rng.standard_normal(24)), jnp.asarray(rng.standard_normal(3))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_same_value_and_gradients(operands, name):
    fn = FUNCTIONS[name]
    fast = jaxconv.accelerate(fn)
    for wrap in (lambda f: f, jax.jit):
        np.testing.assert_allclose(wrap(fast)(*operands), fn(*operands), atol=1e-12)
    if name != "while":  # which has no reverse derivative
        loss = lambda f: lambda x, k: (f(x, k) ** 2).sum()  # noqa: E731
        want = jax.grad(loss(fn), (0, 1))(*operands)
        for got in (
            jax.grad(loss(fast), (0, 1))(*operands),
            jax.jit(jaxconv.accelerate(jax.grad(loss(fn), (0, 1))))(*operands),
        ):
            for g, w in zip(got, want, strict=True):
                np.testing.assert_allclose(g, w, atol=1e-9)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_convolution_of_laxs_is_left(operands, name):
    text = str(jax.make_jaxpr(jaxconv.accelerate(FUNCTIONS[name]))(*operands))
    assert lax_convolutions(text) == 0
    assert planned_convolutions(text) > 0


def test_own_derivatives_are_planned_too(operands):
    for fn in (own_reverse, own_forward):
        fast = jaxconv.accelerate(fn)
        text = str(jax.make_jaxpr(jax.grad(lambda x, k, fast=fast: (fast(x, k) ** 2).sum()))(*operands))
        assert lax_convolutions(text) == 0
        assert planned_convolutions(text) >= 2


@jax.custom_vjp
def scaled_reverse(x, k, n):
    return slide(x, k) * n


scaled_reverse.defvjp(
    lambda x, k, n: (slide(x, k) * n, (k, n)),
    lambda saved, ct: (3 * slide(ct, saved[0][::-1]) * saved[1], None, None),
)


@jax.custom_jvp
def scaled_forward(x, k, n):
    return slide(x, k) * n


@scaled_forward.defjvp
def _(primals, tangents):
    x, k, n = primals
    return scaled_forward(x, k, n), 5 * slide(tangents[0], k) * n


@pytest.mark.parametrize("fn", [scaled_reverse, scaled_forward])
def test_own_derivatives_with_whole_numbers_and_literals(operands, fn):
    x, k = operands
    for n in (2, jnp.array(2), jnp.array(2.0)):
        loss = lambda f, n=n: lambda x: (f(x, k, n) ** 2).sum()  # noqa: E731
        want = jax.grad(loss(fn))(x)
        np.testing.assert_allclose(jax.grad(loss(jaxconv.accelerate(fn)))(x), want, atol=1e-9)
        np.testing.assert_allclose(jaxconv.accelerate(jax.grad(loss(fn)))(x), want, atol=1e-9)


def test_as_a_decorator_with_options_and_static_arguments(operands):
    @jax.jit
    @partial(jaxconv.accelerate, method="fft")
    def act(tree, flag=True, name="relu"):
        out = slide(tree["x"], tree["k"])
        return getattr(jax.nn, name)(out) if flag else out

    x, k = operands
    np.testing.assert_allclose(act({"x": x, "k": k}), jax.nn.relu(slide(x, k)), atol=1e-12)
    plain = jaxconv.accelerate(lambda x, k, flag: slide(x, k) if flag else x)
    assert plain(x, k, False) is not None


def test_a_second_transformation_outside(operands):
    x, k = operands
    fast = jaxconv.accelerate(slide)
    batch = jnp.stack([x, 2 * x])
    np.testing.assert_allclose(jax.vmap(fast, (0, None))(batch, k)[1], 2 * slide(x, k), atol=1e-12)
    hessian = jax.hessian(lambda x: (fast(x, k) ** 2).sum())(x)
    np.testing.assert_allclose(hessian, jax.hessian(lambda x: (slide(x, k) ** 2).sum())(x), atol=1e-12)


def test_explain_lists_every_convolution(operands):
    told = jaxconv.explain(FUNCTIONS["nested jit"], *operands)
    assert len(told.forward) == 2
    assert len(told.gradient) == 4
    assert str(told).count("convolution  signal") == 3  # equal ones are told once
    assert "forward, 2 of" in str(told)
    assert str(jaxconv.explain(lambda x: x + 1, operands[0])) == "no convolution"


def test_explain_takes_shapes_integers_and_platforms():
    shape = jax.ShapeDtypeStruct((500,), jnp.int32)
    told = jaxconv.explain(jaxconv.convolve, shape, shape, platform="tpu")
    assert told.gradient == ()
    assert told.forward[0].problem.platform == "tpu"
    assert "not measured" in str(told)


def test_a_plan_is_a_value_that_can_be_passed_back(rng):
    a, b = rng.standard_normal(300), rng.standard_normal(40)
    for method in ("direct", "shifts", "folded", "fft"):
        plan = jaxconv.plan(a, b, "same", method)
        assert plan.method == method
        assert plan == jaxconv.plan((300,), (40,), "same", method, dtype="float64")
        assert hash(plan) == hash(jaxconv.plan(a, b, "same", method))
        got = jax.jit(partial(jaxconv.convolve, mode="same", method=plan))(a, b)
        np.testing.assert_allclose(got, np.convolve(a, b, "same"), atol=1e-10)
        gradient = jax.grad(lambda b, plan=plan: jaxconv.convolve(a, b, "same", plan).sum())(
            jnp.asarray(b)
        )
        assert gradient.shape == (40,)


def test_a_plan_shows_as_a_table_in_a_notebook():
    html = jaxconv.plan((1000,), (9,))._repr_html_()
    assert html.count("<tr>") == 1 + len(METHODS)
    assert "<td>></td><td>shifts</td>" in html


def test_bounds_are_kept(rng):
    free = jaxconv.plan((100_000,), (5000,))
    assert free.method == "overlap"
    assert jaxconv.plan((100_000,), (5000,), local=True).method in ("direct", "shifts")
    tight = jaxconv.plan((100_000,), (5000,), max_bytes=free.chosen.bytes - 1)
    assert tight.chosen.bytes < free.chosen.bytes
    signal = rng.standard_normal(3000)
    signal[2000] = np.nan
    spread = np.isnan(jaxconv.convolve(signal, rng.standard_normal(1200), "same", local=True))
    assert spread.sum() == 1200


def test_bounds_hold_in_derivatives():
    fn = jax.grad(lambda x, k: jaxconv.convolve(x, k, local=True).sum(), (0, 1))
    told = jaxconv.explain(fn, jnp.ones(50_000), jnp.ones(2000))
    assert all(plan.how.local for plan in told.forward)
    assert [plan.method for plan in told.forward] == ["shifts", "shifts", "shifts"]


def test_modules_change_as_without_it(single):
    """Whole training steps with batch norm and dropout, in every order of transformations."""

    class Network(nnx.Module):
        def __init__(self, rngs):
            self.convolve = nnx.Conv(1, 4, (3, 3), use_bias=False, rngs=rngs)
            self.norm = nnx.BatchNorm(4, rngs=rngs)
            self.drop = nnx.Dropout(0.5, rngs=rngs)
            self.read = nnx.Linear(4, 3, rngs=rngs)

        def __call__(self, x):
            return self.read(self.drop(nnx.relu(self.norm(self.convolve(x)))).mean((1, 2)))

    def loss(network, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(network(x), y).mean()

    def step(loss, network, optimizer, x, y):
        value, gradient = nnx.value_and_grad(loss)(network, x, y)
        optimizer.update(network, gradient)
        return value

    x, y = jax.random.normal(jax.random.key(1), (4, 8, 8, 1)), jnp.array([0, 1, 2, 0])

    def trained(step):
        network = Network(nnx.Rngs(0))
        optimizer = nnx.Optimizer(network, optax.sgd(0.1, momentum=0.9), wrt=nnx.Param)
        losses = [step(network, optimizer, x, y) for _ in range(3)]
        return losses, nnx.to_pure_dict(nnx.state((network, optimizer), nnx.Not(nnx.RngKey)))

    plain, planned = partial(step, loss), partial(step, accelerate(loss))
    want = trained(nnx.jit(plain))
    assert jnp.abs(want[1][0]["norm"]["mean"]).min() > 0
    for ours in (
        accelerate(plain),
        nnx.jit(accelerate(plain)),
        accelerate(nnx.jit(plain)),
        nnx.jit(planned),
    ):
        jax.tree.map(partial(np.testing.assert_allclose, atol=1e-5, rtol=1e-5), trained(ours), want)


def test_a_module_keeps_its_parts():
    def grow(module, x):
        module.more = nnx.Param(x)
        return x

    module = nnx.Linear(2, 2, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="accelerate: `fn` must keep the structure of the modules"):
        accelerate(grow)(module, jnp.ones(2))


def test_a_loop_without_a_gradient_is_still_explained():
    def grow(x, k):
        return lax.while_loop(lambda x: x.sum() < 3, lambda x: jnp.convolve(x, k, "same") + 1, x)

    told = jaxconv.explain(grow, jnp.ones(100), jnp.ones(3))
    assert len(told.forward) == 1
    assert told.gradient == ()
    assert "no gradient: Reverse-mode differentiation does not work" in str(told)


def test_a_list_is_a_signal_and_a_tuple_a_shape():
    assert jaxconv.plan([1, 2, 3], [0, 1, 1]).problem.space == (3,)
    assert jaxconv.plan((5,), (3,)).problem.space == (5,)
