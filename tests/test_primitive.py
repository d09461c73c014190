"""Every transformation of JAX, for every method, against lax's own convolution or the definition."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

import jaxconv
from jaxconv import reference
from jaxconv.engine.primitive import PLATFORMS
from tests.helpers import (
    METHODS,
    able,
    assert_agrees,
    assert_close,
    assert_derivatives,
    assert_sums_close,
    in_double,
    operands,
    random_array,
    scipy_sum,
)

pytestmark = pytest.mark.usefixtures("short_blocks", "named_method_runs")

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
        (2, 4, 6, 5),
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
    ("row kernel", (2, 1, 3, 40), (1, 1, 1, 5), {"padding": [(0, 0), (2, -1)]}),
    ("long signal", (1, 2, 60), (3, 2, 4), {"padding": [(1, 2)], "window_strides": (2,)}),
    ("long images", (2, 2, 40, 3), (2, 1, 3, 2), {"feature_group_count": 2}),
    ("few lags", (1, 2, 70), (2, 2, 65), {"padding": [(1, -1)]}),
    (
        "few lags, dilated",
        (2, 2, 40, 3),
        (2, 1, 19, 2),
        {"rhs_dilation": (2, 1), "feature_group_count": 2},
    ),
    (
        "transposed images",
        (1, 2, 5, 4),
        (2, 2, 3, 3),
        {"lhs_dilation": (2, 2), "padding": [(2, 1), (1, 2)]},
    ),
]
EMPTY = [
    ("no outputs", (1, 1, 3), (1, 1, 5), {}),
    ("kernel longer by one", (1, 1, 3), (1, 1, 4), {}),
    ("no batch", (0, 2, 9), (3, 2, 3), {}),
]


def pair(method, case):
    """Return our convolution by a method and lax's, with the same options."""
    _, signal, _, options = case
    options = {"window_strides": (1,) * (len(signal) - 2), "padding": "VALID", **options}
    return partial(jaxconv.conv_general_dilated, method=method, **options), partial(
        lax.conv_general_dilated, **options
    )


def general(rng, case, dtype="float"):
    return [jnp.asarray(x) for x in operands(rng, case[1:3], dtype)]


def value_and_gradients(convolve):
    def call(signal, kernel, weight):
        out, pull = jax.vjp(convolve, signal, kernel)
        return out, *pull(weight)

    return call


def batched(shapes, axes):
    """Return shapes with an axis of three more."""
    return [
        shape if axis is None else (*shape[:axis], 3, *shape[axis:])
        for shape, axis in zip(shapes, axes, strict=True)
    ]


BATCHED = {"one kernel": (0, None), "one signal": (None, 0), "pairs": (2, 1)}  # which axes
MANY = ("everything", "batch groups", "row kernel", "long signal", "few lags", "transposed images")


def transformed(kind, convolve, case):
    """Return what is done with a convolution, the shapes of its operands, and their dtype."""
    if kind == "gradients":
        weight = jax.eval_shape(convolve, *general(np.random.default_rng(1), case)).shape
        return value_and_gradients(convolve), [*case[1:3], weight], "float"
    if kind == "complex":
        return convolve, case[1:3], "complex"
    return jax.vmap(convolve, BATCHED[kind]), batched(case[1:3], BATCHED[kind]), "float"


@cache
def exact(kind, name):
    """Return operands of a case, and what lax makes of them in double precision."""
    case = next(case for case in GENERAL if case[0] == name)
    function, shapes, dtype = transformed(kind, pair("auto", case)[1], case)
    arrays = [jnp.asarray(x) for x in operands(np.random.default_rng(1), shapes, dtype)]
    return arrays, *in_double(function, *arrays)


def check(kind, case, method):
    arrays, want, sizes = exact(kind, case[0])
    got = jax.jit(transformed(kind, pair(method, case)[0], case)[0])(*arrays)
    jax.tree.map(partial(assert_close, slack=64), got, want, sizes)


def runs(kind, cases=GENERAL, every=1):
    """Return cases, each with the methods that take it."""
    found = [
        (case, method)
        for case in cases
        for function, shapes, dtype in [transformed(kind, pair("auto", case)[0], case)]
        for method in able(
            function if kind in BATCHED else pair("auto", case)[0], *shapes[:2], dtype=dtype
        )
    ]
    return [pytest.param(*run, id=f"{run[0][0]}-{run[1]}") for run in found[::every]]


@pytest.mark.parametrize(("case", "method"), runs("gradients"))
def test_values_and_gradients_agree_with_laxs(case, method):
    check("gradients", case, method)


@pytest.mark.parametrize(("case", "method"), runs("complex", every=3))  # test_fuzz.py has more
def test_complex_values_agree_with_laxs(case, method):
    check("complex", case, method)


@pytest.mark.parametrize(
    ("kind", "case", "method"),
    [
        pytest.param(kind, *run.values, id=f"{kind}-{run.id}")
        for kind in BATCHED
        for run in runs(kind, [case for case in GENERAL if case[0] in MANY])
    ],
)
def test_batches_agree_with_laxs(kind, case, method):
    check(kind, case, method)


