"""Rows: a problem computed some rows at a time, each from the rows of the signal under it.

What is made on the way, the padded signal first, then stays in a CPU's caches, and in memory that the
allocator keeps: of fresh memory a system hands out each page when it is first written to, which takes
longer than most of what is computed. Rows are along the first spatial axis; in one dimension, samples.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.bands import zeros_of
from jaxconv.engine.problem import Problem

Compute = Callable[[Problem, jax.Array], jax.Array]


def by_bands(
    problem: Problem, signal: jax.Array, rows: int, compute: Compute, others: Sequence[jax.Array] = ()
) -> jax.Array:
    """Return the output of a problem, from that of problems of some of its rows.

    Args:
        problem: without strides along its first axis.
        signal: its signal, neither dilated nor padded yet.
        rows: how many rows of the output are computed at a time, at most all.
        compute: the function that returns the output of a problem, of this and its signal.
        others: what else it computes from.
    """
    p, n, seen = problem, problem.space[0], rows + problem.reach[0] - 1
    (low, high), total = p.padding[0], p.dense[0]
    if p.signal_dilation[0] > 1 or max(low, high) > rows or seen > n:
        return by_bands(p.staged, p.stage(signal), rows, compute, others)

    def part(low: int, high: int) -> Problem:
        space, padding = (seen - low - high, *p.space[1:]), ((low, high), *p.padding[1:])
        return replace(p, space=space, padding=padding)

    def at_an_edge(place: int) -> Callable[[Any], jax.Array]:
        start = place - low
        beyond = max(-start, 0), max(start + seen - n, 0)
        inside = lax.slice_in_dim(signal, start + beyond[0], start + seen - beyond[1], axis=3)
        return lambda _: compute(part(*beyond), inside)

    def within(place: Any) -> jax.Array:
        return compute(part(0, 0), lax.dynamic_slice_in_dim(signal, place - low, seen, 3))

    count, last = -(-total // rows), total - rows
    branches = [at_an_edge(0), within, at_an_edge(last)]

    def put(number: Any, out: jax.Array) -> jax.Array:
        place = jnp.where(number == count - 1, last, jnp.minimum(number * rows, n - seen + low))
        branch = (number > 0).astype(int) + (number == count - 1)
        return lax.dynamic_update_slice_in_dim(out, lax.switch(branch, branches, place), place, 3)

    result = jax.eval_shape(branches[0], 0)
    whole = result.update(shape=(*result.shape[:3], total, *result.shape[4:]))
    return lax.fori_loop(0, count, put, zeros_of(whole, [signal, *others]))
