"""What lies beyond the edge, where the kernel sits, which places and lags are wanted."""

import itertools

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
from tests.helpers import MODES, OF_CONVOLVE, operands

pytestmark = pytest.mark.usefixtures("lenient")

IN_NDIMAGE = {
    "fill": "constant",
    "edge": "nearest",
    "reflect": "mirror",
    "symmetric": "reflect",
    "wrap": "wrap",
}
IN_NUMPY = {"fill": "constant"}


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
        (a,) = operands(rng, [shape])
        fill = {"constant_values": 5} if boundary == "fill" else {}
        want = np.pad(a, widths, IN_NUMPY.get(boundary, boundary), **fill)
        np.testing.assert_array_equal(boundaries.extend(a, widths, boundary, 5), want)


@pytest.mark.parametrize(
    ("method", "boundary"),
    [*(("auto", boundary) for boundary in BOUNDARIES), *zip(OF_CONVOLVE, BOUNDARIES * 2)],
)
def test_every_method_sees_the_boundary(rng, boundary, method):
    for shapes in [((9,), (4,)), ((3,), (8,)), ((5, 4), (2, 3))]:
        a, b = operands(rng, shapes)
        value = 1.5 if boundary == "fill" else 0
        want = by_definition(a, b, "same", [boundary] * a.ndim, value)
        got = jaxconv.convolve(a, b, "same", method, boundary=boundary, fillvalue=value)
        np.testing.assert_allclose(got, want, atol=1e-10)


@pytest.mark.parametrize("mode", MODES)
def test_one_boundary_an_axis(rng, mode):
    a, b = operands(rng, [(6, 5), (3, 4)], "complex128")
    for names in itertools.permutations(BOUNDARIES, 2):
        want = by_definition(a, b, mode, names, 2)
        value = 2 if "fill" in names else 0
        got = jaxconv.convolve(a, b, mode, boundary=names, fillvalue=value)
        np.testing.assert_allclose(got, want, atol=1e-10)


def test_names_of_other_libraries(rng):
    a, b = operands(rng, [(8,), (3,)])
    for other, ours in boundaries.SYNONYMS.items():
        got = jaxconv.convolve(a, b, "same", boundary=other)
        np.testing.assert_array_equal(got, jaxconv.convolve(a, b, "same", boundary=ours))


def test_what_wraps_is_one_fft_of_the_signals_own_length(rng):
    a, b = operands(rng, [(64, 60), (33, 30)])
    wrapped = lambda x: jaxconv.convolve(x, b, "same", "fft", boundary="wrap")  # noqa: E731
    text = str(jax.make_jaxpr(wrapped)(a))
    assert "lengths=(64, 60)" in text.replace("fft_lengths", "lengths")
    np.testing.assert_allclose(wrapped(a), by_definition(a, b, "same", ["wrap"] * 2), atol=1e-10)
    assert not explain(wrapped, a).forward  # the planner's convolution has no part in it


@pytest.mark.parametrize("dtype", ["float32", "complex128", "float16"])
def test_wrapping_batches_strides_and_dtypes(rng, dtype):
    a, b = operands(rng, [(3, 12, 2, 10), (3, 4, 1, 5)], dtype)
    got = jaxconv.convolve(a, b, "same", "fft", axes=(1, 3), boundary="wrap", stride=(2, 3))
    wide = "complex128" if dtype == "complex128" else "float64"
    want = np.stack(
        [[by_definition(x, y[:, 0], "same", ["wrap"] * 2) for x in np.moveaxis(xs, 1, 0)]
         for xs, y in zip(a.astype(wide), b.astype(wide), strict=True)]
    )  # fmt: skip
    want = np.moveaxis(want, 1, 2)[:, ::2, :, ::3]
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, atol=0.05 if dtype == "float16" else 1e-4)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_gradients_reach_through_the_boundary(rng, boundary):
    a, b = operands(rng, [(7,), (4,)])
    value = {"fillvalue": jnp.array(1.5)} if boundary == "fill" else {}

    @jax.jit
    def loss(a, b, value):
        return (jaxconv.convolve(a, b, "same", boundary=boundary, **value) ** 2).sum()

    check_grads(loss, (a, b, value), 2)


