"""Observed: an image, the map that made it, and which samples were seen, all that a solver needs."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.deconvolution.blur import Blur, Edges, blur
from jaxconv.deconvolution.linear_map import LinearMap
from jaxconv.engine.mesh.transforms import fftn, ifftn, irfftn, rfftn
from jaxconv.floats import as_floats, greatest

Kernel = Any  # an array or a LinearMap


class Observed(NamedTuple):
    """Images, divided by their scale; batch axes come first."""

    image: jax.Array
    seen: jax.Array  # 1 where a sample counts, 0 where it is missing
    scale: jax.Array  # the brightest sample of each image
    linear: LinearMap


def observed(
    function: str, image: Any, kernel: Kernel, boundary: Edges | None, mask: Any, real: bool = True
) -> Observed:
    """Return the image, what made it and what was seen, or raise."""
    image = checks.array(function, "image", image)
    if isinstance(kernel, LinearMap):
        if boundary is not None:
            rule = "be left out where the kernel is a linear map, which has its own"
            raise checks.value_error(function, "boundary", rule, repr(boundary))
        linear = kernel
        (image,) = as_floats(image) if linear.dtype == image.dtype else (image.astype(linear.dtype),)
    else:
        image, kernel = as_floats(image, checks.array(function, "kernel", kernel))
        if not 0 < kernel.ndim <= image.ndim:
            rule = "have an axis at least, and no more than the image"
            raise checks.value_error(function, "kernel", rule, f"{kernel.shape}, image {image.shape}")
        shape = image.shape[image.ndim - kernel.ndim :]
        linear = blur(kernel, shape, boundary or "unknown", dtype=image.dtype)
    checks.not_empty(function, "image", image)
    rank = len(linear.image_shape)
    if image.shape[max(image.ndim - rank, 0) :] != linear.image_shape:
        rule = f"end in the shape {linear.image_shape} that the linear map was made for"
        raise checks.value_error(function, "image", rule, image.shape)
    if real and jnp.iscomplexobj(image):
        raise checks.type_error(function, "image", "be real, and the kernel too", image.dtype)
    seen = jnp.ones_like(image.real)
    if mask is not None:
        whole = jnp.shape(mask) == image.shape
        mask = checks.mask(function, "mask", mask, "image", image.shape if whole else linear.image_shape)
        seen = jnp.where(mask, 0, seen)
        image = jnp.where(mask, 0, image)
    scale = greatest(image, tuple(range(image.ndim - rank, image.ndim)))
    return Observed(image / scale, seen, scale, linear)


def is_circular(linear: LinearMap, mask: Any) -> bool:
    """Return whether a Fourier transform makes the map a product: one kernel that wraps around."""
    return isinstance(linear, Blur) and linear.boundary == "wrap" and mask is None


def each_image(seen: Observed, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of single images, scenes and numbers as one of batches of them."""
    for _ in range(seen.image.ndim - len(seen.linear.image_shape)):
        function = jax.vmap(function)
    return function


def transfer(linear: Callable[[Any], Any], shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """Return the Fourier transform of what a circular map makes of an impulse."""
    impulse = jnp.pad(jnp.ones([1] * len(shape), dtype), [(0, n - 1) for n in shape])
    return spectrum(linear(impulse))


def spectrum(x: jax.Array) -> jax.Array:
    """Return the Fourier transform over all axes, half of it where the other half is its mirror."""
    return fftn(x) if jnp.iscomplexobj(x) else rfftn(x)


def filtered(x: jax.Array, response: jax.Array) -> jax.Array:
    """Return an array, its Fourier transform multiplied by a response."""
    inverse = ifftn if jnp.iscomplexobj(x) else partial(irfftn, s=x.shape)
    transformed = spectrum(x)
    return inverse(transformed * response.astype(transformed.dtype))
