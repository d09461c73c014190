"""Rates: `upfirdn` and `resample_poly` of a signal that comes in chunks, the phase kept.

The next output sees the sample `offset // up` after the last one that is held, and those before it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.floats import floating
from jaxconv.multirate import resample_poly, upfirdn
from jaxconv.multirate.polyphase import outputs, phase_length
from jaxconv.multirate.resampling import centred, lowest
from jaxconv.streaming.course import filled_up

FUNCTIONS = (resample_poly, upfirdn)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["taps", "held"],
    meta_fields=["shape", "dtype", "axis", "up", "down", "offset", "unsaid", "behind"],
)
@dataclass(frozen=True)
class RateStream:
    """What a stream whose rate is changed remembers between two chunks."""

    taps: jax.Array
    held: jax.Array  # the last samples, as many as a phase has taps
    shape: tuple[int, ...]  # of the usual chunk
    dtype: Any  # of a chunk
    axis: int
    up: int
    down: int
    offset: int  # of the next output, counted in samples of the upper rate from the last one held
    unsaid: int  # outputs still to be left out at the beginning
    behind: int | None  # outputs behind the last sample's; None: as many as the taps reach

    @property
    def accepted(self) -> tuple[Any, tuple[int, ...], int]:
        """The type and the shape of a chunk, and the axis along which any length may come."""
        return self.dtype, self.shape, self.axis


def start_rate(
    function: Callable[..., jax.Array],
    kernel: Any,
    shape: int | tuple[int, ...],
    axis: int,
    dtype: Any,
    others: tuple[Any, ...],
    options: Any,
) -> RateStream:
    """Begin a stream; see `start`. The others of its arguments must be at their defaults."""
    name = function.__name__
    if others not in ((mode, "fill", False, 1, 1, 0, None, "auto") for mode in (None, "full")):
        remedy = f"Only kernel, shape, axis, dtype, up and down go with {name}."
        raise checks.value_error("start", "function", "come without other options", name, remedy)
    shape = shape if isinstance(shape, tuple) else (shape,)
    unknown = set(options) - {"up", "down"}
    if unknown:
        raise checks.value_error("start", sorted(unknown)[0], f"be left out for {name}", "a value")
    up, down = (checks.positive("start", which, options.get(which, 1)) for which in ("up", "down"))
    dtype = jnp.dtype(jax.dtypes.canonicalize_dtype(dtype or float))
    if function is upfirdn:
        kernel = checks.array("start", "kernel", kernel)
        unsaid, behind = 0, None
    else:
        up, down = lowest(up, down)
        kernel, unsaid = centred("start", kernel, up, down, dtype) if up != down else (jnp.ones(1), 0)
        kernel, behind = jnp.pad(kernel, (0, max(up - kernel.size, 0))), unsaid
    if kernel.ndim != 1 or not kernel.size:
        raise checks.value_error("start", "kernel", "have one axis and a tap", f"shape {kernel.shape}")
    out = floating(kernel.dtype, dtype)
    (axis,) = checks.axes("start", axis, len(shape), "axis")
    lines = (*shape[:axis], *shape[axis + 1 :], phase_length(kernel.size, up))
    held = jnp.zeros(lines, out)
    return RateStream(kernel.astype(out), held, shape, dtype, axis, up, down, up, unsaid, behind)


def push_rate(state: RateStream, chunk: jax.Array) -> tuple[RateStream, jax.Array]:
    """Take a chunk, and return the outputs that it completes; see `push`."""
    lines, n = _last(chunk, state.axis), chunk.shape[state.axis]
    count, offset = _completed(state, n) if n else (0, state.offset)
    length, most = n, count
    usual = filled_up(n, state.shape[state.axis])
    if n < usual and not checks.is_traced(chunk):
        length, most = usual, -(-(usual + 1) * state.up // state.down)
        lines = jnp.pad(lines, [(0, 0)] * (lines.ndim - 1) + [(0, length - n)])
    held, out = _through(state.taps, state.held, lines, n, state.offset, state.up, state.down, most)
    left_out = min(state.unsaid, count)
    state = replace(state, held=held, offset=offset, unsaid=state.unsaid - left_out)
    return state, _last(out[..., left_out:count], state.axis, back=True)


def finish_rate(state: RateStream) -> jax.Array:
    """Return the outputs behind the last sample; see `finish`."""
    count = state.behind
    if count is None:
        count = max(-(-(state.taps.size - state.offset) // state.down), 0)
    none = jnp.zeros((*state.held.shape[:-1], 0), state.held.dtype)
    _, out = _through(state.taps, state.held, none, 0, state.offset, state.up, state.down, count)
    return _last(out[..., state.unsaid :], state.axis, back=True)


def _completed(state: RateStream, n: int) -> tuple[int, int]:
    """Return how many outputs n samples complete, and the offset behind them."""
    waits = max(state.up - state.taps.size, 0)  # outputs of zeros behind a sample, if another follows
    count = max(-(-((n + 1) * state.up - waits - state.offset) // state.down), 0)
    return count, state.offset + count * state.down - n * state.up


def _last(x: jax.Array, axis: int, back: bool = False) -> jax.Array:
    """Return an array with an axis moved to the end, or back from there."""
    if axis == x.ndim - 1:
        return x
    return jnp.moveaxis(x, -1, axis) if back else jnp.moveaxis(x, axis, -1)


@partial(jax.jit, static_argnames=("up", "down", "count"))
def _through(
    taps: jax.Array,
    held: jax.Array,
    lines: jax.Array,
    n: Any,
    offset: Any,
    up: int,
    down: int,
    count: int,
) -> tuple[jax.Array, jax.Array]:
    """Return the samples to hold behind the n-th, and so many outputs."""
    samples = jnp.concatenate([held, lines.astype(held.dtype)], -1)
    flat = samples.reshape(-1, samples.shape[-1])
    out = outputs(taps, flat, up, down, count, offset).reshape(*held.shape[:-1], count)
    return jax.lax.dynamic_slice_in_dim(samples, n, held.shape[-1], -1), out
