"""Phase: the filter of least delay that has a filter's magnitude."""

import math
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.engine.mesh.transforms import fft, ifft
from jaxconv.floats import floating


def minimum_phase(
    h: Any,
    method: Literal["homomorphic", "hilbert"] = "homomorphic",
    n_fft: int | None = None,
    *,
    half: bool = True,
) -> jax.Array:
    """Return the filter of least delay that has a magnitude: `scipy.signal.minimum_phase`.

    Args:
        h: the taps, symmetric.
        method: "homomorphic": the cepstrum's negative times folded onto the positive; "hilbert": for
            filters of equal ripples, from the magnitude's Hilbert transform.
        n_fft: the transform's size; by default a power of two at least 200 times the taps.
        half: whether the result has half the order, and the square root of the magnitude.

    Shapes:
        h (m,) -> (m // 2 + m % 2,), or (m,) without `half`.

    Returns:
        The taps, in floats.

    Raises:
        ValueError: if the taps are not real, or fewer than three; if `n_fft` is less than their number,
            or "hilbert" comes with half=False.
        TypeError: if h is not an array of numbers.

    Gradient:
        In the taps.

    Source:
        A. V. Oppenheim and R. W. Schafer, "Discrete-Time Signal Processing" (2009), 13.5;
        N. Damera-Venkata and B. L. Evans (1999) for "hilbert".

    Example:
        >>> [f"{tap:.3f}" for tap in minimum_phase([1.0, 4.0, 1.0], half=False)]
        ['3.732', '2.000', '0.268']
    """
    function = "minimum_phase"
    h = checks.array(function, "h", h)
    if jnp.issubdtype(h.dtype, jnp.complexfloating) or h.ndim != 1 or h.size <= 2:
        rule = "be real, of one axis and three taps at least"
        raise checks.value_error(function, "h", rule, f"shape {h.shape}, dtype {h.dtype}")
    checks.one_of(function, "method", method, ("homomorphic", "hilbert"))
    if method == "hilbert" and not half:
        raise checks.value_error(function, "half", "be True with method='hilbert'", half)
    h = h.astype(floating(h.dtype))
    if n_fft is None:
        n_fft = 2 ** math.ceil(math.log2(2 * (h.size - 1) / 0.01))
    n_fft = checks.positive(function, "n_fft", n_fft)
    if n_fft < h.size:
        raise checks.value_error(function, "n_fft", f"be {h.size} or greater, the taps", n_fft)
    if method == "hilbert":
        taps = _by_hilbert(h, n_fft)
    else:
        size = jnp.abs(fft(h, n_fft))
        least = jnp.where(size > 0, size, jnp.inf).min()
        log = jnp.log(size + 1e-7 * jax.lax.stop_gradient(least))
        taps = _from_log(log * (0.5 if half else 1.0), n_fft % 2)
    return taps[: h.size // 2 + h.size % 2 if half else h.size]


def _by_hilbert(h: jax.Array, n_fft: int) -> jax.Array:
    turn = np.exp(2j * np.pi * np.arange(n_fft) * (h.size // 2) / n_fft)
    real = (fft(h, n_fft) * turn.astype(jnp.promote_types(h.dtype, "complex64"))).real
    passed, stopped = real.max() - 1, -real.min()
    scale = 4 / (jnp.sqrt(1 + passed + stopped) + jnp.sqrt(1 - passed + stopped)) ** 2
    return _from_log(jnp.log(jnp.sqrt((real + stopped) * scale) + 1e-10), 1)


def _from_log(log: jax.Array, middle: int) -> jax.Array:
    """Return the response of least delay whose logarithm has this real part.

    SciPy's methods differ in what they take of the cepstrum's `middle`.
    """
    n = log.size
    cepstrum = ifft(log).real
    fold = np.zeros(n)
    fold[0] = 1
    fold[1 : n // 2] = 2
    fold[n // 2] = middle
    return ifft(jnp.exp(fft(cepstrum * fold.astype(log.dtype)))).real
