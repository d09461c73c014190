"""Bands: what depends on windows of large arrays, computed some rows, or some of a batch, at a time.

What a CPU makes on the way then stays in its caches, and in memory that the allocator keeps: of fresh
memory a system hands out each page when it is first written to, which takes longer than most of what is
computed. Other devices compute all at once. What is made on the way is made again for a derivative.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.engine.device import platform_name

BAND = 1 << 18  # samples that are looked at at once
LEAST = 3  # times as long as a window is a band at least: what overlaps is computed twice

_remade = partial(jax.checkpoint, prevent_cse=False)


def by_rows(fn: Callable[..., Any], signals: Sequence[jax.Array], window: Sequence[int]) -> Any:
    """Return fn(*signals), whose results have a place for each window along the signals' last axes."""
    x, rank = signals[0], len(window)
    axis, m = x.ndim - rank, window[0]
    if not _is_worth_it(x):
        return fn(*signals)
    places = x.shape[axis] - m + 1
    count = round(places / max(BAND * x.shape[axis] // x.size, LEAST * m))
    if count < 2:
        return fn(*signals)
    rows = -(-places // count)

    @_remade
    def put(out: Any, number: jax.Array) -> tuple[Any, None]:
        start = jnp.minimum(number * rows, places - rows)
        parts = [lax.dynamic_slice_in_dim(s, start, rows + m - 1, axis) for s in signals]

        def write(out: jax.Array, made: jax.Array) -> jax.Array:
            return lax.dynamic_update_slice_in_dim(out, made, start, made.ndim - rank)

        return jax.tree.map(write, out, fn(*parts)), None

    zero = jnp.zeros_like(x[(0,) * x.ndim])  # which varies over a mesh as the signal does
    made = jax.eval_shape(fn, *signals)
    empty = jax.tree.map(lambda a: jnp.broadcast_to(zero.astype(a.dtype), a.shape), made)
    return lax.scan(put, empty, jnp.arange(count))[0]


def by_few(fn: Callable[..., jax.Array], arrays: Sequence[jax.Array], batch: int) -> jax.Array:
    """Return fn(*arrays); the first axes of its arrays are a batch, along which they broadcast."""
    whole = jnp.broadcast_shapes(*(a.shape[:batch] for a in arrays))
    if not _is_worth_it(*arrays):
        return fn(*arrays)
    each = BAND // max(math.prod(a.shape[batch:]) for a in arrays)
    if math.prod(whole) <= max(each, 1):
        return fn(*arrays)
    common = [math.prod(a.shape[:batch]) == 1 for a in arrays]
    several = [
        jnp.broadcast_to(a, (*whole, *a.shape[batch:])).reshape(-1, *a.shape[batch:])
        for a, one in zip(arrays, common)
        if not one
    ]

    @_remade
    def of_one(parts: Sequence[jax.Array]) -> jax.Array:
        left = iter(parts)
        return fn(*(a.reshape(a.shape[batch:]) if one else next(left) for a, one in zip(arrays, common)))

    out = lax.map(of_one, several, batch_size=max(each, 1))
    return out.reshape(*whole, *out.shape[1:])


def _is_worth_it(*arrays: jax.Array) -> bool:
    """Whether arrays may be computed a part at a time."""
    known = checks.is_known(*(a.shape for a in arrays))
    return known and all(a.size for a in arrays) and platform_name() == "cpu"
