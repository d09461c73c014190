"""Wanted: what `jaxconv find` looks for, in all its views, with their labels and outlines."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks, files, matching, signals
from jaxconv.cli.reading import load, numbers, span
from jaxconv.matching import Views

KINDS = {1: "a signal", 2: "a picture"}  # by axes


@dataclass(frozen=True)
class Order:
    """The options that tell what to look for, as they were typed."""

    template: str
    crop: str
    mask: Path | None
    angles: str
    scales: str
    filter: Path | None
    radius: str


@dataclass(frozen=True)
class Search:
    """What to look for: views of it, what each is called by, and its outline about its middle."""

    name: str
    views: Views
    labels: tuple[dict[str, float], ...]
    outlines: tuple[list[np.ndarray], ...]
    apart: int  # pixels between two that are found


def wanted(order: Order, signal: Any, prepare: Callable[[jax.Array], jax.Array]) -> Search:
    """Return what was asked for: a shape, a picture or signal, a part of the image, or a filter.

    The signal may be one that is read by parts.
    """
    o = order
    if sum(map(bool, (o.template, o.crop, o.filter))) != 1:
        rule, got = "be given, or `crop` or `filter`, and one of them only", repr(o.template)
        raise checks.value_error("find", "template", rule, got, "Try --template circle.")
    turned = numbers("find", "angles", o.angles)
    if len(signal.shape) == 1 and turned != [0.0]:
        raise checks.value_error("find", "angles", "be left out for a signal", repr(o.angles))
    if o.template in signals.SHAPES or (o.filter and len(signal.shape) == 2):
        return _drawn(o, turned, signal.shape)
    given = "filter" if o.filter else "template"
    if o.filter:
        name, part, _ = _learned(o.filter)
    elif o.crop:
        shown = signal[span("find", "crop", o.crop, signal.shape)]
        part, name = jnp.asarray(shown, jnp.float32), f"the part {o.crop}"
    else:
        if not Path(o.template).exists():
            words = (*signals.SHAPES, "the name of a file that is there")
            checks.one_of("find", "template", o.template, words)
        part, name = load("find", "template", Path(o.template)), Path(o.template).name
    if o.radius:
        rule = f"be left out with {KINDS[len(signal.shape)]}"
        raise checks.value_error("find", "radius", rule, repr(o.radius))
    _check_kind(given, part, len(signal.shape))
    hidden = None if o.mask is None else load("find", "mask", o.mask) == 0

    def check(scale: float) -> None:
        if any(scale * m > n for n, m in zip(signal.shape, part.shape)):
            rule = f"be no larger than the image {signal.shape}"
            size = " x ".join(f"{scale * m:g}" for m in part.shape)
            raise checks.value_error("find", given, rule, f"{size} at a scale of {scale:g}")

    scaled = numbers("find", "scales", o.scales, least=0.0, check=check)
    return _seen(name, prepare(part), hidden, turned, scaled)


def _check_kind(given: str, part: jax.Array, rank: int) -> None:
    """Raise ValueError unless what is looked for has as many axes as the image."""
    if part.ndim != rank:
        rule = f"be {KINDS[rank]} as the image is"
        raise checks.value_error("find", given, rule, KINDS.get(part.ndim, "neither"))


def _seen(name: str, part: jax.Array, hidden: Any, angles: list[float], scales: list[float]) -> Search:
    """Return the views of a picture or a signal."""
    if part.ndim == 1:
        views = matching.scales(part, jnp.array(scales))
        outlines = tuple([] for _ in scales)
    else:
        views = matching.views(part, angles=angles, scales=scales, mask=hidden)
        frame = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]) * np.array(part.shape) / 2
        outlines = tuple(
            [_turned(frame * factor, angle)]
            for angle, factor in zip(views.angles.tolist(), views.factors.tolist())
        )
    labels = tuple(
        ({"angle": angle} if part.ndim == 2 else {}) | {"scale": round(factor, 6)}
        for angle, factor in zip(views.angles.tolist(), views.factors.tolist())
    )
    return Search(name, views, labels, outlines, max(1, round(0.4 * min(part.shape) * min(scales))))


def _drawn(order: Order, angles: list[float], shape: tuple[int, ...]) -> Search:
    """Return a shape, or a learned filter, at each radius and angle."""
    for name, given in (("mask", order.mask), ("scales", order.scales if order.scales != "1" else None)):
        if given:
            raise checks.value_error("find", name, "be left out with a shape or a filter", str(given))
    if len(shape) == 1:
        raise checks.value_error("find", "template", "be a file for a signal", repr(order.template))
    name, kernel, own = (
        _learned(order.filter) if order.filter else (order.template, jnp.zeros((0, 0)), 0.0)
    )
    _check_kind("filter", kernel, 2)
    if not order.radius and not own:
        raise checks.value_error("find", "radius", "be given with `template`", "none", "Try 20..30.")

    def side(r: float) -> float:
        return 2 * float(np.rint((len(kernel) * r / own - 1) / 2 if own else 1.2 * r + 1)) + 1

    def check(r: float) -> None:
        if side(r) > min(shape):
            rule = f"give a template no larger than the image {shape}"
            got = f"radius {r:g}, whose template is {side(r):g} x {side(r):g}"
            raise checks.value_error("find", "radius", rule, got)

    radii = numbers("find", "radius", order.radius or str(own), least=0.0, step=1.0, check=check)
    if own:
        sized = matching.scales(kernel, np.array(radii) / own)
    else:
        sized = _shapes(name, radii, [int(side(r)) for r in radii])
    views = sized if angles == [0.0] else _every_angle(sized, angles)
    labels, outlines = [], []
    for r, template in zip(radii, sized.templates):
        for angle in angles:
            labels.append({"radius": r} | ({"angle": angle} if angles != [0.0] else {}))
            outlines.append([_turned(line, angle) for line in _outline(template, r, name)])
    return Search(name, views, tuple(labels), tuple(outlines), max(1, round(0.75 * min(radii))))


def _shapes(name: str, radii: list[float], sides: list[int]) -> Views:
    """Draw a shape at each radius, all in frames of the largest, masked beyond their own sides."""
    templates = [signals.SHAPES[name](max(sides), radius=r, width=2.0) for r in radii]
    edges = [(max(sides) - side) // 2 for side in sides]
    masks = [np.pad(np.zeros((s, s), bool), e, constant_values=True) for s, e in zip(sides, edges)]
    return Views(
        jnp.stack(templates), jnp.stack(masks), jnp.zeros(len(radii)), jnp.array(radii) / max(radii)
    )


def _every_angle(sized: Views, angles: list[float]) -> Views:
    """Turn each of some views by every angle."""
    turned = [matching.views(t, angles=angles, mask=m) for t, m in zip(sized.templates, sized.masks)]
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *turned)


def _learned(path: Path) -> tuple[str, jax.Array, float]:
    """Return the name of a learned filter, it, and its radius."""
    rule = "be an undamaged file that `jaxconv learn` wrote"
    got = path if path.exists() else f"{path} (no such file)"
    error = checks.value_error("find", "filter", rule, got)
    try:
        saved = files.arrays(path)
        kernel, own = jnp.asarray(saved["filter"]), float(saved["radius"])
    except (OSError, ValueError, TypeError, KeyError):
        raise error from None
    if kernel.ndim not in KINDS or kernel.size == 0 or len({*kernel.shape}) > 1 or not 0 < own < np.inf:
        raise error
    return path.name, kernel, own


def _outline(kernel: jax.Array, radius: float, shape: str) -> list[np.ndarray]:
    """Return lines of (row, column) about the middle: a shape's contour, or a circle for a filter."""
    if shape not in signals.SHAPES or shape in ("circle", "disk"):
        turn = np.linspace(0, 2 * np.pi, 65)
        return [radius * np.stack([np.sin(turn), np.cos(turn)], -1)]
    import contourpy  # of matplotlib

    drawn = np.pad(np.asarray(kernel), 1)
    lines = contourpy.contour_generator(z=drawn, name="serial").lines(0.5 * drawn.max())
    return [np.asarray(line)[:, ::-1] - len(drawn) // 2 for line in lines]


def _turned(line: np.ndarray, angle: float) -> np.ndarray:
    """Turn a line of (row, column) about the middle, counterclockwise, rows growing downwards."""
    turn = np.deg2rad(angle)
    rows, columns = line.T
    return np.stack(
        [
            rows * np.cos(turn) - columns * np.sin(turn),
            rows * np.sin(turn) + columns * np.cos(turn),
        ],
        -1,
    )
