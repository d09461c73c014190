"""Pieces: a sum over a kernel taken piece by piece in a loop.

The pieces are cut along the first axis of the kernel, of its input features or taps, a step of which has
few enough terms; where there is none, along two in turn. They are equal, but for what is left, so that
one loop is compiled for all of them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
from jax import lax

from jaxconv.engine.bands import zeros_of
from jaxconv.engine.problem import Problem

Add = Callable[[Problem, jax.Array, jax.Array, Any], jax.Array]


def sum_by_pieces(
    problem: Problem, signal: jax.Array, kernel: jax.Array, result: Any, most: int, add: Add
) -> jax.Array:
    """Sum over a kernel, over at most so many terms at a time.

    Args:
        problem: of a signal that is staged.
        signal: the signal.
        kernel: the kernel.
        result: shape and type of the sum.
        most: terms, input features times taps, that are summed at a time; one at least.
        add: the function that sums them: of a piece's problem, both operands and what its sum is added
            to, or None.
    """
    if problem.inputs * problem.taps <= most:
        return add(problem, signal, kernel, None)
    return _added(problem, signal, kernel, zeros_of(result, (signal, kernel)), most, add)


def piece_of(counts: Sequence[int], most: int) -> list[int]:
    """Return the input features and the window of a piece: these of the whole, cut until few enough."""
    counts = list(counts)
    while math.prod(counts) > most:
        axis, size = _cut(counts, most)
        counts[axis] = size
    return counts


def _cut(counts: Sequence[int], most: int) -> tuple[int, int]:
    """Return the axis to cut along, of these counts, and the size of the cuts."""
    terms = math.prod(counts)
    fine = [axis for axis, n in enumerate(counts) if terms <= most * n]
    axis = (fine or [axis for axis, n in enumerate(counts) if n > 1])[0]
    count = counts[axis]
    pieces = math.ceil(count / max(1, most * count // terms))
    return axis, math.ceil(count / pieces)


def _added(
    problem: Problem, signal: jax.Array, kernel: jax.Array, total: jax.Array, most: int, add: Add
) -> jax.Array:
    """Add the sum over a kernel to a total."""
    p, counts = problem, (problem.inputs, *problem.window)
    if math.prod(counts) <= most:
        return add(p, signal, kernel, total)
    axis, size = _cut(counts, most)

    def add_piece(start: Any, total: jax.Array, size: int = size) -> jax.Array:
        return _added(*_piece(p, signal, kernel, axis, start, size), total, most, add)

    whole, left = divmod(counts[axis], size)
    added = lax.fori_loop(0, whole, lambda i, total: add_piece(i * size, total), total)
    return add_piece(whole * size, added, left) if left else added


def _piece(
    problem: Problem, signal: jax.Array, kernel: jax.Array, axis: int, start: Any, size: int
) -> tuple[Problem, jax.Array, jax.Array]:
    """Return a piece of a kernel, from a place on along an axis, and the signal that it sees."""
    p, i = problem, axis - 1
    if axis == 0:
        part, place, length = replace(p, inputs=size), start, size
    else:
        step, window, space = p.kernel_dilation[i], list(p.window), list(p.space)
        window[i], space[i] = size, p.space[i] - (p.window[i] - size) * step
        part = replace(p, window=tuple(window), space=tuple(space))
        place, length = start * step, space[i]
    seen = lax.dynamic_slice_in_dim(signal, place, length, 2 + axis)
    return part, seen, lax.dynamic_slice_in_dim(kernel, start, size, 2 + axis)
