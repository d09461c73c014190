"""What lies beyond the edge, where the kernel sits, which places and lags are wanted."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
from jax.test_util import check_grads

import jaxconv
from jaxconv import boundaries, explain
from jaxconv.types import BOUNDARIES
from tests.helpers import (
    MODES,
    OF_CONVOLVE,
    able,
    are_nested,
    assert_close,
    assert_sums_close,
    by_method,
    operands,
)

pytestmark = pytest.mark.usefixtures("short_blocks", "traced_anew", "named_method_runs")

IN_NDIMAGE = {
    "fill": "constant",
    "edge": "nearest",
    "reflect": "mirror",
    "symmetric": "reflect",
    "wrap": "wrap",
}
IN_NUMPY = {"fill": "constant"}
FILLED = {boundary: 1.5 if boundary == "fill" else 0 for boundary in BOUNDARIES}


def by_definition(a, b, mode, names, value=0):
    """Pad with NumPy by more than enough, convolve, cut the mode's part out."""
    far = [2 * m for m in b.shape]
    for axis, (name, width) in enumerate(zip(names, far, strict=True)):
        pads = [(width, width) if i == axis else (0, 0) for i in range(a.ndim)]
        fill = {"constant_values": value} if name == "fill" else {}
        a = np.pad(a, pads, IN_NUMPY.get(name, name), **fill)
    starts = {"full": 0, "same": 1, "valid": 2}[mode]
    full = scipy.signal.convolve(a, b, "full", "direct")
    cut = [slice(f + starts * (m - 1) // 2, n - f - (starts * (m - 1) - starts * (m - 1) // 2))
           for f, m, n in zip(far, b.shape, full.shape, strict=True)]  # fmt: skip
    return full[tuple(cut)]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_extends_as_numpy_pads(rng, boundary):
    for shape, widths in [
        ((4,), [(2, 3)]),
        ((3,), [(7, 8)]),
        ((1,), [(3, 0)]),
        ((3, 4), [(1, 2), (9, 0)]),
    ]:
        (a,) = operands(rng, [shape], "float32")
        fill = {"constant_values": 5} if boundary == "fill" else {}
        want = np.pad(a, widths, IN_NUMPY.get(boundary, boundary), **fill)
        np.testing.assert_array_equal(boundaries.extend(a, widths, boundary, 5), want)


EXTENDED = [  # shapes that each method takes some of, extended beyond their edges
    ((9,), (4,)),
    ((3,), (8,)),
    ((5, 4), (2, 3)),
    ((50,), (3,)),
    ((3,), (60,)),
    ((30, 4), (3, 2)),
]


@pytest.mark.parametrize(
    ("boundary", "method", "shapes"),
    [
        *((boundary, "auto", EXTENDED) for boundary in BOUNDARIES),
        *by_method(
            {boundary: EXTENDED for boundary in BOUNDARIES},
            lambda boundary: partial(
                jaxconv.convolve,
                mode="same",
                method="shifts",
                boundary=boundary,
                fillvalue=FILLED[boundary],
            ),
        ),
    ],
)
def test_every_method_sees_the_boundary(rng, boundary, method, shapes):
    value = FILLED[boundary]
    pairs = [operands(rng, pair) for pair in shapes]
    call = partial(jaxconv.convolve, mode="same", method=method, boundary=boundary, fillvalue=value)
    results = jax.jit(lambda pairs: [call(a, b) for a, b in pairs])(pairs)
    for got, (a, b) in zip(results, pairs, strict=True):
        want = by_definition(a, b, "same", [boundary] * a.ndim, value)
        assert_sums_close(got, want, [*a.ravel(), value], b)


@pytest.mark.parametrize("mode", MODES)
def test_one_boundary_an_axis(rng, mode):
    a, b = operands(rng, [(6, 5), (3, 4)], "complex128")
    pairs = list(itertools.permutations(BOUNDARIES, 2))

    @jax.jit
    def call(a, b):
        values = [2 if "fill" in names else 0 for names in pairs]
        return [
            jaxconv.convolve(a, b, mode, boundary=names, fillvalue=value)
            for names, value in zip(pairs, values, strict=True)
        ]

    for names, got in zip(pairs, call(a, b), strict=True):
        assert_sums_close(got, by_definition(a, b, mode, names, 2), [*a.ravel(), 2], b)


def test_names_of_other_libraries(rng):
    a, b = operands(rng, [(8,), (3,)])
    for other, ours in boundaries.SYNONYMS.items():
        got = jaxconv.convolve(a, b, "same", boundary=other)
        np.testing.assert_array_equal(got, jaxconv.convolve(a, b, "same", boundary=ours))


def test_what_wraps_is_one_fft_of_the_signals_own_length(rng):
    a, b = operands(rng, [(64, 60), (33, 30)])
    by_name = lambda x: jaxconv.convolve(x, b, "same", "circular", boundary="wrap")  # noqa: E731
    by_function = lambda x: jaxconv.fftconvolve(x, b, "same", boundary="wrap")  # noqa: E731
    for wrapped in (by_name, by_function):
        assert "fft_length={64,60}" in jax.jit(wrapped).lower(a).compile().as_text()
        assert_sums_close(wrapped(a), by_definition(a, b, "same", ["wrap"] * 2), a, b)
        told = explain(wrapped, a)
        assert {plan.method for plan in (*told.forward, *told.gradient)} == {"circular"}


@pytest.mark.parametrize("mode", ["full", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_gradients_of_what_wraps(rng, mode, stride):
    a, b = operands(rng, [(9, 8), (4, 3)])

    def longer(x, k, method):
        wide = jnp.pad(x, [(6, 6)] * 2, "wrap")
        starts = [6 + (m - 1) // 2 * (mode == "same") for m in k.shape]
        counts = [n if mode == "same" else n + m - 1 for n, m in zip(x.shape, k.shape, strict=True)]
        cut = tuple(slice(s, s + n, stride) for s, n in zip(starts, counts, strict=True))
        return jaxconv.convolve(wide, k, method=method)[cut]

    def ours(x, k, method):
        return jaxconv.convolve(x, k, mode, method, boundary="wrap", stride=stride)

    def slopes(function, method):
        return jax.jit(jax.grad(lambda *xs: (function(*xs, method) ** 2).sum(), (0, 1)))(a, b)

    want = slopes(longer, "direct")
    for method in ("auto", "circular", "direct"):
        for got, true in zip(slopes(ours, method), want, strict=True):
            assert_close(got, true, size=abs(true).max(), slack=1000)


@pytest.mark.parametrize("dtype", ["float32", "complex128", "float16"])
def test_wrapping_batches_strides_and_dtypes(rng, dtype):
    a, b = operands(rng, [(3, 12, 2, 10), (3, 4, 1, 5)], jax.dtypes.canonicalize_dtype(dtype))
    got = jaxconv.convolve(a, b, "same", "circular", axes=(1, 3), boundary="wrap", stride=(2, 3))
    wide = "complex128" if dtype == "complex128" else "float64"
    want = np.stack(
        [[by_definition(x, y[:, 0], "same", ["wrap"] * 2) for x in np.moveaxis(xs, 1, 0)]
         for xs, y in zip(a.astype(wide), b.astype(wide), strict=True)]
    )  # fmt: skip
    want = np.moveaxis(want, 1, 2)[:, ::2, :, ::3]
    assert got.dtype == a.dtype
    assert_sums_close(got, want, a[0, :, 0].astype(wide), b[0, :, 0].astype(wide))


@pytest.mark.needs_x64  # numerical differences
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_gradients_reach_through_the_boundary(rng, boundary):
    a, b = operands(rng, [(7,), (4,)])
    value = {"fillvalue": jnp.array(1.5)} if boundary == "fill" else {}

    @jax.jit
    def loss(a, b, value):
        return (jaxconv.convolve(a, b, "same", boundary=boundary, **value) ** 2).sum()

    check_grads(loss, (a, b, value), 2)


ORIGINS = [(taps, origin) for taps, least in [(3, -1), (4, -2), (5, -2)] for origin in range(least, 2)]
ORIGINS += [(5, 2)]


@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_origin_is_ndimages(rng, name):
    """Of an even kernel's two middle taps ndimage's convolve takes the other one."""
    late = {"convolve": lambda taps: -1 if taps % 2 == 0 else 0, "correlate": lambda taps: 0}[name]
    (a,) = operands(rng, [(11,)])
    kernels = {taps: operands(rng, [(taps,)])[0] for taps, _ in ORIGINS}
    cases = [
        (taps, origin, boundary)
        for taps, origin in ORIGINS
        for boundary in IN_NDIMAGE
        if -(taps // 2) <= origin + late(taps) <= (taps - 1) // 2  # as ndimage allows
    ]

    @jax.jit
    def call(a, kernels):
        function = partial(getattr(jaxconv, name), mode="same")
        return [function(a, kernels[t], boundary=ours, origin=origin) for t, origin, ours in cases]

    for (taps, origin, boundary), got in zip(cases, call(a, kernels), strict=True):
        kernel, theirs = kernels[taps], getattr(scipy.ndimage, name)
        want = theirs(a, kernel, mode=IN_NDIMAGE[boundary], origin=origin + late(taps))
        assert_sums_close(got, want, a, kernel)


STEPPED = [  # signal, kernel, stride, dilation
    ((20,), (3,), (3,), (2,)),
    ((9, 12), (2, 3), (2, 1), (1, 3)),
    ((5, 40), (1, 4), (1, 1), (1, 1)),
    ((60,), (3,), (2,), (2,)),
    ((90,), (43,), (2,), (2,)),
    ((3,), (30,), (1,), (2,)),  # dilated, operands are not exchanged
]


def nested(mode, signal, kernel, stride, dilation):
    reach = [(m - 1) * d + 1 for m, d in zip(kernel, dilation, strict=True)]
    return mode != "valid" or are_nested(signal, reach)


def takes(method, mode, signal, kernel, stride, dilation):
    call = partial(jaxconv.convolve, mode=mode, stride=stride, dilation=dilation)
    return method in able(call, signal, kernel)


STEPS = [
    pytest.param(method, mode, cases, id=f"{method}-{mode}")
    for method in OF_CONVOLVE
    for mode in MODES
    if (cases := [case for case in STEPPED if nested(mode, *case) and takes(method, mode, *case)])
]


@pytest.mark.parametrize(("method", "mode", "cases"), STEPS)
def test_strides_and_dilation(rng, method, mode, cases):
    for *shapes, stride, dilation in cases:
        a, b = operands(rng, shapes)
        wide = np.zeros([(m - 1) * d + 1 for m, d in zip(b.shape, dilation, strict=True)])
        wide[tuple(slice(None, None, d) for d in dilation)] = b
        whole = scipy.signal.convolve(a, wide, mode, "direct")
        got = jaxconv.convolve(a, b, mode, method, stride=stride, dilation=dilation)
        assert_sums_close(got, whole[tuple(slice(None, None, s) for s in stride)], a, b)


LAGS = (5, 0, range(-3, 4), range(2, 30, 7), range(-40, 41), range(25, 60, 5), range(0))
AT = {  # the operands' lengths, and the lags at which each method takes them
    "auto": (30, 20, LAGS),
    "direct": (30, 20, LAGS),
    "fft": (30, 20, LAGS[:-1]),
    "products": (30, 20, [*LAGS[:4], LAGS[5]]),
    "folded": (30, 20, [LAGS[0], LAGS[2]]),
    "overlap": (70, 4, [50, range(-9, 60)]),
    "lags": (200, 190, [5, 0, range(-3, 4), range(20, 40, 7)]),
}


@pytest.mark.parametrize("method", AT)
def test_lags_are_the_full_correlation_there(rng, method):
    n, m, choices = AT[method]
    a, b = operands(rng, [(n,), (m,)], "float" if method == "folded" else "complex")
    full = scipy.signal.correlate(a, b)
    all_lags = scipy.signal.correlation_lags(n, m)
    call = partial(jaxconv.correlate, method=method)
    results = jax.jit(lambda a, b: [call(a, b, lags=lags) for lags in choices])(a, b)
    for got, lags in zip(results, choices, strict=True):
        at = jaxconv.correlation_lags(n, m, lags=lags)
        want = [full[all_lags == lag][0] if lag in all_lags else 0 for lag in at]
        assert_sums_close(got, np.array(want, full.dtype), a, b)


def test_few_lags_of_long_signals_cost_few_products():
    (plan,) = explain(
        lambda a, b: jaxconv.correlate(a, b, lags=100), jnp.ones(100_000), jnp.ones(100_000)
    ).forward
    assert plan.problem.places == (201,)
    assert plan.method == "lags"
    full = jaxconv.plan((100_000,), (100_000,))
    assert plan.chosen.seconds < full.chosen.seconds


def test_two_axes_of_lags(rng):
    a, b = operands(rng, [(9, 8), (9, 8)])
    full = scipy.signal.correlate(a, b)
    got = jaxconv.correlate(a, b, lags=(2, range(-1, 3)))
    assert_sums_close(got, full[8 - 2 : 8 + 3, 7 - 1 : 7 + 3], a, b)


@pytest.mark.parametrize("normalize", ["biased", "unbiased", "coefficient"])
def test_normalized_lags(rng, normalize):
    a, b = operands(rng, [(3, 50), (3, 40)], "complex128")
    lags = jaxconv.correlation_lags(50, 40)
    got = jaxconv.correlate(a, b, axes=1, normalize=normalize)
    for row in range(3):
        sums = scipy.signal.correlate(a[row], b[row])
        overlap = scipy.signal.correlate(np.ones(50), np.ones(40)).round()
        energy = np.sqrt((abs(a[row]) ** 2).sum() * (abs(b[row]) ** 2).sum())
        by = {"biased": 40, "unbiased": overlap, "coefficient": energy}[normalize]
        assert_close(got[row], sums / by, size=abs(sums / by).max())
    assert got.shape[1] == lags.size
    ints = jaxconv.correlate(np.arange(1, 5), np.arange(1, 5), lags=1, normalize=normalize)
    assert ints.dtype == jnp.zeros(()).dtype


def test_coefficients_of_a_signal_with_itself_and_of_silence():
    ramp = np.arange(1, 5)
    assert_close(jaxconv.correlate(ramp, ramp, lags=0, normalize="coefficient"), np.ones(1), size=1)
    flat = jax.grad(lambda x: jaxconv.correlate(x, x, normalize="coefficient").sum())(jnp.zeros(4))
    assert np.isfinite(flat).all()


def test_the_long_way_round_with_prepared_kernels(rng):
    a, b = operands(rng, [(4, 60), (1, 9)])
    prepared = jaxconv.prepare(b, a.shape, mode="same", axes=1, boundary="reflect")
    got = jaxconv.convolve(a, prepared, "same", axes=1, boundary="reflect")
    want = np.stack([by_definition(row, b[0], "same", ["reflect"]) for row in a])
    assert_sums_close(got, want, a[0], b)


def test_the_fill_value_has_a_gradient_of_its_own():
    def total(value):
        return jaxconv.convolve(jnp.arange(4.0), jnp.ones(3), "same", fillvalue=value).sum()

    assert float(jax.grad(total)(1.0)) == 2


def test_a_fill_value_that_nothing_uses_is_ignored_where_scipy_ignores_it(rng):
    a, b = rng.random((5, 6)), rng.random((3, 2))
    got = jaxconv.convolve2d(a, b, "same", "wrap", 5)
    np.testing.assert_allclose(got, scipy.signal.convolve2d(a, b, "same", "wrap", 5), atol=1e-6)