@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_origin_is_ndimages(rng, name):
    for taps, late in [(3, 0), (5, 0), (4, -1)]:
        a, b = operands(rng, [(11,), (taps,)])
        for origin in range(-(taps // 2) + (taps % 2 == 0), (taps - 1) // 2 + 1):
            shift = origin + (late if name == "convolve" else 0)
            if not -(taps // 2) <= shift <= (taps - 1) // 2:
                continue
            for ours, theirs in IN_NDIMAGE.items():
                want = getattr(scipy.ndimage, name)(a, b, mode=theirs, origin=shift)
                got = getattr(jaxconv, name)(a, b, "same", boundary=ours, origin=origin)
                np.testing.assert_allclose(got, want, atol=1e-12)


@pytest.mark.parametrize(("method", "mode"), [*zip(["auto"] * 3, MODES), *zip(OF_CONVOLVE, MODES * 3)])
def test_strides_and_dilation(rng, mode, method):
    for shapes, stride, dilation in [(((20,), (3,)), 3, 2), (((9, 12), (2, 3)), (2, 1), (1, 3))]:
        a, b = operands(rng, shapes)
        rank = a.ndim
        strides, dilations = np.broadcast_to(stride, rank), np.broadcast_to(dilation, rank)
        wide = np.zeros([(m - 1) * d + 1 for m, d in zip(b.shape, dilations, strict=True)])
        wide[tuple(slice(None, None, d) for d in dilations)] = b
        want = scipy.signal.convolve(a, wide, mode, "direct")[
            tuple(slice(None, None, s) for s in strides)
        ]
        got = jaxconv.convolve(a, b, mode, method, stride=stride, dilation=dilation)
        np.testing.assert_allclose(got, want, atol=1e-10)


@pytest.mark.parametrize("method", ["auto", "direct", "fft", "lags"])
def test_lags_are_the_full_correlation_there(rng, method):
    a, b = operands(rng, [(30,), (20,)], "complex128")
    full = scipy.signal.correlate(a, b)
    all_lags = scipy.signal.correlation_lags(30, 20)
    for lags in (5, 0, range(-3, 4), range(2, 30, 7), range(-40, 41), range(25, 60, 5), range(0)):
        at = jaxconv.correlation_lags(30, 20, lags=lags)
        want = [full[all_lags == lag][0] if lag in all_lags else 0 for lag in at]
        got = jaxconv.correlate(a, b, method=method, lags=lags)
        np.testing.assert_allclose(got, np.array(want, complex), atol=1e-10)


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
    np.testing.assert_allclose(got, full[8 - 2 : 8 + 3, 7 - 1 : 7 + 3], atol=1e-10)


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
        np.testing.assert_allclose(got[row], sums / by, atol=1e-10)
    assert got.shape[1] == lags.size
    ints = jaxconv.correlate(np.arange(1, 5), np.arange(1, 5), lags=1, normalize=normalize)
    assert ints.dtype == float
    if normalize == "coefficient":
        assert abs(ints[1] - 1) < 1e-12
        flat = jax.grad(lambda x: jaxconv.correlate(x, x, normalize=normalize).sum())(jnp.zeros(4))
        assert np.isfinite(flat).all()


def test_the_long_way_round_with_prepared_kernels(rng):
    a, b = operands(rng, [(4, 60), (1, 9)])
    prepared = jaxconv.prepare(b, a.shape, mode="same", axes=1, boundary="reflect")
    got = jaxconv.convolve(a, prepared, "same", axes=1, boundary="reflect")
    want = [by_definition(row, b[0], "same", ["reflect"]) for row in a]
    np.testing.assert_allclose(got, want, atol=1e-10)
