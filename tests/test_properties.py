"""What holds for every convolution, whatever the shapes: Hypothesis looks for one where it does not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jaxconv import convolve, correlate
from tests.helpers import OF_CONVOLVE

pytestmark = pytest.mark.usefixtures("lenient")

shapes = st.integers(1, 3).flatmap(
    lambda rank: st.tuples(*[hnp.array_shapes(min_dims=rank, max_dims=rank, max_side=6)] * 3)
)
methods = st.sampled_from(["auto", *OF_CONVOLVE])
properties = settings(
    max_examples=25,
    deadline=None,  # each new shape is compiled
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def draws(seed, shapes):
    """Return complex arrays of these shapes."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s) + 1j * rng.standard_normal(s) for s in shapes]


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)


@properties
@given(shapes, methods, st.integers(0, 99))
def test_convolution_is_linear_in_both(shapes, method, seed):
    a, b, _ = draws(seed, shapes)
    other, weight = draws(seed + 1, [a.shape, ()])
    close(
        convolve(weight * a + other, b, method=method),
        weight * convolve(a, b, method=method) + convolve(other, b, method=method),
    )


@properties
@given(shapes, methods, st.integers(0, 99))
def test_convolution_commutes_and_associates(shapes, method, seed):
    a, b, c = draws(seed, shapes)
    ab = convolve(a, b, method=method)
    close(ab, convolve(b, a, method=method))
    close(convolve(ab, c, method=method), convolve(a, convolve(b, c, method=method), method=method))


@properties
@given(shapes, methods, st.data())
def test_a_delta_shifts(shapes, method, data):
    (a,) = draws(0, shapes[:1])
    place = tuple(data.draw(st.integers(0, n - 1)) for n in shapes[1])
    delta = np.zeros(shapes[1])
    delta[place] = 1
    want = np.pad(a, [(i, m - 1 - i) for i, m in zip(place, shapes[1], strict=True)])
    close(convolve(a, delta, method=method), want)


@properties
@given(shapes, methods, st.integers(0, 99))
def test_sums_multiply(shapes, method, seed):
    a, b, _ = draws(seed, shapes)
    close(convolve(a, b, method=method).sum(), a.sum() * b.sum())


@properties
@given(shapes, methods, st.integers(0, 99))
def test_correlation_of_a_signal_with_itself_peaks_at_no_shift(shapes, method, seed):
    (a,) = draws(seed, shapes[:1])
    auto = correlate(a, a, method=method)
    centre = tuple(n - 1 for n in a.shape)
    close(auto[centre], (np.abs(a) ** 2).sum())
    assert (np.abs(auto) <= np.abs(auto[centre]) + 1e-9).all()
    close(auto, np.conj(np.flip(auto)))


@properties
@given(shapes, methods, st.sampled_from(["full", "same"]), st.integers(0, 99))
def test_the_transpose_is_the_adjoint(shapes, method, mode, seed):
    """<A x, y> = <x, A* y>."""
    x, kernel, _ = draws(seed, shapes)
    slide = lambda x: convolve(x, jnp.asarray(kernel), mode, method)  # noqa: E731
    image = slide(x)
    (y,) = draws(seed + 1, [image.shape])
    (back,) = jax.linear_transpose(slide, jnp.asarray(x))(jnp.asarray(y))
    close((image * y).sum(), (x * back).sum())


@pytest.mark.parametrize("method", OF_CONVOLVE)
def test_chunks_that_overlap_add_up_to_the_whole(rng, method):
    a, b = rng.standard_normal(100), rng.standard_normal(7)
    whole = np.zeros(106)
    for start in range(0, 100, 13):
        chunk = a[start : start + 13]
        whole[start : start + chunk.size + 6] += convolve(chunk, b, method=method)
    close(whole, convolve(a, b))
