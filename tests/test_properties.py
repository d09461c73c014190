"""What holds for every convolution, whatever the shapes: Hypothesis looks for one where it does not.

`make long` looks at ten thousand cases, the usual run at a few hundred.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jaxconv import convolve, correlate, reference
from jaxconv.types import BOUNDARIES
from tests.helpers import MODES, OF_CONVOLVE, fits, random_array

pytestmark = pytest.mark.usefixtures("lenient")

USUAL, LONG = 18, 850  # cases of each law: 216 and 10,200 in all
LONGEST = {1: 7, 2: 4, 3: 2}  # sides, by the number of axes: few enough that shapes recur


@dataclass(frozen=True)
class Case:
    """Operands of one rank, and how to convolve them."""

    seed: int
    shapes: tuple[tuple[int, ...], ...]  # of three operands
    axes: tuple[int, ...]  # along which; the others broadcast
    dtype: str
    mode: str
    method: str
    boundary: str

    def arrays(self) -> list[np.ndarray]:
        """Return the operands."""
        rng = np.random.default_rng(self.seed)
        return [random_array(rng, shape, self.dtype) for shape in self.shapes]

    @property
    def options(self) -> dict[str, Any]:
        """All options of the call."""
        beyond = {} if self.mode == "valid" else {"boundary": self.boundary}
        return {"mode": self.mode, "method": self.method, "axes": self.axes, **beyond}

    @property
    def whole(self) -> dict[str, Any]:
        """Options of a full convolution, zeros beyond the edges."""
        return {"method": self.method, "axes": self.axes}


@st.composite
def cases(draw):
    rank = draw(st.integers(1, 3))
    some = st.sets(st.integers(0, rank - 1), min_size=1)
    axes = tuple(sorted(draw(some))) if draw(st.booleans()) else tuple(range(rank))
    side = st.integers(1, LONGEST[rank])
    batch = [draw(st.integers(1, 2)) for _ in range(rank)]
    shapes = tuple(
        tuple(
            draw(side) if axis in axes else draw(st.sampled_from([1, batch[axis]]))
            for axis in range(rank)
        )
        for _ in range(3)
    )
    return Case(
        draw(st.integers(0, 99)),
        shapes,
        axes,
        draw(st.sampled_from(["float64", "complex128"])),
        draw(st.sampled_from(MODES)),
        draw(st.sampled_from(["auto", *OF_CONVOLVE])),
        draw(st.sampled_from(BOUNDARIES)),
    )


def fitting(case):
    sides = [tuple(shape[axis] for axis in case.axes) for shape in case.shapes[:2]]
    assume(fits(*sides, case.mode))


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)


def is_scipys(case):
    fitting(case)
    a, b, _ = case.arrays()
    got = convolve(a, b, **case.options)
    assert got.dtype == a.dtype
    full_only = case.boundary == "fill" or case.mode == "valid"
    if not full_only:  # extended by a kernel's length, and those outputs cut off again
        widths = [(b.shape[i], b.shape[i]) if i in case.axes else (0, 0) for i in range(a.ndim)]
        a = np.pad(a, widths, case.boundary)
    want = scipy.signal.oaconvolve(a, b, "valid" if case.mode == "valid" else "full", axes=case.axes)
    for axis in case.axes if case.mode != "valid" else ():
        m = b.shape[axis]
        start = (0 if full_only else m) + ((m - 1) // 2 if case.mode == "same" else 0)
        want = want.take(range(start, start + got.shape[axis]), axis)
    close(got, want)


def is_linear(case):
    fitting(case)
    a, b, _ = case.arrays()
    rng = np.random.default_rng(case.seed + 1)
    other, weight = random_array(rng, a.shape, case.dtype), random_array(rng, (), case.dtype)
    mixed = convolve(weight * a + other, b, **case.options)
    close(mixed, weight * convolve(a, b, **case.options) + convolve(other, b, **case.options))
    other = random_array(rng, b.shape, case.dtype)
    mixed = convolve(a, weight * b + other, **case.options)
    close(mixed, weight * convolve(a, b, **case.options) + convolve(a, other, **case.options))


def commutes(case):
    a, b, _ = case.arrays()
    close(convolve(a, b, **case.whole), convolve(b, a, **case.whole))


def is_associative(case):
    a, b, c = case.arrays()
    left = convolve(convolve(a, b, **case.whole), c, **case.whole)
    close(left, convolve(a, convolve(b, c, **case.whole), **case.whole))


def shifts_by_a_delta(case):
    """A delta anywhere shifts; at the centre it is the identity."""
    a, b, _ = case.arrays()
    window = [b.shape[i] if i in case.axes else 1 for i in range(a.ndim)]
    place = tuple(np.random.default_rng(case.seed).integers(window))
    delta = np.zeros(window)
    delta[place] = 1
    want = np.pad(a, [(i, m - 1 - i) for i, m in zip(place, window, strict=True)])
    close(convolve(a, delta, **case.whole), want)
    centred = np.zeros(window)
    centred[tuple((m - 1) // 2 for m in window)] = 1
    boundary = {"boundary": case.boundary}
    close(convolve(a, centred, "same", **case.whole, **boundary), a)


def is_shift_equivariant(case):
    """What wraps around may be turned before or after."""
    a, b, _ = case.arrays()
    wrapped = {**case.whole, "mode": "same", "boundary": "wrap"}
    turn = [1 + case.seed % 3] * len(case.axes)
    turned = convolve(np.roll(a, turn, case.axes), b, **wrapped)
    close(turned, np.roll(convolve(a, b, **wrapped), turn, case.axes))


def keeps_parsevals_sum(case):
    """The energy of the full convolution is that of the product of the spectra."""
    a, b, _ = case.arrays()
    out = convolve(a, b, **case.whole)
    size = [out.shape[axis] for axis in case.axes]
    spectra = (np.fft.fftn(x, size, case.axes) for x in (a, b))
    product = next(spectra) * next(spectra)
    close((np.abs(out) ** 2).sum(), (np.abs(product) ** 2).sum() / np.prod(size))


def sums_multiply(case):
    a, b, _ = case.arrays()
    sums = a.sum(case.axes, keepdims=True) * b.sum(case.axes, keepdims=True)
    close(convolve(a, b, **case.whole).sum(case.axes, keepdims=True), sums)


def correlates_as_it_convolves(case):
    fitting(case)
    a, b, _ = case.arrays()
    turned = np.conj(np.flip(b, case.axes))
    close(correlate(a, b, **case.options), convolve(a, turned, **case.options))


def correlates_most_with_itself(case):
    """At no lag, where it is the energy; and it is its own mirrored conjugate."""
    (a, *_) = case.arrays()
    auto = correlate(a, a, **case.whole)
    close(auto, np.conj(np.flip(auto, case.axes)))
    at_none = auto
    for axis in case.axes:
        at_none = at_none.take(np.array([a.shape[axis] - 1]), axis)
    close(at_none, (np.abs(a) ** 2).sum(case.axes, keepdims=True))
    assert (np.abs(auto) <= np.abs(at_none) + 1e-9).all()


def has_its_adjoint(case):
    """<A x, y> = <x, A* y>."""
    fitting(case)
    x, kernel, _ = case.arrays()
    slide = lambda x: convolve(x, jnp.asarray(kernel), **case.options)  # noqa: E731
    image = slide(x)
    y = random_array(np.random.default_rng(case.seed + 1), image.shape, case.dtype)
    (back,) = jax.linear_transpose(slide, jnp.asarray(x))(jnp.asarray(y))
    close((image * y).sum(), (x * back).sum())


def has_the_references_gradients(case):
    a, b, _ = (jnp.asarray(x) for x in case.arrays())
    assume(a.size * b.size <= 64 and fits(a.shape, b.shape, case.mode))

    def ours(a, b):
        return (jnp.abs(convolve(a, b, case.mode, case.method)) ** 2).sum()

    def definition(a, b):
        return (jnp.abs(reference.convolve(a, b, case.mode)) ** 2).sum()

    got, want = (jax.jit(jax.grad(loss, (0, 1)))(a, b) for loss in (ours, definition))
    for mine, by_definition in zip(got, want, strict=True):
        close(mine, by_definition)


LAWS = (
    is_scipys,
    is_linear,
    commutes,
    is_associative,
    shifts_by_a_delta,
    is_shift_equivariant,
    keeps_parsevals_sum,
    sums_multiply,
    correlates_as_it_convolves,
    correlates_most_with_itself,
    has_its_adjoint,
    has_the_references_gradients,
)


@pytest.mark.parametrize("examples", [USUAL, pytest.param(LONG, marks=pytest.mark.long)])
@pytest.mark.parametrize("law", LAWS)
def test_every_convolution(law, examples):
    seen = iter(range(examples))

    def checked(case):
        if next(seen, 0) % 200 == 199:
            jax.clear_caches()  # some ten thousand programs are more than a process can map
        law(case)

    with_cases = settings(
        max_examples=examples,
        deadline=None,  # each new shape is compiled
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    with_cases(given(cases())(checked))()


@pytest.mark.parametrize("method", OF_CONVOLVE)
def test_chunks_that_overlap_add_up_to_the_whole(rng, method):
    a, b = rng.standard_normal(100), rng.standard_normal(7)
    whole = np.zeros(106)
    for start in range(0, 100, 13):
        chunk = a[start : start + 13]
        whole[start : start + chunk.size + 6] += convolve(chunk, b, method=method)
    close(whole, convolve(a, b))
