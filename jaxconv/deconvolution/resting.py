"""Resting: the derivative of what an iteration comes to, without going back through its steps."""

from collections.abc import Callable
from typing import Any

import jax


def implicit(
    solve: Callable[[Any], jax.Array],
    condition: Callable[[jax.Array, Any], jax.Array],
    inverse: Callable[[Callable[[Any], Any], jax.Array], jax.Array],
) -> Callable[[Any], jax.Array]:
    """Return `solve` as a function with a gradient, by the implicit function theorem.

    `condition(x, given)` is 0 where `x = solve(given)`; `inverse(linear, v)` solves `linear(u) = v` for
    the transpose of the condition's derivative in x.
    """

    @jax.custom_vjp
    def rest(given: Any) -> jax.Array:
        return solve(given)

    def forward(given: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
        x = rest(given)
        return x, (x, given)

    def backward(saved: tuple[jax.Array, Any], slope: jax.Array) -> tuple[Any]:
        _, back = jax.vjp(condition, *saved)
        return (back(inverse(lambda v: back(v)[0], -slope))[1],)

    rest.defvjp(forward, backward)
    return rest
