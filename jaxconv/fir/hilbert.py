"""Hilbert: the analytic signal, whose size is the envelope and whose angle the phase."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.engine.mesh.arrays import undivided
from jaxconv.engine.mesh.transforms import ifft, rfft
from jaxconv.floats import floating


def hilbert(x: Any, N: int | None = None, axis: int = -1) -> jax.Array:
    """Return the analytic signal, by a Fourier transform of the whole: `scipy.signal.hilbert`.

    Args:
        x: the signal, real.
        N: the transform's size: the signal is cut or followed by zeros; by default its length.
        axis: the axis along which it is transformed.

    Shapes:
        x (..., n, ...) -> (..., N, ...).

    Returns:
        The signal and, as its imaginary part, its Hilbert transform.

    Raises:
        ValueError: if the signal is complex, or N is not positive.
        TypeError: if x is not an array of numbers.

    Gradient:
        In the signal.

    Source:
        S. L. Marple, "Computing the discrete-time analytic signal via FFT", IEEE Transactions on Signal
        Processing 47 (1999).

    Example:
        >>> abs(hilbert(jnp.cos(jnp.arange(8) * jnp.pi / 2))).round(4).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    function = "hilbert"
    x = checks.array(function, "x", x)
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        raise checks.value_error(function, "x", "be real", f"dtype {x.dtype}")
    (axis,) = checks.axes(function, axis, x.ndim, "axis")
    n = checks.positive(function, "N", x.shape[axis] if N is None else N)
    return _analytic(x, n, axis)


@partial(jax.jit, static_argnums=(1, 2))
def _analytic(x: jax.Array, n: int, axis: int) -> jax.Array:
    """Return `hilbert` of a checked signal."""
    double = np.full(n // 2 + 1, 2.0)
    double[0] = 1
    double[-1] = 2 - (n + 1) % 2 if n > 1 else 1  # the highest frequency is its own mirror
    along = [-1 if a == axis else 1 for a in range(x.ndim)]
    x = undivided(x.astype(floating(x.dtype)), [axis])
    half = rfft(x, n, axis)
    return ifft(half * double.astype(half.dtype).reshape(along), n, axis)
