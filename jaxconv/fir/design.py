"""Design: taps for a wanted response. `firwin` is computed here, so that its cut-offs can be learned.

The others are SciPy's own, at the time of tracing: their arguments must be known then.
"""

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.floats import floating

BAND_NAMES = ("lowpass", "highpass", "bandpass", "bandstop")


def firwin(
    numtaps: int,
    cutoff: Any,
    *,
    width: float | None = None,
    window: Any = "hamming",
    pass_zero: bool | Literal["lowpass", "highpass", "bandpass", "bandstop"] = True,
    scale: bool = True,
    fs: float | None = None,
) -> jax.Array:
    """Design a filter by the window method: `scipy.signal.firwin`, with gradients in the cut-offs.

    The ideal response of each pass band, a difference of two sinc functions, times a window.

    Args:
        numtaps: how many taps; static.
        cutoff: the frequencies at which bands end, one or several, increasing, in the unit of `fs`.
        width: the width of a transition, in that unit, from which a Kaiser window follows instead of
            `window`; static.
        window: what `scipy.signal.get_window` takes; static.
        pass_zero: whether frequency 0 passes; or the name of the filter, which says the same and how
            many cut-offs there are.
        scale: whether the response at the middle of the first pass band is made 1 (at 0, or at half
            the rate, where it reaches that far).
        fs: the sampling rate, in whose unit the frequencies are; by default 2, so that 1 is the highest.

    Shapes:
        cutoff () or (k,) -> (numtaps,).

    Returns:
        The taps, in the float type of the cut-offs, JAX's default one for numbers.

    Raises:
        ValueError: if a cut-off lies outside of 0 to fs / 2, they do not increase (both only where they
            are known), their number does not fit the name, or an even number of taps shall pass fs / 2.
        TypeError: if the cut-offs are not numbers, or `numtaps` is not whole.

    Gradient:
        In the cut-offs.

    Source:
        A. V. Oppenheim and R. W. Schafer, "Discrete-Time Signal Processing" (2009), 7.5.

    Example:
        >>> [f"{tap:.3f}" for tap in firwin(3, 0.5)]
        ['0.046', '0.908', '0.046']
    """
    function = "firwin"
    numtaps = checks.positive(function, "numtaps", numtaps)
    if fs is not None and (np.ndim(fs) or (not checks.is_traced(fs) and not fs > 0)):
        raise checks.value_error(function, "fs", "be one positive number", fs)
    nyquist = 0.5 * (2 if fs is None else fs)
    cutoff = checks.array(function, "cutoff", cutoff)
    edges = jnp.atleast_1d(cutoff.astype(floating(cutoff.dtype)) / nyquist)
    if edges.ndim > 1 or not edges.size:
        raise checks.value_error(
            function, "cutoff", "be a number or have one axis", f"shape {edges.shape}"
        )
    if not checks.is_traced(edges):
        _increasing(function, np.asarray(edges), cutoff)
    low = _passes_zero(function, pass_zero, edges.size)
    high = (edges.size % 2 == 0) == low
    if high and numtaps % 2 == 0:
        remedy = "With an even number the response there is 0; take one tap more."
        raise checks.value_error(function, "numtaps", "be odd where fs / 2 passes", numtaps, remedy)
    if width is not None:
        from scipy.signal import kaiser_atten, kaiser_beta

        window = ("kaiser", kaiser_beta(kaiser_atten(numtaps, width / nyquist)))
    from scipy.signal import get_window

    middle = jnp.arange(numtaps, dtype=edges.dtype) - (numtaps - 1) / 2
    ends = jnp.concatenate([jnp.zeros(int(low), edges.dtype), edges, jnp.ones(int(high), edges.dtype)])
    bands = (ends[:, None] * jnp.sinc(ends[:, None] * middle[None])).reshape(-1, 2, numtaps)
    taps = (bands[:, 1] - bands[:, 0]).sum(0) * np.asarray(
        get_window(window, numtaps, False), edges.dtype
    )
    if not scale:
        return taps
    at = 0.0 if low else 1.0 if high and edges.size == 1 else ends[:2].mean()
    return taps / (taps * jnp.cos(jnp.pi * middle * at)).sum()


def _increasing(function: str, edges: np.ndarray, given: Any) -> None:
    if edges.min() <= 0 or edges.max() >= 1:
        raise checks.value_error(function, "cutoff", "lie between 0 and fs / 2", given)
    if np.any(np.diff(edges) <= 0):
        raise checks.value_error(function, "cutoff", "increase", given)


def _passes_zero(function: str, pass_zero: Any, count: int) -> bool:
    """Return whether frequency 0 passes, after a look at the name."""
    if isinstance(pass_zero, bool | np.bool):
        return bool(pass_zero)
    checks.one_of(function, "pass_zero", pass_zero, BAND_NAMES)
    one = pass_zero in ("lowpass", "highpass")
    if one != (count == 1):
        rule = f"be {'one' if one else 'two or more'} for pass_zero={pass_zero!r}"
        raise checks.value_error(function, "cutoff", rule, count)
    return pass_zero in ("lowpass", "bandstop")


