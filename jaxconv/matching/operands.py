"""Operands: two arrays checked, made floats, and laid out as a batch, channels and space."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxconv import checks, floats
from jaxconv.engine.bands import by_few, by_rows, kept
from jaxconv.engine.how import How
from jaxconv.engine.mesh.arrays import over_windows
from jaxconv.engine.primitive import convolution
from jaxconv.types import Axes


def as_floats(
    function: str, names: tuple[str, str], signal: Any, template: Any, words: str = ""
) -> tuple[jax.Array, ...]:
    """Return both as real arrays of one floating type, of 32 bits at least, and of as many axes."""
    arrays = [checks.array(function, name, a) for name, a in zip(names, (signal, template))]
    for name, array in zip(names, arrays):
        if jnp.iscomplexobj(array):
            remedy = "Match the real and the imaginary part as channels (`channel_axis`)."
            raise checks.type_error(function, name, "be real", array.dtype, remedy)
        checks.not_empty(function, name, array)
        if not array.ndim:
            raise checks.value_error(function, name, "have an axis along which to slide", "a number")
    checks.same_rank(function, names, (arrays[0], arrays[1]), words)
    return floats.as_floats(arrays[0], arrays[1])


def spatial(function: str, axes: Axes, channel_axis: int | None, rank: int) -> tuple[int, ...]:
    """Return along which axes a template slides."""
    if channel_axis is None:
        return checks.axes(function, axes, rank)
    (channel,) = checks.axes(function, channel_axis, rank, "channel_axis")
    rest = tuple(axis for axis in range(rank) if axis != channel)
    places = rest if axes is None else checks.axes(function, axes, rank)
    if not places or channel in places:
        raise checks.value_error(function, "axes", "leave out the channel axis", places)
    return places


def check_fit(
    function: str,
    names: tuple[str, str],
    signal: jax.Array,
    template: jax.Array,
    places: Sequence[int],
    words: str = "",
) -> None:
    """Raise ValueError where a template is larger than the signal along an axis."""
    if any(template.shape[a] > signal.shape[a] for a in places):
        rule = f"be no larger than `{names[0]}` {signal.shape} on any axis in mode 'valid'"
        remedy = "Use a smaller template, or mode='same'."
        raise checks.value_error(function, names[1], rule, template.shape, remedy, words)


def reach(mode: str, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return how far the windows of a mode reach beyond the signal's edges."""
    if mode == "valid":
        return [(0, 0) for _ in sizes]
    return [(m // 2, m - 1 - m // 2) if mode == "same" else (m - 1, m - 1) for m in sizes]


def check_channels(
    function: str, names: tuple[str, str], signal: jax.Array, template: jax.Array, channel_axis: Any
) -> None:
    """Raise ValueError where the operands have not as many channels."""
    if channel_axis is None:
        return
    channels = [array.shape[channel_axis % array.ndim] for array in (signal, template)]
    if channels[0] != channels[1]:
        rule = f"have as many channels as `{names[0]}`, {channels[0]}"
        raise checks.value_error(function, names[1], rule, channels[1])


def slide_over(
    score: Callable[..., jax.Array],
    signals: Sequence[jax.Array],
    templates: Sequence[jax.Array],
    places: Sequence[int],
    channel_axis: int | None,
    function: str,
    beyond: "Beyond | None" = None,
) -> jax.Array:
    """Call `score` on arrays of channels and space, and put its places where these axes were.

    The other axes are a batch, along which signals and templates broadcast.
    """
    slide = partial(_slid, score, places, channel_axis, len(signals))
    window = [templates[0].shape[axis] for axis in places]
    if beyond is None:
        none = len(places)
        beyond = Beyond([(0, 0)] * none, ("fill",) * none, [0.0] * len(signals))
    gone = None if channel_axis is None else channel_axis % signals[0].ndim
    return over_windows(slide, signals, templates, places, window, *beyond, gone, function)


class Beyond(NamedTuple):
    """What lies beyond the edges of signals."""

    widths: Sequence[tuple[int, int]]  # how far they are continued, per axis of the places
    boundaries: tuple[str, ...]
    values: Sequence[Any]  # of each signal, where the boundary is "constant"


def _slid(score, places, channel_axis, count: int, *arrays: jax.Array) -> jax.Array:
    """Do what `slide_over` does, of continued signals, `count` of the arrays."""
    signals, templates = arrays[:count], arrays[count:]
    rank = signals[0].ndim
    inner = [*([] if channel_axis is None else [channel_axis % rank]), *places]
    batch = [axis for axis in range(rank) if axis not in inner]

    def lay_out(array: jax.Array) -> jax.Array:
        array = array.transpose(*batch, *inner)
        return array if channel_axis is not None else jnp.expand_dims(array, len(batch))

    names = [",".join(f"{letter}{i}" for i in range(len(places))) for letter in "nms"]
    core = [f"(c,{names[0]})"] * len(signals) + [f"(c,{names[1]})"] * len(templates)

    def in_bands(*arrays: jax.Array) -> jax.Array:
        templates = arrays[count:]
        score_rows = lambda *signals: score(*signals, *templates)  # noqa: E731
        return by_rows(score_rows, arrays[:count], templates[0].shape[1:], templates)

    slide = jnp.vectorize(in_bands, signature=",".join(core) + f"->({names[2]})")
    out = by_few(slide, [lay_out(a) for a in (*signals, *templates)], len(batch))
    order = sorted(range(len(batch) + len(places)), key=lambda i: [*batch, *places][i])
    return out.transpose(order)


def correlate_channels(signal: jax.Array, template: jax.Array, how: How) -> jax.Array:
    """Correlate (channels, *space) with (channels, *space) where it fits, and sum over the channels."""
    ones = [1] * (signal.ndim - 1)
    out = convolution(signal[None], template[None], how, window_strides=ones, padding="VALID")
    return kept(out[0, 0])


def correlate_each(signal: jax.Array, template: jax.Array, how: How) -> jax.Array:
    """Correlate (channels, *space) with (channels, *space) where it fits, each channel by itself."""
    ones, groups = [1] * (signal.ndim - 1), len(signal)
    options = {"window_strides": ones, "padding": "VALID", "feature_group_count": groups}
    return kept(convolution(signal[None], template[:, None], how, **options)[0])
