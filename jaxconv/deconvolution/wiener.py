"""Wiener: the scene of least squares, drawn to be smooth, by a filter or by conjugate gradients."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.sparse.linalg import cg

from jaxconv import checks
from jaxconv.deconvolution.blur import Edges, blur
from jaxconv.deconvolution.linear_map import LinearMap
from jaxconv.deconvolution.observed import (
    Observed,
    each_image,
    filtered,
    is_circular,
    observed,
    spectrum,
    transfer,
)
from jaxconv.engine.mesh.arrays import by_compiler
from jaxconv.kernels import laplacian


def wiener(
    image: Any,
    kernel: Any,
    balance: Any = None,
    *,
    regularization: Any = None,
    signal_spectrum: Any = None,
    noise_spectrum: Any = None,
    boundary: Edges | None = None,
    mask: Any = None,
    num_iter: int = 100,
    tolerance: float = 1e-4,
) -> jax.Array:
    """Deconvolve an image by least squares and a penalty, as Wiener, Hunt and Tikhonov did.

    The scene x of the least `sum of |blur(x) - image|^2 + balance * sum of |regularization(x)|^2`. Where
    the boundary is "wrap" it is a filter,
    `conj(H) / (|H|^2 + balance |R|^2)`, or `conj(H) / (|H|^2 + noise / signal)` of the spectra; else
    conjugate gradients find it, from that filter on.

    Args:
        image: one or several, real or complex.
        kernel: how a point spreads; or a linear map that `blur` or `varying_blur` made.
        balance: between explaining the image and being smooth; 0.001 to 1 times the noise's variance
            over the signal's are usual.
        regularization: a kernel whose response should be small; by default the Laplacian.
        signal_spectrum: in place of a balance: the scene's power at each frequency.
        noise_spectrum: the noise's.
        boundary: as for `blur`; by default "unknown": light comes from beyond the edges.
        mask: True where a sample is missing.
        num_iter: how many iterations of conjugate gradients at most; static.
        tolerance: they stop when the residual has become this many times the right hand side.

    Shapes:
        image (..., n1, ..., nd), kernel (m1, ..., md) -> as image; mask as image, or without its leading
        axes; spectra as `jnp.fft.rfftn` of a real image or `fftn` of a complex one, or single numbers.

    Units:
        The spectra are of any one unit, such as `abs(fftn(x))**2`.

    Returns:
        The scene within the image, in floats.

    Raises:
        ValueError: if the kernel has more axes than the image, the mask another shape; unless there is a
            balance or there are spectra; if there are spectra and a mask, or a boundary other than
            "wrap".
        TypeError: if an operand is not an array of numbers.

    Gradient:
        In the image, the kernel, the balance, the regularization and the spectra; implicit, in memory of
        one iteration.

    Source:
        B. R. Hunt, IEEE Transactions on Computers 22 (1973); F. Orieux, J.-F. Giovannelli and T. Rodet,
        JOSA A 27 (2010); `skimage.restoration.wiener`.

    Example:
        >>> image = jnp.array([0.0, 1.0, 3.0, 1.0, 0.0, 0.0])
        >>> abs(wiener(image, jnp.array([0.2, 0.6, 0.2]), 1e-6).round(1)).tolist()
        [0.0, 0.0, 5.0, 0.0, 0.0, 0.0]
    """
    function = "wiener"
    checks.positive(function, "num_iter", num_iter)
    seen = observed(function, image, kernel, boundary, mask, real=False)
    spectra = (signal_spectrum, noise_spectrum)
    given = [x is not None for x in (balance, *spectra)]
    if given not in ([True, False, False], [False, True, True]):
        rule = "be given, or else `signal_spectrum` and `noise_spectrum`"
        raise checks.value_error(
            function, "balance", rule, f"balance {balance!r} and {sum(given[1:])} spectra"
        )
    circular = is_circular(seen.linear, mask)
    if balance is None:
        if not circular:
            rule = 'be left out but for boundary "wrap", one kernel and no mask'
            raise checks.value_error(function, "signal_spectrum", rule, f"boundary {boundary!r}")
        signal, noise = map(jnp.asarray, spectra)
        return _filter(seen, noise / signal)
    real = seen.image.real.dtype
    if regularization is None:
        regularization = laplacian(len(seen.linear.image_shape)).astype(real)
    beyond: Edges = "wrap" if circular else "symmetric"
    smooth = blur(regularization, seen.linear.scene_shape, beyond, dtype=seen.image.dtype)
    balance = jnp.asarray(balance, real)
    if circular:
        shape, dtype = seen.linear.scene_shape, seen.image.dtype
        return _filter(seen, balance * jnp.abs(transfer(smooth, shape, dtype)) ** 2)
    return _least_squares(seen, smooth, balance, num_iter, tolerance)


@jax.jit
def _filter(seen: Observed, penalty: jax.Array) -> jax.Array:
    response = transfer(seen.linear, seen.linear.scene_shape, seen.image.dtype)
    response = response.conj() / (jnp.abs(response) ** 2 + penalty).astype(response.dtype)
    scene = each_image(seen, partial(filtered, response=response))(seen.image)
    return scene * seen.scale


@partial(jax.jit, static_argnums=(3, 4))
def _least_squares(
    seen: Observed, smooth: LinearMap, balance: jax.Array, num_iter: int, tolerance: float
) -> jax.Array:
    solve = partial(_each, num_iter=num_iter, tolerance=tolerance)
    return by_compiler(solve, seen.image, seen.image.shape)(seen, smooth, balance)


def _each(
    seen: Observed, smooth: LinearMap, balance: jax.Array, num_iter: int, tolerance: float
) -> jax.Array:
    linear, shape, dtype = seen.linear, seen.linear.scene_shape, seen.image.dtype
    kernel = jnp.pad(linear.kernel, [(0, max(n - m, 0)) for n, m in zip(shape, linear.kernel.shape)])
    like = jnp.abs(spectrum(kernel[tuple(map(slice, shape))].astype(dtype))) ** 2
    like += balance * jnp.abs(transfer(smooth, shape, dtype)) ** 2
    likely_inverse = jax.lax.stop_gradient(1 / (like + 1e-6 * like.max()))

    def one(image: jax.Array, weights: jax.Array, scale: jax.Array) -> jax.Array:
        def normal(scene: jax.Array) -> jax.Array:
            return linear.adjoint(weights * linear(scene)) + balance * smooth.adjoint(smooth(scene))

        right = linear.adjoint(weights * image)
        nearly = partial(filtered, response=likely_inverse)
        scene, _ = cg(normal, right, tol=tolerance, maxiter=num_iter, M=nearly)
        return linear.cropped(scene) * scale

    return each_image(seen, one)(seen.image, seen.seen, seen.scale)
