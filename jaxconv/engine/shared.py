"""Shared: a signal whose transform is made once for many kernels.

Of the three transforms of a convolution by FFT it saves one, where the kernels come one after another.
"""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax

from jaxconv.engine.methods import fft
from jaxconv.engine.planning import Plan, Request
from jaxconv.engine.primitive import convolution, plans_in
from jaxconv.engine.problem import Problem

SAVED = 2 / 3  # of an FFT's time, what is left without the signal's transform


class Sharing(NamedTuple):
    """How one signal is correlated with many kernels of one shape, where these fit inside it."""

    plan: Plan
    request: Request

    @property
    def by_fft(self) -> bool:
        """Whether it is by FFT: named, or predicted to be fastest with one transform saved."""
        return self.plan.method == "fft"

    @property
    def problem(self) -> Problem:
        """The problem of one signal and one kernel."""
        return self.plan.problem

    def signal(self, signal: jax.Array) -> jax.Array:
        """Return what is shared of a signal (features, *space)."""
        return fft.transform(self.problem, signal[None, None])[0, 0] if self.by_fft else signal

    def kernel(self, kernel: jax.Array) -> jax.Array:
        """Return what is made of a kernel (features, *window)."""
        return fft.prepare(self.problem, kernel[None, None])[0, 0] if self.by_fft else kernel

    def correlate(self, signal: jax.Array, kernel: jax.Array) -> jax.Array:
        """Correlate what the other two returned: (*places)."""
        if self.by_fft:
            return fft.finish(self.problem, signal[None, None], kernel[None, None])[0, 0, 0]
        return _valid(signal[None], kernel[None], self.request)[0, 0]


def _valid(signals: jax.Array, kernels: jax.Array, request: Request) -> jax.Array:
    ones = [1] * (signals.ndim - 2)
    return convolution(signals, kernels, request=request, window_strides=ones, padding="VALID")


def share(signal: jax.ShapeDtypeStruct, kernel: jax.ShapeDtypeStruct, request: Request) -> Sharing:
    """Plan how signals (features, *space) are correlated with kernels (features, *window)."""
    operands = [jax.ShapeDtypeStruct((1, *a.shape), a.dtype) for a in (signal, kernel)]
    (chosen,) = plans_in(partial(_valid, request=request), operands)
    (whole,) = (c for c in chosen.candidates if c.method == "fft")
    if request.method == "auto" and not whole.refusal and SAVED * whole.seconds < chosen.chosen.seconds:
        chosen = replace(chosen, method="fft")
    return Sharing(chosen, request)
