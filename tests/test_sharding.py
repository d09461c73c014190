"""Arrays divided over a mesh: the answer of one device, and no traffic but what must be.

Each case runs on four devices along Explicit axes, as `jax.make_mesh` makes them, and along Auto ones.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

import jaxconv
from jaxconv.engine.mesh.traffic import traffic
from tests.meshes import AXES, both, compared, is_explicit, numbers, placed

LINES = {  # options of convolve along 512 samples, taps, permutes, and those with the gradients
    "same": (dict(mode="same"), 9, 2, 4),
    "even": (dict(mode="same"), 8, 2, 4),
    "valid": (dict(mode="valid"), 9, 2, 4),
    "full": (dict(mode="full"), 9, 2, 4),
    "stride": (dict(mode="same", stride=2), 9, 2, 4),
    "dilation": (dict(mode="same", dilation=3), 9, 2, 4),
    "lags": (dict(lags=range(-8, 504)), 5, 1, 2),
    "edge": (dict(mode="same", boundary="edge"), 9, 2, 4),
    "reflect": (dict(mode="same", boundary="reflect"), 9, 2, 4),
    "symmetric": (dict(mode="same", boundary="symmetric"), 9, 2, 4),
    "wrap": (dict(mode="same", boundary="wrap"), 9, 2, 4),
    "fill": (dict(mode="same", fillvalue=2.0), 9, 2, 4),
    "two neighbours": (dict(mode="same"), 301, 4, 8),
    "reflect, two neighbours": (dict(mode="same", boundary="reflect"), 301, 4, 8),
    "wrap, two neighbours": (dict(mode="same", boundary="wrap"), 301, 4, 8),
    "fft": (dict(mode="same", method="fft"), 65, 2, 4),
    "direct": (dict(mode="same", method="direct"), 9, 2, 4),
    "folded": (dict(mode="same", method="folded"), 9, 2, 4),
}


@pytest.mark.parametrize("name", LINES)
def test_samples(mesh, rng, single, name):
    options, taps, permutes, with_gradients = LINES[name]
    x, k = numbers(rng, 4, 512), numbers(rng, 1, taps)
    fn = partial(jaxconv.correlate if "lags" in options else jaxconv.convolve, axes=1, **options)
    sent, out = compared(mesh, fn, x, (None, ("a", "b")), k)
    assert out.sharding.spec == P(None, ("a", "b"))
    if name != "fill" or is_explicit(mesh):
        assert sent.messages == {"collective-permute": permutes}
        reach = (taps - 1) * options.get("dilation", 1)
        assert sent.bytes["collective-permute"] <= 4 * 4 * (reach + 16)  # and where lengths change
    sent, _ = compared(mesh, both(fn), x, (None, ("a", "b")), k, tolerance=1e-4)
    if is_explicit(mesh):
        assert sent.messages == {"collective-permute": with_gradients, "all-reduce": 1}


@pytest.mark.parametrize("name", ["same", "valid", "reflect", "wrap", "fill", "fft"])
def test_batch(mesh, rng, single, name):
    options, taps, *_ = LINES[name]
    x, k = numbers(rng, 4, 512), numbers(rng, 1, taps)
    fn = partial(jaxconv.correlate if "lags" in options else jaxconv.convolve, axes=1, **options)
    sent, _ = compared(mesh, both(fn), x, (("a", "b"),), k, tolerance=1e-4)
    assert sent.messages == {"all-reduce": 1}


IMAGES = {
    "zeros": {},
    "reflect": dict(boundary="reflect"),
    "wrap": dict(boundary="wrap"),
    "mixed": dict(boundary=("edge", "wrap")),
    "strides and dilation": dict(stride=(2, 1), dilation=(1, 2)),
}


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        *((name, ("a", "b")) for name in IMAGES),
        ("zeros", ("b", "a")),
        ("zeros", (("b", "a"),)),
        ("reflect", (("b", "a"),)),
        ("wrap", (None, ("a", "b"))),
    ],
)
def test_images_with_corners(mesh, rng, single, name, spec):
    x, k = numbers(rng, 32, 32), numbers(rng, 5, 7)
    fn = partial(jaxconv.convolve, mode="same", **IMAGES[name])
    divided = sum(names is not None for names in spec)
    if name == "zeros":
        sent, _ = compared(mesh, fn, x, spec, k)
        assert sent.messages == {"collective-permute": 2 * divided}
    sent, _ = compared(mesh, both(fn), x, spec, k, tolerance=1e-4)
    if is_explicit(mesh):
        assert sent.messages == {"collective-permute": 4 * divided, "all-reduce": 1}


LAYERS = {  # shapes of signal and kernel, and options
    "dense": ((4, 8, 16, 16), (8, 8, 3, 3), {}),
    "strided": ((4, 8, 16, 16), (8, 8, 3, 3), dict(window_strides=(2, 2))),
    "depthwise": ((4, 8, 16, 16), (8, 1, 3, 3), dict(feature_group_count=8)),
    "groups": ((4, 8, 16, 16), (8, 2, 3, 3), dict(feature_group_count=4)),
    "transposed": ((4, 8, 16, 16), (8, 8, 3, 3), dict(lhs_dilation=(2, 2), padding=((1, 2), (1, 2)))),
    "volume": ((4, 4, 8, 8, 8), (4, 4, 3, 3, 3), dict(window_strides=(1, 1, 1))),
    "pointwise": ((4, 8, 16, 16), (8, 8, 1, 1), {}),
}
SPECS = {"batch": ("a",), "batch and rows": ("a", None, "b"), "rows": (None, None, ("a", "b"))}


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        *((name, "rows") for name in LAYERS),
        *((name, "batch") for name in ("dense", "depthwise", "groups")),
        *((name, "batch and rows") for name in ("dense", "groups")),
    ],
)
def test_layers(mesh, rng, single, name, spec):
    """Those of `conv_general_dilated`, and those of lax under `accelerate` with the gradients."""
    signal, kernel, options = LAYERS[name]
    options = dict(window_strides=(1, 1), padding="SAME") | options
    x, k = numbers(rng, *signal), numbers(rng, *kernel)
    ours = partial(jaxconv.conv_general_dilated, **options)
    of_lax = partial(jax.lax.conv_general_dilated, **options)
    sent, _ = compared(mesh, ours, x, SPECS[spec], k)
    on_mesh = placed(mesh, x, *SPECS[spec]), placed(mesh, k)
    theirs = traffic(jax.jit(of_lax).lower(*on_mesh).compile())
    assert sum(sent.bytes.values()) <= sum(theirs.bytes.values()), f"{sent}; lax {theirs}"
    sent, _ = compared(mesh, jaxconv.accelerate(both(of_lax)), x, SPECS[spec], k, tolerance=1e-4)
    assert "all-gather" not in sent.messages


@pytest.mark.parametrize("spec", [(None, "a"), (None, ("a", "b"))])
@pytest.mark.parametrize("name", ["dense", "depthwise", "groups"])
def test_features(rng, single, name, spec):
    """The compiler may divide features; along Explicit axes lax has no rule for that, nor have we."""
    signal, kernel, options = LAYERS[name]
    x, k = numbers(rng, *signal), numbers(rng, *kernel)
    fn = partial(jaxconv.conv_general_dilated, window_strides=(1, 1), padding="SAME", **options)
    auto = jax.make_mesh((2, 2), ("a", "b"), axis_types=(AxisType.Auto,) * 2)
    sent, _ = compared(auto, both(fn), x, spec, k, tolerance=1e-4)
    assert "all-gather" not in sent.messages
    explicit = jax.make_mesh((2, 2), ("a", "b"), axis_types=(AxisType.Explicit,) * 2)
    with pytest.raises(Exception, match="out_sharding"):
        jax.eval_shape(fn, placed(explicit, x, *spec), placed(explicit, k))


@pytest.mark.parametrize("length", [510, 37])
def test_shards_of_unequal_length(rng, single, length):
    """What the compiler divides need not divide evenly: a convolution of a convolution's result."""
    mesh = jax.make_mesh((4,), ("a",), axis_types=(AxisType.Auto,))
    x, k = numbers(rng, 2, length + 6), numbers(rng, 1, 7)

    def twice(x, k, boundary, on_mesh):
        once = jaxconv.convolve(x, k, "valid", axes=1)
        if on_mesh:
            once = jax.lax.with_sharding_constraint(once, NamedSharding(mesh, P(None, "a")))
        return jaxconv.convolve(once, k, "same", axes=1, boundary=boundary)

    for boundary in jaxconv.types.BOUNDARIES:
        parts, whole = (
            jax.jit(twice, static_argnums=(2, 3))(x, k, boundary, on) for on in (True, False)
        )
        np.testing.assert_allclose(parts, whole, atol=2e-5 * np.abs(whole).max())


