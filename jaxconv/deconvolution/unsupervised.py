"""Unsupervised: the balance of a Wiener filter, from the image itself."""

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.deconvolution.blur import Edges, blur
from jaxconv.deconvolution.observed import (
    Observed,
    each_image,
    is_circular,
    observed,
    spectrum,
    transfer,
)
from jaxconv.deconvolution.periodic import periodic_spectrum
from jaxconv.deconvolution.wiener import wiener
from jaxconv.kernels import laplacian


class Restored(NamedTuple):
    """A scene, and the balance at which it was found."""

    scene: jax.Array
    balance: jax.Array
    noise: jax.Array  # standard deviation of the noise


def unsupervised_wiener(
    key: jax.Array,
    image: Any,
    kernel: Any,
    *,
    boundary: Edges | None = None,
    mask: Any = None,
    burn_in: int = 15,
    draws: int = 100,
) -> Restored:
    """Deconvolve an image by `wiener`, with the balance that the image makes most plausible.

    Scenes and the precisions of noise and of smoothness are drawn in turn, each given the others (Gibbs'
    sampling), in frequency, of the image's periodic part; the mean precisions, after the first draws,
    give the balance, and `wiener` does the rest with the boundary and the mask that are asked for.

    Args:
        key: of the random draws.
        image: one or several, real.
        kernel: how a point spreads; or a linear map that `blur` made.
        boundary: as for `wiener`.
        mask: as for `wiener`; missing samples count as the image's mean where the balance is sought.
        burn_in: how many first draws are left out; static.
        draws: how many are kept; static.

    Shapes:
        image (..., n1, ..., nd), kernel (m1, ..., md) -> scene as image, balance and noise (...).

    Units:
        noise as image.

    Returns:
        `Restored(scene, balance, noise)`.

    Raises:
        ValueError: if the kernel has more axes than the image, or the mask another shape.
        TypeError: if an operand is not an array of real numbers.

    Gradient:
        Of the scene, in the image and the kernel, the balance being given; the balance has none.

    Source:
        F. Orieux, J.-F. Giovannelli and T. Rodet, JOSA A 27 (2010); L. Moisan, Journal of Mathematical
        Imaging and Vision 39 (2011), for the periodic part;
        `skimage.restoration.unsupervised_wiener`, which averages the scenes that were drawn.

    Example:
        >>> image = jnp.sin(jnp.arange(400) / 9) + 0.1 * jax.random.normal(jax.random.key(1), 400)
        >>> restored = unsupervised_wiener(jax.random.key(0), image, jnp.ones(5) / 5)
        >>> f"{restored.noise:.2f}"
        '0.10'
    """
    function = "unsupervised_wiener"
    checks.positive(function, "draws", draws)
    seen = observed(function, image, kernel, boundary, mask)
    circular = blur(seen.linear.kernel, seen.linear.image_shape, "wrap", dtype=seen.image.dtype)
    extended = not is_circular(seen.linear, None)
    batch = seen.image.shape[: seen.image.ndim - len(circular.image_shape)]
    keys = jax.random.split(key, batch)
    balance, noise = jax.lax.stop_gradient(
        _precisions(keys, seen._replace(linear=circular), burn_in, draws, extended)
    )
    inner = partial(wiener, kernel=seen.linear, mask=mask)
    for _ in batch:
        inner = jax.vmap(inner)
    given = jnp.asarray(image).astype(seen.image.dtype)
    return Restored(inner(given, balance=balance), balance, noise * seen.scale.reshape(batch))


@partial(jax.jit, static_argnums=(2, 3, 4))
def _precisions(
    keys: jax.Array, seen: Observed, burn_in: int, draws: int, extended: bool
) -> tuple[jax.Array, jax.Array]:
    linear, dtype = seen.linear, seen.image.dtype
    shape = linear.image_shape
    size = math.prod(shape)
    smooth = blur(laplacian(len(shape)), shape, "wrap", dtype=dtype)
    response, rough = transfer(linear, shape, dtype), transfer(smooth, shape, dtype)
    half = shape[-1] // 2 + 1
    twice = jnp.where(  # the other half of the spectrum is the mirror of this one
        (jnp.arange(half) > 0) & (jnp.arange(half) < (shape[-1] + 1) // 2), 2.0, 1.0
    )

    def energy(x: jax.Array) -> jax.Array:
        return ((jnp.abs(x) ** 2).reshape(-1, half).sum(0) * twice).sum()

    def one(key: jax.Array, image: jax.Array, weights: jax.Array) -> tuple[jax.Array, jax.Array]:
        image = jnp.where(weights > 0, image, (image * weights).sum() / weights.sum())
        data = (periodic_spectrum if extended else spectrum)(image) / size**0.5

        def draw(carry: tuple[jax.Array, jax.Array], key: jax.Array) -> Any:
            noise, smoothness = carry
            keys = jax.random.split(key, 3)
            precision = noise * jnp.abs(response) ** 2 + smoothness * jnp.abs(rough) ** 2
            precision = jnp.maximum(precision, 1e-12)
            white = spectrum(jax.random.normal(keys[0], shape, dtype)) / size**0.5
            gain = (noise / precision).astype(data.dtype) * response.conj()
            scene = gain * data + white / jnp.sqrt(precision).astype(data.dtype)
            noise = (
                jax.random.gamma(keys[1], size / 2, dtype=dtype) * 2 / energy(data - scene * response)
            )
            smoothness = (
                jax.random.gamma(keys[2], (size - 1) / 2, dtype=dtype) * 2 / energy(scene * rough)
            )
            return (noise, smoothness), (noise, smoothness)

        start = (jnp.ones((), dtype), jnp.ones((), dtype))
        _, (noise, smoothness) = jax.lax.scan(draw, start, jax.random.split(key, burn_in + draws))
        noise, smoothness = noise[burn_in:].mean(), smoothness[burn_in:].mean()
        return smoothness / noise, noise**-0.5

    return each_image(seen, one)(keys, seen.image, seen.seen)