@pytest.mark.parametrize("case", EMPTY, ids=lambda case: case[0])
def test_any_method_returns_an_empty_output_and_no_gradient(rng, case):
    signal, kernel = general(rng, case)

    @jax.jit
    def call(signal, kernel):
        each = [jax.vjp(pair(method, case)[0], signal, kernel) for method in METHODS]
        return [(out, pull(out)) for out, pull in each]

    for out, slopes in call(signal, kernel):
        assert out.shape == pair("auto", case)[1](signal, kernel).shape
        assert not any(slope.any() for slope in slopes)


MADE = [  # method, signal, kernel and mode of a convolution that it can compute
    ("direct", (9,), (4,), "same"),
    ("products", (6,), (4,), "full"),
    ("shifts", (5, 4), (2, 3), "same"),
    ("folded", (2, 12), (1, 4), "same"),
    ("lines", (5, 4), (2, 3), "full"),
    ("overlap", (40,), (3,), "same"),
    ("fft", (5, 4), (2, 3), "same"),
    ("lags", (40,), (37,), "valid"),
]
AXES = [(0, None), (None, 0), (0, 0)]


def nested(convolve, axes):
    return jax.vmap(jax.vmap(convolve, axes), axes)


def many(shapes, axes):
    return batched(batched(shapes, axes), axes)


@pytest.mark.parametrize(
    ("method", "signal", "kernel", "mode", "axes"),
    [
        (*made, axes)
        for made in MADE
        for axes in AXES
        if made[0]
        in able(nested(partial(jaxconv.correlate, mode=made[3]), axes), *many(made[1:3], axes))
    ],
)
def test_nested_batches_and_their_gradients(rng, method, signal, kernel, mode, axes):
    def gradients(correlate):
        each = nested(partial(correlate, mode=mode), axes)
        return jax.grad(lambda a, b: (each(a, b) ** 3).sum(), (0, 1))

    ours = partial(jaxconv.correlate, method=method)
    arrays = operands(rng, many((signal, kernel), axes))
    assert_agrees(gradients(ours), gradients(reference.correlate), *arrays)


each_method = pytest.mark.parametrize(("method", "signal", "kernel", "mode"), MADE)


@pytest.mark.needs_x64
@each_method
def test_gradients_are_numerical_ones_to_second_order(rng, method, signal, kernel, mode):
    a, b = operands(rng, (signal, kernel))
    call = partial(jaxconv.convolve, mode=mode, method=method)
    assert_derivatives(lambda a, b: jnp.sin(call(a, b)).sum(), a, b)


@pytest.mark.parametrize(
    ("method", "signal", "kernel", "mode"), [made for made in MADE if made[0] != "folded"]
)
def test_complex_gradients_agree_with_the_definition(rng, method, signal, kernel, mode):
    def gradients(correlate):
        call = partial(correlate, mode=mode)
        return jax.grad(lambda a, b: (call(a, b) * call(a, b).conj()).real.sum(), (0, 1))

    ours = partial(jaxconv.correlate, method=method)
    arrays = operands(rng, (signal, kernel), "complex")
    assert_agrees(gradients(ours), gradients(reference.correlate), *arrays)


@each_method
def test_hessian_agrees_with_the_definition(rng, method, signal, kernel, mode):
    def hessians(convolve):
        return jax.hessian(lambda a, b: (convolve(a, b, mode) ** 3).sum(), (0, 1))

    ours = partial(jaxconv.convolve, method=method)
    assert_agrees(hessians(ours), hessians(reference.convolve), *operands(rng, (signal, kernel)))


@each_method
def test_transpose_is_the_adjoint(rng, method, signal, kernel, mode):
    a, b = operands(rng, (signal, kernel))

    @jax.jit
    def apply(a):
        return jaxconv.convolve(a, b, mode, method)

    y = random_array(rng, jax.eval_shape(apply, a).shape)
    (back,) = jax.jit(jax.linear_transpose(apply, jnp.asarray(a)))(jnp.asarray(y))
    size = abs(a).sum() * abs(b).max() * abs(y).sum()
    assert_close((apply(a) * y).sum(), (a * back).sum(), size)


LONG = {"boundary": "edge"}  # with which operands are not exchanged
KEEP = [(*made[:3], {}) for made in MADE if made[0] != "lags"] + [("lags", (3,), (40,), LONG)]


@pytest.mark.parametrize(("method", "signal", "kernel", "options"), KEEP)
def test_control_flow_checkpoint_and_forward_mode(rng, method, signal, kernel, options):
    if method == "products":
        signal = (6,)
    a, b = operands(rng, (signal, kernel))

    def slopes(method):
        def step(carry, _):
            return jaxconv.convolve(carry, b, "same", method, **options), None

        def roll(a):
            return (lax.scan(jax.checkpoint(step), a, None, length=3)[0] ** 2).sum()

        def branch(flag, a):
            return lax.cond(flag, roll, lambda a: 2 * roll(a), a)

        return lambda a: (jax.grad(roll)(a), jax.jacfwd(roll)(a), branch(a.sum() > 0, a))

    assert_agrees(slopes(method), slopes("direct"), a)


