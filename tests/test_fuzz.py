"""Random convolutions with all the options of lax, by each method, against a sliding sum in NumPy.

The usual run draws the same cases each time; `make long` draws new ones from a seed that it prints, and
`FUZZ_SEED=... make long` draws those again.
"""

import os
from collections import Counter
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv.engine.methods import METHODS
from jaxconv.engine.problem import Problem
from tests.helpers import assert_close, random_array, short_blocks

pytestmark = pytest.mark.usefixtures("short_blocks", "named_method_runs")

USUAL, LONG = 20, 400  # cases of each method
LONG_SEED = int(os.environ.get("FUZZ_SEED", np.random.default_rng().integers(2**31)))
DTYPES = ("float32", "float64", "complex64", "int32", "uint8", "bfloat16")
WIDE = {"c": complex, "i": int, "u": int}


@dataclass(frozen=True)
class Case:
    """One call of `conv_general_dilated`, in lax's default layout or with the features last."""

    signal: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    lhs_dilation: tuple[int, ...]
    rhs_dilation: tuple[int, ...]
    groups: int = 1  # of features
    batch_groups: int = 1
    dtype: str = "float32"
    features_last: bool = False

    @property
    def problem(self) -> Problem:
        """What the engine makes of it."""
        groups = self.groups * self.batch_groups
        return Problem(
            batch=self.signal[0] // self.batch_groups,
            groups=groups,
            inputs=self.kernel[1],
            outputs=self.kernel[0] // groups,
            space=self.signal[2:],
            window=self.kernel[2:],
            strides=self.strides,
            padding=self.padding,
            signal_dilation=self.lhs_dilation,
            kernel_dilation=self.rhs_dilation,
            dtype=str(jax.dtypes.canonicalize_dtype(self.dtype)),
            result=str(jax.dtypes.canonicalize_dtype(self.dtype)),
            channels_last=self.features_last,
        )

    @property
    def output(self) -> tuple[int, ...]:
        """Shape of the output in the default layout."""
        p = self.problem
        return (p.batch, p.groups * p.outputs, *p.places)

    def call(self, method):
        """Return our function of a signal and a kernel in the default layout."""
        space = "DHW"[: len(self.strides)]
        first = (f"NC{space}", f"OI{space}", f"NC{space}")
        last = (f"N{space}C", f"{space}IO", f"N{space}C")
        options = {
            "window_strides": self.strides,
            "padding": self.padding,
            "lhs_dilation": self.lhs_dilation,
            "rhs_dilation": self.rhs_dilation,
            "dimension_numbers": last if self.features_last else first,
            "feature_group_count": self.groups,
            "batch_group_count": self.batch_groups,
            "method": method,
        }

        def convolve(signal, kernel):
            if not self.features_last:
                return jaxconv.conv_general_dilated(signal, kernel, **options)
            signal, kernel = jnp.moveaxis(signal, 1, -1), jnp.moveaxis(kernel, (0, 1), (-1, -2))
            return jnp.moveaxis(jaxconv.conv_general_dilated(signal, kernel, **options), -1, 1)

        return convolve


def draw(rng, method, dtype, tries=10_000):
    """Return a random case with an output that the method takes; None after so many tries."""
    cases = (draw_any(rng, method, dtype) for _ in range(tries))
    return next((case for case in cases if takes(method, case.problem)), None)


def takes(method, problem):
    return problem.products > 0 and not METHODS[method].supports(problem)


