"""Blocks: an operand cut into pieces along the first axis, each transformed by itself."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.methods import fft
from jaxconv.engine.problem import Problem, Shape


@dataclass(frozen=True)
class Blocks:
    """How an operand is cut: blocks of a size, which begin `step` apart along the first axis."""

    size: Shape
    step: int
    count: int

    def gather(self, staged: jax.Array, start: jax.Array | int, count: int, axis: int) -> jax.Array:
        """Return `count` blocks of a signal (n, g, i, *space), from a sample on, along a new axis."""

        def block(start: jax.Array) -> jax.Array:
            return lax.dynamic_slice_in_dim(staged, start, self.size[0], 3)

        return jax.vmap(block, out_axes=axis)(start + jnp.arange(count) * self.step)


def blocks(problem: Problem, first: int, narrower: int, total: int) -> Blocks:
    """Return blocks of about `first` samples, at most the whole signal, whose results cover `total`.

    Those of a block are fewer than its samples, by `narrower - 1`.
    """
    p = problem
    size = tuple(fft.fast_length(p, n) for n in (min(first, p.padded[0]), *p.padded[1:]))
    step = size[0] - narrower + 1
    return Blocks(size, step, -(-total // step))