def test_second_eager_call_compiles_nothing(mesh, rng, single, caplog):
    x, k = placed(mesh, numbers(rng, 4, 512), None, ("a", "b")), placed(mesh, numbers(rng, 1, 9))
    first = jaxconv.convolve(x, k, "same", axes=1)
    with jax.log_compiles(), caplog.at_level("WARNING"):
        second = jaxconv.convolve(x, k, "same", axes=1)
    assert not [r for r in caplog.records if "ompil" in r.getMessage()]
    np.testing.assert_array_equal(first, second)
    assert jax.typeof(second).sharding.spec == P(None, ("a", "b")) or not is_explicit(mesh)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "bfloat16", "complex64"])
def test_types(mesh, rng, single, dtype):
    x = (100 * rng.standard_normal((4, 512))).clip(0, 250).astype("f")
    x = (x + 1j * x[::-1] if dtype == "complex64" else x).astype(jnp.dtype(dtype))
    k = np.asarray([[1, 2, 3, 2, 1]]).astype(x.dtype)
    fn = partial(jaxconv.convolve, mode="same", axes=1, boundary="reflect")
    sent, out = compared(mesh, fn, x, (None, ("a", "b")), k)
    assert out.dtype == dtype
    assert sent.messages == {"collective-permute": 2}


