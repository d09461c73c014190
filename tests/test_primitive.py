"""Every transformation of JAX, for every method, against lax's own convolution or the definition."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P
from jax.test_util import check_grads

import jaxconv
from jaxconv import reference
from jaxconv.engine.methods import METHOD_MODULES
from jaxconv.engine.primitive import PLATFORMS, parameters, problem_of
from tests.helpers import METHODS, MODES, OF_CONVOLVE, assert_sums_close, operands

pytestmark = pytest.mark.usefixtures("lenient")

# name, signal shape, kernel shape, options of lax.conv_general_dilated
GENERAL = [
    ("plain", (2, 3, 12), (4, 3, 5), {}),
    ("two axes", (2, 3, 9, 8), (4, 3, 3, 2), {}),
    ("one tap", (1, 1, 6), (1, 1, 1), {}),
    ("padded", (1, 2, 9), (2, 2, 4), {"padding": [(3, 1)]}),
    ("padded beyond the kernel", (1, 1, 6), (1, 1, 3), {"padding": [(7, 5)]}),
    ("cropped", (1, 2, 12), (1, 2, 3), {"padding": [(-2, -1)]}),
    ("cropped and padded", (1, 1, 12), (1, 1, 4), {"padding": [(-3, 4)]}),
    ("strided", (2, 2, 13), (3, 2, 4), {"window_strides": (3,)}),
    ("same", (1, 2, 9, 10), (2, 2, 4, 3), {"padding": "SAME", "window_strides": (2, 1)}),
    ("dilated kernel", (1, 2, 15), (3, 2, 3), {"rhs_dilation": (3,)}),
    ("dilated signal", (1, 2, 6), (3, 2, 3), {"lhs_dilation": (3,), "padding": [(2, 2)]}),
    (
        "everything",
        (2, 4, 9, 7),
        (6, 2, 3, 2),
        {
            "window_strides": (2, 1),
            "padding": [(2, 1), (-1, 3)],
            "lhs_dilation": (2, 1),
            "rhs_dilation": (1, 2),
            "feature_group_count": 2,
        },
    ),
    ("depthwise", (2, 6, 11), (12, 1, 4), {"feature_group_count": 6}),
    ("batch groups", (4, 3, 10), (6, 3, 3), {"batch_group_count": 2}),
    (
        "channels last",
        (2, 9, 8, 3),
        (3, 2, 3, 5),
        {"dimension_numbers": ("NHWC", "HWIO", "NHWC")},
    ),
    ("no outputs", (1, 1, 3), (1, 1, 5), {}),
    ("no batch", (0, 2, 9), (3, 2, 3), {}),
]


def pair(method, options):
    """Return our convolution by a method and lax's, with the same options."""
    options = {"window_strides": (1,) * options.pop("rank"), "padding": "VALID", **options}
    return partial(jaxconv.conv_general_dilated, method=method, **options), partial(
        lax.conv_general_dilated, **options
    )


def general(rng, case, dtype="float64"):
    _, signal, kernel, options = case
    a, b = operands(rng, (signal, kernel), dtype)
    return jnp.asarray(a), jnp.asarray(b), {"rank": len(signal) - 2, **options}


def runs(method, case):
    """Tell whether a method runs on a case; of the two that need several blocks, `lenient` decides."""
    _, signal, kernel, options = case
    options = {"window_strides": (1,) * (len(signal) - 2), "padding": "VALID", **options}
    operands = [jax.ShapeDtypeStruct(shape, "float32") for shape in (signal, kernel)]
    problem = problem_of(*operands, "cpu", **parameters(*operands, **options))
    return method in ("overlap", "lags") or not METHOD_MODULES[method].supports(problem)


RUNS = [
    pytest.param(case, method, id=f"{case[0]}-{method}")
    for case in GENERAL
    for method in METHODS
    if runs(method, case)
]


@pytest.mark.parametrize(("case", "method"), RUNS)
def test_whole_problem_agrees_with_lax(rng, case, method):
    for dtype in ("float64", "complex128"):
        signal, kernel, options = general(rng, case, dtype)
        ours, laxs = pair(method, options)
        want = laxs(signal, kernel)
        got = jax.jit(ours)(signal, kernel)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-11)


