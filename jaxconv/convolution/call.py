"""Sliding: what all of SciPy's family shares, from its arguments to the engine's convolution and back.

The steps: check; choose the part of the output; extend the signal beyond its edges; lay the axes out as
batch, groups, features and space; convolve; lay them back.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypedDict

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv import checks
from jaxconv.convolution import boundaries, circular, conventions
from jaxconv.convolution.layout import lay_out
from jaxconv.convolution.parts import Part, at_lags, in_mode
from jaxconv.engine.planning import ANY, Plan, Request, requested
from jaxconv.engine.prepared import Prepared, as_prepared, convolution
from jaxconv.engine.primitive import plans_in
from jaxconv.engine.problem import Shape
from jaxconv.types import MODES, NORMALIZE, Boundary, Method

Axes = int | Sequence[int] | None


class Sliding(TypedDict, total=False):
    """The options of the family that `convolve` explains and SciPy does not have."""

    origin: int | Sequence[int]
    stride: int | Sequence[int]
    dilation: int | Sequence[int]
    precision: lax.PrecisionLike
    max_bytes: int | None
    local: bool


class Beyond(Sliding, total=False):
    """The same, and what lies beyond the edges."""

    boundary: Boundary | str | Sequence[str]
    fillvalue: Any


class Along(Sliding, total=False):
    """The same, and along which axes, and how."""

    axes: Axes
    method: Method | Plan


class Options(NamedTuple):
    """What a call asks for besides its arrays: hashable, since `jit` takes it as static."""

    mode: Any
    request: Request
    precision: Any
    axes: Any
    boundary: Any
    origin: Any
    stride: Any
    dilation: Any
    lags: Any
    normalize: Any


def slide(
    function: str,
    in1: Any,
    in2: Any,
    *,
    mode: Any = "full",
    method: Any = "auto",
    precision: Any = None,
    max_bytes: int | None = None,
    local: bool = False,
    axes: Any = None,
    boundary: Any = "fill",
    fillvalue: Any = 0,
    origin: Any = 0,
    stride: Any = 1,
    dilation: Any = 1,
    lags: Any = None,
    normalize: Any = "none",
) -> jax.Array:
    """Check the options, make arrays, and slide one over the other; shapes are checked while tracing."""
    if not isinstance(mode, str) or mode not in MODES:
        words = conventions.MODE_WORDS.get(function, conventions.MODE_WORDS[""])
        checks.one_of(function, "mode", mode, MODES, words.format(mode))
    if not isinstance(in1, jax.Array):
        in1 = checks.array(function, "in1", in1)
    if not isinstance(in2, jax.Array | Prepared):
        in2 = checks.array(function, "in2", in2)
    request = requested(
        function, method, max_bytes, local, "Acceptable method flags are 'auto', 'direct', or 'fft'."
    )
    given = {
        "axes": axes,
        "boundary": boundary,
        "origin": origin,
        "stride": stride,
        "dilation": dilation,
        "lags": lags,
        "normalize": normalize,
        "precision": precision,
    }
    fixed = {name: checks.static(function, name, value) for name, value in given.items()}
    options = Options(mode=mode, request=request, **fixed)
    if isinstance(fillvalue, int | float | complex) and fillvalue == 0:
        fillvalue = None  # the engine's own padding
    elif not isinstance(fillvalue, jax.Array):
        fillvalue = checks.array(function, "fillvalue", fillvalue)
    return _jitted(function, in1, in2, fillvalue, options)


@partial(jax.jit, static_argnums=(0, 4))
def _jitted(function: str, in1: jax.Array, in2: Any, fillvalue: Any, o: Options) -> jax.Array:
    in1, prepared = checks.array(function, "in1", in1), as_prepared(function, "in2", in2)
    in2 = checks.array(function, "in2", prepared.kernel if prepared else in2)
    conventions.check_ranks(function, in1, in2)
    transformed = [1 not in pair for pair in zip(in1.shape, in2.shape)]
    floats = o.normalize != "none" or (function in conventions.BY_FFT and any(transformed))
    result = conventions.result_type(in1.dtype, in2.dtype, floats)
    work = jnp.dtype("int32") if result.kind == "b" else result
    a, b = in1.astype(work), in2.astype(work)
    axes = checks.axes(function, o.axes, a.ndim) if a.ndim else ()
    if not axes:
        return (a * (b if function in conventions.REFLECTED else b.conj())).astype(result)
    if 0 in (*a.shape, *b.shape):
        if function not in conventions.BY_FFT and all(a.shape[i] and b.shape[i] for i in axes):
            return _empty_batch(function, a.shape, b.shape, axes, o).astype(result)
        filled = set(_boundaries(function, o, fillvalue, a.ndim)) == {"fill"}
        return conventions.of_nothing(function, a, b, o.mode, filled).astype(result)
    for name, shape in (("in1", a.shape), ("in2", b.shape)):
        checks.known(function, name, [shape[axis] for axis in axes])
    layout = lay_out(function, a.shape, b.shape, axes)
    parts = _wanted(function, a.shape, b.shape, axes, o)
    out = _convolve(function, a, b, prepared, fillvalue, layout, parts, o)
    if function == "correlate2d" and o.mode == "valid" and _is_swapped(a.shape, b.shape, axes):
        out = out.conj()  # as SciPy has it
    out = _normalized(function, out, a, b, axes, parts, o) if o.normalize != "none" else out
    return out.astype(result)


def _empty_batch(function: str, shape1: Shape, shape2: Shape, axes: Sequence[int], o: Options):
    """Return the empty result of operands that are empty along axes that are not convolved."""
    lay_out(function, shape1, shape2, axes)  # raises where they do not broadcast
    along = dict(zip(axes, _wanted(function, shape1, shape2, axes, o)))
    pairs = enumerate(zip(shape1, shape2))
    return jnp.zeros([along[i].count if i in along else m if n == 1 else n for i, (n, m) in pairs])


def _convolve(function, a, b, prepared, fillvalue, layout, parts, o: Options) -> jax.Array:
    """Convolve or correlate arrays that were checked."""
    axes, names = layout.space, _boundaries(function, o, fillvalue, len(layout.space))
    if o.mode == "valid":  # which looks at nothing beyond
        names, fillvalue = ("fill",) * len(axes), None
    dilation = checks.per_axis(function, "dilation", o.dilation, len(axes), 1)
    if o.normalize != "none" and (set(names) != {"fill"} or fillvalue is not None):
        rule, got = "be 'none' unless beyond the edges lie zeros", repr(o.normalize)
        raise checks.value_error(function, "normalize", rule, got)
    kernel = conventions.turned(function, b, axes)
    options = {"request": _request(function, o, a), "precision": o.precision}
    if set(names) == {"wrap"} and not prepared and o.mode == "same" and set(dilation) == {1}:
        shapes = [operand.shape for operand in (a, b)]
        operands = layout.signal(a), layout.kernel(kernel)
        if circular.is_best(*operands, parts, **options):
            return layout.back(circular.correlate(*operands, parts), *shapes)
    plain = all(name == "fill" for name in names) and fillvalue is None
    smaller = np.prod([a.shape[i] for i in axes]) < np.prod([b.shape[i] for i in axes])
    if plain and smaller and not prepared and set(dilation) == {1}:  # convolution commutes
        a, kernel = jnp.flip(kernel, axes), jnp.flip(a, axes)
        layout = layout._replace(batch=layout.outputs, outputs=layout.batch)
    elif not prepared and o.request.method in ("auto", "shifts"):
        layout = layout.in_place(math.prod(kernel.shape[i] for i in axes))
    reach = [(kernel.shape[i] - 1) * d + 1 for i, d in zip(axes, dilation)]
    padding = [part.padding(a.shape[i], m) for i, m, part in zip(axes, reach, parts)]
    shapes = a.shape, kernel.shape
    if not plain:
        a, padding = _extended(function, a, axes, padding, names, fillvalue)
    steps = [part.step for part in parts]
    along = dict(zip(axes, zip(steps, padding, dilation)))
    along = [along.get(axis, (1, (0, 0), 1)) for axis in layout.space]
    options["window_strides"], options["padding"], options["rhs_dilation"] = zip(*along)
    operands = layout.signal(a), layout.kernel(kernel)
    options["feature_group_count"] = operands[0].shape[1]
    if function == "oaconvolve" and options["request"].method == "overlap":
        options["request"] = _by_blocks(operands, options)
    return layout.back(convolution(*operands, prepared, **options), *shapes)


def _request(function: str, o: Options, signal: jax.Array) -> Request:
    """Return how to compute; integers by any exact method, where an FFT was asked for."""
    exact = not jnp.issubdtype(signal.dtype, np.inexact)
    by_fft = o.request.method == "fft" or function in conventions.BY_FFT
    return replace(o.request, method="auto") if exact and by_fft else o.request


def _by_blocks(operands: tuple[jax.Array, jax.Array], options: dict[str, Any]) -> Request:
    """Return the request for blocks; for one FFT, where one block would hold all."""
    call = partial(convolution, prepared=None, **{**options, "request": ANY})
    (plan,) = plans_in(call, operands)
    able = any(c.method == "overlap" and not c.refusal for c in plan.candidates)
    return options["request"] if able else replace(options["request"], method="fft")


def _boundaries(function: str, o: Options, fillvalue: Any, rank: int) -> tuple[Boundary, ...]:
    words = conventions.BOUNDARY_WORDS if function in conventions.TWO_AXES else ""
    names = boundaries.canonical(function, o.boundary, rank, words)
    if fillvalue is not None and "fill" not in names and function not in conventions.TWO_AXES:
        rule, got = "be left out where no boundary is 'fill'", f"boundary {o.boundary!r}"
        raise checks.value_error(function, "fillvalue", rule, got)
    return names


def _extended(function, signal, axes, padding, names, fillvalue):
    """Return the signal, extended where its windows reach beyond it, and the padding that is left."""
    value = 0 if fillvalue is None else _fill(function, fillvalue, signal.dtype)
    widths, by = [(0, 0)] * signal.ndim, ["fill"] * signal.ndim
    for axis, (low, high), name in zip(axes, padding, names):
        widths[axis], by[axis] = (max(low, 0), max(high, 0)), name
    left = [(min(low, 0), min(high, 0)) for low, high in padding]
    return lax.optimization_barrier(boundaries.extend(signal, widths, by, value)), left


def _fill(function: str, value: jax.Array, dtype: np.dtype) -> jax.Array:
    """Return the value of what lies beyond the edge, in the signal's dtype."""
    got = f"shape {value.shape}"
    if value.size == 0:
        words = "`fillvalue` cannot be an empty array."
        raise checks.value_error(function, "fillvalue", "be one number", got, "", words)
    if value.size > 1:
        words = "`fillvalue` must be scalar or an array with one element."
        raise checks.value_error(function, "fillvalue", "be one number", got, "", words)
    if jnp.iscomplexobj(value) and not jnp.issubdtype(dtype, np.complexfloating):
        words = (
            "could not cast `fillvalue` directly to the output type (it was first converted to complex):"
        )
        rule = f"be real where the result is {dtype}"
        raise checks.value_error(function, "fillvalue", rule, f"dtype {value.dtype}", "", words)
    return value.astype(dtype).reshape(())