SHARDED = {  # signals for four devices, one kernel, and options
    "auto": ((8, 3, 20), (2, 3, 5), {}),
    "direct": ((8, 3, 20), (2, 3, 5), {}),
    "products": ((8, 3, 20), (2, 3, 5), {}),
    "shifts": ((8, 3, 20), (2, 3, 5), {}),
    "folded": ((8, 1, 40), (1, 1, 5), {}),
    "lines": ((8, 2, 6, 9), (2, 2, 3, 2), {}),
    "overlap": ((8, 2, 50), (2, 2, 3), {}),
    "fft": ((8, 3, 20), (2, 3, 5), {}),
    "lags": ((8, 2, 70), (2, 2, 66), {"padding": "VALID"}),
    "phases": ((8, 2, 7), (2, 2, 5), {"padding": [(2, 2)], "lhs_dilation": (2,)}),
}


@pytest.mark.parametrize("method", SHARDED)
def test_sharded_signal_and_replicated_kernel(rng, method):
    """Value and gradient equal the single device's.

    The signal varies over the mesh and the kernel does not: unless they are reconciled, the kernel's
    gradient would be one device's share, silently.
    """
    mesh = jax.make_mesh((4,), ("i",), axis_types=(AxisType.Auto,))
    *shapes, options = SHARDED[method]
    options = {"window_strides": (1,) * (len(shapes[0]) - 2), "padding": "SAME", **options}

    def share(signals, kernel):
        out = jaxconv.conv_general_dilated(signals, kernel, **options, method=method)
        return lax.psum((out**2).sum(), "i")

    def whole(signals, kernel):
        return (lax.conv_general_dilated(signals, kernel, **options) ** 2).sum()

    sharded = jax.shard_map(share, mesh=mesh, in_specs=(P("i"), P()), out_specs=P())
    ours, truth = (jax.value_and_grad(loss, (0, 1)) for loss in (sharded, whole))
    assert_agrees(ours, truth, *map(jnp.asarray, operands(rng, shapes)))


@pytest.mark.parametrize(
    ("method", "signal", "kernel", "mode"), [("auto", (30, 20), (3, 5), "same"), *MADE]
)
def test_one_export_serves_all_platforms(rng, method, signal, kernel, mode):
    a, b = (jnp.asarray(x) for x in operands(rng, [signal, kernel], "float32"))
    fn = jax.jit(partial(jaxconv.convolve, mode=mode, method=method))
    exported = jax.export.export(fn, platforms=PLATFORMS)(a, b)
    back = jax.export.deserialize(exported.serialize())
    assert set(back.platforms) == set(PLATFORMS)
    assert_sums_close(back.call(a, b), scipy_sum("convolve", a, b, mode), a, b)


def test_ahead_of_time_and_eval_shape(rng):
    a, b = operands(rng, [(12,), (3,)])
    compiled = jax.jit(jaxconv.convolve).lower(a, b).compile()
    assert_sums_close(compiled(a, b), np.convolve(a, b), a, b)
    assert jax.eval_shape(jaxconv.convolve, a, b).shape == (14,)


def test_donated_operands(rng):
    a, b = (jnp.asarray(x) for x in operands(rng, [(12,), (3,)]))
    before, want = np.array(a), np.convolve(a, b, "same")
    got = jax.jit(partial(jaxconv.convolve, mode="same"), donate_argnums=0)(a, b)
    assert_sums_close(got, want, before, b)
    assert a.is_deleted()


@pytest.mark.skipif(not hasattr(jax, "pmap"), reason="this JAX has no pmap")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pmap_and_its_gradient(rng):
    signals, kernel = (jnp.asarray(x) for x in operands(rng, [(4, 20), (3,)]))

    def gradients(transform, convolve):
        loss = jax.value_and_grad(lambda x, k: (convolve(x, k, "same") ** 2).sum(), (0, 1))
        return transform(loss, in_axes=(0, None))

    got = gradients(jax.pmap, jaxconv.convolve)(signals, kernel)
    want = in_double(gradients(jax.vmap, reference.convolve), signals, kernel)
    jax.tree.map(assert_close, got, *want)


def test_runs_with_jit_disabled(rng):
    a, b = operands(rng, [(12,), (3,)])
    with jax.disable_jit():
        assert_sums_close(jaxconv.convolve(a, b), np.convolve(a, b), a, b)


@pytest.mark.parametrize(("method", "signal", "kernel", "mode"), [("auto", (40,), (3,), "same"), *MADE])
def test_strict_promotion_and_nan_checks(rng, method, signal, kernel, mode):
    a, b = (jnp.asarray(x) for x in operands(rng, [signal, kernel], "float32"))
    with jax.numpy_dtype_promotion("strict"), jax.debug_nans(True):
        convolve = partial(jaxconv.convolve, mode=mode, method=method)
        gradient = jax.grad(lambda a, b: convolve(a, b).sum(), argnums=1)(a, b)
        assert gradient.shape == kernel
