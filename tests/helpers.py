"""What the tests share: the table of cases, one statement of tolerance, and makers of operands."""

import importlib.util
import runpy
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from jaxconv.engine import planning
from jaxconv.engine.methods import METHODS, lags, overlap
from jaxconv.engine.primitive import plans_in

ROOT = Path(__file__).parent.parent

OF_CONVOLVE = tuple(
    m for m in METHODS if m not in ("circular", "onednn", "matmul", "phases")
)  # with zeros beyond the edges
MODES = ("full", "same", "valid")

FAMILY = (  # SciPy's functions
    "convolve",
    "correlate",
    "fftconvolve",
    "oaconvolve",
    "convolve2d",
    "correlate2d",
    "sepfir2d",
    "choose_conv_method",
    "correlation_lags",
)

# Shapes of signal and kernel: odd and even, length 1, equal, kernel longer, mixed, one to three axes.
SHAPES = [
    ((7,), (3,)),
    ((8,), (4,)),
    ((3,), (7,)),
    ((6,), (6,)),
    ((1,), (5,)),
    ((9,), (1,)),
    ((1,), (1,)),
    ((6, 5), (3, 2)),
    ((5, 4), (1, 4)),
    ((3, 6), (5, 2)),
    ((4, 4), (4, 4)),
    ((4, 5, 6), (2, 3, 1)),
    ((2, 3, 2), (3, 4, 5)),
    ((50,), (3,)),  # several short blocks
    ((30, 5), (2, 3)),
    ((25, 3, 4), (2, 1, 2)),
]

MADE_FOR = {  # more shapes, for the methods that take few others; blocks are short
    "folded": [((6, 40), (1, 5)), ((2, 3, 30), (1, 1, 4))],
    "overlap": [((70,), (4,)), ((30, 5), (2, 3)), ((25, 3, 4), (2, 1, 2))],
    "lags": [((70,), (66,)), ((40, 6), (38, 3)), ((30, 4, 3), (29, 2, 2))],
}


def operands(rng, shapes, dtype="float64"):
    """Return random arrays of these shapes; whole numbers small enough to multiply in any dtype."""
    return [random_array(rng, shape, dtype) for shape in shapes]


def random_array(rng, shape, dtype="float64"):
    """Return one random array."""
    kind = jnp.dtype(dtype).kind
    if kind == "b":
        return rng.random(shape) < 0.3
    if kind in "iu":
        return rng.integers(0, 12, shape).astype(dtype)
    values = rng.standard_normal(shape)
    if kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return np.asarray(values).astype(dtype)


def fitting(mode, table=SHAPES):
    """Return the shapes of a table that a mode takes."""
    return [pair for pair in table if mode != "valid" or are_nested(*pair)]


def are_nested(shape1, shape2):
    """Tell whether one of two shapes lies inside the other."""
    pairs = list(zip(shape1, shape2, strict=True))
    return all(n >= m for n, m in pairs) or all(n <= m for n, m in pairs)


@contextmanager
def short_blocks():
    """Let `overlap` and `lags` cut short operands into several blocks. Nothing else changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "SHORTEST", {1: 16, 2: 8, 3: 8})
        patch.setattr(lags, "BLOCK", {1: 8, 2: 4, 3: 4})
        planning.plan.cache_clear()
        yield
    planning.plan.cache_clear()


def able(call, *shapes, dtype="float"):
    """Return the methods that take a call's one convolution, with short blocks; none if it is empty."""
    with short_blocks():
        (plan,) = plans_in(call, [jax.ShapeDtypeStruct(shape, canonical(dtype)) for shape in shapes])
    return tuple(c.method for c in plan.candidates if not c.refusal and plan.problem.products)


def canonical(dtype):
    """Return the dtype that JAX makes of one: "float" and "complex" are of 64 bits, or of 32."""
    return jax.dtypes.canonicalize_dtype(dtype)


def by_method(tables, make_call, methods=OF_CONVOLVE):
    """Return pytest's parameters (key, method, shapes): the shapes that the method takes, if any.

    `tables` maps a key (a mode, a boundary) to shapes of signal and kernel; `make_call(key)` is what
    is done with them.
    """
    takes = {key: [(s, able(make_call(key), *s)) for s in table] for key, table in tables.items()}
    shapes = {
        (key, method): [s for s, names in pairs if method in names]
        for key, pairs in takes.items()
        for method in methods
    }
    return [
        pytest.param(key, method, found, id=f"{key}-{method}")
        for (key, method), found in shapes.items()
        if found
    ]


