"""Polyphase: `upfirdn`, as one convolution of the signal with a bank of phases.

Output k = q up + r is a sum over the samples before k down / up, with every up-th tap from the phase
r down mod up on. So the outputs of one r are a convolution of the signal with that phase, in steps of
down: `up` output features of one convolution with stride `down`, and nothing is multiplied by the zeros
that lie between the samples. A window spans what the samples of all r reach, so the bank holds zeros;
where these would be many, the samples of each output are gathered instead.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.convolution import conv_general_dilated

EXTENSIONS = {  # SciPy's modes, and what `jax.numpy.pad` calls them
    "constant": {"mode": "constant"},
    "wrap": {"mode": "wrap"},
    "edge": {"mode": "edge"},
    "symmetric": {"mode": "symmetric"},
    "reflect": {"mode": "reflect"},
    "antisymmetric": {"mode": "symmetric"},  # and of the other sign
    "antireflect": {"mode": "reflect", "reflect_type": "odd"},
}
MOST_ZEROS = 16  # times the taps of a phase that a window of the bank may span


def upfirdn(
    h: Any,
    x: Any,
    up: int = 1,
    down: int = 1,
    axis: int = -1,
    mode: str = "constant",
    cval: Any = 0,
) -> jax.Array:
    """Put zeros between samples, filter, and keep every so many: `scipy.signal.upfirdn`.

    `y[k] = sum over i of x[i] h[k down - i up]`.

    Args:
        h: the taps.
        x: the signal.
        up: samples for each of the signal's; static.
        down: step between outputs; static.
        axis: the axis along which it is filtered.
        mode: what lies beyond the edges: "constant", "wrap", "edge", "symmetric", "reflect",
            "antisymmetric" or "antireflect", as SciPy names them.
        cval: the value of "constant".

    Shapes:
        h (m,), x (..., n, ...) -> (..., ceil(((n - 1) up + m) / down), ...).

    Returns:
        The outputs, in floats.

    Raises:
        ValueError: if the taps have not one axis, a rate is not positive, or the mode is none of these.
        TypeError: if an operand is not an array of numbers, or a rate no whole number.

    Gradient:
        In the taps and the signal.

    Source:
        P. P. Vaidyanathan, "Multirate Systems and Filter Banks" (1993), 4.3; `scipy.signal.upfirdn`.

    Example:
        >>> upfirdn([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], 3).tolist()
        [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0]
    """
    function = "upfirdn"
    h, x = checks.array(function, "h", h), checks.array(function, "x", x)
    if h.ndim != 1 or not h.size:
        raise checks.value_error(function, "h", "have one axis and a tap", f"shape {h.shape}")
    up, down = checks.positive(function, "up", up), checks.positive(function, "down", down)
    checks.one_of(function, "mode", mode, tuple(EXTENSIONS))
    (axis,) = checks.axes(function, axis, x.ndim, "axis")
    if not x.shape[axis]:
        raise checks.value_error(function, "x", "have a sample along the axis", f"shape {x.shape}")
    dtype = jax.dtypes.canonicalize_dtype(np.result_type(h.dtype, x.dtype, np.float32))
    lines = jnp.moveaxis(x.astype(dtype), axis, -1)
    count = -(-((x.shape[axis] - 1) * up + h.size) // down)
    out = _phases(h.astype(dtype), lines.reshape(-1, x.shape[axis]), up, down, count, mode, cval)
    return jnp.moveaxis(out.reshape(*lines.shape[:-1], count), -1, axis)


def _phases(
    h: jax.Array, lines: jax.Array, up: int, down: int, count: int, mode: str, cval: Any
) -> jax.Array:
    """Return so many outputs of each line."""
    taps, rows = -(-h.size // up), -(-count // up)
    newest = np.arange(up) * down // up  # the last sample that each of `up` outputs sees
    phase = np.arange(up) * down % up
    window = int(newest[-1]) + taps
    before = taps - 1
    behind = max((rows - 1) * down + int(newest[-1]) + 1 - lines.shape[1], 0)
    fill = {"constant_values": cval} if mode == "constant" else {}
    turns = np.arange(-before, lines.shape[1] + behind) // lines.shape[1]
    lines = jnp.pad(lines, ((0, 0), (before, behind)), **EXTENSIONS[mode], **fill)
    if mode == "antisymmetric":
        lines = jnp.where(turns % 2 == 1, -lines, lines)
    h = jnp.pad(h, (0, taps * up - h.size)).reshape(taps, up).T  # a row for each phase
    if window > MOST_ZEROS * taps:
        k = np.arange(count)
        samples = (k * down // up)[:, None] + before - np.arange(taps)
        return (lines[:, samples] * h[k * down % up][None]).sum(-1)
    places = newest[:, None] + before - np.arange(taps)
    bank = jnp.zeros((up, window), h.dtype).at[np.arange(up)[:, None], places].set(h[phase])
    out = conv_general_dilated(lines[:, None], bank[:, None], (down,), "VALID")
    return jnp.moveaxis(out, 1, 2).reshape(len(lines), -1)[:, :count]


def output_length(taps: int, samples: int, up: int, down: int) -> int:
    """Return how many outputs `upfirdn` has."""
    return math.ceil(((samples - 1) * up + taps) / down)
