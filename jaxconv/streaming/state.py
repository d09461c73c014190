"""State: what a stream remembers between two chunks, and what it computes of it."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv.convolution.preparing import prepare
from jaxconv.engine.planning import Plan
from jaxconv.engine.preparation import Prepared
from jaxconv.engine.primitive import plans_in
from jaxconv.engine.problem import lengthened
from jaxconv.streaming import blocks as growing
from jaxconv.streaming.blocks import Later
from jaxconv.streaming.course import Course, filled_up


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["kernel", "fill", "held", "waiting", "later"],
    meta_fields=["course", "skipped", "is_open"],
)
@dataclass(frozen=True)
class Stream:
    """What a stream remembers between two chunks; it prints its plan."""

    kernel: Prepared | jax.Array  # prepared for the usual chunk
    fill: jax.Array  # the value beyond the edges
    held: jax.Array  # the samples that later outputs need
    waiting: tuple[jax.Array, ...]  # chunks that have not been computed
    later: Later | None  # what the kernel's taps beyond the first block add
    course: Course
    skipped: int  # samples of `held`, and beyond it, before the next output's window
    is_open: bool  # whether samples before the beginning are still to be added

    @property
    def taps(self) -> jax.Array:
        """The kernel as it was given; where it is cut, up to the first cut."""
        return self.kernel.operand if isinstance(self.kernel, Prepared) else self.kernel

    @property
    def plans(self) -> tuple[tuple[int, Plan], ...]:
        """What is computed, each with every how many samples that is."""
        length = self.course.usual_length
        own = plans_in(self.course.compute, (self._usual, self.taps))
        return (*((length, plan) for plan in own), *(self.later.plans if self.later else ()))

    @property
    def accepted(self) -> tuple[Any, tuple[int, ...], int]:
        """The type and the shape of a chunk, and the axis along which any length may come."""
        return self.held.dtype, self.course.shape, self.course.axis

    @property
    def _usual(self) -> jax.ShapeDtypeStruct:
        """What samples are usually computed at a time."""
        shape = self.course.with_length(self.course.usual_window)
        return jax.ShapeDtypeStruct(shape, self.held.dtype)

    def __str__(self) -> str:
        lines = [f"stream of chunks {self.course.shape}, along axis {self.course.axis}"]
        for every, plan in self.plans:
            lines.append(f"every {every:,} samples")
            lines += ["  " + line for line in str(plan).splitlines()]
        return "\n".join(lines)


def begun(kernel: jax.Array, fill: jax.Array, later: Later | None, course: Course, dtype: Any) -> Stream:
    """Return a stream before its first chunk, with its kernel prepared for the usual one."""
    is_open = course.boundary != "fill" and bool(course.before or course.behind)
    held = jnp.full(course.with_length(0 if is_open else course.before), fill)
    if course.is_linear:
        shape = course.with_length(course.usual_window)
        ready = prepare(kernel, shape, course.function, dtype=dtype, **course.call)
    else:
        ready = kernel
    return Stream(ready, fill, held, (), later, course, 0, is_open)


def completes(state: Stream, length: int) -> bool:
    """Return whether so many new samples complete an output."""
    course = state.course
    if state.is_open:
        return length >= course.needed
    return course.count(course.length(state.held) + length, state.skipped) > 0


def nothing(state: Stream) -> jax.Array:
    """Return no outputs, in the shape and the type that outputs have."""
    shape = jax.eval_shape(state.course.compute, state._usual, state.taps)
    return jnp.zeros(state.course.with_length(0, shape.shape), shape.dtype)


@jax.jit
def advanced(state: Stream) -> tuple[Stream, jax.Array]:
    """Compute what the waiting chunks complete."""
    samples = state.course.joined(state.waiting)
    return _through(replace(state, waiting=()), samples)


def is_steady(state: Stream) -> bool:
    """Return whether each new sample completes an output, and as much is held as before."""
    course = state.course
    if state.is_open or state.later or len(state.waiting) > 1 or course.stride > 1:
        return False
    held = course.length(state.held)
    return held - state.skipped == course.reach - 1 and min(state.skipped, held - course.kept) == 0


def advanced_by_few(state: Stream) -> tuple[Stream, jax.Array]:
    """Compute what one waiting chunk completes in a steady stream: filled up, to be compiled once."""
    (chunk,), axis = state.waiting, state.course.axis
    length = state.course.length(chunk)
    size = filled_up(length, state.course.usual_length)
    if size > length:  # with samples of its own, among which no window is flat
        chunk = jnp.take(chunk, np.arange(size) % length, axis)
    state, out = _steadily(replace(state, waiting=()), chunk, length)
    return state, out if size == length else lax.slice_in_dim(out, 0, length, axis=axis)


@jax.jit
def _steadily(state: Stream, chunk: jax.Array, length: Any) -> tuple[Stream, jax.Array]:
    """Return the stream after so many samples of a chunk, and the outputs of all."""
    course = state.course
    samples = course.joined((state.held, chunk))
    size = course.length(state.held)
    held = lax.dynamic_slice_in_dim(samples, length, size, course.axis)
    return replace(state, held=held), _outputs(state, samples)


@jax.jit
def finished(state: Stream) -> jax.Array:
    """Compute what the waiting chunks complete, and what lies beyond the end."""
    course, behind = state.course, state.course.behind
    samples = course.joined((state.held, *state.waiting))
    if state.later is not None:
        zeros = jnp.zeros(course.with_length(behind), samples.dtype)
        return _through(replace(state, waiting=()), course.joined((*state.waiting, zeros)))[1]
    name = "constant" if course.boundary == "fill" else course.boundary
    before = course.before if state.is_open else 0
    samples = lengthened(samples, course.axis, before, behind, name, state.fill)
    return _outputs(state, samples)


def _through(state: Stream, samples: jax.Array) -> tuple[Stream, jax.Array]:
    """Return the stream after these samples, and their outputs: by blocks, where the kernel is cut."""
    course, axis = state.course, state.course.axis
    if state.later is None:
        return _after(state, samples)
    block, length, outputs = state.later.cuts[0], course.length(samples), []
    whole = length // block * block
    if whole > block:
        shape = (*samples.shape[:axis], -1, block, *samples.shape[axis + 1 :])
        blocks = samples[course.cut(0, whole)].reshape(shape)
        state, out = lax.scan(_after, state, jnp.moveaxis(blocks, axis, 0))
        outputs = [lax.collapse(jnp.moveaxis(out, 0, axis), axis, axis + 2)]
        samples = samples[course.cut(whole, None)]
    for piece in (samples[course.cut(0, block)], samples[course.cut(block, None)]):
        if course.length(piece):
            state, out = _after(state, piece)
            outputs.append(out)
    return state, course.joined(outputs)


def _after(state: Stream, chunk: jax.Array) -> tuple[Stream, jax.Array]:
    """Return the stream after a chunk, and its outputs."""
    course, later = state.course, state.later
    samples, skipped = course.joined((state.held, chunk)), state.skipped
    if state.is_open:
        samples = lengthened(samples, course.axis, course.before, 0, course.boundary)
    out = _outputs(state, samples)
    if later is not None:
        later, more = growing.push(later, samples, course.length(chunk))
        out += more
    skipped += course.count(course.length(samples), skipped) * course.stride
    done = max(min(skipped, course.length(samples) - course.kept), 0)
    held = samples[course.cut(done, None)]
    return replace(state, held=held, later=later, skipped=skipped - done, is_open=False), out


def _outputs(state: Stream, samples: jax.Array) -> jax.Array:
    """Compute all outputs whose windows lie in these samples."""
    course = state.course
    count = course.count(course.length(samples), state.skipped)
    if not count:
        return nothing(state)
    length = course.reach + (count - 1) * course.stride
    samples = samples[course.cut(state.skipped, state.skipped + length)]
    if length == course.usual_window:
        return course.compute(samples, state.kernel)
    return course.by_what_can(samples, state.taps).compute(samples, state.taps)
