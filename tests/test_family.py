"""SciPy's whole family: its signatures, shapes, dtypes, values, oddities and errors."""

import doctest
import inspect
import itertools
import warnings

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.datasets
import scipy.signal
import skimage.data

import jaxconv
from tests.helpers import (
    FAMILY,
    MODES,
    SHAPES,
    assert_sums_close,
    fitting,
    in_numpy,
    operands,
    random_array,
)

DTYPES = [
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
]  # fmt: skip


def both(name, *args, **kwargs):
    """Return our result and SciPy's."""
    return (getattr(module, name)(*args, **kwargs) for module in (jaxconv, scipy.signal))


def assert_same(got, want, tolerance=None):
    """Require SciPy's shape, dtype (within the bits that JAX has) and values."""
    assert got.shape == want.shape
    assert got.dtype == jax.dtypes.canonicalize_dtype(want.dtype)
    tolerance = tolerance or (1e-5 if got.dtype in ("float32", "complex64") else 1e-9)
    scale = max(1, np.abs(want).max(initial=0))
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * scale)


def assert_all_same(name, pairs, *args, **kwargs):
    """Require the same of many pairs of operands, which one program computes."""
    ours, scipys = (getattr(module, name) for module in (jaxconv, scipy.signal))
    results = jax.jit(lambda pairs: [ours(a, b, *args, **kwargs) for a, b in pairs])(pairs)
    for got, (a, b) in zip(results, pairs, strict=True):
        assert_same(got, scipys(a, b, *args, **kwargs))


