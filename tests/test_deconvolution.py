"""Deconvolution: adjoints, what scikit-image computes, and what is gained."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxconv.deconvolution import blur, varying_blur

BOUNDARIES = ("unknown", "fill", "edge", "reflect", "symmetric", "wrap")


def numbers(rng, shape, dtype="float64"):
    values = rng.standard_normal(shape)
    return jnp.asarray(values + 1j * rng.standard_normal(shape) if "complex" in dtype else values, dtype)


def assert_adjoint(rng, linear, dtype="float64"):
    """<map(x), y> = <x, adjoint(y)>, and the adjoint is JAX's transpose."""
    x, y = numbers(rng, linear.scene_shape, dtype), numbers(rng, linear.image_shape, dtype)
    image, scene = linear(x), linear.adjoint(y)
    assert (image.shape, scene.shape) == (y.shape, x.shape)
    np.testing.assert_allclose(jnp.vdot(y, image), jnp.vdot(scene, x), rtol=1e-4)
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
        linear = blur(numbers(rng, (3, 4), "complex64"), (9, 8), boundary)
        assert_adjoint(rng, linear, "complex64")


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
