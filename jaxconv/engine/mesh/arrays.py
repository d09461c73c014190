"""Functions of arrays that are divided along Explicit axes of a mesh, computed shard by shard.

`over_windows` is for what depends, at each place, on one window of its arrays; `over_batch` for what
treats the first axes as a batch; `undivided` for what needs all of an array. Each does nothing to arrays
whose types tell no sharding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import NamedSharding, reshard
from jax.sharding import PartitionSpec as P

from jaxconv import checks
from jaxconv.engine.mesh.halo import Names, Shards, fetch
from jaxconv.engine.problem import Boundaries, continued


def is_sharded(array: jax.Array) -> bool:
    """Return whether the type of an array tells that it is divided over a mesh."""
    return any(jax.typeof(array).sharding.spec)


def spec_of(array: jax.Array) -> list[Any]:
    """Return the mesh axes that divide each axis of an array, as far as its type tells."""
    spec = jax.typeof(array).sharding.spec
    return [*spec, *[None] * (array.ndim - len(spec))]


def undivided(array: jax.Array, axes: Sequence[int]) -> jax.Array:
    """Gather an array along some axes, if it is divided there."""
    spec = spec_of(array)
    if not any(spec[axis] for axis in axes):
        return array
    left = [None if axis in axes else names for axis, names in enumerate(spec)]
    return reshard(array, NamedSharding(jax.typeof(array).sharding.mesh, P(*left)))


def over_batch(fn: Callable[..., Any], array: jax.Array, axes: int, *others: Any) -> Any:
    """Return fn(array, *others), whose results have the same first axes as the array."""
    spec = spec_of(array)[:axes]
    if not any(spec):
        return fn(array, *others)
    mesh = jax.typeof(array).sharding.mesh
    array = undivided(array, range(axes, array.ndim))
    specs = (P(*spec), *[P()] * len(others))
    return jax.shard_map(fn, mesh=mesh, in_specs=specs, out_specs=P(*spec))(array, *others)


def over_windows(
    fn: Callable[..., jax.Array],
    signals: Sequence[jax.Array],
    others: Sequence[jax.Array],
    places: Sequence[int],
    window: Sequence[int],
    padding: Sequence[tuple[int, int]],
    boundaries: Boundaries,
    values: Sequence[Any],
    gone: int | None = None,
    function: str = "",
) -> jax.Array:
    """Return fn(*continued signals, *others), which has a place for each window that fits.

    Args:
        fn: the function.
        signals: arrays of one shape.
        others: what each shard needs whole.
        places: along which axes windows lie.
        window: their size there.
        padding: how far the signals are continued there, before and behind.
        boundaries: by what.
        values: for each signal, that of a boundary "constant".
        gone: the axis that the result does not have.
        function: who asks, for the message.
    """
    spec = spec_of(signals[0])
    if not any(spec):
        longer = [continued(s, places, padding, boundaries, v) for s, v in zip(signals, values)]
        return fn(*longer, *others)
    mesh = jax.typeof(signals[0]).sharding.mesh
    names: list[Names] = [() if n is None else n if isinstance(n, tuple) else (n,) for n in spec]
    if gone is not None:
        signals, names[gone] = [undivided(s, [gone]) for s in signals], ()
    along = [
        _Along(
            axis, signals[0].shape[axis], m, pair, name, Shards(names[axis], tuple(mesh.shape.items()))
        )
        for axis, m, pair, name in zip(places, window, padding, boundaries)
    ]
    for one in along:
        if one.count % one.shards.count:
            shards = (
                f"along axis {one.axis} that divide evenly over the mesh's {one.shards.count} shards"
            )
            got, remedy = f"{one.count} of them", "Use mode='same'."
            raise checks.value_error(function, "mode", f"have places {shards}", got, remedy)

    def one_shard(signals: Any, values: Any, others: Any) -> jax.Array:
        pieces = []
        for signal, value in zip(signals, values):
            for one in along:
                signal = one.piece(signal, value)
            pieces.append(lax.optimization_barrier(signal))
        return fn(*pieces, *others)

    divided = P(*(n or None for n in names))
    of_values = [_spec_of_value(value, divided) for value in values]
    out = P(*(n or None for axis, n in enumerate(names) if axis != gone))
    specs = ([divided] * len(signals), of_values, [P()] * len(others))
    mapped = jax.shard_map(one_shard, mesh=mesh, in_specs=specs, out_specs=out)
    return mapped(list(signals), list(values), list(others))


@dataclass(frozen=True)
class _Along:
    """What a shard needs of signals along one axis of the places."""

    axis: int
    length: int
    window: int
    padding: tuple[int, int]
    boundary: str
    shards: Shards

    @property
    def count(self) -> int:
        """How many places there are."""
        return self.length + sum(self.padding) - self.window + 1

    def piece(self, signal: jax.Array, value: Any) -> jax.Array:
        """Return the part of a signal, continued, that the places of this shard depend on."""
        if not self.shards.names:
            return continued(signal, [self.axis], [self.padding], (self.boundary,), value)
        step = self.count // self.shards.count
        starts = [shard * step - self.padding[0] for shard in range(self.shards.count)]
        size = step + self.window - 1
        whole = signal, self.axis, self.length, self.shards, True
        return fetch(*whole, starts, size, self.boundary, value)


def _spec_of_value(value: Any, divided: P) -> P:
    """Return how what lies beyond the edges is divided: as the signal, or not along axes of length 1."""
    return P(*(names if n > 1 else None for names, n in zip(divided, jnp.shape(value))))
