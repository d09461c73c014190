"""Functions of arrays that are divided along Explicit axes of a mesh, computed shard by shard.

`over_windows` is for what depends, at each place, on one window of its arrays; `over_batch` for what
treats the first axes as a batch; `undivided` for what needs all of an array; `by_compiler` for what the
compiler may divide as it likes. Each does nothing to arrays whose types tell no sharding.
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
from jaxconv.engine.mesh.division import in_order
from jaxconv.engine.mesh.halo import Shards, fetch
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


def cut(array: jax.Array, slices: Sequence[slice]) -> jax.Array:
    """Return a part of an array along its last axes, gathered there: few parts would divide evenly."""
    first = array.ndim - len(slices)
    return undivided(array, range(first, array.ndim))[(..., *slices)]


def numbered(like: jax.Array) -> jax.Array:
    """Return the number of each place of an array in memory order, divided as the array is."""
    number = jnp.arange(like.size).reshape(like.shape)
    return placed(number, jax.typeof(like).sharding.mesh, P(*spec_of(like)))


def placed(array: jax.Array, mesh: Any, spec: P) -> jax.Array:
    """Return an array divided as a spec tells, moved if it was not."""
    return reshard(array, NamedSharding(mesh, spec)) if is_sharded(array) or any(spec) else array


def by_compiler(
    fn: Callable[..., Any], like: jax.Array, *shapes: Sequence[int], whole: bool = False
) -> Callable[..., Any]:
    """Return fn, its results of these shapes divided like an operand, where that goes evenly.

    On Explicit axes JAX refuses slices and paddings of odd lengths, and branches within batches; so they
    are Auto axes within. Or every device gets the results `whole`.
    """
    mesh = jax.typeof(like).sharding.mesh
    if mesh.empty:  # of a NumPy array, an operand of jit
        mesh = jax.sharding.get_abstract_mesh()
    if not mesh.explicit_axes:
        return fn
    sizes = tuple(mesh.shape.items())
    divided = in_order(spec_of(like), range(like.ndim))

    def placement(shape: Sequence[int]) -> NamedSharding:
        evenly = [not whole and n % Shards(o, sizes).count == 0 for n, o in zip(shape, divided)]
        return NamedSharding(mesh, P(*(n if even and n else None for even, n in zip(evenly, divided))))

    made = tuple(map(placement, shapes)) if len(shapes) > 1 else placement(*shapes)
    return jax.sharding.auto_axes(fn, axes=mesh.explicit_axes, out_sharding=made)


def over_batch(fn: Callable[..., Any], array: jax.Array, axes: int, *others: Any) -> Any:
    """Return fn(array, *others), whose results have the same first axes as the array."""
    spec = P(*spec_of(array)[:axes])
    if not any(spec):
        return fn(array, *others)
    mesh = jax.typeof(array).sharding.mesh
    array = undivided(array, range(axes, array.ndim))
    others = jax.tree.map(lambda other: placed(other, mesh, P()), others)
    specs = (spec, *[P()] * len(others))
    return jax.shard_map(fn, mesh=mesh, in_specs=specs, out_specs=spec)(array, *others)


def over_windows(
    fn: Callable[..., Any],
    signals: Sequence[jax.Array],
    others: Sequence[jax.Array],
    places: Sequence[int],
    window: Sequence[int],
    padding: Sequence[tuple[int, int]],
    boundaries: Boundaries,
    values: Sequence[Any],
    gone: int | None = None,
    function: str = "",
) -> Any:
    """Return fn(*continued signals, *others), which has a place for each window that fits.

    Args:
        fn: the function.
        signals: arrays of one shape.
        others: what else fn needs, whole along the places; a batch of the signals' is divided alike.
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
    names = list(in_order(spec, range(len(spec))))
    if gone is not None:
        names[gone] = ()
    mesh, shape = jax.typeof(signals[0]).sharding.mesh, signals[0].shape
    sizes = tuple(mesh.shape.items())
    along = [
        _Along(axis, shape[axis], m, pair, name, Shards(names[axis], sizes))
        for axis, m, pair, name in zip(places, window, padding, boundaries)
    ]
    for one in along:
        one.check(function)

    def one_shard(signals: Any, values: Any, others: Any) -> jax.Array:
        pieces = []
        for signal, value in zip(signals, values):
            for one in along:
                signal = one.piece(signal, value)
            pieces.append(lax.optimization_barrier(signal))
        return fn(*pieces, *others)

    divided = P(*(n or None for n in names))
    batch = P(*(None if axis in places else n or None for axis, n in enumerate(names)))
    specs = (
        [divided] * len(signals),
        [_where_long(value, divided) for value in values],
        [_where_long(other, batch) for other in others],
    )
    out = P(*(n or None for axis, n in enumerate(names) if axis != gone))
    operands = jax.tree.map(
        lambda array, spec: placed(array, mesh, spec), (list(signals), list(values), list(others)), specs
    )
    return jax.shard_map(one_shard, mesh=mesh, in_specs=specs, out_specs=out)(*operands)


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

    def check(self, function: str) -> None:
        """Raise ValueError unless each shard has as many places as the others."""
        if self.count % self.shards.count:
            evenly = f"divide evenly over the mesh's {self.shards.count} shards"
            rule = f"have places along axis {self.axis} that {evenly}"
            got, remedy = f"{self.count} of them", "Use mode='same'."
            raise checks.value_error(function, "mode", rule, got, remedy)

    def piece(self, signal: jax.Array, value: Any) -> jax.Array:
        """Return the part of a signal, continued, that the places of this shard depend on."""
        if not self.shards.names:
            return continued(signal, [self.axis], [self.padding], (self.boundary,), value)
        step = self.count // self.shards.count
        starts = [shard * step - self.padding[0] for shard in range(self.shards.count)]
        size = step + self.window - 1
        whole = signal, self.axis, self.length, self.shards, True
        return fetch(*whole, starts, size, self.boundary, value)


def _where_long(array: Any, spec: P) -> P:
    """Return a spec without the axes along which an array has length 1 and is broadcast."""
    return P(*(names if n > 1 else None for names, n in zip(spec, jnp.shape(array))))