@pytest.mark.parametrize(("case", "method"), RUNS)
def test_gradients_agree_with_laxs(rng, case, method):
    signal, kernel, options = general(rng, case)
    ours, laxs = pair(method, options)
    weight = jnp.asarray(rng.standard_normal(laxs(signal, kernel).shape))

    def gradients(convolve):
        return jax.jit(jax.grad(lambda a, b: (convolve(a, b) ** 2 * weight).sum(), (0, 1)))(
            signal, kernel
        )

    for got, want in zip(gradients(ours), gradients(laxs), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-10)


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (2, 1)])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["plain", "everything", "batch groups"])
def test_batches_agree_with_laxs(rng, name, method, axes):
    case = next(case for case in GENERAL if case[0] == name)
    signal, kernel, options = general(rng, case)
    signals = jnp.asarray(rng.standard_normal((3, *signal.shape)))
    kernels = jnp.asarray(rng.standard_normal((3, *kernel.shape)))
    a = signal if axes[0] is None else jnp.moveaxis(signals, 0, axes[0])
    b = kernel if axes[1] is None else jnp.moveaxis(kernels, 0, axes[1])
    ours, laxs = pair(method, options)
    want = jax.vmap(laxs, axes)(a, b)
    np.testing.assert_allclose(jax.jit(jax.vmap(ours, axes))(a, b), want, rtol=0, atol=1e-11)


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0)])
@pytest.mark.parametrize("method", OF_CONVOLVE)
def test_nested_batches_and_their_gradients(rng, method, axes):
    signals, kernels = operands(rng, [(2, 3, 9), (2, 3, 4)])
    a = signals if axes[0] == 0 else signals[0]
    b = kernels if axes[1] == 0 else kernels[0]

    def loss(convolve):
        each = jax.vmap(jax.vmap(convolve), axes)
        return jax.grad(lambda a, b: jnp.sin(each(a, b)).sum(), (0, 1))(a, b)

    got = loss(lambda a, b: jaxconv.correlate(a, b, "same", method))
    want = loss(lambda a, b: reference.correlate(a, b, "same"))
    for x, y in zip(got, want, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-10)


@pytest.mark.parametrize(("method", "mode"), list(zip(OF_CONVOLVE, MODES * 3)))
def test_gradients_are_numerical_ones_to_second_order(rng, method, mode):
    shapes = {"full": ((2, 3, 2), (3, 4, 5)), "same": ((5, 4), (1, 4)), "valid": ((8,), (4,))}[mode]
    a, b = operands(rng, shapes)
    check_grads(lambda a, b: jaxconv.convolve(a, b, mode, method), (a, b), order=2, atol=1e-6)


@pytest.mark.parametrize("method", OF_CONVOLVE)
def test_complex_gradients_agree_with_the_definition(rng, method):
    a, b = operands(rng, [(9,), (4,)], "complex128")

    def gradients(correlate):
        return jax.grad(lambda a, b: (jnp.abs(correlate(a, b)) ** 2).sum(), (0, 1))(a, b)

    got, want = gradients(partial(jaxconv.correlate, method=method)), gradients(reference.correlate)
    for x, y in zip(got, want, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-10)


@pytest.mark.parametrize("method", OF_CONVOLVE)
def test_hessian_agrees_with_the_definition(rng, method):
    a, b = operands(rng, [(5, 4), (2, 3)])

    def hessians(convolve):
        return jax.hessian(lambda a, b: jnp.cos(convolve(a, b)).sum(), (0, 1))(a, b)

    got = hessians(lambda a, b: jaxconv.convolve(a, b, "same", method))
    want = hessians(lambda a, b: reference.convolve(a, b, "same"))
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-10), got, want)


@pytest.mark.parametrize("method", OF_CONVOLVE)
@pytest.mark.parametrize("mode", MODES)
def test_transpose_is_the_adjoint(rng, mode, method):
    a, b = operands(rng, [(8, 7), (3, 2)])

    def apply(a):
        return jaxconv.convolve(a, b, mode, method)

    y = rng.standard_normal(apply(a).shape)
    (back,) = jax.linear_transpose(apply, jnp.asarray(a))(jnp.asarray(y))
    np.testing.assert_allclose((apply(a) * y).sum(), (a * back).sum(), rtol=1e-12)


