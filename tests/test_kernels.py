"""Kernels with a name are their formulas; separable ones are convolved with in passes."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import skimage.filters
from jax.test_util import check_grads

import jaxconv
from jaxconv import kernels
from jaxconv.kernels.factors import outer_product
from tests.helpers import MODES, operands

MODES_OF_NDIMAGE = {
    "symmetric": "reflect",
    "reflect": "mirror",
    "edge": "nearest",
    "wrap": "wrap",
    "fill": "constant",
}


def impulse(rank, size=9):
    x = np.zeros((size,) * rank)
    x[(size // 2,) * rank] = 1
    return x


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("name", ["sobel", "prewitt"])
def test_differences_are_ndimages(name, rank):
    weight = {"sobel": 2 * 4 ** (rank - 1), "prewitt": 2 * 3 ** (rank - 1)}[name]  # theirs is not scaled
    for axis in range(rank):
        want = getattr(scipy.ndimage, name)(impulse(rank), axis) / weight
        kernel = getattr(kernels, name)(axis, rank)
        np.testing.assert_allclose(jaxconv.correlate(impulse(rank), kernel, "same"), want, atol=1e-12)


@pytest.mark.parametrize("name", ["sobel", "scharr", "prewitt"])
def test_differences_are_scikit_images_and_give_a_slope(name):
    ramp = np.add.outer(2.0 * np.arange(9), -3.0 * np.arange(8))
    for axis, slope in enumerate((2, -3)):
        kernel = getattr(kernels, name)(axis)
        np.testing.assert_allclose(jaxconv.correlate(ramp, kernel, "valid"), slope, atol=1e-12)
        want = getattr(skimage.filters, name)(impulse(2), axis=axis)
        got = jaxconv.correlate(impulse(2), kernel, "same") * 2  # theirs has the difference over one
        np.testing.assert_allclose(np.abs(got), np.abs(want), atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_laplacians_are_ndimages(rank):
    x = np.random.default_rng(0).standard_normal((12,) * rank)
    got = jaxconv.convolve(x, kernels.laplacian(rank), "same", boundary="symmetric")
    np.testing.assert_allclose(got, scipy.ndimage.laplace(x), atol=1e-12)
    blobs = kernels.laplacian_of_gaussian(1.2, rank)
    got = jaxconv.convolve(x, blobs, "same", boundary="symmetric")
    np.testing.assert_allclose(got, scipy.ndimage.gaussian_laplace(x, 1.2), atol=1e-12)


def test_box_is_a_mean(rng):
    (x,) = operands(rng, [(12, 9)])
    got = jaxconv.convolve(x, kernels.box((3, 5)), "same", boundary="reflect")
    np.testing.assert_allclose(got, scipy.ndimage.uniform_filter(x, (3, 5), mode="mirror"), atol=1e-12)


@pytest.mark.parametrize(("angle", "phase"), [(0.0, 0.0), (0.7, 0.3)])
def test_gabor_is_scikit_images(angle, phase):
    got = kernels.gabor(0.2, angle, sigma=2.0, aspect=0.5, phase=phase, radius=12)
    want = skimage.filters.gabor_kernel(0.2, angle, sigma_x=2, sigma_y=4, offset=phase, n_stds=12)
    middle = [n // 2 for n in want.shape]
    want = want[middle[0] - 12 : middle[0] + 13, middle[1] - 12 : middle[1] + 13]
    np.testing.assert_allclose(got / got[12, 12], want / want[12, 12], atol=1e-12)
    assert abs(jnp.abs(got).sum() - 1) < 1e-12


@pytest.mark.parametrize("order", range(5))
def test_gaussians_are_derivatives_of_each_other(order):
    kernel = kernels.gaussian(2.0, order, radius=10)
    bell = lambda x: jnp.exp(-0.5 * (x / 2) ** 2)  # noqa: E731
    slope = bell
    for _ in range(order):
        slope = jax.grad(slope)
    x = jnp.arange(-10.0, 11.0)
    np.testing.assert_allclose(kernel, jax.vmap(slope)(x) / bell(x).sum(), atol=1e-12)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("boundary", MODES_OF_NDIMAGE)
def test_gaussian_filter_is_ndimages(rng, boundary, bits):
    x = rng.standard_normal((20, 17))
    mode, value = MODES_OF_NDIMAGE[boundary], 0.7 if boundary == "fill" else 0
    with jax.enable_x64(bits == 64):
        cases = [(1.3, 0), ((1.3, 2.1), (0, 1)), ((2, 0), 2), (1.5, 3)]
        for sigma, order in cases if bits == 64 else cases[1:2]:
            want = scipy.ndimage.gaussian_filter(x, sigma, order, mode=mode, cval=value)
            got = jaxconv.gaussian_filter(x, sigma, order, boundary=boundary, fillvalue=value)
            np.testing.assert_allclose(got, want, atol=1e-6 if bits == 32 else 1e-12)
        want = scipy.ndimage.gaussian_filter(x, 2, mode="mirror", radius=3, axes=(1,))
        got = jaxconv.gaussian_filter(x, 2, boundary="reflect", radius=3, axes=1)
        np.testing.assert_allclose(got, want, atol=1e-6)


def test_gaussian_filter_is_differentiable_in_sigma(rng):
    x = jnp.asarray(rng.standard_normal((4, 5)))

    @jax.jit
    def loss(x, sigma):
        return (jaxconv.gaussian_filter(x, sigma, radius=3) ** 2).sum()

    check_grads(loss, (x, jnp.array(1.3)), 2)
    assert math.isfinite(jax.jit(jax.grad(loss, 1))(x, 1.3))


@pytest.mark.parametrize("shape", [(5,), (4, 5), (5, 3), (3, 4, 5), (2, 3, 2, 4)])
@pytest.mark.parametrize("dtype", ["float64", "complex128", "float32"])
def test_factors_multiply_to_the_kernel(rng, shape, dtype):
    (kernel,) = operands(rng, [shape], dtype)
    found = kernels.factor(kernel, 1e-12 if dtype != "float32" else 1e-6)
    whole = sum(np.asarray(outer_product(term)) for term in found.terms)
    np.testing.assert_allclose(whole, kernel, atol=1e-5 if dtype == "float32" else 1e-12)
    assert found.error < 1e-6


def test_the_error_of_fewer_terms_is_stated(rng):
    (kernel,) = operands(rng, [(6, 5)])
    singular = np.linalg.svd(kernel, compute_uv=False)
    for terms in range(1, 6):
        found = kernels.factor(kernel, terms=terms)
        want = np.sqrt((singular[terms:] ** 2).sum() / (singular**2).sum())
        assert len(found.terms) == terms
        assert abs(found.error - want) < 1e-12
    assert len(kernels.factor(kernel, tolerance=0.5).terms) < 5
    assert len(kernels.factor(np.outer([1, 2, 1], [1, 0, -1])).terms) == 1
    assert kernels.factor(np.zeros((3, 3))).error == 0


@pytest.mark.parametrize("mode", MODES)
def test_passes_give_what_the_whole_kernel_gives(rng, mode):
    signal, kernel = operands(rng, [(9, 8, 7), (4, 3, 2)])
    found = kernels.factor(kernel)
    ways = [{}] if mode == "valid" else [
        {},
        {"fillvalue": 2.0},
        {"boundary": ("fill", "wrap", "reflect"), "fillvalue": 2.0},
        {"boundary": "edge"},
    ]  # fmt: skip
    for way in ways:
        want = jaxconv.convolve(signal, kernel, mode, **way)
        got = jaxconv.convolve_separable(signal, found, mode, **way)
        np.testing.assert_allclose(got, want, atol=1e-10)


def test_passes_along_some_axes_and_their_gradients(rng):
    signal, row, column = (jnp.asarray(x) for x in operands(rng, [(3, 8, 7), (4,), (3,)]))

    def passes(signal, row, column):
        return jaxconv.convolve_separable(signal, [row, column], "same", axes=(1, 2))

    want = jaxconv.convolve(signal, jnp.outer(row, column)[None], "same", axes=(1, 2))
    np.testing.assert_allclose(passes(signal, row, column), want, atol=1e-10)
    check_grads(passes, (signal, row, column), 1)


@pytest.mark.parametrize(
    ("sigma", "order"), [(60, 4), (100, 4), (60, 5), (30, 6), (323, 3), (0.3, 4), (1000, 0)]
)
def test_gaussians_of_any_order_and_width_are_scipys(single, rng, sigma, order):
    signal = rng.standard_normal(4000)
    want = scipy.ndimage.gaussian_filter(signal, sigma, order)
    got = jaxconv.gaussian_filter(signal.astype(np.float32), sigma, order)
    np.testing.assert_allclose(got, want, atol=3e-6 * np.abs(want).max())


def test_sigma_may_be_an_array_and_may_be_nothing():
    image = np.eye(5)
    want = scipy.ndimage.gaussian_filter(image, [1.0, 0.0])
    np.testing.assert_allclose(jaxconv.gaussian_filter(image, np.array([1.0, 0.0])), want, atol=1e-12)
    np.testing.assert_array_equal(jaxconv.gaussian_filter(image, np.float32(0)), image)
    smooth = jax.jit(lambda sigma: jaxconv.gaussian_filter(image, sigma, radius=2))
    np.testing.assert_array_equal(smooth(0.0), image)
    assert jnp.isfinite(jax.grad(lambda s: (smooth(s) ** 2).sum())(0.0))


@pytest.mark.parametrize("fillvalue", [1, 2.5, 1e8, np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "bool"])
def test_separable_kernels_fill_as_the_whole_kernel_does(single, rng, dtype, fillvalue):
    signal = rng.integers(0, 2 if dtype == "bool" else 100, (6, 7)).astype(dtype)
    for factors in ([[0.1, 0.5, 0.3], [0.2, 0.2]], [np.float32([1, 2, 1]), np.ones(3, np.float32)]):
        whole = np.multiply.outer(*map(np.asarray, factors))
        for mode in ("full", "same", "valid"):
            got = jaxconv.convolve_separable(signal, factors, mode, fillvalue=fillvalue)
            want = jaxconv.convolve(signal, whole, mode, fillvalue=fillvalue)
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_a_separable_fill_may_be_of_another_type(single):
    ones, image = jnp.ones(3, jnp.float32), jnp.ones((3, 3), jnp.float32)
    with jax.numpy_dtype_promotion("strict"):
        got = jaxconv.convolve_separable(image, [ones, ones], "same", fillvalue=jnp.int32(2))
    np.testing.assert_array_equal(got, [[14, 12, 14], [12, 9, 12], [14, 12, 14]])