def draw_any(rng, method, dtype):
    """Return a random case; made for the method as far as it takes few others."""
    pick = lambda *values: values[rng.integers(len(values))]  # noqa: E731
    rank = pick(2, 3) if method == "lines" else pick(1, 2, 3)
    per_axis = lambda *values: tuple(pick(*values) for _ in range(rank))  # noqa: E731
    plain = (1,) * rank
    groups, inputs, outputs = pick(1, 1, 2, 3), pick(1, 1, 2, 3), pick(1, 1, 2, 3)
    groups, inputs, outputs = (1, 1, 1) if method == "folded" else (groups, inputs, outputs)
    by_batch = rng.random() < 0.3
    most, longest = {1: (13, 6), 2: (9, 4), 3: (5, 3)}[rank]
    space, window = rng.integers(1, most + 1, rank), rng.integers(1, longest + 1, rank)
    if rng.random() < 0.3:  # a flat kernel
        window[rng.integers(rank)] = 1
    if rng.random() < 0.15:  # one that is longer than the signal
        window[0] = space[0] + 2
    padding = [pick((0, 0), (1, 2), (3, 0), (-1, 1), (1, -1), (-2, 1), (-1, -1), (2, -3)) for _ in plain]
    steps = (1,) if rng.random() < 0.4 else (1, 1, 2, 3)
    strides, lhs_dilation, rhs_dilation = (per_axis(*steps) for _ in range(3))
    if method == "folded":
        window[:-1], window[-1] = 1, rng.integers(2, 8)
        strides = rhs_dilation = plain
        lhs_dilation = (*plain[1:], pick(1, 1, 2))
        padding[:-1] = [(0, 0)] * (rank - 1)
        space[-1] += window[-1]
    elif method == "overlap":
        space[0], window[0] = rng.integers(30, 60), rng.integers(1, 4)
    elif method == "lags":
        window[0] = rng.integers(30, 50)
        space[0] = rhs_dilation[0] * (window[0] - 1) // lhs_dilation[0] + rng.integers(1, 4)
    elif method == "phases":
        strides, rhs_dilation, lhs_dilation = plain, plain, per_axis(1, 2, 3)
    batch = int(rng.integers(1, 4))
    lead = (batch * groups, inputs) if by_batch else (batch, inputs * groups)
    return Case(
        signal=(*lead, *map(int, space)),
        kernel=(groups * outputs, inputs, *map(int, window)),
        strides=strides,
        padding=tuple(padding),
        lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation,
        groups=1 if by_batch else groups,
        batch_groups=groups if by_batch else 1,
        dtype=dtype,
        features_last=bool(rng.random() < 0.3),
    )


def exact(case, signal, kernel, weight):
    """Return in NumPy the sums of products, and what the weighted outputs give back to both operands.

    `index` tells which sample each tap meets at each place, or the zero that is put at the end.
    """
    p = case.problem
    index = sample_of_each_tap(p)
    batch, groups = p.batch, p.groups
    if case.batch_groups > 1:
        signal = signal.reshape(groups, batch, p.inputs, -1).swapaxes(0, 1)
    flat = signal.reshape(batch, groups, p.inputs, -1)
    under = np.concatenate([flat, np.zeros_like(flat[..., :1])], -1)[..., index]  # n g i place tap
    taps = kernel.reshape(groups, p.outputs, p.inputs, -1)
    out = np.einsum("ngipt,goit->ngop", under, taps)
    weights = weight.reshape(out.shape)
    to_taps = np.einsum("ngipt,ngop->goit", under, weights)
    to_flat = np.zeros((batch, groups, p.inputs, flat.shape[-1] + 1), out.dtype)
    np.add.at(to_flat, (..., index), np.einsum("goit,ngop->ngipt", taps, weights))
    back = to_flat[..., :-1]
    back = back.swapaxes(0, 1) if case.batch_groups > 1 else back
    return out.reshape(case.output), back.reshape(case.signal), to_taps.reshape(case.kernel)


