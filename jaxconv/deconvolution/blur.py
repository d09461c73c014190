"""Blur: a convolution as a linear map of a scene to its image, with its adjoint, both planned once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.convolution import convolve, correlate
from jaxconv.convolution.boundaries import canonical, extend
from jaxconv.convolution.preparing import prepare
from jaxconv.deconvolution.linear_map import LinearMap
from jaxconv.engine.preparation import Prepared
from jaxconv.floats import floating

Edges = Literal["unknown", "fill", "edge", "reflect", "symmetric", "wrap"]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["forward", "backward"],
    meta_fields=["image_shape", "scene_shape", "boundary"],
)
@dataclass(frozen=True)
class Blur(LinearMap):
    """A convolution as a linear map; see `blur`."""

    forward: Prepared  # the kernel, prepared for scenes
    backward: Prepared  # the kernel, prepared for images
    image_shape: tuple[int, ...]
    scene_shape: tuple[int, ...]
    boundary: Edges

    @property
    def kernel(self) -> jax.Array:
        """The kernel."""
        return self.forward.operand

    @property
    def dtype(self) -> Any:
        """Of scenes and images."""
        return self.kernel.dtype

    @property
    def widths(self) -> list[tuple[int, int]]:
        """How many samples the kernel looks at before and behind the image, per axis."""
        return [(m // 2, (m - 1) // 2) for m in self.kernel.shape]

    def __call__(self, scene: Any) -> jax.Array:
        """Return the image of a scene."""
        scene = self.taken("scene", scene)
        if self.boundary in ("wrap", "fill"):
            return convolve(scene, self.forward, "same", boundary=self.boundary)
        return convolve(self._extended(scene), self.forward, "valid")

    def adjoint(self, image: Any) -> jax.Array:
        """Return what the adjoint makes of an image: a scene."""
        image = self.taken("image", image)
        if self.boundary in ("wrap", "fill"):
            even = [m % 2 - 1 for m in self.kernel.shape]  # the other of two middles
            return correlate(image, self.backward, "same", boundary=self.boundary, origin=even)
        spread = correlate(image, self.backward, "full")
        if self.boundary == "unknown":
            return spread
        scene = jax.ShapeDtypeStruct(self.scene_shape, spread.dtype)
        (folded,) = jax.linear_transpose(self._extended, scene)(spread)
        return folded

    def cropped(self, scene: jax.Array) -> jax.Array:
        """Return the part of a scene that lies within the image."""
        if self.boundary != "unknown":
            return scene
        return scene[tuple(slice(lo, lo + n) for (lo, _), n in zip(self.widths, self.image_shape))]

    def _extended(self, scene: Any) -> jax.Array:
        return scene if self.boundary == "unknown" else extend(scene, self.widths, self.boundary)


def blur(kernel: Any, shape: Sequence[int], boundary: Edges = "unknown", *, dtype: Any = None) -> Blur:
    """Make a linear map of a convolution: called with a scene it gives the image, and it has an adjoint.

    Args:
        kernel: the kernel.
        shape: the image's shape.
        boundary: what lies beyond the edges of the image: "unknown", more of the scene, which is then
            larger than the image by the kernel less one; or one of `convolve`'s: "fill" (zeros), "edge",
            "reflect", "symmetric", "wrap".
        dtype: of scenes and images; by default the kernel's, as floats.

    Shapes:
        kernel (m1, ..., md), shape (n1, ..., nd).

    Returns:
        A `Blur`, a pytree, with the kernel's spectrum computed once. It has the names by which other
        libraries know a linear operator: `shape`, `dtype`, `matvec`, `rmatvec` (SciPy, PyLops);
        `lineax.FunctionLinearOperator(blur, scene)` and `scico.linop.LinearOperator` take it as a
        function.

    Raises:
        ValueError: if the kernel and the image differ in their number of axes, or the boundary is none
            of these.
        TypeError: if the kernel is not an array of numbers, or complex and the type is not.

    Gradient:
        In scenes, images and the kernel.

    Source:
        definition.

    Example:
        >>> camera = blur(jnp.array([0.25, 0.5, 0.25]), (4,))
        >>> camera(jnp.arange(6.0)).tolist(), camera.adjoint(jnp.ones(4)).tolist()
        ([1.0, 2.0, 3.0, 4.0], [0.25, 0.75, 1.0, 1.0, 0.75, 0.25])
    """
    function = "blur"
    kernel = checks.array(function, "kernel", kernel)
    checks.not_empty(function, "kernel", kernel)
    if boundary != "unknown":
        (boundary,) = canonical(function, boundary, 1)
    if kernel.ndim != len(shape):
        raise checks.value_error(
            function, "kernel", f"have as many axes as the image ({len(shape)})", kernel.shape
        )
    image = tuple(int(n) for n in shape)
    unknown = boundary == "unknown"
    scene = tuple(n + (m - 1 if unknown else 0) for n, m in zip(image, kernel.shape))
    dtype = floating(kernel.dtype if dtype is None else jax.dtypes.canonicalize_dtype(dtype))
    if jnp.iscomplexobj(kernel) and not jnp.issubdtype(dtype, jnp.complexfloating):
        raise checks.type_error(function, "dtype", "be complex, as the kernel is", dtype)
    kernel = kernel.astype(dtype)
    if boundary in ("wrap", "fill"):
        call: dict[str, Any] = {"mode": "same", "boundary": boundary}
        even = [m % 2 - 1 for m in kernel.shape]
        forward = prepare(kernel, scene, convolve, dtype=dtype, **call)
        backward = prepare(kernel, image, correlate, dtype=dtype, origin=even, **call)
    else:
        longer = tuple(n + m - 1 for n, m in zip(image, kernel.shape))
        forward = prepare(kernel, longer, convolve, dtype=dtype, mode="valid")
        backward = prepare(kernel, image, correlate, dtype=dtype, mode="full")
    return Blur(forward, backward, image, scene, boundary)
