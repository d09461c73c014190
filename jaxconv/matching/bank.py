"""Bank: how many templates are compared with one signal, whose transform is made once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.engine.device import platform_name
from jaxconv.engine.how import How
from jaxconv.engine.mesh.arrays import over_windows, spec_of, undivided
from jaxconv.floats import floating
from jaxconv.matching.refining import is_doubtful, mean_of, root_mean_square
from jaxconv.matching.scores import (
    Windows,
    about_mean,
    about_mean_of_seen,
    cosine,
    moments_by_sums,
    windows_of,
)
from jaxconv.matching.sharing import Sharing, share
from jaxconv.types import BANK_MEASURES

AT_ONCE = 1 << 20  # bytes of maps that a CPU makes at once, at least one map; others four times that


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
        centred, unit = about_mean_of_seen(x, jnp.isfinite(x))
        shared = {
            "x": self.sharing.signal(centred),
            "square": self.sharing.signal(centred**2),
            "centred": centred,
            "signal": x,
            "unit": unit,
            "lost": self.sharing.signal(jnp.where(jnp.isfinite(x), jnp.zeros_like(x), 1)),
        }
        return shared if heard.ndim > x.ndim else shared | {"windows": self._windows(shared, heard)}

    def score(self, shared: dict[str, Any], t: jax.Array, heard: Any) -> jax.Array:
        """Return the map of one template (channels, *window)."""
        correlate = self.sharing.correlate
        if not self.normalized:
            fit = correlate(shared["x"], jnp.conj(t))
            return jnp.abs(fit) if jnp.iscomplexobj(fit) else fit
        template, energy, of_t = about_mean(t, heard)
        fit = correlate(shared["x"], template)
        if heard is None:
            return shared["windows"].scores(fit, template, energy)
        windows = shared["windows"] if "windows" in shared else self._windows(shared, heard)
        spoiled = correlate(shared["lost"], heard) > 0.5
        x, doubtful = windows.signal, windows.doubtful & ~spoiled
        where = doubtful, x, jnp.isfinite(x), windows.window
        operands = (windows.unit, of_t), t, heard
        score = cosine(fit, (windows.variation, energy), *where, operands)
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
        return Windows(variation, doubtful, shared["signal"], shared["unit"], tuple(window))


def bank_for(shape: tuple[int, ...], templates: jax.Array, how: How, normalized: bool) -> Bank:
    """Return how templates are compared with a signal of a shape (channels, *space)."""
    dtype = templates.dtype
    signal, template = (jax.ShapeDtypeStruct(s, dtype) for s in (shape, templates.shape[1:]))
    most = AT_ONCE if platform_name() == "cpu" else 4 * AT_ONCE
    at_once = max(1, most // (signal.size * dtype.itemsize))
    return Bank(share(signal, template, how), normalized, min(at_once, len(templates)))


def checked(function: str, signals: Any, templates: Any, mask: Any, measure: str, channel_axis: Any,
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
    x, t = x.astype(dtype), undivided(t.astype(dtype), range(t.ndim))
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


def is_one_each(heard: Any, templates: jax.Array) -> bool:
    """Whether each template has a mask of its own."""
    return heard is not None and heard.ndim == templates.ndim


def over_places(fn, signals, others, window, widths, normalized: bool, gone, function: str):
    """Return fn of every window's place, the signals continued by the first one's mean, or zeros."""
    x = signals[0]
    places = tuple(range(x.ndim - len(window), x.ndim))
    value = mean_of(x, jnp.isfinite(x), places) if normalized else 0.0
    values = [value, *[False] * (len(signals) - 1)]
    beyond = ("constant",) * len(places), values
    return over_windows(fn, signals, others, places, window, widths, *beyond, gone, function)


def behind(x: jax.Array, window: Sequence[int]) -> list[tuple[int, int]]:
    """Return how far to continue a signal that is divided, so that it has as many windows as samples."""
    divided = spec_of(x)[x.ndim - len(window) :]
    return [(0, m - 1 if names else 0) for m, names in zip(window, divided)]