def firwin2(
    numtaps: int,
    freq: Any,
    gain: Any,
    *,
    nfreqs: int | None = None,
    window: Any = "hamming",
    antisymmetric: bool = False,
    fs: float | None = None,
) -> jax.Array:
    """Design a filter of any gain by the window method: `scipy.signal.firwin2`, all of it static.

    Args:
        numtaps: how many taps.
        freq: frequencies from 0 to fs / 2, which do not decrease.
        gain: the gain at each, between which it is linear.
        nfreqs: points of the frequency axis, more than the taps.
        window: what `scipy.signal.get_window` takes.
        antisymmetric: whether the second half has the other sign.
        fs: the sampling rate; by default 2.

    Shapes:
        freq (k,), gain (k,) -> (numtaps,).

    Returns:
        The taps, in JAX's default float type.

    Raises:
        ValueError: as SciPy's.
        TypeError: if an argument is traced.

    Gradient:
        None.

    Source:
        `scipy.signal.firwin2`.

    Example:
        >>> firwin2(5, [0.0, 0.5, 1.0], [1.0, 1.0, 0.0]).shape
        (5,)
    """
    options: dict[str, Any] = dict(nfreqs=nfreqs, window=window, antisymmetric=antisymmetric, fs=fs)
    return _scipys("firwin2", numtaps, dict(freq=freq, gain=gain), **options)


def firls(
    numtaps: int, bands: Any, desired: Any, *, weight: Any = None, fs: float | None = None
) -> jax.Array:
    """Design a filter by least squares: `scipy.signal.firls`, all of it static.

    Args:
        numtaps: how many taps, odd.
        bands: the frequencies at which each band begins and ends.
        desired: the gain there, between which it is linear.
        weight: the weight of each band.
        fs: the sampling rate; by default 2.

    Shapes:
        bands (2 k,), desired (2 k,), weight (k,) -> (numtaps,).

    Returns:
        The taps, in JAX's default float type.

    Raises:
        ValueError: as SciPy's.
        TypeError: if an argument is traced.

    Gradient:
        None.

    Source:
        `scipy.signal.firls`.

    Example:
        >>> firls(5, [0.0, 0.4, 0.6, 1.0], [1.0, 1.0, 0.0, 0.0]).shape
        (5,)
    """
    return _scipys("firls", numtaps, dict(bands=bands, desired=desired), weight=weight, fs=fs)


def remez(
    numtaps: int,
    bands: Any,
    desired: Any,
    *,
    weight: Any = None,
    type: Literal["bandpass", "differentiator", "hilbert"] = "bandpass",
    maxiter: int = 25,
    grid_density: int = 16,
    fs: float | None = None,
) -> jax.Array:
    """Design a filter whose greatest error is least: `scipy.signal.remez`, all of it static.

    Args:
        numtaps: how many taps.
        bands: the frequencies at which each band begins and ends.
        desired: the gain of each band.
        weight: the weight of each band.
        type: "bandpass", "differentiator" or "hilbert".
        maxiter: the most iterations.
        grid_density: points of the frequency axis, `(numtaps + 1) grid_density`.
        fs: the sampling rate; by default 1, other than in the rest of the family.

    Shapes:
        bands (2 k,), desired (k,), weight (k,) -> (numtaps,).

    Returns:
        The taps, in JAX's default float type.

    Raises:
        ValueError: as SciPy's.
        TypeError: if an argument is traced.

    Gradient:
        None.

    Source:
        J. H. McClellan and T. W. Parks (1973), as `scipy.signal.remez` has it.

    Example:
        >>> remez(5, [0.0, 0.2, 0.3, 0.5], [1.0, 0.0]).shape
        (5,)
    """
    options: dict[str, Any] = dict(
        weight=weight, type=type, maxiter=maxiter, grid_density=grid_density, fs=fs
    )
    return _scipys("remez", numtaps, dict(bands=bands, desired=desired), **options)


def _scipys(function: str, numtaps: int, arrays: dict[str, Any], **options: Any) -> jax.Array:
    """Return the taps that SciPy's function of this name designs."""
    from scipy import signal

    for name, value in (arrays | options).items():
        if checks.is_traced(value):
            rule = "be known when the call is traced"
            remedy = "`firwin` can be designed, and differentiated, inside of jit."
            raise checks.type_error(function, name, rule, value, remedy)
        if isinstance(value, jax.Array):
            arrays, options = (
                {k: np.asarray(v) if v is value else v for k, v in d.items()} for d in (arrays, options)
            )
    taps = getattr(signal, function)(numtaps, *map(np.asarray, arrays.values()), **options)
    return jnp.asarray(taps, jax.dtypes.canonicalize_dtype(float))
