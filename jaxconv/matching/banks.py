"""Banks: many templates, one after another, on a signal whose transform is made once.

Only what was best is kept: at each place over the templates, or of each template over the places.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxconv import checks
from jaxconv.engine.how import How, ask
from jaxconv.engine.mesh.arrays import over_batch, over_windows, undivided
from jaxconv.engine.planning import Plan
from jaxconv.floats import floating
from jaxconv.matching.operands import reach
from jaxconv.matching.refining import (
    cosine_about_means,
    is_doubtful,
    mean_of,
    refined,
    root_mean_square,
)
from jaxconv.matching.scores import (
    Windows,
    about_mean,
    about_mean_of_seen,
    cosine,
    moments_by_sums,
    windows_of,
)
from jaxconv.matching.sharing import Sharing, share
from jaxconv.types import BANK_MEASURES, MODES, BankMeasure, Method, Mode

AT_ONCE = 1 << 22  # bytes of maps that are made at once, at least one map


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Best:
    """At each place the best score of all templates, and which of them has it."""

    score: jax.Array
    which: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Loudest:
    """Of each template the best score at any place, and that place."""

    score: jax.Array
    place: jax.Array


def best_match(
    signal: Any,
    templates: Any,
    *,
    mode: Mode = "valid",
    measure: BankMeasure = "normalized_coefficient",
    template_mask: Any = None,
    channel_axis: int | None = None,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> Best:
    """Match many templates of one shape, and keep at each place the best of them.

    Args:
        signal: where to look.
        templates: what to look for, one along the first axis after another.
        mode: "valid", "same" or "full", as for `jaxconv.correlate`. Beyond the edges lies the signal's
            mean, or with "correlation" zeros.
        measure: "normalized_coefficient", as `normalized_correlation`; or "correlation", whose
            absolute value counts where it is complex.
        template_mask: True where a template has no say; of one template's shape, or one a template.
        channel_axis: the axis of the signal, and of each template, that is matched together.
        method: as for `jaxconv.convolve`.
        precision: as for `jaxconv.convolve`.
        max_bytes: as for `jaxconv.convolve`.
        local: as for `jaxconv.convolve`.

    Shapes:
        signal (n1, ..., nd), templates (count, m1, ..., md) -> valid: ni - mi + 1, same: ni,
        full: ni + mi - 1; no channel axis.

    Returns:
        A `Best`. Its memory, and what it takes on the way, does not grow with the number of templates.

    Raises:
        ValueError: if the templates have not one axis more than the signal, or do not fit inside it,
            the measure is neither, a mask has another shape, or masks come with "correlation".
        TypeError: if an operand is not of numbers, or complex where the measure is normalized.

    Gradient:
        In the scores, through the best template of each place; it remembers a map a template.

    Source:
        `normalized_correlation`'s; that many templates should share the image's transform was asked of
        OpenCV in 2013 (issue 4507).

    Example:
        >>> best = best_match(jnp.array([0.0, 1, 0, 0, 1, 1, 0]), jnp.array([[0.0, 1, 0], [0, 1, 1]]))
        >>> best.score.round(2).tolist(), best.which.tolist()
        ([1.0, -0.5, 0.5, 1.0, 0.5], [0, 0, 1, 1, 0])
    """
    how = ask("best_match", method, precision, max_bytes, local)
    checks.one_of("best_match", "mode", mode, MODES)
    normalized = measure == "normalized_coefficient"
    x, t, heard = _operands("best_match", signal, templates, template_mask, measure, channel_axis, mode)
    return _best(x[0], t, heard, how, normalized, mode)


def loudest(
    signals: Any,
    templates: Any,
    *,
    measure: BankMeasure = "normalized_coefficient",
    template_mask: Any = None,
    channel_axis: int | None = None,
    method: Method | Plan = "auto",
    precision: lax.PrecisionLike = None,
    max_bytes: int | None = None,
    local: bool = False,
) -> Loudest:
    """Match many templates of one shape, and keep of each only the place where it fits best.

    Args:
        signals: where to look; one, or several along a first axis.
        templates: as for `best_match`.
        measure: as for `best_match`.
        template_mask: as for `best_match`.
        channel_axis: as for `best_match`.
        method: as for `best_match`.
        precision: as for `best_match`.
        max_bytes: as for `best_match`.
        local: as for `best_match`.

    Shapes:
        signals ([segments,] n1, ..., nd), templates (count, m1, ..., md) -> score ([segments,] count),
        place ([segments,] count, d).

    Returns:
        A `Loudest`: the best score of each template in each signal, and the place of the window's first
        sample. Memory as for `best_match`.

    Raises:
        ValueError: as `best_match`.
        TypeError: as `best_match`.

    Gradient:
        In the scores, through their places.

    Source:
        B. Allen et al., "FINDCHIRP", Physical Review D 85 (2012), V.

    Example:
        >>> found = loudest(jnp.array([0.0, 1, 0, 0, 1, 1, 0]), jnp.array([[0.0, 1, 0], [0, 1, 1]]))
        >>> found.score.round(2).tolist(), found.place.tolist()
        ([1.0, 1.0], [[0], [3]])
    """
    how = ask("loudest", method, precision, max_bytes, local)
    x, t, heard = _operands("loudest", signals, templates, template_mask, measure, channel_axis)
    x = undivided(x, range(1, x.ndim))
    bank = _bank(x.shape[1:], t, how, measure == "normalized_coefficient")
    found = over_batch(partial(_loudest, bank=bank), x, 1, t, heard)
    single = np.ndim(signals) < np.ndim(templates)
    return jax.tree.map(lambda a: a[0], found) if single else found


class Bank(NamedTuple):
    """How templates are compared with a signal: the static facts of a call."""

    sharing: Sharing
    normalized: bool
    at_once: int

    def signal(self, x: jax.Array, heard: Any) -> dict[str, Any]:
        """Return what all templates share of a signal (channels, *space), and of one mask."""
        if not self.normalized:
            return {"x": self.sharing.signal(x)}
        if heard is None:
            centred, windows = windows_of(x, self.sharing.window)
            return {"x": self.sharing.signal(centred), "windows": windows}
        centred = about_mean_of_seen(x, jnp.isfinite(x))
        shared = {
            "x": self.sharing.signal(centred),
            "square": self.sharing.signal(centred**2),
            "centred": centred,
            "signal": x,
            "lost": self.sharing.signal(jnp.where(jnp.isfinite(x), jnp.zeros_like(x), 1)),
        }
        return shared if heard.ndim > x.ndim else shared | {"windows": self._windows(shared, heard)}

    def score(self, shared: dict[str, Any], t: jax.Array, heard: Any) -> jax.Array:
        """Return the map of one template (channels, *window)."""
        correlate = self.sharing.correlate
        if not self.normalized:
            fit = correlate(shared["x"], jnp.conj(t))
            return jnp.abs(fit) if jnp.iscomplexobj(fit) else fit
        template, energy = about_mean(t, heard)
        fit = correlate(shared["x"], template)
        if heard is None:
            return shared["windows"].refined(cosine(fit, shared["windows"].variation, energy), template)
        windows = shared["windows"] if "windows" in shared else self._windows(shared, heard)
        score = cosine(fit, windows.variation, energy)
        spoiled = correlate(shared["lost"], heard) > 0.5
        x, seen, window = windows.signal, jnp.isfinite(windows.signal), windows.window
        doubtful, operands = windows.doubtful & ~spoiled, (t, heard)
        score = refined(score, doubtful, x, seen, window, cosine_about_means, operands)
        return jnp.where(spoiled, jnp.nan, score)

    def _windows(self, shared: dict[str, Any], heard: jax.Array) -> Windows:
        """Return what is known of the windows under a template's mask."""
        channels, *window = heard.shape
        alone = jnp.eye(channels, dtype=heard.dtype).reshape(channels, channels, *[1] * len(window))
        correlate = self.sharing.correlate
        count = heard.sum(tuple(range(1, heard.ndim)), keepdims=True)
        mean, variation, spread = moments_by_sums(
            shared["centred"],
            count,
            heard,
            lambda _, heard: jax.vmap(lambda k: correlate(shared["x"], k * heard))(alone),
            lambda _, heard: jax.vmap(lambda k: correlate(shared["square"], k * heard))(alone),
        )
        variation = variation.sum(0)
        apart = root_mean_square(shared["centred"]) + jnp.abs(mean).max(0)
        doubtful = is_doubtful(apart, variation, spread=spread)
        return Windows(variation, doubtful, shared["signal"], tuple(window))