def scipy_sum(name, a, b, mode):
    """Return SciPy's result in double precision by its direct method."""
    return getattr(scipy.signal, name)(a, b, mode, "direct")


def assert_close(got, want, size, slack=16):
    """Require agreement within slack eps size, of the precision of `got`; integers must be equal.

    `size` is the greatest sum of the absolute products that are summed: the one tolerance of all tests.
    """
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"shape {got.shape}, expected {want.shape}"
    if got.dtype.kind in "biu":
        assert (got == want).all()
        return
    eps = float(jnp.finfo(got.dtype).eps)
    error = np.abs(got.astype(complex if got.dtype.kind == "c" else float) - want).max(initial=0)
    assert error <= slack * eps * float(size), f"off by {error}, with sums up to {size}"


def assert_sums_close(got, want, *factors, slack=16):
    """Require sums of products of some arrays to agree within slack eps (greatest sum of absolutes)."""
    greatest = [np.abs(x).max(initial=0) for x in factors]
    sums = [np.abs(x).sum() for x in factors]
    sizes = [np.prod([*sums[:i], most, *sums[i + 1 :]]) for i, most in enumerate(greatest)]
    assert_close(got, want, min(sizes), slack)


def assert_agrees(ours, truth, *operands, slack=64):
    """Require of a jitted function what another gives in double precision.

    Both must be sums of products: of the absolute operands, `truth` gives the sums of absolutes.
    """
    got = jax.jit(ours)(*operands)
    want, sizes = in_double(truth, *operands)
    jax.tree.map(partial(assert_close, slack=slack), got, want, sizes)


def in_double(truth, *operands):
    """Return what a jitted function gives in double precision, and its greatest values of absolutes."""
    with jax.enable_x64(True):
        wide = [np.asarray(x, np.promote_types(x.dtype, float)) for x in operands]
        exact = jax.jit(truth)
        want, sums = (exact(*xs) for xs in (wide, [np.abs(x).astype(x.dtype) for x in wide]))
        return jax.tree.map(np.asarray, want), jax.tree.map(lambda x: np.abs(x).max(initial=0), sums)


def in_numpy(function):
    """Return a function whose results are NumPy's, to write in, and scalars where they have no axes."""

    def call(*args, **kwargs):
        out = function(*args, **kwargs)
        return np.array(out)[()] if isinstance(out, jax.Array) else out

    return call


def program(path):
    """Load a program that is no module of the package, without running it."""
    found = ROOT / path
    sys.path.insert(0, str(found.parent))  # where it looks for what it imports
    try:
        spec = importlib.util.spec_from_file_location(found.stem, found)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(found.parent))
    return module


def told(path, folder, capsys, monkeypatch):
    """Run a program as from the command line, in this process; return what it printed."""
    found = ROOT / path
    monkeypatch.setattr(sys, "argv", [str(found), "--save", str(folder)])
    monkeypatch.syspath_prepend(str(found.parent))
    runpy.run_path(str(found), run_name="__main__")
    return capsys.readouterr().out


def assert_derivatives(total, *operands, tolerance=1e-4, step=1e-5):
    """Compare first and second derivatives of a sum, by both modes, with differences; in one program."""
    rng = np.random.default_rng(0)
    away = [rng.standard_normal(np.shape(a)) for a in operands]
    numbers = tuple(range(len(operands)))

    def along(*gradient):
        return sum(jnp.vdot(a, g) for a, g in zip(away, gradient))

    def slope(*at):
        return jax.jvp(total, at, tuple(away))[1]

    @jax.jit
    def derivatives(*at):
        gradient = jax.grad(total, numbers)
        curves = {
            "forward over reverse": jax.jvp(gradient, at, tuple(away))[1],
            "reverse over reverse": jax.grad(lambda *at: along(*gradient(*at)), numbers)(*at),
            "reverse over forward": jax.grad(slope, numbers)(*at),
        }
        twice = jax.jvp(slope, at, tuple(away))[1]
        return total(*at), gradient(*at), slope(*at), curves, twice

    at = [jnp.asarray(a) for a in operands]
    _, gradient, forward, curves, twice = derivatives(*at)
    ends = [derivatives(*(a + sign * step * d for a, d in zip(at, away)))[:2] for sign in (1, -1)]
    change = jax.tree.map(lambda a, b: (a - b) / (2 * step), *ends)
    close = partial(np.testing.assert_allclose, rtol=tolerance, atol=tolerance)
    close(forward, change[0])
    close(along(*gradient), change[0])
    for name, curve in curves.items():
        for one, other in zip(curve, change[1], strict=True):
            close(one, other, err_msg=name)
    close(twice, along(*change[1]))