@pytest.mark.parametrize("name", FAMILY)
def test_signatures_are_scipys(name):
    ours = inspect.signature(getattr(jaxconv, name)).parameters.values()
    positional = [p for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    if name == "sepfir2d":  # a builtin, which tells none; its docstring does
        theirs = [(argument, inspect.Parameter.empty) for argument in ("input", "hrow", "hcol")]
    else:
        found = inspect.signature(getattr(scipy.signal, name)).parameters.values()
        theirs = [(p.name, p.default) for p in found]
    assert [(p.name, p.default) for p in positional] == theirs
    assert all(p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in ours if p not in positional)


@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve"])
@pytest.mark.parametrize("bits", [32, 64])
def test_the_dtype_is_scipys_for_every_pair(name, bits):
    with jax.enable_x64(bits == 64), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for first, second in itertools.product(DTYPES, repeat=2):
            types = map(jax.dtypes.canonicalize_dtype, (first, second))
            a, b = (np.ones(n, dtype) for n, dtype in zip((4, 3), types, strict=True))
            want = getattr(scipy.signal, name)(a, b).dtype
            got = jax.eval_shape(getattr(jaxconv, name), a, b).dtype
            assert got == jax.dtypes.canonicalize_dtype(want), (first, second)


@pytest.mark.needs_x64
@pytest.mark.parametrize("name", ["convolve2d", "correlate2d"])
def test_the_dtype_of_matrices_is_scipys(name):
    for first, second in itertools.product(DTYPES, repeat=2):
        a, b = np.ones((4, 4), first), np.ones((3, 3), second)
        got = jax.eval_shape(getattr(jaxconv, name), a, b).dtype
        if np.promote_types(first, second) in (bool, np.float16):
            continue  # which SciPy cannot
        assert got == getattr(scipy.signal, name)(a, b).dtype, (first, second)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
def test_by_fft_agrees_with_scipy(rng, name, mode, bits):
    with jax.enable_x64(bits == 64):
        table = [*SHAPES, ((2, 3, 4, 5), (2, 2, 3, 1)), ((3, 1), (1, 4))]
        shapes = fitting(mode, table if bits == 64 else table[::3])
        dtypes = itertools.cycle(("float64", "complex128", "int32"))
        assert_all_same(name, [operands(rng, pair, dtype) for pair, dtype in zip(shapes, dtypes)], mode)


@pytest.mark.parametrize("axes", [0, 1, -1, (0, 1), [1, 2], (2, 0), None])
@pytest.mark.parametrize("mode", MODES)
def test_axes_agree_with_scipy(rng, mode, axes):
    shapes = [
        ((5, 6, 4), (5, 6, 4)),
        ((5, 6, 4), (1, 6, 1)),
        ((1, 6, 1), (5, 1, 4)),
        ((5, 6, 4), (5, 1, 4)),
    ]
    pairs = [(random_array(rng, one), random_array(rng, two, "complex128")) for one, two in shapes]
    assert_all_same("fftconvolve", pairs, mode, axes=axes)


def test_a_kernel_for_each_signal_broadcasts(rng):
    """What SciPy's "same" truncates (scipy issue 21876)."""
    a, b = operands(rng, [(1, 3, 100), (7, 3, 10)])
    want = np.stack(
        [[scipy.signal.convolve(a[0, j], b[i, j], "same") for j in range(3)] for i in range(7)]
    )
    assert_sums_close(jaxconv.convolve(a, b, "same", axes=-1), want, a, b)
    got, cut = both("fftconvolve", a, b, "same", axes=-1)
    assert got.shape == cut.shape == (1, 3, 100)
    assert_sums_close(got, cut, a, b)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", ["pad", "circular", "symm"])
@pytest.mark.parametrize("name", ["convolve2d", "correlate2d"])
def test_matrices_agree_with_scipy(rng, name, boundary, mode):
    table = [((6, 5), (3, 2)), ((5, 4), (4, 4)), ((2, 3), (5, 6)), ((3, 3), (1, 8))]
    values = (0, 2, [3]) if boundary == "pad" else (0,)
    dtypes = itertools.cycle(("complex128", "float32", "int16"))
    pairs = [operands(rng, shapes, dtype) for shapes, dtype in zip(fitting(mode, table), dtypes)]
    for value in values:
        assert_all_same(name, pairs, mode, boundary, value)


def test_a_complex_fillvalue(rng):
    a, b = operands(rng, [(4, 5), (2, 3)], "complex128")
    assert_same(*both("convolve2d", a, b, "full", "fill", 2 - 1j))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64", "complex64", "complex128"])
def test_separable_agrees_with_scipy(rng, dtype):
    image = random_array(rng, (9, 8), dtype)
    for row, column in [([1, 2, 4], [1, 0, 3]), ([1], [0.5, 1, 0.5]), ([1, 2, 3, 2, 0], [2])]:
        got, want = both("sepfir2d", image, row, column)
        assert_same(got, want, 1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_lags_agree_with_scipy(mode):
    for n, m in itertools.product(range(1, 10), repeat=2):
        want = scipy.signal.correlation_lags(n, m, mode).tolist()
        assert jaxconv.correlation_lags(n, m, mode).tolist() == want
        exact = jaxconv.correlation_lags(n, m, mode, exact=True)
        ramp = np.zeros(n)  # one sample of it and one of the other meet at one lag
        ramp[n // 2] = 1
        sums = scipy.signal.correlate(ramp, np.arange(1.0, m + 1), mode).round()
        at = {lag: n // 2 - lag + 1 for lag in exact}
        assert sums.tolist() == [max(0, value) * (value <= m) for value in at.values()]


def test_choose_conv_method_chooses_the_faster():
    a, b = jnp.ones(8), jnp.ones(6)
    assert jaxconv.choose_conv_method(a, b) == "direct"
    assert jaxconv.choose_conv_method(jnp.ones((512, 512)), jnp.ones((256, 256))) == "fft"
    assert jaxconv.choose_conv_method(np.arange(3000), np.arange(3000)) == "direct"


def test_choose_conv_method_measures_the_faster():
    a, b = jnp.ones((150, 150)), jnp.ones((75, 75))  # by FFT a hundred times faster
    name, seconds = jaxconv.choose_conv_method(a, b, measure=True)
    assert name == "fft"
    assert seconds.keys() == {"fft", "direct"}
    assert 0 < 5 * seconds["fft"] < seconds["direct"]


@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
def test_nothing_gives_nothing(name):
    for shapes in [((0,), (3,)), ((3,), (0,)), ((0, 3), (2, 2))]:
        assert_same(*both(name, *map(np.ones, shapes)))


@pytest.mark.parametrize(("mode", "shape"), [("full", (2, 4)), ("same", (3, 3)), ("valid", (4, 2))])
def test_a_matrix_of_nothing_gives_zeros(mode, shape):
    got, want = both("convolve2d", np.ones((3, 3)), np.ones((0, 2)), mode)
    assert got.shape == want.shape == shape
    assert not got.any()


@pytest.mark.needs_x64
@pytest.mark.parametrize("method", ["fft", "direct", "auto"])
def test_integers_by_any_method_are_exact(method):
    large = np.array([2**40 + 1, 3], np.int64)
    assert jaxconv.convolve(large, large, method=method).tolist() == np.convolve(large, large).tolist()


def test_scalars():
    for name in ("convolve", "correlate", "fftconvolve", "oaconvolve"):
        got, want = both(name, 2.0, 3 - 1j)
        assert complex(got) == complex(want)


@pytest.mark.parametrize("name", [name for name in FAMILY if name != "sepfir2d"])
def test_scipys_documented_examples(name, monkeypatch):
    """Run the examples in SciPy's docstring by both: every array that they make must be the same."""
    monkeypatch.setattr(scipy.datasets, "ascent", lambda: skimage.data.camera()[::4, ::4])
    monkeypatch.setattr(
        scipy.datasets, "face", lambda gray=True: np.tile(skimage.data.camera(), 2)[:400, :760]
    )
    monkeypatch.setattr(plt, "show", lambda: None)
    monkeypatch.setattr("matplotlib.figure.Figure.show", lambda figure: None)
    text = inspect.getdoc(getattr(scipy.signal, name))
    source = "".join(example.source for example in doctest.DocTestParser().get_examples(text))
    source = source.replace("default_rng()", "default_rng(0)").replace("measure=True", "measure=False")
    made = []
    for _ in range(2):
        made.append({})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of matplotlib
            exec(source, made[-1])
        plt.close("all")
        for function in FAMILY:
            monkeypatch.setattr(scipy.signal, function, in_numpy(getattr(jaxconv, function)))
    arrays = [key for key, value in made[0].items() if isinstance(value, np.ndarray)]
    assert arrays
    for key in arrays:
        want, got = made[0][key], np.asarray(made[1][key])
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, atol=1e-6 * max(1, np.abs(want).max(initial=0)))