def _operands(function: str, signals: Any, templates: Any, mask: Any, measure: str, channel_axis: Any,
              mode: str = "valid"):  # fmt: skip
    """Check operands; return signals (segments, channels, *space), templates and masks."""
    checks.one_of(function, "measure", measure, BANK_MEASURES)
    normalized = measure == "normalized_coefficient"
    x, t = (checks.array(function, n, a) for n, a in zip(("signal", "templates"), (signals, templates)))
    checks.not_empty(function, "signal", x)
    dtype = floating(x.dtype, t.dtype)
    if normalized and jnp.issubdtype(dtype, jnp.complexfloating):
        rule, remedy = "be 'correlation' for complex operands", "Its absolute value then counts."
        raise checks.value_error(function, "measure", rule, repr(measure), remedy)
    x, t = x.astype(dtype), t.astype(dtype)
    several = function == "loudest" and x.ndim == t.ndim
    if not several:
        x = x[None]
    if x.ndim != t.ndim or t.ndim < 2:
        rule = "have one axis more than the signal, along which they are counted"
        raise checks.value_error(function, "templates", rule, f"{t.shape} for a signal {x.shape[1:]}")
    fits = mode != "valid" or all(m <= n for n, m in zip(x.shape[1:], t.shape[1:]))
    if t.size == 0 or not fits:
        rule = f"have elements and fit inside the signal {x.shape[1:]}"
        raise checks.value_error(function, "templates", rule, t.shape)
    heard = _heard(function, mask, t, normalized)
    rank = t.ndim - 1
    if channel_axis is not None:
        (channel_axis,) = checks.axes(function, channel_axis, rank, "channel_axis")

    def channels_first(array: jax.Array) -> jax.Array:
        lead = array.ndim - rank  # axes before those of one signal
        if channel_axis is None:
            return jnp.expand_dims(array, lead)
        return jnp.moveaxis(array, lead + channel_axis, lead)

    return jax.tree.map(channels_first, (x, t, heard))  # None stays None