@pytest.mark.parametrize("method", OF_CONVOLVE)
def test_control_flow_checkpoint_and_forward_mode(rng, method):
    a, b = operands(rng, [(12,), (3,)])

    def roll(convolve):
        def step(carry, _):
            return jnp.tanh(convolve(carry, b, "same")), None

        return lambda a: lax.scan(jax.checkpoint(step), a, None, length=3)[0].sum()

    ours, theirs = roll(partial(jaxconv.convolve, method=method)), roll(reference.convolve)
    np.testing.assert_allclose(jax.grad(ours)(a), jax.grad(theirs)(a), atol=1e-12)
    np.testing.assert_allclose(jax.jacfwd(ours)(a), jax.grad(theirs)(a), atol=1e-12)
    chosen = jax.jit(lambda flag, a: lax.cond(flag, ours, theirs, a))
    np.testing.assert_allclose(chosen(True, a), chosen(False, a), atol=1e-12)


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_sharded_signal_and_replicated_kernel(rng, method):
    """Value and gradient equal the single device's.

    The signal varies over the mesh and the kernel does not: unless they are reconciled, the kernel's
    gradient would be one device's share, silently.
    """
    mesh = jax.make_mesh((4,), ("i",), axis_types=(AxisType.Auto,))
    signals, kernel = (jnp.asarray(x) for x in operands(rng, [(8, 3, 20), (2, 3, 5)]))

    def share(signals, kernel):
        out = jaxconv.conv_general_dilated(signals, kernel, (1,), "SAME", method=method)
        return lax.psum((out**2).sum(), "i")

    sharded = jax.shard_map(share, mesh=mesh, in_specs=(P("i"), P()), out_specs=P())
    value, gradients = jax.jit(jax.value_and_grad(sharded, (0, 1)))(signals, kernel)

    def whole(signals, kernel):
        return (lax.conv_general_dilated(signals, kernel, (1,), "SAME") ** 2).sum()

    want, want_gradients = jax.value_and_grad(whole, (0, 1))(signals, kernel)
    np.testing.assert_allclose(value, want, rtol=1e-12)
    for got, expected in zip(gradients, want_gradients, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-10)


@pytest.mark.parametrize("method", ["auto", *OF_CONVOLVE])
def test_one_export_serves_all_platforms(rng, method):
    a, b = (jnp.asarray(x) for x in operands(rng, [(30, 20), (3, 5)], "float32"))
    fn = jax.jit(partial(jaxconv.convolve, mode="same", method=method))
    exported = jax.export.export(fn, platforms=PLATFORMS)(a, b)
    back = jax.export.deserialize(exported.serialize())
    assert set(back.platforms) == set(PLATFORMS)
    assert_sums_close(back.call(a, b), reference.convolve(a, b, "same"), a, b)


def test_ahead_of_time_and_eval_shape(rng):
    a, b = operands(rng, [(12,), (3,)])
    compiled = jax.jit(jaxconv.convolve).lower(a, b).compile()
    np.testing.assert_allclose(compiled(a, b), np.convolve(a, b), atol=1e-12)
    assert jax.eval_shape(jaxconv.convolve, a, b).shape == (14,)


def test_donated_operands(rng):
    a, b = (jnp.asarray(x) for x in operands(rng, [(12,), (3,)]))
    want = np.convolve(a, b, "same")
    got = jax.jit(partial(jaxconv.convolve, mode="same"), donate_argnums=0)(a, b)
    np.testing.assert_allclose(got, want, atol=1e-12)
    assert a.is_deleted()


@pytest.mark.skipif(not hasattr(jax, "pmap"), reason="this JAX has no pmap")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pmap_and_its_gradient(rng):
    signals, kernel = (jnp.asarray(x) for x in operands(rng, [(4, 20), (3,)]))

    def loss(convolve):
        return lambda x, k: (convolve(x, k, "same") ** 2).sum()

    def gradients(transform, convolve):
        each = transform(jax.value_and_grad(loss(convolve), (0, 1)), in_axes=(0, None))
        return each(signals, kernel)

    got, want = gradients(jax.pmap, jaxconv.convolve), gradients(jax.vmap, reference.convolve)
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-10), got, want)


def test_runs_with_jit_disabled(rng):
    a, b = operands(rng, [(12,), (3,)])
    with jax.disable_jit():
        np.testing.assert_allclose(jaxconv.convolve(a, b), np.convolve(a, b), atol=1e-12)


def test_strict_promotion_and_nan_checks(rng):
    a, b = (jnp.asarray(x) for x in operands(rng, [(40,), (3,)], "float32"))
    with jax.numpy_dtype_promotion("strict"), jax.debug_nans(True):
        for method in ("auto", *METHODS):
            convolve = partial(jaxconv.convolve, mode="same", method=method)
            gradient = jax.grad(lambda a, b, convolve=convolve: convolve(a, b).sum(), argnums=1)(a, b)
            assert gradient.shape == (3,)
