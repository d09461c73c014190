"""Functions of arrays that are divided along Explicit axes of a mesh, computed shard by shard.

`over_windows` is for what depends, at each place, on one window of its arrays; `over_batch` for what
treats the first axes as a batch; `undivided` for what needs all of an array. Each does nothing to arrays
whose types tell no sharding.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.sharding import NamedSharding, reshard
from jax.sharding import PartitionSpec as P

from jaxconv import checks
from jaxconv.engine.halo import Names, Shards, fetch
from jaxconv.engine.problem import Boundaries, continued


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
    sizes = tuple(dict(mesh.shape).items())
    names: list[Names] = [() if n is None else n if isinstance(n, tuple) else (n,) for n in spec]
    if gone is not None:
        signals, names[gone] = [undivided(s, [gone]) for s in signals], ()
    shape = signals[0].shape
    for axis, m, (low, high) in zip(places, window, padding):
        count, n = Shards(names[axis], sizes).count, shape[axis] + low + high - m + 1
        if n % count:
            rule = f"have places along axis {axis} that divide evenly over the mesh's {count} shards"
            raise checks.value_error(function, "mode", rule, f"{n} of them", "Use mode='same'.")

    def one_shard(signals: Any, values: Any, others: Any) -> jax.Array:
        pieces = []
        for signal, value in zip(signals, values):
            at_home = []
            for axis, m, (low, high), boundary in zip(places, window, padding, boundaries):
                if not names[axis]:
                    at_home.append((axis, (low, high), boundary))
                    continue
                shards = Shards(names[axis], sizes)
                step = (shape[axis] + low + high - m + 1) // shards.count
                starts = [shard * step - low for shard in range(shards.count)]
                size = step + m - 1
                signal = fetch(signal, axis, shape[axis], shards, True, starts, size, boundary, value)
            axes, widths, kept = zip(*at_home) if at_home else ((), (), ())
            pieces.append(continued(signal, axes, widths, kept, value))
        return fn(*pieces, *others)

    divided = P(*(n or None for n in names))
    of_values = [
        P() if jax.numpy.ndim(v) == 0 else P(*(n if m > 1 else None for n, m in zip(divided, v.shape)))
        for v in values
    ]
    out = P(*(n or None for axis, n in enumerate(names) if axis != gone))
    specs = ([divided] * len(signals), of_values, [P()] * len(others))
    mapped = jax.shard_map(one_shard, mesh=mesh, in_specs=specs, out_specs=out)
    return mapped(list(signals), list(values), list(others))
