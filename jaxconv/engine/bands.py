"""Bands: what depends on windows of large arrays, computed some rows, or some of a batch, at a time.

What a CPU makes on the way then stays in its caches, and in memory that the allocator keeps: of fresh
memory a system hands out each page when it is first written to, which takes longer than most of what is
computed. Other devices compute all at once. What is made on the way is made again for a derivative,
except what is `kept`.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.ad_checkpoint import checkpoint_name

from jaxconv import checks
from jaxconv.engine.device import platform_name

BAND = 1 << 18  # samples that are looked at at once
LEAST = 3  # times as long as a window is a band at least: what overlaps is computed twice

KEPT = "kept"

_keeping = jax.checkpoint_policies.save_only_these_names(KEPT)
_remade = partial(jax.checkpoint, prevent_cse=False, policy=_keeping)


def kept(array: jax.Array) -> jax.Array:
    """Return an array that is kept for the derivative: no larger than a result, but longer to make."""
    return checkpoint_name(array, KEPT)


def by_parts(
    fn: Callable[[jax.Array], Any], step: int, whole: Any, axis: int, operands: Sequence[jax.Array]
) -> Any:
    """Return what fn(start) is, `step` places along an axis, side by side, each written to its place.

    Args:
        fn: the function; where its last part would reach beyond the end it begins sooner.
        step: how many places it computes.
        whole: shape and type of the results, a tree.
        axis: along which they are written.
        operands: all that it computes from; inside `jax.shard_map` its results vary as they do.
    """
    total = jax.tree.leaves(whole)[0].shape[axis]

    @_remade
    def put(out: Any, number: jax.Array) -> tuple[Any, None]:
        start = jnp.minimum(number * step, total - step)
        write = partial(lax.dynamic_update_slice_in_dim, start_index=start, axis=axis)
        return jax.tree.map(write, out, fn(start)), None

    return lax.scan(put, zeros_of(whole, operands), jnp.arange(-(-total // step)))[0]


def zeros_of(whole: Any, operands: Sequence[jax.Array]) -> Any:
    """Return zeros of a shape and type, a tree; inside `jax.shard_map` they vary as the operands do."""
    zero = sum(jnp.zeros_like(a[(0,) * a.ndim], jnp.float32) for a in operands)
    return jax.tree.map(lambda a: jnp.broadcast_to(zero, a.shape).astype(a.dtype), whole)


def by_rows(
    fn: Callable[..., Any],
    signals: Sequence[jax.Array],
    window: Sequence[int],
    others: Sequence[jax.Array] = (),
) -> Any:
    """Return fn(*signals), whose results have a place for each window along the signals' last axes.

    What else fn uses are `others`.
    """
    x, m, axis = signals[0], window[0], -len(window)
    if not _is_worth_it(x):
        return fn(*signals)
    places = x.shape[axis] - m + 1
    count = round(places / max(BAND * x.shape[axis] // x.size, LEAST * m))
    if count < 2:
        return fn(*signals)
    rows = -(-places // count)

    def some(start: jax.Array) -> Any:
        size = rows + m - 1
        return fn(*(lax.dynamic_slice_in_dim(s, start, size, s.ndim + axis) for s in signals))

    return by_parts(some, rows, jax.eval_shape(fn, *signals), axis, [*signals, *others])


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
