"""Deconvolution: adjoints, what scikit-image computes, what is gained, and the derivatives."""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import lineax
import numpy as np
import pylops
import pytest
import scipy.sparse.linalg as sparse
from skimage import data, restoration
from skimage.metrics import peak_signal_noise_ratio

import jaxconv
from jaxconv import deconvolution
from jaxconv.deconvolution import blur, richardson_lucy, total_variation, varying_blur, wiener
from tests.meshes import compared

BOUNDARIES = ("unknown", "fill", "edge", "reflect", "symmetric", "wrap")


def numbers(rng, shape, dtype=float):
    values = rng.standard_normal(shape)
    return jnp.asarray(values + 1j * rng.standard_normal(shape) if dtype is complex else values, dtype)


def assert_adjoint(rng, linear, dtype=float):
    """<map(x), y> = <x, adjoint(y)>, and the adjoint is JAX's transpose."""
    x, y = numbers(rng, linear.scene_shape, dtype), numbers(rng, linear.image_shape, dtype)
    image, scene = linear(x), linear.adjoint(y)
    assert (image.shape, scene.shape) == (y.shape, x.shape)
    np.testing.assert_allclose(jnp.vdot(y, image), jnp.vdot(scene, x), rtol=1e-4, atol=1e-4)
    (transposed,) = jax.linear_transpose(linear, x)(y.conj())
    np.testing.assert_allclose(scene, transposed.conj(), atol=1e-4)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(
    ("shape", "kernel"), [((20,), (4,)), ((9, 8), (3, 2)), ((5, 4, 6), (2, 3, 1)), ((3,), (7,))]
)
def test_blurs_have_their_adjoints(rng, boundary, shape, kernel):
    if boundary == "reflect" and shape == (3,):
        shape = (4,)
    assert_adjoint(rng, blur(numbers(rng, kernel), shape, boundary))


def test_complex_blurs_have_their_adjoints(rng):
    for boundary in ("unknown", "fill", "symmetric"):
        assert_adjoint(rng, blur(numbers(rng, (3, 4), complex), (9, 8), boundary), complex)


def test_a_prepared_planned_convolution_has_a_transpose(rng):
    x, y = numbers(rng, (128, 128)), numbers(rng, (128, 128))
    ready = jaxconv.prepare(numbers(rng, (3, 3)), x.shape, dtype=x.dtype, mode="same")
    line = partial(jaxconv.convolve, in2=ready, mode="same")
    (back,) = jax.linear_transpose(line, x)(y)
    np.testing.assert_allclose(back, jax.vjp(line, x)[1](y)[0], atol=1e-4)