def sample_of_each_tap(p):
    """Return of each place and tap which sample they meet, or the number of the zero behind them all."""
    index, real = np.zeros((1, 1), int), np.ones((1, 1), bool)
    axes = zip(p.space, p.window, p.strides, p.padding, p.signal_dilation, p.kernel_dilation, p.places)
    for n, m, stride, (low, _), spread, dilation, places in axes:
        at = np.arange(places)[:, None] * stride + np.arange(m) * dilation - low
        met = (at >= 0) & (at % spread == 0) & (at // spread < n)
        shape = (len(index) * places, index.shape[1] * m)
        index = (index[:, None, :, None] * n + (at // spread)[:, None, :]).reshape(shape)
        real = (real[:, None, :, None] & met[:, None, :]).reshape(shape)
    return np.where(real, index, int(np.prod(p.space)))


def check(case, method, seed=0):
    """Compare value and both gradients with sums in double precision, or of whole numbers."""
    rng, dtype = np.random.default_rng(seed), case.problem.dtype
    arrays = [random_array(rng, shape, dtype) for shape in (case.signal, case.kernel, case.output)]
    wide = [x.astype(WIDE.get(x.dtype.kind, float)) for x in arrays]
    sums, sizes = exact(case, *wide), [abs(x).max(initial=0) for x in exact(case, *map(abs, wide))]
    if not METHODS[method].is_local:  # the error of each product is spread over all places
        x, k, w = (abs(x).max(initial=0) for x in wide)
        sizes = np.maximum(sizes, [x * k, k * w, x * w])
    convolve = case.call(method)

    @jax.jit
    def call(signal, kernel, weight):
        if not jnp.issubdtype(dtype, np.inexact):
            return [convolve(signal, kernel)]
        out, pull = jax.vjp(convolve, signal, kernel)
        return out, *pull(weight)

    for number, got in enumerate(call(*arrays)):
        assert got.dtype == dtype
        want = sums[number] if jnp.issubdtype(dtype, np.inexact) else sums[number].astype(dtype)
        try:
            assert_close(got, want, sizes[number], slack=32)
        except AssertionError as error:
            error.add_note(
                f"{('value', 'gradient in lhs', 'gradient in rhs')[number]} by {method}: {case}"
            )
            raise


with short_blocks():
    PAIRS = [
        (method, dtype)
        for method in METHODS
        for dtype in DTYPES
        if draw(np.random.default_rng(0), method, dtype, tries=50)
    ]
DTYPES_OF = Counter(method for method, _ in PAIRS)


@pytest.mark.parametrize(("method", "dtype"), PAIRS)
def test_random_convolutions(method, dtype):
    rng = np.random.default_rng(1)
    for _ in range(-(-USUAL // DTYPES_OF[method])):
        check(draw(rng, method, dtype), method)


@pytest.mark.long
@pytest.mark.parametrize(("method", "dtype"), PAIRS)
def test_thousands_of_new_random_convolutions(method, dtype):
    print(f"FUZZ_SEED={LONG_SEED}")
    rng = np.random.default_rng(LONG_SEED)
    for number in range(-(-LONG // DTYPES_OF[method])):
        if number % 100 == 99:
            jax.clear_caches()  # thousands of programs are more than a process can map
        check(draw(rng, method, dtype), method, number)


@pytest.mark.parametrize("dtype", DTYPES)
def test_empty_outputs_of_random_convolutions(dtype):
    rng = np.random.default_rng(1)
    cases = [draw_any(rng, "direct", dtype) for _ in range(300)]
    empty = [case for case in cases if case.problem.products == 0 and lax_takes(case.problem)]
    for case, method in zip(empty, METHODS):
        check(case, method)


def lax_takes(problem):
    """Return whether lax takes a case: it refuses to crop more than there is."""
    lengths = [n + lo + hi for n, (lo, hi) in zip(problem.dilated, problem.padding)]
    return min(lengths) >= 0


FAILED = [  # by `direct`: XLA of JAX 0.10.2 reads beyond a float32 signal padded by lo < 0 < hi <= -lo
    Case((1, 3, 4, 4), (2, 3, 2, 2), (1, 1), ((0, 0), (-1, 1)), (1, 1), (1, 1)),
    Case((3, 3, 13), (2, 3, 3), (1,), ((-2, 1),), (1,), (1,)),
    Case((3, 3, 7), (2, 3, 3), (1,), ((-2, 1),), (1,), (1,), features_last=True),
    Case(
        (3, 3, 7), (1, 3, 1), (1,), ((-2, 1),), (1,), (1,), features_last=True
    ),  # gradient in the kernel
    Case((2, 6, 4, 13), (3, 2, 4, 4), (2, 1), ((0, 1), (-1, 1)), (1, 1), (1, 1), groups=3),
]


@pytest.mark.parametrize("case", FAILED)
def test_what_failed_once(case):
    check(case, "direct")


def test_a_row_kernel_on_shifted_rows_is_not_folded():
    case = Case((1, 1, 64, 2000), (1, 1, 1, 257), (1, 1), ((1, -1), (1, 1)), (1, 1), (1, 1))
    assert not takes("folded", case.problem)
    check(case, "fft")
