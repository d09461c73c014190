"""Linear map: what blurs have in common, by the names that solvers of other libraries look for."""

import math
from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp


class LinearMap(ABC):
    """A linear map of scenes to images: called, it blurs. Its adjoint is `.adjoint(image)`."""

    scene_shape: tuple[int, ...]
    image_shape: tuple[int, ...]

    @abstractmethod
    def __call__(self, scene: Any) -> jax.Array:
        """Return the image of a scene."""

    @abstractmethod
    def adjoint(self, image: Any) -> jax.Array:
        """Return what the adjoint makes of an image: `<map(x), y> = <x, adjoint(y)>`."""

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
