"""Circular: what wraps around is computed by one FFT of the signal's own length, without any padding."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.fft import next_fast_len

from jaxconv.convolution.parts import Part
from jaxconv.engine.planning import Request
from jaxconv.engine.prepared import convolution
from jaxconv.engine.primitive import plans_in


def is_best(
    signal: jax.Array, kernel: jax.Array, parts: Sequence[Part], *, request: Request, precision: Any
) -> bool:
    """Tell whether an FFT is asked for, or planned for the padded signal, and this one is as fast."""
    if not jnp.issubdtype(signal.dtype, np.inexact) or request.method not in ("auto", "fft"):
        return False
    space, window = signal.shape[2:], kernel.shape[2:]
    if len(space) > 3 or any(m > n for n, m in zip(space, window)):
        return False
    if request.local or (request.max_bytes is not None and _bytes(signal, kernel) > request.max_bytes):
        return False  # what is padded then has to keep the bounds
    if request.method == "fft":
        return True
    real = not jnp.issubdtype(signal.dtype, np.complexfloating)
    if any(next_fast_len(n, real) != n for n in space):
        return False
    padded = partial(
        convolution,
        prepared=None,
        request=request,
        precision=precision,
        window_strides=[part.step for part in parts],
        padding=[part.padding(n, m) for part, n, m in zip(parts, space, window)],
        feature_group_count=signal.shape[1],
    )
    (plan,) = plans_in(padded, [signal, kernel])
    return plan.method == "fft"


def _bytes(signal: jax.Array, kernel: jax.Array) -> int:
    """Return the memory of the transforms: of the signal, of the kernels and of the products."""
    (batch, groups, *space), features = signal.shape, kernel.shape[0]
    size = jnp.promote_types(signal.dtype, np.float32).itemsize
    return 2 * size * math.prod(space) * (batch * groups + features + batch * features)


def correlate(signal: jax.Array, kernel: jax.Array, parts: Sequence[Part]) -> jax.Array:
    """Slide a kernel over a signal that wraps around: (batch, groups, ...), (features, 1, ...).

    Sums of 16-bit floats are kept in float32.
    """
    dtype, space, window = signal.dtype, signal.shape[2:], kernel.shape[2:]
    wide = jnp.promote_types(dtype, np.float32)
    axes = tuple(range(-len(space), 0))
    real = not jnp.issubdtype(dtype, np.complexfloating)
    forward, inverse = (jnp.fft.rfftn, jnp.fft.irfftn) if real else (jnp.fft.fftn, jnp.fft.ifftn)
    ends = [(0, 0, 0), (0, 0, 0), *((0, n - m, 0) for n, m in zip(space, window))]
    stage = lax.pad(kernel.astype(wide), jnp.zeros((), wide), ends)
    stage = jnp.roll(stage, [part.start - m + 1 for part, m in zip(parts, window)], axes)
    groups = signal.shape[1]
    spectrum = forward(signal.astype(wide), axes=axes)[:, :, None]
    response = jnp.conj(forward(jnp.conj(stage), axes=axes))
    response = response.reshape(1, groups, kernel.shape[0] // groups, *response.shape[2:])
    out = inverse(spectrum * response, s=space, axes=axes).astype(dtype)
    out = out.reshape(signal.shape[0], kernel.shape[0], *space)
    limits, steps = out.shape, [1, 1, *(part.step for part in parts)]
    return lax.slice(out, [0] * out.ndim, limits, steps)