def _bank(shape: tuple[int, ...], templates: jax.Array, how: How, normalized: bool) -> Bank:
    """Return how templates are compared with a signal of a shape (channels, *space)."""
    dtype = templates.dtype
    signal, template = (jax.ShapeDtypeStruct(s, dtype) for s in (shape, templates.shape[1:]))
    at_once = max(1, AT_ONCE // (signal.size * dtype.itemsize))
    return Bank(share(signal, template, how), normalized, min(at_once, len(templates)))


@partial(jax.jit, static_argnums=(3, 4, 5))
def _best(x: jax.Array, templates: jax.Array, heard: Any, how: How, normalized: bool, mode: str) -> Best:
    """Return the best of each place; on a mesh, by parts unless the mode is "valid"."""
    places = tuple(range(1, x.ndim))
    if mode == "valid":
        x = undivided(x, places)
    window = templates.shape[2:]
    value = mean_of(x, jnp.isfinite(x), places) if normalized else 0.0
    others = [templates] if heard is None else [templates, heard]

    def best(x: jax.Array, templates: jax.Array, heard: Any = None) -> Best:
        return _best_here(x, templates, heard, _bank(x.shape, templates, how, normalized))

    widths, beyond = reach(mode, window), (("constant",) * len(places), [value])
    return over_windows(best, [x], others, places, window, widths, *beyond, 0, "best_match")


def _best_here(x: jax.Array, templates: jax.Array, heard: Any, bank: Bank) -> Best:
    shared = bank.signal(x, heard)
    each, common = (heard, None) if _is_one_each(heard, templates) else (None, heard)

    def best_of(start: Any, chunk: Any) -> Best:
        t, own = chunk
        maps = jax.vmap(lambda t, own: bank.score(shared, t, common if own is None else own))(t, own)
        spoiled = jnp.isnan(maps).any(0)  # XLA 0.10.2 may lose a NaN in a maximum
        top = jnp.where(spoiled, jnp.nan, maps.max(0))
        which = jnp.where(
            maps == top[None], jnp.arange(len(maps)).reshape(-1, *[1] * top.ndim), len(maps)
        )
        return Best(top, start + which.min(0) % len(maps))

    def step(best: Best, numbered: Any):
        new = best_of(*numbered)
        better = (new.score > best.score) | jnp.isnan(new.score)
        return jax.tree.map(partial(jnp.where, better), new, best), None

    count, size = len(templates), bank.at_once
    head = count % size or size  # so that the others come in chunks of one size
    first, rest = (
        jax.tree.map(lambda a, cut=cut: a[cut], (templates, each))
        for cut in (slice(head), slice(head, None))
    )
    rest = jax.tree.map(lambda a: a.reshape(-1, size, *a.shape[1:]), rest)
    best, starts = best_of(0, first), jnp.arange(head, count, size)
    return lax.scan(step, best, (starts, rest))[0] if starts.size else best


@partial(jax.jit, static_argnames="bank")
def _loudest(x: jax.Array, templates: jax.Array, heard: Any, bank: Bank) -> Loudest:
    shared = jax.vmap(lambda x: bank.signal(x, heard))(x)
    each, common = (heard, None) if _is_one_each(heard, templates) else (None, heard)

    def in_all(chunk: Any) -> Loudest:
        t, own = chunk

        def in_one(shared: Any) -> Loudest:
            score = bank.score(shared, t, common if own is None else own)
            top = jnp.where(jnp.isnan(score), -jnp.inf, score).max()
            number = jnp.where(
                score == top, jnp.arange(score.size).reshape(score.shape), score.size
            ).min()
            return Loudest(top, jnp.stack(jnp.unravel_index(number % score.size, score.shape)))

        return lax.map(in_one, shared)

    found = lax.map(in_all, (templates, each), batch_size=bank.at_once)
    return jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), found)


def _is_one_each(heard: Any, templates: jax.Array) -> bool:
    return heard is not None and heard.ndim == templates.ndim


def _heard(function: str, mask: Any, t: jax.Array, normalized: bool) -> Any:
    """Return 1 where a template has a say, of one template's shape or one a template."""
    if mask is None:
        return None
    if not normalized:
        remedy = "Put zeros into the templates."
        raise checks.value_error(
            function, "template_mask", "be left out with 'correlation'", "one", remedy
        )
    rank = np.ndim(mask)
    hidden = checks.mask(
        function, "template_mask", mask, "template", t.shape if rank == t.ndim else t.shape[1:]
    )
    return (~hidden).astype(t.dtype)
