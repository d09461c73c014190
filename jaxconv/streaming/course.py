"""Course: the static facts of a stream, and which samples which outputs need."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.convolution import convolve, correlate
from jaxconv.convolution.conventions import CONVOLVE, CORRELATE
from jaxconv.engine.primitive import plans_in
from jaxconv.types import MODES, Boundary, Mode


@dataclass(frozen=True)
class Course:
    """The static facts of a stream; hashable."""

    function: Callable[..., jax.Array]
    options: tuple[tuple[str, Any], ...]  # of the function, besides its mode and its axes
    shape: tuple[int, ...]  # of the usual chunk
    axis: int
    taps: int
    stride: int
    dilation: int
    before: int  # how many samples beyond the beginning are looked at
    behind: int  # and beyond the end
    boundary: Boundary
    latency: int

    @property
    def reach(self) -> int:
        """How many samples a window spans."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def needed(self) -> int:
        """How many samples the boundary goes on with."""
        least = max(self.before, self.behind)
        return {"fill": 0, "edge": 1, "symmetric": least}.get(self.boundary, least + 1)

    @property
    def kept(self) -> int:
        """How many of the last samples are kept for the boundary at the end."""
        kept = {"fill": 0, "edge": 1, "symmetric": self.behind}.get(self.boundary, self.behind + 1)
        return kept if self.behind else 0

    @property
    def usual_length(self) -> int:
        """How many samples are usually computed at a time."""
        length = max(self.length_of(self.shape), 1)
        return -(-self.latency // length) * length if self.latency > length else length

    @property
    def usual_window(self) -> int:
        """How many samples that usually takes."""
        return self.reach + (-(-self.usual_length // self.stride) - 1) * self.stride

    @property
    def call(self) -> dict[str, Any]:
        """The options that the function is called with, on samples of which each has its output."""
        steps = {"stride": self.stride, "dilation": self.dilation} if self.is_linear else {}
        return {"mode": "valid", "axes": self.axis, **steps, **dict(self.options)}

    @property
    def is_linear(self) -> bool:
        """Whether the outputs are sums of products with the taps, and no scores."""
        return self.function in (convolve, correlate)

    def compute(self, samples: jax.Array, kernel: Any) -> jax.Array:
        """Return the outputs of all windows in these samples, every `stride`-th."""
        out = self.function(samples, kernel, **self.call)
        return out if self.is_linear else out[self.cut(None, None, self.stride)]

    def by_what_can(self, samples: jax.Array, taps: jax.Array) -> "Course":
        """Return the same course, by the named method if it can compute these, else as planned."""
        named = dict(self.options)["method"]
        if named == "auto":
            return self
        free = replace(self, options=(*self.options, ("method", "auto")))
        plans = plans_in(free.compute, (samples, taps))
        refused = any(c.method == named and c.refusal for plan in plans for c in plan.candidates)
        return free if refused else self

    def count(self, length: int, skipped: int) -> int:
        """Return how many outputs have their windows in so many samples, less those skipped."""
        return max((length - skipped - self.reach) // self.stride + 1, 0)

    def length(self, samples: jax.Array) -> int:
        """Return how many samples an array has along the axis."""
        return samples.shape[self.axis]

    def length_of(self, shape: Sequence[int]) -> int:
        """Return how many samples a shape has along the axis."""
        return shape[self.axis]

    def others(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the lengths along the other axes."""
        return (*shape[: self.axis], *shape[self.axis + 1 :])

    def with_length(self, length: int, shape: Sequence[int] | None = None) -> tuple[int, ...]:
        """Return a shape, by default the usual chunk's, with another length along the axis."""
        shape = self.shape if shape is None else shape
        return (*shape[: self.axis], length, *shape[self.axis + 1 :])

    def cut(self, *bounds: int | None) -> tuple[slice, ...]:
        """Return the index of a part along the axis."""
        return (*(slice(None),) * self.axis, slice(*bounds))

    def joined(self, pieces: Sequence[jax.Array]) -> jax.Array:
        """Lay pieces end to end."""
        some = [piece for piece in pieces if piece.shape[self.axis]] or [pieces[0]]
        return some[0] if len(some) == 1 else jnp.concatenate(some, self.axis)

    def shortened(self, taps: int) -> "Course":
        """Return the course of the first taps alone, which answers at once; all else is added later."""
        return replace(self, taps=taps, before=taps - 1)


def filled_up(length: int, usual: int) -> int:
    """Return to which length a short chunk is filled up, so that few lengths are compiled."""
    return min(1 << (length - 1).bit_length(), usual) if 0 < length < usual else length


def course_of(
    kernel: jax.Array,
    shape: Any,
    function: Callable[..., jax.Array],
    mode: Mode | None,
    axis: int,
    boundary: Boundary,
    stride: int,
    dilation: int,
    latency: int,
    options: dict[str, Any],
) -> tuple[jax.Array, Course]:
    """Check what a stream is begun with; return the kernel with as many axes as a chunk, and the course.

    Raises:
        ValueError: if an option is not one of its allowed values, or two do not go together.
    """
    shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    for n in shape:
        checks.positive("start", "shape", n)
    (axis,) = checks.axes("start", axis, len(shape), "axis")
    if kernel.ndim == 1:
        kernel = kernel.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    if kernel.ndim != len(shape):
        rule = f"have one axis, or as many as a chunk ({len(shape)})"
        raise checks.value_error("start", "kernel", rule, f"shape {kernel.shape}")
    is_linear = function in (convolve, correlate)
    mode = mode or ("full" if is_linear else "valid")
    checks.one_of("start", "mode", mode, MODES)
    stride = checks.positive("start", "stride", stride)
    dilation = checks.positive("start", "dilation", dilation)
    if boundary == "wrap":
        remedy = "Push what lies before the beginning, and leave its outputs out."
        rule = "be known as the signal comes, and its end is not"
        raise checks.value_error("start", "boundary", rule, "'wrap'", remedy)
    if not is_linear and (mode != "valid" or dilation > 1):
        got = f"mode {mode!r}, dilation {dilation}"
        raise checks.value_error("start", "mode", "be 'valid', without dilation, for scores", got)
    if latency < 0:
        raise checks.value_error("start", "latency", "not be negative", latency)
    taps = kernel.shape[axis]
    reach = (taps - 1) * dilation + 1
    first = (CONVOLVE if function is convolve else CORRELATE).start(reach, 0)  # of "same", in "full"
    behind = {"full": reach - 1, "same": first, "valid": 0}[mode]
    before = {"full": reach - 1, "same": reach - 1 - first, "valid": 0}[mode]
    boundary = "fill" if mode == "valid" else boundary
    given = tuple(sorted(options.items()))
    return kernel, Course(
        function, given, shape, axis, taps, stride, dilation, before, behind, boundary, latency
    )
