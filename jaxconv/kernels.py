"""Kernels with a name, and what they are used for."""

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.convolution import correlate


def sobel(axis: int = 0) -> jax.Array:
    """Return the 3x3 Sobel kernel: a central difference along one axis, smoothed across it.

    Correlate with it: it is positive where the image grows along the axis, and scaled so that a
    ramp of slope 1 gives 1.

    Args:
        axis: 0 for the rows' direction (downwards), 1 for the columns' (to the right).

    Shapes:
        -> (3, 3).

    Returns:
        The kernel.

    Raises:
        ValueError: if the axis is neither 0 nor 1.

    Source:
        I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing" (1968).

    Example:
        >>> (8 * sobel(0)).tolist()
        [[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]]
    """
    if axis not in (0, 1):
        raise checks.value_error("sobel", "axis", "be 0 or 1", axis)
    kernel = jnp.outer(jnp.array([-1.0, 0.0, 1.0]), jnp.array([1.0, 2.0, 1.0])) / 8
    return kernel if axis == 0 else kernel.T


def edges(image: jax.Array) -> jax.Array:
    """Return the strength of the edges in an image: the length of its Sobel gradient.

    Beyond the border the image is continued with its edge pixels, so that the border is no edge.

    Args:
        image: the image.

    Shapes:
        image (rows, columns) -> (rows, columns).

    Units:
        brightness a pixel.

    Returns:
        The gradient's length, 0 or greater.

    Raises:
        ValueError: if the image has not two axes.

    Gradient:
        In the image; 0 where the image is flat.

    Example:
        >>> edges(jnp.array([[0.0, 0.0, 1.0, 1.0]] * 3))[1].tolist()
        [0.0, 0.5, 0.5, 0.0]
    """
    image = checks.array("edges", "image", image)
    if image.ndim != 2:
        raise checks.value_error("edges", "image", "have 2 axes", f"shape {image.shape}")
    wide = jnp.pad(image, 1, mode="edge")
    down, right = (correlate(wide, sobel(axis), "valid") for axis in (0, 1))
    power = down**2 + right**2
    flat = power == 0
    return jnp.where(flat, 0.0, jnp.sqrt(jnp.where(flat, 1.0, power)))