def test_nan_reaches_only_its_windows_on_any_shard(mesh, rng, single):
    x, k = numbers(rng, 512), numbers(rng, 9)
    x[130] = np.nan
    fn = jax.jit(partial(jaxconv.convolve, mode="same", local=True))
    out = np.asarray(fn(placed(mesh, x, ("a", "b")), placed(mesh, k)))
    assert np.flatnonzero(np.isnan(out)).tolist() == list(range(126, 135))


@pytest.mark.parametrize("method", ["shifts", "direct", "fft", "folded", "overlap", "circular"])
def test_the_named_method_runs_on_each_shard(mesh, rng, single, method):
    spec, boundary = ((("a", "b"),), "wrap") if method == "circular" else ((None, ("a", "b")), "fill")
    x, k = placed(mesh, numbers(rng, 4, 1 << 15), *spec), placed(mesh, numbers(rng, 1, 9))
    fn = partial(jaxconv.convolve, mode="same", axes=1, boundary=boundary, method=method)
    assert [plan.method for plan in jaxconv.explain(fn, x, k).forward] == [method]


def test_explain_tells_one_shard_and_the_traffic(mesh, rng, single):
    x, k = placed(mesh, numbers(rng, 4, 512), None, ("a", "b")), placed(mesh, numbers(rng, 1, 9))
    told = jaxconv.explain(partial(jaxconv.convolve, mode="same", axes=1), x, k)
    (plan,) = told.forward
    assert plan.problem.places == (128,)
    assert plan.problem.batch == 4
    assert len(told.gradient) == 2
    assert told.traffic.messages == {"collective-permute": 2}
    assert told.gradient_traffic.messages["all-reduce"] == 1
    assert "between devices: 2 collective-permute (128 bytes)" in str(told)


