"""Sharing: one signal correlated with many templates, one after another."""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax

from jaxconv.engine.how import How
from jaxconv.engine.lax_form import parameters
from jaxconv.engine.methods import METHODS
from jaxconv.engine.planning import Plan
from jaxconv.engine.preparation import Prepared, convolution, prepared
from jaxconv.engine.primitive import plans_in


class Sharing(NamedTuple):
    """How one signal is correlated with many templates of one shape, where these fit inside it."""

    plan: Plan
    how: How

    @property
    def window(self) -> tuple[int, ...]:
        """The templates' shape, without the channels."""
        return self.plan.problem.window

    def signal(self, signal: jax.Array) -> jax.Array | Prepared:
        """Return a signal (channels, *space), prepared if its plan's method makes something of it."""
        if METHODS[self.plan.method].shared == 1:
            return signal
        p = self.plan.problem
        kernel = jax.ShapeDtypeStruct((1, p.inputs, *p.window), signal.dtype)
        params = parameters(signal[None], kernel, **_options(signal))
        return prepared(signal, "signal", self.plan, signal[None], **params)

    def correlate(self, signal: jax.Array | Prepared, template: jax.Array) -> jax.Array:
        """Correlate what `signal` returned with a template (channels, *window): (*places)."""
        if isinstance(signal, Prepared):
            operand = signal.operand
            ready, how = signal, self.plan.how
        else:
            operand, ready, how = signal, None, self.how
        return _valid(operand[None], template[None], how, ready)[0, 0]


def _options(signal: Any) -> dict[str, Any]:
    return {"window_strides": [1] * (signal.ndim - 1), "padding": "VALID"}


def _valid(signals: Any, kernels: Any, how: How, ready: Prepared | None = None) -> jax.Array:
    return convolution(signals, kernels, how, ready=ready, **_options(signals[0]))


def share(signal: jax.ShapeDtypeStruct, template: jax.ShapeDtypeStruct, how: How) -> Sharing:
    """Plan how signals (channels, *space) are correlated with templates (channels, *window)."""
    operands = [jax.ShapeDtypeStruct((1, *a.shape), a.dtype) for a in (signal, template)]
    sharing = replace(how, shares_signal=True)
    (plan,) = plans_in(partial(_valid, how=sharing), operands)
    return Sharing(plan, how)
