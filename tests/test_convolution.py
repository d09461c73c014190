"""convolve and correlate give SciPy's answers, by every method, in every dtype."""

import inspect
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from jax import lax

import jaxconv
from tests.helpers import (
    MADE_FOR,
    MODES,
    SHAPES,
    able,
    assert_close,
    assert_sums_close,
    by_method,
    fitting,
    operands,
    scipy_sum,
)

pytestmark = pytest.mark.usefixtures("short_blocks", "named_method_runs")

FAMILY = ("convolve", "correlate")
NAMED = {"float": "convolve", "complex": "correlate"}
LONG = [pair for pairs in MADE_FOR.values() for pair in pairs]


def check_against_scipy(rng, kind, mode, method, table):
    """Compute a whole table of shapes in one program."""
    name, pairs = NAMED[kind], [operands(rng, shapes, kind) for shapes in table]
    call = partial(getattr(jaxconv, name), mode=mode, method=method)
    results = jax.jit(lambda pairs: [call(a, b) for a, b in pairs])(pairs)
    for got, (a, b) in zip(results, pairs, strict=True):
        assert_sums_close(got, scipy_sum(name, a, b, mode), a, b)


@pytest.mark.parametrize("kind", NAMED)
@pytest.mark.parametrize("mode", MODES)
def test_agrees_with_scipy(rng, mode, kind):
    check_against_scipy(rng, kind, mode, "auto", fitting(mode))


SOME = {mode: fitting(mode, [*SHAPES[::3], *LONG]) for mode in MODES}  # test_properties.py has many more
AGREE = by_method(SOME, lambda mode: partial(jaxconv.convolve, mode=mode))


@pytest.mark.parametrize(("mode", "method", "shapes"), AGREE)
def test_each_method_agrees_with_scipy(rng, mode, method, shapes):
    check_against_scipy(rng, "float", mode, method, shapes)


AGREE_COMPLEX = by_method(SOME, lambda mode: lambda a, b: jaxconv.correlate(a, b.astype(complex), mode))


@pytest.mark.parametrize(("mode", "method", "shapes"), AGREE_COMPLEX)
def test_each_method_agrees_with_scipy_on_complex_numbers(rng, mode, method, shapes):
    check_against_scipy(rng, "complex", mode, method, shapes)


NARROW = ("float16", "bfloat16", "float32", "complex64")
ROUNDED = {
    dtype: [((40,), (9,)), ((12, 13), (3, 4)), ((5, 6, 7), (2, 3, 4)), ((70,), (66,))]
    for dtype in NARROW
}


def correlate_as(dtype):
    return lambda a, b: jaxconv.correlate(a.astype(dtype), b.astype(dtype), "valid")


@pytest.mark.parametrize(("dtype", "method", "shapes"), by_method(ROUNDED, correlate_as))
def test_narrow_floats_round_once(rng, dtype, method, shapes):
    pairs = [[jnp.asarray(x) for x in operands(rng, pair, dtype)] for pair in shapes]
    call = partial(jaxconv.correlate, mode="valid", method=method)
    results = jax.jit(lambda pairs: [call(a, b) for a, b in pairs])(pairs)
    for got, (a, b) in zip(results, pairs, strict=True):
        assert got.dtype == dtype
        a, b = (np.asarray(x, "complex128" if dtype == "complex64" else "float64") for x in (a, b))
        assert_sums_close(got, scipy_sum("correlate", a, b, "valid"), a, b, slack=1)


def test_half_precision_sums_in_float32():
    ones = jnp.ones(4096, jnp.float16)
    assert jaxconv.convolve(ones, ones[:3000], "valid", "direct").max() == 3000  # float16 stops at 2048


INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


@pytest.mark.parametrize("method", ["auto", "direct", "shifts"])
@pytest.mark.parametrize(("name", "dtypes"), list(zip(FAMILY * 2, np.array_split(INTEGERS, 4))))
def test_integers_are_exact(rng, name, dtypes, method):
    table = [((20,), (5,)), ((3,), (7,)), ((9, 8), (4, 3))]
    pairs = [operands(rng, shapes, dtype) for shapes in table for dtype in dtypes]
    call = partial(getattr(jaxconv, name), method=method)
    results = jax.jit(lambda pairs: [call(a, b) for a, b in pairs])(pairs)
    for got, (a, b) in zip(results, pairs, strict=True):
        want = scipy_sum(name, a, b, "full")
        assert got.dtype == jax.dtypes.canonicalize_dtype(want.dtype)
        assert (np.asarray(got) == want).all()


