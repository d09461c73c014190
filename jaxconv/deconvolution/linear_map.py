"""Linear map: what blurs have in common, by the names that solvers of other libraries look for."""

import math
from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.floats import floating


class LinearMap(ABC):
    """A linear map of scenes to images: called, it blurs. Its adjoint is `.adjoint(image)`."""

    scene_shape: tuple[int, ...]
    image_shape: tuple[int, ...]

    @abstractmethod
    def __call__(self, scene: Any) -> jax.Array:
        """Return the image of a scene."""

    @abstractmethod
    def adjoint(self, image: Any) -> jax.Array:
        """Return the scene for which `<map(x), image> = <x, scene>` whatever x is."""

    @abstractmethod
    def cropped(self, scene: jax.Array) -> jax.Array:
        """Return the part of a scene that lies within the image."""

    @property
    @abstractmethod
    def kernel(self) -> jax.Array:
        """The kernel, or the mean of several."""

    @property
    @abstractmethod
    def dtype(self) -> Any:
        """Of scenes and images."""

    def taken(self, name: str, array: Any) -> jax.Array:
        """Return a scene or an image in the map's type, or raise."""
        function = type(self).__name__
        array = checks.array(function, name, array)
        if jnp.promote_types(floating(array.dtype), self.dtype) != self.dtype:
            remedy = f"Make the map with dtype={array.dtype.name!r}, or cast."
            raise checks.type_error(function, name, f"be of {self.dtype}", array.dtype, remedy)
        shape = self.scene_shape if name == "scene" else self.image_shape
        if array.shape != shape:
            remedy = "`jax.vmap` takes several." if array.ndim > len(shape) else ""
            raise checks.value_error(function, name, f"be of shape {shape}", array.shape, remedy)
        return array.astype(self.dtype)

    @property
    def shape(self) -> tuple[int, int]:
        """As of a matrix: samples of an image, samples of a scene."""
        return math.prod(self.image_shape), math.prod(self.scene_shape)

    def matvec(self, x: Any) -> jax.Array:
        """Return the image of a flat scene, flat."""
        return self(jnp.reshape(x, self.scene_shape)).ravel()

    def rmatvec(self, y: Any) -> jax.Array:
        """Return the adjoint of a flat image, flat."""
        return self.adjoint(jnp.reshape(y, self.image_shape)).ravel()
