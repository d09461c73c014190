"""Varying: a blur whose kernel changes over the image, as a sum of a few convolutions.

Two models are in use, and they are not the same. "of the image": each place of the image has its kernel,
`y = sum of w_i (h_i * x)`, as where a lens blurs the corners. "of the scene": each place of the scene
spreads by its own, `y = sum of h_i * (w_i x)`, as where each star has its own spot.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.deconvolution.blur import Blur, Edges, blur
from jaxconv.deconvolution.linear_map import LinearMap
from jaxconv.floats import floating

Weighted = Literal["image", "scene"]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["each", "weights"],
    meta_fields=["image_shape", "scene_shape", "weighted"],
)
@dataclass(frozen=True)
class VaryingBlur(LinearMap):
    """A blur whose kernel varies; see `varying_blur`."""

    each: Blur  # with a kernel for each weight, along the first axis of its leaves
    weights: jax.Array
    image_shape: tuple[int, ...]
    scene_shape: tuple[int, ...]
    weighted: Weighted

    @property
    def kernel(self) -> jax.Array:
        """The mean kernel."""
        shares = self.weights.reshape(len(self.weights), -1).mean(1)
        return jnp.tensordot(shares, self.each.kernel, 1)

    @property
    def dtype(self) -> Any:
        """Of scenes and images."""
        return self.weights.dtype

    def __call__(self, scene: Any) -> jax.Array:
        """Return the image of a scene."""
        scene = self.taken("scene", scene)
        if self.weighted == "image":
            return (self.weights * jax.vmap(Blur.__call__, (0, None))(self.each, scene)).sum(0)
        return jax.vmap(Blur.__call__)(self.each, self.weights * scene[None]).sum(0)

    def adjoint(self, image: Any) -> jax.Array:
        """Return what the adjoint makes of an image: a scene."""
        image = self.taken("image", image)
        weights = self.weights.conj()
        if self.weighted == "image":
            return jax.vmap(Blur.adjoint)(self.each, weights * image[None]).sum(0)
        return (weights * jax.vmap(Blur.adjoint, (0, None))(self.each, image)).sum(0)

    def cropped(self, scene: jax.Array) -> jax.Array:
        """Return the part of a scene that lies within the image."""
        return self.each.cropped(scene)


def varying_blur(
    kernels: Any, weights: Any, weighted: Weighted, boundary: Edges = "unknown"
) -> VaryingBlur:
    """Make a linear map of several kernels and the weight of each at each place.

    Args:
        kernels: the kernels, one after another along the first axis.
        weights: of each kernel, at each place of what they weight; mostly they add up to 1.
        weighted: "image": `y = sum of w_i (h_i * x)`, each place of the image has its kernel; "scene":
            `y = sum of h_i * (w_i x)`, each place of the scene spreads by its own.
        boundary: as for `blur`. With "unknown", weights of the scene cover the scene, which is larger.

    Shapes:
        kernels (k, m1, ..., md), weights (k, n1, ..., nd).

    Returns:
        A `VaryingBlur`, a pytree, which the functions here take in place of a kernel.

    Raises:
        ValueError: if the numbers of kernels and of weights differ, the weights do not fit, or a word is
            not one of its allowed values.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In scenes, images, the kernels and the weights.

    Source:
        J. G. Nagy and D. P. O'Leary, SIAM Journal on Scientific Computing 19 (1998) for "image"; L.
        Denis and others, International Journal of Computer Vision 115 (2015), who compare both.

    Example:
        >>> left = jnp.linspace(1.0, 0.0, 4)
        >>> lens = varying_blur([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]], [left, 1 - left], "image", "edge")
        >>> lens(jnp.array([0.0, 0.0, 3.0, 0.0])).round(2).tolist()
        [0.0, 0.5, 1.0, 1.5]
    """
    function = "varying_blur"
    kernels, weights = (
        checks.array(function, "kernels", kernels),
        checks.array(function, "weights", weights),
    )
    checks.one_of(function, "weighted", weighted, ("image", "scene"))
    if kernels.ndim < 2 or weights.ndim != kernels.ndim or len(weights) != len(kernels):
        rule = f"have the axes of the kernels {kernels.shape}, one weight a kernel"
        raise checks.value_error(function, "weights", rule, weights.shape)
    dtype = floating(kernels.dtype, weights.dtype)
    shape = weights.shape[1:]
    if weighted == "scene" and boundary == "unknown":
        shape = tuple(n - m + 1 for n, m in zip(shape, kernels.shape[1:]))
        if min(shape) < 1:
            rule = "be larger than the kernels, where the scene reaches beyond the image"
            raise checks.value_error(function, "weights", rule, weights.shape)
    each = jax.vmap(lambda kernel: blur(kernel, shape, boundary, dtype=dtype))(kernels.astype(dtype))
    return VaryingBlur(each, weights.astype(dtype), each.image_shape, each.scene_shape, weighted)
