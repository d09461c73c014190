"""Waves: functions of time, in any unit."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks


def midpoints(start: float, stop: float, step: float = 0.1) -> jax.Array:
    """Return the middles of the steps that fill an interval: the times of a midpoint sum.

    With them `sum(f(t)) * step` is exact for straight lines, also with jumps between steps.

    Args:
        start: where the first step begins.
        stop: where the last step ends.
        step: length of a step.

    Shapes:
        -> (round((stop - start) / step),).

    Returns:
        Times, in the unit of the arguments.

    Raises:
        ValueError: if `step` is not positive or `stop` is not greater than `start`.

    Example:
        >>> midpoints(-1, 1, 0.5).tolist()
        [-0.75, -0.25, 0.25, 0.75]
    """
    if step <= 0:
        raise checks.value_error("midpoints", "step", "be positive", step)
    if stop <= start:
        raise checks.value_error("midpoints", "stop", f"be greater than `start` {start}", stop)
    return jnp.asarray(start + step * (np.arange(round((stop - start) / step)) + 0.5))


def square_wave(t: jax.Array, start: float = -5.0, stop: float = 5.0, height: float = 1.0) -> jax.Array:
    """Return one square pulse: `height` from `start` up to `stop`, 0 elsewhere.

    Args:
        t: times.
        start: where the pulse begins.
        stop: where it ends.
        height: its value.

    Shapes:
        t (n,) -> (n,).

    Returns:
        The pulse at the times t.

    Example:
        >>> square_wave(midpoints(-2, 2, 1.0), -1, 1).tolist()
        [0.0, 1.0, 1.0, 0.0]
    """
    return jnp.where((t >= start) & (t < stop), height, 0.0)


def sawtooth(
    t: jax.Array, start: float = -5.0, stop: float = 5.0, first: float = 4.0, last: float = 0.0
) -> jax.Array:
    """Return one sawtooth: a straight line from `first` at `start` to `last` at `stop`, 0 elsewhere.

    Args:
        t: times.
        start: where the tooth begins.
        stop: where it ends.
        first: value at `start`.
        last: value at `stop`.

    Shapes:
        t (n,) -> (n,).

    Returns:
        The tooth at the times t.

    Example:
        >>> sawtooth(midpoints(-5, 5, 2.5)).tolist()
        [3.5, 2.5, 1.5, 0.5]
    """
    line = first + (last - first) * (t - start) / (stop - start)
    return jnp.where((t >= start) & (t < stop), line, 0.0)


def chirp(
    t: jax.Array, start: float = -5.0, stop: float = 5.0, first: float = 0.2, last: float = 1.0
) -> jax.Array:
    """Return one linear chirp: a wave whose frequency goes from `first` at `start` to `last` at `stop`.

    `sin(2 pi (first u + (last - first) u^2 / (2 length)))` with `u = t - start` and
    `length = stop - start`; 0 elsewhere.

    Args:
        t: times.
        start: where the chirp begins.
        stop: where it ends.
        first: frequency at `start`, in cycles per unit of t.
        last: frequency at `stop`.

    Shapes:
        t (n,) -> (n,).

    Returns:
        The chirp at the times t, between -1 and 1.

    Source:
        J. R. Klauder et al., "The theory and design of chirp radars", Bell System Technical Journal 39
        (1960).

    Example:
        >>> chirp(jnp.array([-1.0, 0.25, 1.5]), 0, 1, 1.0, 1.0).round(3).tolist()
        [0.0, 1.0, 0.0]
    """
    u = t - start
    phase = first * u + (last - first) * u**2 / (2 * (stop - start))
    return jnp.where((t >= start) & (t < stop), jnp.sin(2 * jnp.pi * phase), 0.0)


def ricker(t: jax.Array, width: float = 1.0) -> jax.Array:
    """Return a Ricker wavelet: a peak between two negative lobes, of mean zero.

    `(1 - (t / width)^2) exp(-(t / width)^2 / 2)`, the negative second derivative of a Gaussian.

    Args:
        t: times.
        width: the time at which it crosses zero, in the unit of t.

    Shapes:
        t (n,) -> (n,).

    Returns:
        The wavelet at the times t.

    Source:
        N. Ricker, "Wavelet contraction, wavelet expansion, and the control of seismic resolution",
        Geophysics 18 (1953).

    Example:
        >>> ricker(jnp.array([0.0, 1.0, 3.0])).round(3).tolist()
        [1.0, 0.0, -0.08900000154972076]
    """
    u = (t / width) ** 2
    return (1 - u) * jnp.exp(-u / 2)
