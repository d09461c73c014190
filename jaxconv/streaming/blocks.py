"""Blocks: a kernel much longer than a chunk, cut so that its later taps are computed less often.

The taps before the first cut c1 are computed with each chunk. What the taps from c1 to c2 add to the
next c1 outputs is known as soon as c1 samples have come, and is computed then, c1 outputs at a time;
the taps from c2 to c3 every c2 samples, and so on. Each is an ordinary convolution, planned by itself.
No output waits. With cuts that grow, a sample costs the logarithm of the kernel's length.
"""

import math
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv import checks
from jaxconv.convolution import convolve
from jaxconv.convolution.choosing import plan
from jaxconv.convolution.preparing import prepare
from jaxconv.engine.planning import Plan
from jaxconv.engine.preparation import Prepared
from jaxconv.streaming.course import Course

RATIOS = (4, 8, 16, 32, 64)  # of one cut to that before, from which the planner chooses
STATE_RATE = 5e9  # bytes per second at which a state is copied, roughly


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["kernels", "histories", "ahead", "clock"],
    meta_fields=["cuts", "axis"],
)
@dataclass(frozen=True)
class Later:
    """What the taps from the first cut on add to outputs that are still to come."""

    kernels: tuple[Prepared, ...]  # the taps from each cut to the next
    histories: tuple[jax.Array, ...]  # the samples up to the last time that each was computed
    ahead: jax.Array  # sums for the next outputs
    clock: jax.Array  # samples that have come, modulo the last cut
    cuts: tuple[int, ...]
    axis: int

    @property
    def plans(self) -> tuple[tuple[int, Plan], ...]:
        """What is computed, and every how many samples."""
        return tuple((cut, made.plan) for cut, made in zip(self.cuts, self.kernels) if made.plan)


def cut_at(kernel: jax.Array, course: Course, cuts: tuple[int, ...], dtype: Any) -> Later:
    """Cut a kernel, as `convolve` takes it; return what computes its taps from the first cut on.

    Raises:
        ValueError: if a cut does not divide the next, or lies outside of the kernel.
    """
    whole = all(isinstance(n, int | np.integer) and n > 0 for n in cuts)
    if not whole or any(b % a or a == b for a, b in pairwise(cuts)) or cuts[-1] >= course.taps:
        rule = f"be lengths below the kernel's {course.taps}, each of which divides the next"
        raise checks.value_error("start", "blocks", rule, cuts)
    axis, ends = course.axis, (*cuts[1:], course.taps)
    options = {"mode": "valid", "axes": axis, **dict(course.options)}
    kernels = tuple(
        prepare(kernel[course.cut(n, end)], course.with_length(end - 1), dtype=dtype, **options)
        for n, end in zip(cuts, ends)
    )
    histories = tuple(jnp.zeros(course.with_length(end), dtype) for end in ends)
    out = jax.eval_shape(partial(convolve, **options), histories[-1], kernels[-1].operand)
    ahead = jnp.zeros(course.with_length(cuts[-1] + cuts[0], out.shape), out.dtype)
    return Later(kernels, histories, ahead, jnp.array(0), cuts, axis)


def push(later: Later, samples: jax.Array, length: int) -> tuple[Later, jax.Array]:
    """Take the next chunk, of no more samples than the first cut; return what is added to its outputs.

    Args:
        later: the state.
        samples: the chunk, with as many samples before it as the first cut, less one.
        length: of the chunk.
    """
    axis, first, last = later.axis, later.cuts[0], later.cuts[-1]
    end = later.clock + length
    passed = end // first * first - later.clock  # from the chunk's beginning to the last whole block
    block = lax.dynamic_slice_in_dim(samples, jnp.clip(passed - 1, 0), first, axis)

    def compute(level: int, histories: Any, ahead: jax.Array, block: jax.Array) -> Any:
        """Compute one level, which has got a new block, and the next one if it has got one too."""
        cut = later.cuts[level]
        older = lax.slice_in_dim(histories[level], cut, None, axis=axis)
        history = jnp.concatenate([older, block], axis)
        seen = lax.slice_in_dim(history, 1, None, axis=axis)
        added = convolve(seen, later.kernels[level], "valid", axes=axis)
        sums = lax.dynamic_slice_in_dim(ahead, passed, cut, axis) + added
        ahead = lax.dynamic_update_slice_in_dim(ahead, sums, passed, axis)
        histories = (*histories[:level], history, *histories[level + 1 :])
        if level + 1 == len(later.cuts):
            return histories, ahead
        is_whole = (later.clock + passed) % later.cuts[level + 1] == 0
        return lax.cond(is_whole, partial(compute, level + 1), leave, histories, ahead, history)

    def leave(histories: Any, ahead: jax.Array, _: jax.Array) -> Any:
        return histories, ahead

    state = later.histories, later.ahead
    histories, ahead = lax.cond(passed > 0, partial(compute, 0), leave, *state, block)
    now = lax.slice_in_dim(ahead, 0, length, axis=axis)
    rest = lax.slice_in_dim(ahead, length, None, axis=axis)
    ahead = jnp.concatenate([rest, jnp.zeros_like(now)], axis)
    return replace(later, histories=histories, ahead=ahead, clock=end % last), now


def may_cut(course: Course) -> bool:
    """Return whether the later taps can be computed apart: zeros lie beyond, and every output counts."""
    whole = course.before == course.behind == course.reach - 1
    return whole and course.is_linear and course.stride == course.dilation == 1


def planned(course: Course, dtype: Any) -> tuple[int, ...]:
    """Return the cuts for which the predicted time of a chunk is least; () for none."""
    chunk = 1 << (course.usual_length - 1).bit_length()
    choices: dict[tuple[int, ...], float] = {(): _seconds(course, (), dtype)}
    firsts = [chunk << i for i in range(8) if chunk << i < course.taps]
    for first in firsts:
        for ratio in RATIOS:
            cuts = [first]
            while cuts[-1] * ratio * 2 < course.taps:
                cuts.append(cuts[-1] * ratio)
            if tuple(cuts) not in choices:
                choices[tuple(cuts)] = _seconds(course, tuple(cuts), dtype)
    return min(choices, key=lambda cuts: choices[cuts])


def _seconds(course: Course, cuts: tuple[int, ...], dtype: Any) -> float:
    """Predict what a chunk takes, with the copies of its state."""
    chunk, batch = course.usual_length, math.prod(course.others(course.shape))
    ends = (*cuts, course.taps)
    seconds = _of(chunk, ends[0], course, batch, dtype)
    seconds += batch * jnp.dtype(dtype).itemsize * (sum(ends) + ends[0]) / STATE_RATE
    for cut, end in zip(cuts, ends[1:]):
        seconds += _of(cut, end - cut, course, batch, dtype) * chunk / cut
    return seconds


def _of(outputs: int, taps: int, course: Course, batch: int, dtype: Any) -> float:
    made = plan(
        (batch, outputs + taps - 1), (1, taps), "valid", axes=1, dtype=dtype, **dict(course.options)
    )
    return made.chosen.seconds
