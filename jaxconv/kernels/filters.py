"""Filters that apply these kernels: Gaussian smoothing, and the strength of edges."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv import checks
from jaxconv.convolution import correlate
from jaxconv.convolution.boundaries import canonical
from jaxconv.convolution.call import Call, fill_of
from jaxconv.convolution.conventions import CONVOLVE
from jaxconv.convolution.separable import in_turn, line_calls
from jaxconv.engine.planning import Plan
from jaxconv.floats import floating, magnitude
from jaxconv.kernels.differences import sobel
from jaxconv.kernels.smoothing import gaussian
from jaxconv.types import Axes, Boundary, Method


def gaussian_filter(
    signal: Any,
    sigma: Any,
    order: int | Sequence[int] = 0,
    *,
    boundary: Boundary | str | Sequence[str] = "symmetric",
    fillvalue: Any = 0,
    truncate: float = 4.0,
    radius: int | Sequence[int] | None = None,
    axes: Axes = None,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> jax.Array:
    """Smooth with a Gaussian, or with one of its derivatives.

    `scipy.ndimage.gaussian_filter`, whose mode "reflect" is "symmetric" here.

    Args:
        signal: the signal.
        sigma: the standard deviation, for all axes or one per axis; 0 leaves an axis unchanged.
        order: order of the derivative, for all axes or one per axis; 0 only smooths.
        boundary: as for `convolve`.
        fillvalue: as for `convolve`.
        truncate: the kernel ends at this many standard deviations.
        radius: or it ends at this many samples on either side; required if sigma is traced.
        axes: the axes to filter along; by default all.
        method: as for `convolve`, for each pass.
        precision: as for `convolve`.
        max_bytes: as for `convolve`.
        local: as for `convolve`.

    Shapes:
        signal (n1, ..., nd) -> (n1, ..., nd).

    Units:
        sigma in samples; the result in the unit of the signal per sample to the power of the order.

    Returns:
        The smoothed signal, in floats.

    Raises:
        ValueError: if sigma is negative, or traced without a radius, or if an option is not one of its
            allowed values.
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In the signal and in sigma.

    Source:
        `scipy.ndimage.gaussian_filter`.

    Example:
        >>> [f"{y:.3f}" for y in gaussian_filter([0.0, 0, 1, 0, 0], 0.5)]
        ['0.000', '0.106', '0.787', '0.106', '0.000']
    """
    function = "gaussian_filter"
    signal = checks.array(function, "signal", signal)
    chosen = checks.axes(function, axes, signal.ndim)
    sigmas = tuple(sigma) if np.ndim(sigma) == 1 else (sigma,) * len(chosen)
    if len(sigmas) != len(chosen):
        rule = f"be one number, or {len(chosen)} of them, one per axis"
        raise checks.value_error(function, "sigma", rule, f"{len(sigmas)} of them")
    orders = checks.per_axis(function, "order", order, len(chosen), 0)
    radii = (None,) * len(chosen)
    if radius is not None:
        radii = checks.per_axis(function, "radius", radius, len(chosen), 0)
    names = canonical(function, boundary, len(chosen))
    how = {"method": method, "precision": precision, "max_bytes": max_bytes, "local": local}
    kept = [i for i, s in enumerate(sigmas) if checks.is_traced(s) or s != 0]
    pairs = [chosen[i] for i in kept], [names[i] for i in kept]
    calls = line_calls(CONVOLVE.called(function), *pairs, mode="same", **how)
    kernels = [gaussian(sigmas[i], orders[i], truncate=truncate, radius=radii[i]) for i in kept]
    fill = fill_of(function, fillvalue)
    return _smoothed(calls, signal, kernels, [fill] * len(kept))


@partial(jax.jit, static_argnums=0)
def _smoothed(
    calls: tuple[Call, ...], signal: jax.Array, kernels: list[jax.Array], fills: list[Any]
) -> jax.Array:
    dtype = floating(signal.dtype)
    return in_turn(calls, signal.astype(dtype), [kernel.astype(dtype) for kernel in kernels], fills)


def edges(image: jax.Array) -> jax.Array:
    """Return the strength of the edges in an image: the length of its Sobel gradient.

    The image is extended with its border pixels, so that the border does not count as an edge.

    Args:
        image: the image.

    Shapes:
        image (rows, columns) -> (rows, columns).

    Units:
        brightness per pixel.

    Returns:
        The gradient's length, 0 or greater.

    Raises:
        ValueError: if the image does not have two axes.

    Gradient:
        In the image; 0 where the image is flat.

    Example:
        >>> edges(jnp.array([[0.0, 0.0, 1.0, 1.0]] * 3))[1].tolist()
        [0.0, 0.5, 0.5, 0.0]
    """
    image = checks.array("edges", "image", image)
    if image.ndim != 2:
        raise checks.value_error("edges", "image", "have 2 axes", f"shape {image.shape}")
    down, right = (correlate(image, sobel(axis), "same", boundary="edge") for axis in (0, 1))
    unit = magnitude(jnp.stack([down, right])).reshape(())  # so that no square overflows or vanishes
    power = (down / unit) ** 2 + (right / unit) ** 2
    flat = power == 0
    return unit * jnp.where(flat, 0.0, jnp.sqrt(jnp.where(flat, 1.0, power)))
