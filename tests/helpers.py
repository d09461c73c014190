"""What the tests share: the table of cases, one statement of tolerance, and makers of operands."""

import importlib.util
import runpy
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import scipy.signal

ROOT = Path(__file__).parent.parent

METHODS = ("direct", "products", "shifts", "folded", "lines", "overlap", "fft", "lags", "phases")
OF_CONVOLVE = tuple(m for m in METHODS if m != "phases")  # which is of dilated signals
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
    ((50,), (3,)),  # several blocks
    ((30, 5), (2, 3)),
    ((25, 3, 4), (2, 1, 2)),
]


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


def fits(shape1, shape2, mode):
    """Tell whether mode takes these shapes."""
    pairs = list(zip(shape1, shape2, strict=True))
    return mode != "valid" or all(n >= m for n, m in pairs) or all(n <= m for n, m in pairs)


def scipy_sum(name, a, b, mode):
    """Return SciPy's result in double precision by its direct method."""
    return getattr(scipy.signal, name)(a, b, mode, "direct")


def assert_sums_close(got, want, a, b, slack=16):
    """Require sums of products of a and b to agree within slack eps (greatest sum of absolutes)."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"shape {got.shape}, expected {want.shape}"
    eps = jnp.finfo(got.dtype).eps if got.dtype.kind in "fcV" else 0
    terms = min(np.size(a), np.size(b))
    most = np.abs(a).max(initial=0) * np.abs(b).max(initial=0) * terms
    error = np.abs(got.astype(want.dtype) - want).max(initial=0)
    assert error <= slack * float(eps) * float(most), f"off by {error}, with sums up to {most}"


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