HUNTED = {  # layouts, shapes and options that a hunt among random cases found wrong
    "an axis whose part the output's type gives to another": (
        ((36, 2, 4), (2, 2, 1), ("b",)),
        {"window_strides": [1], "padding": "VALID", "feature_group_count": 2},
        ("WNC", "OIW", "NWC"),
    ),
    "nine places on four devices": (
        ((8, 12, 16), (7, 4, 4), (None, ("a", "b"))),
        {"window_strides": [2], "padding": [(11, 0)], "feature_group_count": 4},
        ("NWC", "WIO", "NWC"),
    ),
    "a kernel that is divided too": (
        ((2, 36, 6, 16), (2, 1, 4, 16), (None, None, None, "b")),
        {"window_strides": [1, 1], "padding": [(1, -1), (10, 4)], "feature_group_count": 4},
        ("NHWC", "HWIO", "NHWC"),
    ),
    "a crop and a dilated signal": (
        ((38, 24, 1, 3), (1, 3, 6, 4), (None, "b")),
        {"window_strides": [1, 1], "padding": [(3, -1), (-1, 10)], "lhs_dilation": [2, 1]},
        ("HWNC", "OIHW", "NHWC"),
    ),
    "batch groups": (
        ((8, 3, 16), (8, 3, 5), ("a", None, "b")),
        {"window_strides": [1], "padding": "SAME", "batch_group_count": 4},
        None,
    ),
}


@pytest.mark.parametrize("name", HUNTED)
def test_hunted(mesh, rng, single, name):
    (signal, kernel, spec), options, numbers_of_axes = HUNTED[name]
    fn = partial(jaxconv.conv_general_dilated, dimension_numbers=numbers_of_axes, **options)
    x, k = numbers(rng, *signal), numbers(rng, *kernel)
    try:
        jax.eval_shape(fn, placed(mesh, x, *spec), placed(mesh, k))
    except Exception as error:
        if "out_sharding" in str(error) or "not divisible" in str(error):
            return  # lax has no rule
        raise
    compared(mesh, both(fn), x, spec, k, tolerance=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
def test_random_layers(mesh, single, seed):
    """Strides, dilations, padding and crops, groups and layouts by chance, on axes by chance."""
    rng = np.random.default_rng(seed)
    rank, groups = int(rng.integers(1, 3)), int(rng.choice([1, 1, 2, 4]))
    by_batch = groups > 1 and rng.random() < 0.3
    inputs, outputs, batch = (int(n) for n in rng.choice([1, 2, 4], 3))
    space, window = rng.integers(5, 40, rank) // 4 * 4 + 4, rng.integers(1, 9, rank)
    signal = (batch * groups, inputs) if by_batch else (batch, groups * inputs)
    x, k = numbers(rng, *signal, *space), numbers(rng, groups * outputs, inputs, *window)
    options = {
        "window_strides": rng.choice([1, 2, 3], rank).tolist(),
        "lhs_dilation": rng.choice([1, 1, 2], rank).tolist(),
        "rhs_dilation": rng.choice([1, 1, 2], rank).tolist(),
        "padding": [tuple(pair) for pair in rng.integers(-3, 12, (rank, 2)).tolist()],
        "batch_group_count" if by_batch else "feature_group_count": groups,
    }
    divisible = [axis for axis, n in enumerate(x.shape) if n % 2 == 0]
    spec = [None] * x.ndim
    for name, axis in zip(AXES, rng.permutation(divisible)[:2]):
        spec[axis] = name
    fn = partial(jaxconv.conv_general_dilated, **options)
    try:
        shape = jax.eval_shape(fn, placed(mesh, x, *spec), placed(mesh, k)).shape
    except Exception as error:
        if "out_sharding" in str(error) or "not divisible" in str(error):
            return
        raise
    if 0 not in shape:
        compared(mesh, both(fn), x, spec, k, tolerance=1e-4)


@pytest.mark.parametrize("jit", [jax.jit, lambda fn: fn], ids=["jitted", "eager"])
def test_undivided_arrays_where_a_mesh_is_set(mesh, rng, single, jit):
    """The program is for all devices of the mesh, but no array came with one; gradients and FFTs too."""
    x, k = (jnp.asarray(numbers(rng, n)) for n in (512, 9))
    power = jnp.ones(100)

    def fn(x, k):
        return jaxconv.convolve(x, k, "same"), jaxconv.detection.whiten(x, power)

    def slopes(x, k):
        return jax.grad(lambda x, k: sum(jnp.sum(y**2) for y in fn(x, k)), (0, 1))(x, k)

    truth = fn(x, k), slopes(x, k)
    with jax.set_mesh(mesh):
        found = jit(fn)(x, k), jit(slopes)(x, k)
    for got, want in zip(jax.tree.leaves(found), jax.tree.leaves(truth), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
