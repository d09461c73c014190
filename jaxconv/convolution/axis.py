"""Axis: one axis that is convolved along: its lengths, its boundary, and which outputs are wanted."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxconv import checks
from jaxconv.convolution import boundaries
from jaxconv.convolution.call import Call
from jaxconv.convolution.conventions import BOUNDARY_WORDS, VALID_WORDS
from jaxconv.convolution.parts import Part, at_lags, in_mode
from jaxconv.types import Boundary


@dataclass(frozen=True)
class Axis:
    """The static facts of one axis."""

    number: int
    length: int  # of the signal
    taps: int
    dilation: int
    boundary: Boundary
    part: Part

    @property
    def reach(self) -> int:
        """How many samples the dilated kernel spans."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def padding(self) -> tuple[int, int]:
        """How far the wanted windows reach beyond the signal, before and behind it."""
        return self.part.padding(self.length, self.reach)


def along(
    call: Call, shape1: Sequence[int], shape2: Sequence[int], filled: bool = False
) -> tuple[Axis, ...]:
    """Return the axes that a call convolves along, in rising order.

    Options per axis belong to the axes in the order in which the call names them.

    Args:
        call: the call.
        shape1: the signal's shape.
        shape2: the kernel's shape.
        filled: whether a fill value was given.
    """
    name, convention = call.name, call.convention
    numbers = checks.axes(name, call.axes, len(shape1))
    count = len(numbers)
    dilation = checks.per_axis(name, "dilation", call.dilation, count, 1)
    names = boundary_names(call, count, filled)
    lengths, taps = ([shape[i] for i in numbers] for shape in (shape1, shape2))
    reach = [(m - 1) * d + 1 for m, d in zip(taps, dilation)]
    if call.lags is not None:
        if call.mode != "full" or call.stride != 1:
            rule = "be left out where mode or stride is given: it tells the places itself"
            raise checks.value_error(name, "lags", rule, call.lags)
        parts = at_lags(name, call.lags, reach)
    else:
        origin = checks.per_axis(name, "origin", call.origin, count, None)
        if any(origin) and call.mode != "same":
            raise checks.value_error(name, "origin", "be 0 unless mode is 'same'", call.origin)
        stride = checks.per_axis(name, "stride", call.stride, count, 1)
        if call.mode == "valid":
            _check_nested(call, lengths, reach)
        starts = [convention.start(m, by) for m, by in zip(reach, origin)]
        parts = [in_mode(call.mode, *sizes) for sizes in zip(lengths, reach, starts, stride)]
    axes = [Axis(*facts) for facts in zip(numbers, lengths, taps, dilation, names, parts)]
    return tuple(sorted(axes, key=lambda axis: axis.number))


def boundary_names(call: Call, rank: int, filled: bool) -> tuple[Boundary, ...]:
    """Return the boundary of each axis, as the call orders them; in "valid" nothing beyond matters."""
    words = BOUNDARY_WORDS if call.convention.is_of_matrices else ""
    names = boundaries.canonical(call.name, call.boundary, rank, words)
    if filled and "fill" not in names and not call.convention.is_of_matrices:
        rule, got = "be left out where no boundary is 'fill'", f"boundary {call.boundary!r}"
        raise checks.value_error(call.name, "fillvalue", rule, got)
    return ("fill",) * rank if call.mode == "valid" else names


def _check_nested(call: Call, lengths: Sequence[int], reach: Sequence[int]) -> None:
    """Raise ValueError unless one operand fits inside the other, along axes that do not broadcast."""
    ones = [bool(call.convention.method) and 1 in pair for pair in zip(lengths, reach)]
    sizes = [tuple(n for n, one in zip(side, ones) if not one) for side in (lengths, reach)]
    checks.nested(call.name, ("in1", "in2"), (sizes[0], sizes[1]), VALID_WORDS)