@pytest.mark.parametrize("method", ["auto", "direct", "shifts"])
def test_booleans_mean_any(rng, method):
    a, b = operands(rng, [(9, 8), (4, 3)], "bool")
    want = scipy_sum("convolve", a.astype(int), b.astype(int), "full") > 0
    assert (np.asarray(jaxconv.convolve(a, b, method=method)) == want).all()


def test_integers_beyond_float32_are_exact(single):
    got = jaxconv.convolve(jnp.array([2**24 + 1, 4097]), jnp.array([1, 4099]))
    assert got.dtype == jnp.int32
    assert got.tolist() == np.convolve([2**24 + 1, 4097], [1, 4099]).astype(np.int32).tolist()


def test_integers_wrap_at_their_modulus():
    large = np.array([2**31 - 1, 3], np.int32)
    with np.errstate(over="ignore"):
        want = np.convolve(large, large)
    assert jaxconv.convolve(large, large).tolist() == want.tolist()


@pytest.mark.parametrize(
    ("a", "b"),
    [([1, 2, 3], [0, 1, 0.5]), ((1, 2), 3 * [1]), (np.float32([1, 2]), [1]), (2, 3), (2.0, 1j)],
)
def test_takes_what_makes_an_array(a, b):
    np.testing.assert_allclose(jaxconv.convolve(a, b), scipy.signal.convolve(a, b), atol=1e-6)
    np.testing.assert_allclose(jaxconv.correlate(a, b), scipy.signal.correlate(a, b), atol=1e-6)


@pytest.mark.parametrize("name", FAMILY)
def test_signature_is_scipys(name):
    ours = inspect.signature(getattr(jaxconv, name)).parameters
    theirs = inspect.signature(getattr(scipy.signal, name)).parameters
    first = [(p.name, p.default) for p in ours.values() if p.kind is not p.KEYWORD_ONLY]
    assert first == [(p.name, p.default) for p in theirs.values()]


@pytest.mark.parametrize("name", FAMILY)
def test_large_kernels_agree_with_scipy(rng, name):
    for shapes in [
        ((3000,), (700,)),
        ((90, 80), (31, 40)),
        ((20, 20, 20), (9, 9, 9)),
        ((700,), (3000,)),
    ]:
        a, b = operands(rng, shapes)
        want = scipy_sum(name, a, b, "same")
        assert_sums_close(getattr(jaxconv, name)(a, b, "same"), want, a, b)


def test_four_dimensions(rng):
    a, b = operands(rng, [(3, 4, 3, 5), (2, 2, 2, 3)])
    for method in ("auto", *able(jaxconv.convolve, a.shape, b.shape)):
        assert_sums_close(
            jaxconv.convolve(a, b, method=method), scipy_sum("convolve", a, b, "full"), a, b
        )


def test_jit_traces_once_a_shape(rng):
    traces = []

    @jax.jit
    def counted(a, b):
        traces.append(1)
        return jaxconv.convolve(a, b, "same")

    for _ in range(3):
        counted(*operands(rng, [(20,), (3,)]))
    assert len(traces) == 1


def test_cross_filter_peaks_at_the_cross_and_falls_off():
    from jaxconv import signals

    image = np.zeros((41, 41))
    image[5:26, 8:29] = signals.cross(21)
    response = jaxconv.correlate(image, signals.cross(21, zero_mean=True), "same")
    row, column = np.unravel_index(response.argmax(), response.shape)
    assert (row, column) == (15, 18)
    line = np.asarray(response)[15, 18 - 4 : 18 + 5]
    assert (np.diff(line[:5]) > 0).all()
    assert (np.diff(line[4:]) < 0).all()


def test_circle_filter_gives_one_hot_spot_among_shapes():
    from jaxconv import signals

    image = np.zeros((64, 96))
    places = {"square": (20, 20), "circle": (40, 48), "cross": (20, 76), "triangle": (44, 80)}
    for kind, (row, column) in places.items():
        image[row - 10 : row + 11, column - 10 : column + 11] = signals.SHAPES[kind](21)
    response = np.array(jaxconv.correlate(image, signals.circle(21, zero_mean=True), "same"))
    assert np.unravel_index(response.argmax(), response.shape) == places["circle"]
    best = response.max()
    response[40 - 3 : 40 + 4, 48 - 3 : 48 + 4] = 0
    assert response.max() < 0.6 * best  # the square is the most alike


