"""Steps: from a call and its arrays to the engine's convolution and back.

    check  ->  axes  ->  turn, extend, lay out  ->  convolve as planned  ->  lay back, normalize

Shapes are checked while tracing, and all of it is one program.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.convolution import conventions
from jaxconv.convolution.axis import Axis, along, boundary_names
from jaxconv.convolution.call import Call, called, fill_of, known_call
from jaxconv.convolution.conventions import Convention
from jaxconv.convolution.layout import lay_out
from jaxconv.convolution.normalizing import near_one, normalized
from jaxconv.engine.how import How
from jaxconv.engine.mesh.arrays import is_sharded
from jaxconv.engine.preparation import Prepared, convolution, one_of_both, taken
from jaxconv.engine.primitive import plans_in


def slide(
    convention: Convention, in1: Any, in2: Any, *, fillvalue: Any = 0, **options: Any
) -> jax.Array:
    """Check the options of a call, make arrays, and convolve or correlate them by a convention."""
    try:
        call = known_call(convention, **options)
    except TypeError:  # an option is a list or an array, or wrong
        call = called(convention, **options)
    if not isinstance(in1, jax.Array | Prepared):
        in1 = checks.array(call.name, "in1", in1)
    if not isinstance(in2, jax.Array | Prepared):
        in2 = checks.array(call.name, "in2", in2)
    return computed(call, in1, in2, fill_of(call.name, fillvalue))


@partial(jax.jit, static_argnums=0)
def computed(call: Call, in1: Any, in2: Any, fillvalue: jax.Array | None) -> jax.Array:
    """Compute a call of two operands, either of which may be prepared."""
    name, convention = call.name, call.convention
    prepared = taken(name, "in1", "signal", in1), taken(name, "in2", "kernel", in2)
    ready = one_of_both(name, "in1", *prepared)
    in1, in2 = (
        checks.array(name, argument, made.operand if made else given)
        for argument, given, made in zip(("in1", "in2"), (in1, in2), prepared)
    )
    conventions.check_ranks(convention, in1, in2)
    numbers = checks.axes(name, call.axes, in1.ndim) if in1.ndim else ()
    a, b, result = _typed(call, in1, in2, numbers)
    if not numbers:
        return (a * (b if convention.reflects else b.conj())).astype(result)
    if 0 in (*a.shape, *b.shape):
        return _empty(call, a, b, numbers, fillvalue is not None).astype(result)
    for argument, shape in (("in1", a.shape), ("in2", b.shape)):
        checks.known(name, argument, [shape[axis] for axis in numbers])
    axes = along(call, a.shape, b.shape, fillvalue is not None)
    fillvalue = _used(call, fillvalue, axes)
    if call.normalize != "none" and not _is_zero_beyond(axes, fillvalue):
        rule, got = "be 'none' unless zeros lie beyond the edges", repr(call.normalize)
        raise checks.value_error(name, "normalize", rule, got, "Use boundary='fill', fillvalue=0.")
    if call.normalize == "coefficient" and not ready:  # else one was transformed as it is
        a, b = near_one(a, axes), near_one(b, axes)
    out = _convolve(call, a, b, axes, fillvalue, ready)
    if convention.conjugates_swapped and call.mode == "valid" and _is_inside(axes):
        out = out.conj()
    if call.normalize != "none":
        out = normalized(out, a, b, axes, call.normalize)
    return out.astype(result)


def _typed(
    call: Call, in1: jax.Array, in2: jax.Array, numbers: Sequence[int]
) -> tuple[jax.Array, jax.Array, np.dtype]:
    """Return the operands in the type of the computation, and the type of the result."""
    transformed = any(1 not in (in1.shape[i], in2.shape[i]) for i in numbers)
    floats = call.normalize != "none" or (bool(call.convention.method) and transformed)
    result = conventions.result_type(in1.dtype, in2.dtype, floats)
    work = jnp.dtype("int32") if result.kind == "b" else result
    return in1.astype(work), in2.astype(work), result


def _empty(call: Call, a: jax.Array, b: jax.Array, numbers: Sequence[int], filled: bool) -> jax.Array:
    """Return the result for operands without elements."""
    if call.convention.method or not all(a.shape[i] and b.shape[i] for i in numbers):
        zeros = set(boundary_names(replace(call, mode="full"), len(numbers), filled)) == {"fill"}
        return conventions.empty_result(call.convention, a, b, call.mode, zeros)
    lay_out(call.name, a.shape, b.shape, sorted(numbers))  # raises where they do not broadcast
    counts = {axis.number: axis.part.count for axis in along(call, a.shape, b.shape, filled)}
    pairs = enumerate(zip(a.shape, b.shape))
    return jnp.zeros([counts.get(i, m if n == 1 else n) for i, (n, m) in pairs])


def _is_inside(axes: Sequence[Axis]) -> bool:
    """Return whether in "valid" mode it is the signal that lies inside the kernel."""
    return any(axis.length < axis.taps for axis in axes)


def _convolve(
    call: Call,
    a: jax.Array,
    b: jax.Array,
    axes: tuple[Axis, ...],
    fillvalue: jax.Array | None,
    ready: Prepared | None,
) -> jax.Array:
    """Convolve or correlate checked operands along these axes."""
    numbers = tuple(axis.number for axis in axes)
    kernel = call.convention.turned(b, numbers)
    layout = lay_out(call.name, a.shape, b.shape, numbers)
    if ready is None:
        if _is_commuted(call, axes, fillvalue) and not is_sharded(a):
            a, kernel, layout = jnp.flip(kernel, numbers), jnp.flip(a, numbers), layout.swapped()
            axes = tuple(replace(axis, length=axis.taps, taps=axis.length) for axis in axes)
        elif is_sharded(a):
            layout = layout.whole(a)
        elif call.how.method in ("auto", "shifts"):
            layout = layout.in_place(math.prod(axis.taps for axis in axes))
    value = None if fillvalue is None else _fill(call.name, fillvalue, a.dtype)
    facts = {axis.number: (axis.part.step, axis.padding, axis.dilation, axis.boundary) for axis in axes}
    by_axis = [facts.get(number, (1, (0, 0), 1, "fill")) for number in layout.space]
    operands = layout.signal(a), layout.kernel(kernel)
    steps, widths, dilation, names = zip(*by_axis)
    if value is not None:
        names = tuple("constant" if name == "fill" else name for name in names)
    options = {
        "boundaries": names if set(names) != {"fill"} else (),
        "fill": value,
        "window_strides": steps,
        "padding": widths,
        "rhs_dilation": dilation,
        "feature_group_count": operands[0].shape[1],
    }
    how = _possible(call, operands, options)
    return layout.back(convolution(*operands, how, ready=ready, **options), a.shape, kernel.shape)


def _is_commuted(call: Call, axes: Sequence[Axis], fillvalue: jax.Array | None) -> bool:
    """Return whether the operands change places, as a convolution allows: the longer is the signal."""
    plain = _is_zero_beyond(axes, fillvalue) and all(axis.dilation == 1 for axis in axes)
    lengths, taps = (math.prod(getattr(axis, n) for axis in axes) for n in ("length", "taps"))
    return plain and lengths < taps


def _is_zero_beyond(axes: Sequence[Axis], fillvalue: jax.Array | None) -> bool:
    """Return whether zeros lie beyond all edges."""
    return fillvalue is None and all(axis.boundary == "fill" for axis in axes)


def _used(call: Call, value: jax.Array | None, axes: Sequence[Axis]) -> jax.Array | None:
    """Return a fill value, of one element, or raise; None where nothing is filled with it."""
    if value is not None and value.size != 1:
        words = "`fillvalue` must be scalar or an array with one element."
        words = words if value.size else "`fillvalue` cannot be an empty array."
        got = f"shape {value.shape}"
        raise checks.value_error(call.name, "fillvalue", "be one number", got, "", words)
    is_filled = call.mode != "valid" and any(axis.boundary == "fill" for axis in axes)
    return value if is_filled else None


def _fill(name: str, value: jax.Array, dtype: np.dtype) -> jax.Array:
    """Return the value of what lies beyond the edge, in the signal's dtype."""
    if jnp.iscomplexobj(value) and not jnp.issubdtype(dtype, np.complexfloating):
        words = (
            "could not cast `fillvalue` directly to the output type (it was first converted to complex):"
        )
        rule = f"be real where the result is {dtype}"
        raise checks.value_error(name, "fillvalue", rule, f"dtype {value.dtype}", "", words)
    return value.astype(dtype).reshape(())


def _possible(call: Call, operands: tuple[jax.Array, jax.Array], options: dict[str, Any]) -> How:
    """Return how to compute: integers exactly, and by the FFT that fits, where one was asked for."""
    how, by_name = call.how, call.convention.method
    exact = not jnp.issubdtype(operands[0].dtype, np.inexact)
    if exact and (by_name or how.method in ("fft", "circular")):
        return how.by("auto")
    if not by_name or (by_name == "fft" and not options["boundaries"]):
        return how
    (plan,) = plans_in(partial(convolution, how=How(call.name), **options), operands)
    able = [c.method for c in plan.candidates if not c.refusal]
    return how.by(next(name for name in ("circular", by_name, "fft") if name in able))