@pytest.mark.parametrize("weighted", ["image", "scene"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_varying_blurs_are_their_sums(rng, weighted, boundary):
    kernels = numbers(rng, (2, 3, 4))
    shape = (11, 13) if weighted == "scene" and boundary == "unknown" else (9, 10)
    weights = numbers(rng, (2, *shape))
    linear = varying_blur(kernels, weights, weighted, boundary)
    assert linear.image_shape == (9, 10)
    assert_adjoint(rng, linear)
    scene = numbers(rng, linear.scene_shape)
    each = [blur(kernel, (9, 10), boundary) for kernel in kernels]
    if weighted == "image":
        want = sum(w * one(scene) for w, one in zip(weights, each))
    else:
        want = sum(one(w * scene) for w, one in zip(weights, each))
    np.testing.assert_allclose(linear(scene), want, atol=1e-4)


def test_other_libraries_solve_with_a_blur(rng):
    linear = blur(jnp.array([0.25, 1.0, 0.5]), (20,), "reflect")
    scene = numbers(rng, (20,))
    image = linear(scene)

    class OfSciPy(sparse.LinearOperator):
        def __init__(self):
            super().__init__(linear.dtype, linear.shape)

        def _matvec(self, x):
            return np.asarray(linear.matvec(x.astype(self.dtype)))

        def _rmatvec(self, y):
            return np.asarray(linear.rmatvec(y.astype(self.dtype)))

    by_scipy = sparse.lsqr(OfSciPy(), np.asarray(image), atol=1e-9, btol=1e-9)[0]
    np.testing.assert_allclose(by_scipy, scene, atol=1e-3)
    duck = pylops.JaxOperator(pylops.FunctionOperator(linear.matvec, linear.rmatvec, *linear.shape))
    np.testing.assert_allclose(duck._matvec(scene), image, rtol=1e-5)
    operator = lineax.FunctionLinearOperator(linear, jax.ShapeDtypeStruct((20,), scene.dtype))
    by_lineax = lineax.linear_solve(
        operator, image, lineax.Normal(lineax.CG(1e-9, 1e-9)), throw=False
    ).value
    np.testing.assert_allclose(by_lineax, scene, atol=1e-3)
    np.testing.assert_allclose(operator.T.mv(image), linear.adjoint(image), atol=1e-5)


def photograph(size=96):
    """Return a photograph from 0 to 1, what surrounds it, and a disc out of focus."""
    wide = data.camera()[60 : 60 + size + 8, 180 : 180 + size + 8] / 255
    y, x = np.mgrid[-4:5, -4:5]
    disc = np.clip(4.4 - np.hypot(x, y), 0, 1)
    return wide[4:-4, 4:-4], wide, disc / disc.sum()


def psnr(truth, scene):
    return peak_signal_noise_ratio(truth, np.clip(np.asarray(scene, truth.dtype), 0, 1), data_range=1)


@pytest.mark.parametrize("shape", [(48,), (24, 25), (10, 12, 11)])
def test_richardson_lucy_is_scikit_images(rng, single, shape):
    kernel = rng.random((5, 3, 5)[: len(shape)])
    kernel /= kernel.sum()
    image = rng.random(shape) + 0.1
    want = restoration.richardson_lucy(image, kernel, 10, clip=False)
    got = richardson_lucy(
        jnp.asarray(image, "float32"),
        jnp.asarray(kernel, "float32"),
        10,
        boundary="fill",
        normalized=False,
        initial=jnp.full(shape, 0.5, "float32"),
    )
    assert got.dtype == jnp.float32
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_wiener_is_scikit_images(rng, single):
    image, kernel = rng.random((24, 31)), rng.random((5, 3))
    want = restoration.wiener(image, kernel, 0.3, clip=False)
    got = wiener(image.astype("float32"), kernel.astype("float32"), 0.3, boundary="wrap")
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_counts_gain_more_than_scikit_images(rng, single):
    """20 iterations each on the same counts; the whole image is compared, border included."""
    truth, wide, kernel = photograph()
    image = rng.poisson(200 * jaxconv.convolve(wide, kernel, "valid")) / 200
    theirs = psnr(truth, restoration.richardson_lucy(image, kernel, 20, clip=False))
    image, kernel = image.astype("float32"), kernel.astype("float32")
    ours = psnr(truth, richardson_lucy(image, kernel, 20))
    smooth = psnr(truth, richardson_lucy(image, kernel, 20, total_variation=0.01))
    assert ours > psnr(truth, image) > theirs
    assert smooth > ours + 0.5


def test_gaussian_noise_gains_more_than_scikit_images(rng, single):
    truth, wide, kernel = photograph()
    image = np.asarray(jaxconv.convolve(wide, kernel, "valid")) + 0.01 * rng.standard_normal(truth.shape)
    theirs = max(
        psnr(truth, restoration.wiener(image, kernel, b, clip=False)) for b in (0.01, 0.03, 0.1)
    )
    image, kernel = image.astype("float32"), kernel.astype("float32")
    assert max(psnr(truth, wiener(image, kernel, b)) for b in (0.01, 0.03, 0.1)) > theirs + 0.5
    restored = deconvolution.unsupervised_wiener(jax.random.key(0), image, kernel)
    assert psnr(truth, restored.scene) > theirs
    flat = total_variation(image, kernel, 1e-3, num_iter=60)
    assert psnr(truth, flat) > theirs


SOLVERS = {
    "richardson_lucy": lambda image, kernel, **call: richardson_lucy(image, kernel, 5, **call),
    "total_variation": lambda image, kernel, **call: total_variation(
        image, kernel, 0.01, num_iter=5, **call
    ),
    "wiener": lambda image, kernel, **call: wiener(image, kernel, 0.1, num_iter=5, **call),
}


def scene_and_kernel(rng):
    return jnp.asarray(rng.random((2, 13, 14)), "float32"), jnp.asarray(rng.random((3, 4)), "float32")


@pytest.mark.parametrize("name", SOLVERS)
def test_what_is_masked_does_not_matter(rng, single, name):
    images, kernel = scene_and_kernel(rng)
    mask = jnp.asarray(rng.random((13, 14)) < 0.2)
    want = SOLVERS[name](images, kernel, mask=mask)
    for value in (1e6, jnp.nan, jnp.inf):
        got = SOLVERS[name](jnp.where(mask, value, images), kernel, mask=mask)
        np.testing.assert_allclose(got, want, rtol=1e-5)
    whole = SOLVERS[name](images, kernel, mask=jnp.zeros_like(images, bool))
    np.testing.assert_allclose(whole, SOLVERS[name](images, kernel), rtol=1e-4)
    assert np.abs(whole - want).max() > 1e-3


@pytest.mark.parametrize("name", SOLVERS)
def test_several_images_are_each_by_itself(rng, single, name):
    images, kernel = scene_and_kernel(rng)
    scale = jnp.array([1.0, 1e-6])[:, None, None]  # each has its own
    images = images * scale
    want = jnp.stack([SOLVERS[name](image, kernel) for image in images]) / scale
    close = partial(np.testing.assert_allclose, desired=want, rtol=2e-3, atol=1e-6)
    close(SOLVERS[name](images, kernel) / scale)
    close(jax.jit(SOLVERS[name])(images, kernel) / scale)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_map_stands_for_its_kernel(rng, single, name):
    images, kernel = scene_and_kernel(rng)
    linear = blur(kernel, (13, 14), "symmetric")
    want = SOLVERS[name](images, kernel, boundary="symmetric")
    np.testing.assert_allclose(SOLVERS[name](images, linear), want, rtol=1e-3, atol=1e-5)
    uniform = varying_blur(
        jnp.stack([kernel, kernel]), jnp.full((2, 13, 14), 0.5, "float32"), "image", "symmetric"
    )
    np.testing.assert_allclose(SOLVERS[name](images, uniform), want, rtol=1e-2, atol=1e-4)


def test_each_of_several_stops_by_itself(rng, single):
    images, kernel = scene_and_kernel(rng)
    images = images.at[1].set(1)  # at rest from the start, in the middle
    call = partial(richardson_lucy, num_iter=200, tolerance=3e-3)
    want = jnp.stack([call(image, kernel) for image in images])
    np.testing.assert_allclose(call(images, kernel), want, rtol=1e-4)
    np.testing.assert_allclose(jax.jit(call)(images, kernel), want, rtol=1e-4)
    long = call(images, kernel, tolerance=1e-9)
    assert np.abs(long[0] - want[0]).max() > 1e-2
    exact = [richardson_lucy(images[0], kernel, n) for n in range(1, 200)]
    change = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairwise(exact)]
    stopped = 2 + int(np.argmax(np.asarray(change) < 3e-3))
    errors = [np.abs(x - want[0]).max() for x in exact]
    assert abs(1 + int(np.argmin(errors)) - stopped) <= 3  # the rule counts the scene beyond the image


def unlikeliness(linear, scene, image, background=0.0):
    expected = linear(scene) + background
    return float((expected - image * jnp.log(expected)).sum())


def test_acceleration_saves_half_of_the_iterations(rng, single):
    scene = jnp.asarray(rng.random((40, 40)) ** 4, "float32")
    kernel = jnp.asarray(np.outer(np.hanning(9)[1:-1], np.hanning(9)[1:-1]), "float32")
    linear = blur(kernel / kernel.sum(), scene.shape, "symmetric")
    image = linear(scene)
    plain = unlikeliness(linear, richardson_lucy(image, linear, 60), image)
    assert unlikeliness(linear, richardson_lucy(image, linear, 20, acceleration=True), image) < plain


def test_iterations_grow_likelier_with_mask_and_background(rng, single):
    scene = jnp.asarray(10 * rng.random((20, 21)), "float32")
    linear = blur(jnp.asarray(rng.random((3, 4)), "float32"), scene.shape, "reflect")
    image = jnp.asarray(rng.poisson(linear(scene) + 30.0), "float32")
    costs = [
        unlikeliness(linear, richardson_lucy(image, linear, n, background=30.0), image, 30.0)
        for n in (1, 2, 4, 8, 16)
    ]
    assert costs == sorted(costs, reverse=True)
    known = richardson_lucy(linear(scene) + 30.0, linear, 500, background=30.0)
    varied = richardson_lucy(
        linear(scene)[None] + 30.0, linear, 500, background=jnp.full((20, 21), 30.0)
    )
    np.testing.assert_allclose(varied[0], known, rtol=1e-3, atol=1e-3)
    unknown = richardson_lucy(linear(scene) + 30.0, linear, 500)
    assert np.abs(known - scene).mean() < 0.5 * np.abs(unknown - scene).mean()


@pytest.mark.parametrize("shape", [(2, 2), (3, 9)])
def test_wiener_solves_its_equations(rng, shape):
    """Of "unknown" edges and a mask, by a dense matrix."""
    kernel, image = numbers(rng, (2, 3)), numbers(rng, (6, 7))
    mask = jnp.asarray(rng.random((6, 7)) < 0.1)
    own = numbers(rng, (2, 2))
    linear = blur(kernel, image.shape)
    smooth = blur(own, linear.scene_shape, "symmetric")
    identity = jnp.eye(linear.shape[1]).reshape(-1, *linear.scene_shape)
    dense, rough = (
        np.asarray(jax.vmap(f)(identity), float).reshape(len(identity), -1).T for f in (linear, smooth)
    )
    weights = 1.0 - np.asarray(mask, float).ravel()
    left = dense.T @ (weights[:, None] * dense) + 0.2 * rough.T @ rough
    scene = np.linalg.solve(left, dense.T @ (weights * np.asarray(image, float).ravel()))
    want = linear.cropped(scene.reshape(linear.scene_shape))
    got = wiener(image, kernel, 0.2, regularization=own, mask=mask, num_iter=400, tolerance=1e-7)
    np.testing.assert_allclose(got, want, atol=2e-3)


def test_wiener_takes_complex_images_and_spectra(rng, single):
    scene, kernel = numbers(rng, (16, 12), complex), numbers(rng, (3, 3), complex)
    image = jaxconv.convolve(scene, kernel, "same", boundary="wrap")
    plain = wiener(image, kernel, 1e-9, boundary="wrap")
    np.testing.assert_allclose(plain, scene, atol=1e-2)
    power = jnp.abs(jnp.fft.fftn(scene)) ** 2
    known = wiener(image, kernel, signal_spectrum=power, noise_spectrum=1e-6 * power, boundary="wrap")
    np.testing.assert_allclose(known, scene, atol=1e-2)
    solved = wiener(image, blur(kernel, image.shape, "symmetric"), 0.5)
    assert jnp.iscomplexobj(solved)


def test_the_noise_is_found_within_a_tenth(rng, single):
    _, wide, kernel = photograph()
    image = jaxconv.convolve(wide, kernel, "valid")
    noisy = np.stack([image + s * rng.standard_normal(image.shape) for s in (0.01, 0.04)])
    found = deconvolution.unsupervised_wiener(
        jax.random.key(1), noisy.astype("float32"), kernel.astype("float32")
    )
    np.testing.assert_allclose(found.noise, [0.01, 0.04], rtol=0.1)
    assert found.scene.shape == noisy.shape


def test_total_variation_reaches_its_minimum(rng):
    image, kernel = jnp.asarray(rng.random((12, 13))), jnp.asarray(rng.random((3, 3)))
    linear, weight = blur(kernel, image.shape, "edge"), 0.05

    def cost(scene):
        down, right = jnp.diff(scene, axis=0), jnp.diff(scene, axis=1)
        size = jnp.sqrt(
            jnp.pad(down, ((0, 1), (0, 0))) ** 2 + jnp.pad(right, ((0, 0), (0, 1))) ** 2 + 1e-6
        )
        return ((linear(scene) - image / image.max()) ** 2).sum() / 2 + weight * size.sum()

    scene = total_variation(image, linear, weight, num_iter=2000, tolerance=1e-5) / image.max()
    start = jnp.full_like(scene, image.mean() / image.max())
    assert jnp.linalg.norm(jax.grad(cost)(scene)) < 1e-3 * jnp.linalg.norm(jax.grad(cost)(start))


@pytest.mark.needs_x64
@pytest.mark.parametrize(
    "solve",
    [
        lambda x, k, w: total_variation(x, k, w, num_iter=3000, tolerance=1e-9),
        lambda x, k, w: richardson_lucy(
            jnp.exp(x), jnp.exp(k), 30000, tolerance=1e-11, total_variation=w, boundary="symmetric"
        ),
        lambda x, k, w: wiener(x, k, w, num_iter=1000, tolerance=1e-12),
    ],
    ids=["total_variation", "richardson_lucy", "wiener"],
)
def test_gradients_at_rest_are_the_numerical_ones(rng, solve):
    x, k, w = jnp.asarray(rng.random((5, 6))), jnp.asarray(rng.random((2, 3))), jnp.array(0.06)
    slope = numbers(rng, x.shape)

    @jax.jit
    def loss(*given):
        return (slope * solve(*given)).sum()

    grads = jax.jit(jax.grad(loss, (0, 1, 2)))(x, k, w)
    for number, (operand, grad) in enumerate(zip((x, k, w), grads)):
        away = numbers(rng, operand.shape)
        ends = []
        for step in (1e-5, -1e-5):
            given = [x, k, w]
            given[number] = operand + step * away
            ends.append(loss(*given))
        np.testing.assert_allclose((grad * away).sum(), (ends[0] - ends[1]) / 2e-5, rtol=2e-3)


def test_divided_batches_give_the_same(mesh, rng, single):
    images, kernel = rng.random((4, 16, 17)).astype("float32"), rng.random((3, 3)).astype("float32")
    for solve in SOLVERS.values():
        fn = partial(solve, boundary="symmetric")
        compared(mesh, fn, images, (("a", "b"),), kernel, tolerance=1e-4)


@pytest.mark.parametrize("boundary", ["unknown", "symmetric"])
@pytest.mark.parametrize("name", SOLVERS)
def test_divided_images_give_the_same(mesh, rng, single, name, boundary):
    """XLA computed some of this wrongly, or ended the process: transforms, and gathers transposed."""
    image, kernel = rng.random((32, 28)).astype("float32"), rng.random((5, 7)).astype("float32")
    fn = partial(SOLVERS[name], boundary=boundary)
    for spec in [("a", "b"), (("a", "b"), None), (None, "a")]:
        compared(mesh, fn, image, spec, kernel, tolerance=1e-4)


def test_errors():
    image, kernel = jnp.ones((4, 5)), jnp.ones((2, 2))
    linear = blur(kernel, (4, 5))
    cases = {
        "blur: `kernel` must have as many axes as the image": lambda: blur(kernel, (4,)),
        "blur: `boundary`": lambda: blur(kernel, (4, 5), "nearby"),
        "blur: `dtype` must be complex": lambda: blur(kernel * 1j, (4, 5), dtype=float),
        "Blur: `scene` must be of shape": lambda: linear(image),
        "Blur: `image` must be of shape": lambda: linear.adjoint(jnp.ones((2, 4, 5))),
        "Blur: `scene` must be of float": lambda: linear(jnp.ones((5, 6), complex)),
        "varying_blur: `weights` must have the axes": lambda: varying_blur(
            jnp.ones((2, 3)), jnp.ones((3, 9)), "image"
        ),
        "varying_blur: `weighted` must be one of": lambda: varying_blur(
            jnp.ones((2, 3)), jnp.ones((2, 9)), "both"
        ),
        "richardson_lucy: `kernel` must have an axis": lambda: richardson_lucy(
            image, jnp.ones((1, 2, 2))
        ),
        "richardson_lucy: `num_iter` must be": lambda: richardson_lucy(image, kernel, 0),
        "richardson_lucy: `total_variation` must be 0 or more": lambda: richardson_lucy(
            image, kernel, total_variation=-0.3
        ),
        "richardson_lucy: `initial` must have": lambda: richardson_lucy(
            image, kernel, initial=jnp.ones(3)
        ),
        "richardson_lucy: `background` must be": lambda: richardson_lucy(
            image, kernel, background=jnp.ones(3)
        ),
        "richardson_lucy: `image` must be real": lambda: richardson_lucy(image * 1j, kernel),
        "richardson_lucy: `mask` must": lambda: richardson_lucy(image, kernel, mask=jnp.ones(3, bool)),
        "richardson_lucy: `boundary` must be left out": lambda: richardson_lucy(
            image, linear, boundary="fill"
        ),
        "richardson_lucy: `image` must end in the shape": lambda: richardson_lucy(image.T, linear),
        "total_variation: `num_iter`": lambda: total_variation(image, kernel, 1.0, num_iter=0),
        "wiener: `balance` must be given": lambda: wiener(image, kernel),
        "wiener: `signal_spectrum` must be left out": lambda: wiener(
            image, kernel, signal_spectrum=1.0, noise_spectrum=1.0
        ),
        "unsupervised_wiener: `draws`": lambda: deconvolution.unsupervised_wiener(
            jax.random.key(0), image, kernel, draws=0
        ),
    }
    for message, call in cases.items():
        with pytest.raises((ValueError, TypeError), match=f"^{message}"):
            call()
