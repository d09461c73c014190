"""Patches: the parts of scenes that a filter covers, at targets and elsewhere, and their statistics.

A filter of m taps at index c of its map of responses covers the samples c to c + m - 1; the patch of a
target at place p begins at p - m // 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv import checks
from jaxconv.floats import as_floats
from jaxconv.signals import Scene


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PatchStatistics:
    """Means and covariance of the patches of scenes: all that a linear detector needs."""

    at_targets: jax.Array
    elsewhere: jax.Array
    covariance: jax.Array


def patch_statistics(
    scenes: Scene, size: int | Sequence[int], *, target: int = 0, stride: int = 2
) -> PatchStatistics:
    """Measure the means of patches at targets and elsewhere, and the covariance of those elsewhere.

    Elsewhere are the places whose patch touches no patch of a target.

    Args:
        scenes: scenes with one leading axis.
        size: size of the patch along each axis; a number for all axes.
        target: the kind that is the target.
        stride: step between the places used elsewhere, along each axis.

    Shapes:
        scenes.signal (count, n1, ..., nd), size (m1, ..., md) -> at_targets and elsewhere (m1, ..., md),
        covariance (m, m) with m = m1 ... md.

    Returns:
        `PatchStatistics`; the covariance is about the mean elsewhere. NaN if there are no targets, or no
        places elsewhere.

    Raises:
        ValueError: if the scenes have no leading axis, or a patch is larger than the signals.
        TypeError: if the size does not consist of whole numbers.

    Source:
        definition.

    Example:
        >>> signal = jnp.zeros((1, 9)).at[0, 4].set(1.0)
        >>> scenes = Scene(signal, jnp.array([[[4]]]), jnp.array([[0]]))
        >>> patch_statistics(scenes, 3, stride=1).at_targets.tolist()
        [0.0, 1.0, 0.0]
    """
    size = patch_size("patch_statistics", scenes, size)
    stride = checks.positive("patch_statistics", "stride", stride)
    return _measure(scenes, size, target, stride)


@partial(jax.jit, static_argnums=(1, 2, 3))
def _measure(scenes: Scene, size: tuple[int, ...], target: int, stride: int) -> PatchStatistics:
    space = scenes.signal.shape[1:]
    (signal,) = as_floats(scenes.signal)
    middle = (signal / signal.size).sum()  # subtracted against rounding; the covariance is the same
    scenes = replace(scenes, signal=signal - middle)
    m, dtype = int(np.prod(size)), signal.dtype
    starts = [np.arange(0, n - k + 1, stride) for n, k in zip(space, size, strict=True)]
    windows = np.ix_(*[(start[:, None] + np.arange(k)).ravel() for start, k in zip(starts, size)])
    split = [length for start, k in zip(starts, size) for length in (len(start), k)]

    def moments(each):
        scene, corners, wanted, free = each
        at = [lax.dynamic_slice(scene.signal, corner, size).ravel() for corner in corners]
        patches = scene.signal[windows].reshape(split)
        patches = jnp.moveaxis(patches, range(1, len(split), 2), range(-len(size), 0)).reshape(-1, m)
        weight = free[np.ix_(*starts)].reshape(-1, 1).astype(dtype)
        weighted = patches * weight
        target = (jnp.stack(at) * wanted[:, None]).sum(0)
        return target, wanted.sum(), weighted.sum(0), weighted.T @ patches, weight.sum()

    def add(total, each):
        return jax.tree.map(jnp.add, total, moments(each)), None

    corners, wanted = targets(scenes, size, target)
    each = (scenes, corners, wanted.astype(dtype), elsewhere(scenes, size, target))
    zero = jnp.zeros((), dtype)
    zeros = jnp.zeros(m, dtype), zero, jnp.zeros(m, dtype), jnp.zeros((m, m), dtype), zero
    (at, count, mean, second, places), _ = lax.scan(add, zeros, each)
    at, mean = at / count, mean / places
    covariance = second / places - jnp.outer(mean, mean)
    return PatchStatistics((at + middle).reshape(size), (mean + middle).reshape(size), covariance)


def patch_size(function: str, scenes: Scene, size: int | Sequence[int]) -> tuple[int, ...]:
    """Return the size of a patch along each axis, or raise if it does not fit the scenes."""
    check_batch(function, scenes)
    space = scenes.signal.shape[1:]
    sizes = checks.per_axis(function, "size", size, len(space), 1)
    if any(m > n for n, m in zip(space, sizes, strict=True)):
        raise checks.value_error(function, "size", f"be no larger than the signals, {space}", size)
    return sizes


def check_batch(function: str, scenes: Scene) -> None:
    """Raise ValueError unless scenes have one leading axis."""
    signal, places, kinds = (a.shape for a in (scenes.signal, scenes.places, scenes.kinds))
    if len(kinds) != 2 or places != (*kinds, len(signal) - 1) or signal[0] != kinds[0]:
        rule = "have one leading axis in common"
        got = f"a signal of shape {signal}, places of shape {places} and kinds of shape {kinds}"
        remedy = "Make a batch of one scene with jax.tree.map(lambda a: a[None], scene)."
        raise checks.value_error(function, "scenes", rule, got, remedy if len(kinds) == 1 else "")


def targets(scenes: Scene, size: Sequence[int], target: int | None) -> tuple[jax.Array, jax.Array]:
    """Return the first index of the patch at each place, and whether it is a target's and lies inside.

    Scenes with a leading axis -> (count, k, d) and (count, k).
    """
    along = [
        (scenes.places[..., axis] - m // 2, n - m)
        for axis, (n, m) in enumerate(zip(scenes.signal.shape[1:], size, strict=True))
    ]
    inside = reduce(jnp.logical_and, [(start >= 0) & (start <= last) for start, last in along])
    return jnp.stack([start for start, _ in along], -1), inside & _is(scenes.kinds, target)


def elsewhere(scenes: Scene, size: Sequence[int], target: int | None) -> jax.Array:
    """Return for each place in the maps of responses whether its patch touches no patch of a target.

    If `target` is None, of no pattern of any kind. Scenes with a leading axis -> (count, n1 - m1 + 1,
    ..., nd - md + 1).
    """
    space = [n - m + 1 for n, m in zip(scenes.signal.shape[1:], size, strict=True)]
    grid = jnp.indices(space, sparse=True)

    def far(corner: jax.Array, kind: jax.Array) -> jax.Array:
        apart = [jnp.abs(axis - at) >= m for axis, at, m in zip(grid, corner, size, strict=True)]
        return reduce(jnp.logical_or, apart) | ~_is(kind, target)

    corners, _ = targets(scenes, size, target)
    return jax.vmap(lambda corners, kinds: jax.vmap(far)(corners, kinds).all(0))(corners, scenes.kinds)


def _is(kinds: jax.Array, target: int | None) -> jax.Array:
    """Return which kinds are the target; if `target` is None, which are of any kind."""
    return kinds >= 0 if target is None else kinds == target