def test_precision_reaches_every_method():
    exact = lax.Precision.HIGHEST
    for mode in MODES:
        convolve = partial(jaxconv.convolve, mode=mode, precision="highest")
        plans = jaxconv.explain(convolve, jnp.ones(10), jnp.ones(3))
        found = {plan.problem.precision for plan in (*plans.forward, *plans.gradient)}
        assert found == {(exact, exact)}
        want = np.convolve(np.ones(10), np.ones(3), mode)
        assert_close(convolve(np.ones(10), np.ones(3)), want, size=3)
    with pytest.raises(ValueError, match=r"[Pp]recision"):
        jaxconv.convolve(np.ones(10), np.ones(3), precision="best")


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_unbiased_sums_count_their_products(dilation):
    options = {"dilation": dilation, "normalize": "unbiased"}
    np.testing.assert_allclose(jaxconv.correlate(np.ones(6), np.ones(3), **options), 1, rtol=1e-6)
    lags = {"lags": range(-2, 9, 2), **options}
    np.testing.assert_allclose(jaxconv.correlate(np.ones(9), np.ones(3), **lags), 1, rtol=1e-6)


def test_options_may_be_arrays():
    a, b = np.arange(8.0), np.ones(3)
    want = jaxconv.convolve(a, b, stride=2)
    for two in (jnp.array(2), np.int64(2), jnp.array([2]), [2]):
        np.testing.assert_array_equal(jaxconv.convolve(a, b, stride=two, axes=jnp.array([0])), want)
    with pytest.raises(TypeError, match="convolve: `axes` must be known before the call is compiled"):
        jaxconv.convolve(a, b, axes={0})


def test_batches_of_nothing():
    assert jaxconv.convolve(jnp.ones((0, 5)), jnp.ones((1, 3)), axes=1).shape == (0, 7)
    assert jaxconv.correlate(jnp.ones((1, 5)), jnp.ones((0, 1)), axes=1).shape == (0, 5)


def test_empty_outputs_need_no_method():
    for options in ({"local": True}, {"max_bytes": 0}, {"method": "fft"}, {"method": "overlap"}):
        assert jaxconv.correlate(np.ones(30), np.ones(21), lags=range(2, 2), **options).shape == (0,)
    signal, kernel = jnp.ones((2, 1, 3)), jnp.ones((3, 1, 4))
    for method in ("auto", "direct", "overlap"):
        out = jaxconv.conv_general_dilated(signal, kernel, (1,), "VALID", method=method)
        assert out.shape == (2, 3, 0)
    general = partial(jaxconv.conv_general_dilated, window_strides=(1,), padding="VALID")
    assert "(0,)" in str(jaxconv.explain(general, signal, kernel))


def test_what_wraps_around_keeps_its_bounds():
    spoilt = np.ones(64).astype(np.float32)
    spoilt[3] = np.nan
    around = partial(jaxconv.convolve, mode="same", boundary="wrap")
    assert np.isnan(around(spoilt, np.ones(5), local=True)).sum() == 5
    for bound in ({"local": True}, {"max_bytes": 0}):
        with pytest.raises(ValueError, match="`method` must be able to compute the problem"):
            around(spoilt, np.ones(5), method="fft", **bound)


def test_direct_tells_the_memory_that_it_takes():
    for mode in ("same", "valid"):
        convolve = jax.jit(partial(jaxconv.convolve, mode=mode, method="direct"))
        shapes = [jax.ShapeDtypeStruct(shape, "float32") for shape in ((256, 256), (5, 5))]
        taken = convolve.lower(*shapes).compile().memory_analysis().temp_size_in_bytes
        told = jaxconv.plan(*shapes, mode, "direct").chosen.bytes
        assert told <= taken <= told + 1024


@pytest.mark.parametrize("accelerated", [False, True])
def test_a_batch_may_be_symbolic_in_an_export(rng, accelerated):
    (batch,) = jax.export.symbolic_shape("b")
    lanes = jax.ShapeDtypeStruct((batch, 20), jnp.float32)
    taps = jax.ShapeDtypeStruct((1, 5), jnp.float32)

    def slide(x, k):
        if not accelerated:
            return jaxconv.convolve(x, k, "same", axes=1)
        return lax.conv_general_dilated(x[:, None], k[None], (1,), "SAME")[:, 0]

    fn = jaxconv.accelerate(slide) if accelerated else slide
    exported = jax.export.export(jax.jit(fn))(lanes, taps)
    x, k = (jnp.asarray(a) for a in operands(rng, [(3, 20), (1, 5)], "float32"))
    np.testing.assert_allclose(exported.call(x, k), slide(x, k), atol=1e-5)
    line = jax.ShapeDtypeStruct((batch,), jnp.float32)
    with pytest.raises(ValueError, match="convolve: `in1` must have known lengths along the axes"):
        jax.export.export(jax.jit(jaxconv.convolve))(line, jax.ShapeDtypeStruct((5,), jnp.float32))
