"""The definition of convolution, run as it is written: at every shift, multiply and sum.

    (f * g)[shift] = sum over n of f[n] g[shift - n]

Reflect g, shift it, multiply it with f, sum. `jax.vmap` does that at all shifts. It is slow and
readable; everything faster in the library is tested against it.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.types import MODES, Mode


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Overlap:
    """One shift of a convolution: the reflected and shifted g, its product with f, and the sum."""

    moved: jax.Array
    product: jax.Array
    total: jax.Array


def overlap(f: jax.Array, g: jax.Array, shift: int | jax.Array) -> Overlap:
    """Put the reflected g on f at one shift.

    `moved[n] = g[shift - n]`, zero where g has no element; `product = f moved`; `total` is the sum
    of the product, which is `convolve(f, g)[shift]`.

    Args:
        f: the signal that stays.
        g: the signal that is reflected and shifted.
        shift: the shift, an index into the full convolution per axis (one number for 1-D).

    Shapes:
        f (n1, ..., nd), g (m1, ..., md), shift () or (d,) -> moved and product (n1, ..., nd), total ().

    Returns:
        An `Overlap` of these three.

    Raises:
        ValueError: if f and g differ in their number of axes.

    Source:
        definition.

    Example:
        >>> result = overlap(jnp.array([1, 2, 3]), jnp.array([10, 1]), 1)
        >>> result.moved.tolist(), result.product.tolist(), int(result.total)
        ([1, 10, 0], [1, 20, 0], 21)
    """
    f, g = _operands("overlap", f, g)
    reflected = jnp.flip(g)
    stage = jnp.pad(reflected, [(n, n) for n in f.shape])  # zeros beyond f
    start = jnp.array(stage.shape, int) - jnp.array(f.shape, int) - 1 - jnp.atleast_1d(shift)
    moved = lax.dynamic_slice(stage, start, f.shape)
    product = f * moved
    return Overlap(moved, product, product.sum(dtype=product.dtype))


def convolve(f: jax.Array, g: jax.Array, mode: Mode = "full") -> jax.Array:
    """Convolve by the definition: the `overlap` total at every shift.

    `y[s] = sum over n of f[n] g[s - n]`. It equals `scipy.signal.convolve`.

    Args:
        f: the first operand; any number of axes.
        g: the second operand, which is reflected.
        mode: "full": every shift with an overlap; "same": the middle part of "full", of the shape of f;
            "valid": only shifts where one operand lies completely inside the other.

    Shapes:
        f (n1, ..., nd), g (m1, ..., md) -> full: ni + mi - 1, same: ni, valid: `|ni - mi| + 1`.

    Returns:
        The convolution, in the common dtype of the operands.

    Raises:
        ValueError: if the numbers of axes differ, if the mode is not one of the three, or if in "valid"
            neither operand fits inside the other.

    Source:
        definition.

    Example:
        >>> convolve(jnp.array([1, 2, 3]), jnp.array([1, 1])).tolist()
        [1, 3, 5, 3]
    """
    f, g = _operands("convolve", f, g)
    checks.one_of("convolve", "mode", mode, MODES)
    if mode == "valid":
        checks.nested("convolve", ("f", "g"), (f.shape, g.shape))
    if f.ndim == 0:  # one shift, one product
        return f * g
    full = tuple(n + m - 1 for n, m in zip(f.shape, g.shape, strict=True))
    shifts = jnp.indices(full).reshape(f.ndim, math.prod(full)).T
    totals = jax.vmap(lambda shift: overlap(f, g, shift).total)(shifts)
    return _crop(totals.reshape(full), f.shape, g.shape, mode)


def correlate(f: jax.Array, g: jax.Array, mode: Mode = "full") -> jax.Array:
    """Correlate by the definition: convolve with the reflected, conjugated g.

    `y[s] = sum over n of f[n] conj(g[n - s + m - 1])` for g of length m, as `scipy.signal.correlate`:
    g is conjugated, and since it is reflected twice, it slides over f without reflection.

    Args:
        f: the first operand; any number of axes.
        g: the second operand, which is conjugated.
        mode: as for `convolve`.

    Shapes:
        f (n1, ..., nd), g (m1, ..., md) -> full: ni + mi - 1, same: ni, valid: `|ni - mi| + 1`.

    Returns:
        The correlation, in the common dtype of the operands.

    Raises:
        ValueError: as for `convolve`.

    Source:
        definition.

    Example:
        >>> correlate(jnp.array([1, 2, 3]), jnp.array([0, 1]), "valid").tolist()
        [2, 3]
    """
    f, g = _operands("correlate", f, g)
    return convolve(f, jnp.conj(jnp.flip(g)), mode)


def _operands(function: str, f: jax.Array, g: jax.Array) -> tuple[jax.Array, jax.Array]:
    f, g = checks.array(function, "f", f), checks.array(function, "g", g)
    checks.same_rank(function, ("f", "g"), (f, g))
    return f, g


def _crop(full: jax.Array, shape1: tuple[int, ...], shape2: tuple[int, ...], mode: Mode) -> jax.Array:
    """Return the part of a full convolution that `mode` selects."""
    if mode == "full":
        return full
    sizes = list(zip(shape1, shape2, strict=True))
    if mode == "same":
        return full[tuple(slice((m - 1) // 2, (m - 1) // 2 + n) for n, m in sizes)]
    return full[tuple(slice(min(n, m) - 1, max(n, m)) for n, m in sizes)]