def _normalized(function: str, out, a, b, axes: Sequence[int], parts: Sequence[Part], o: Options):
    """Divide sums of products by how many they are, or by the energies."""
    checks.one_of(function, "normalize", o.normalize, NORMALIZE)
    if o.normalize == "coefficient":
        energy = (jnp.abs(x * x).sum(axes, keepdims=True) for x in (a, b))
        product = next(energy) * next(energy)
        empty = product == 0
        return jnp.where(empty, 0, out / jnp.sqrt(jnp.where(empty, 1, product)))
    dilation = checks.per_axis(function, "dilation", o.dilation, len(axes), 1)
    for axis, part, d in zip(axes, parts, dilation):
        n, m = a.shape[axis], b.shape[axis]
        lags = part.start + part.step * np.arange(part.count) - (m - 1) * d
        lags = lags if o.normalize == "unbiased" else np.zeros_like(lags)
        first, last = np.maximum(-(lags // d), 0), np.minimum((n - 1 - lags) // d, m - 1)  # taps
        count = np.maximum(last - first + 1, 1)
        shape = [-1 if i == axis else 1 for i in range(out.ndim)]
        out = out / jnp.asarray(count.reshape(shape), jnp.abs(out).dtype)
    return out


def _wanted(function: str, shape1: Shape, shape2: Shape, axes: Sequence[int], o: Options) -> list[Part]:
    """Return which places of the full output are wanted along each of the convolved axes."""
    dilation = checks.per_axis(function, "dilation", o.dilation, len(axes), 1)
    lengths = [shape1[axis] for axis in axes]
    reach = [(shape2[axis] - 1) * d + 1 for axis, d in zip(axes, dilation)]
    if o.lags is not None:
        if o.mode != "full" or o.stride != 1:
            rule = "be left out where mode or stride is given: it tells the places itself"
            raise checks.value_error(function, "lags", rule, o.lags)
        return at_lags(function, o.lags, reach)
    origin = checks.per_axis(function, "origin", o.origin, len(axes), None)
    if any(origin) and o.mode != "same":
        raise checks.value_error(function, "origin", "be 0 unless mode is 'same'", o.origin)
    stride = checks.per_axis(function, "stride", o.stride, len(axes), 1)
    if o.mode == "valid":
        ones = [
            function in conventions.BY_FFT and 1 in pair for pair in zip(lengths, reach)
        ]  # which broadcast
        sizes = [tuple(n for n, one in zip(side, ones) if not one) for side in (lengths, reach)]
        checks.nested(function, ("in1", "in2"), (sizes[0], sizes[1]), conventions.VALID_WORDS)
    middles = [conventions.centre(function, m, by) for m, by in zip(reach, origin)]
    return [in_mode(o.mode, *sizes) for sizes in zip(lengths, reach, middles, stride)]


def _is_swapped(shape1: Sequence[int], shape2: Sequence[int], axes: Sequence[int]) -> bool:
    """Tell whether in 'valid' mode it is the first operand that lies inside the second."""
    return any(shape1[axis] < shape2[axis] for axis in axes)
