"""Conventions: what each function of SciPy's family does its own way, and the words of its errors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks

VALID_WORDS = "For 'valid' mode, one must be at least as large as the other in every dimension:"
BOUNDARY_WORDS = (
    "Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or 'symm')."
)
METHOD_WORDS = "Acceptable method flags are 'auto', 'direct', or 'fft'."


@dataclass(frozen=True)
class Convention:
    """One function's own way."""

    name: str  # of the function that was called, for errors
    reflects: bool  # the kernel is reflected; else it is conjugated
    method: Literal["", "fft", "overlap"] = ""  # by which it is named; its results are of floats
    is_of_matrices: bool = False  # of two axes, and it ignores a fill value that nothing uses
    takes_later_middle: bool = False  # of an even kernel's two, for "same"
    conjugates_swapped: bool = False  # where in "valid" it is in1 that lies inside in2
    mode_words: str = "Acceptable mode flags are 'valid', 'same', or 'full'."
    rank_words: str = "in1 and in2 should have the same dimensionality:"

    def called(self, name: str) -> "Convention":
        """Return the same convention for another function, which errors then name."""
        return replace(self, name=name)

    def turned(self, kernel: jax.Array, axes: Sequence[int]) -> jax.Array:
        """Return the kernel as the engine slides it, which neither reflects nor conjugates."""
        return jnp.flip(kernel, axes) if self.reflects else kernel.conj()

    def start(self, reach: int, origin: int) -> int:
        """Return where "same" begins in the full output, moved by an origin as ndimage has it."""
        sign = 1 if self.reflects else -1
        start = (reach if self.takes_later_middle else reach - 1) // 2 + sign * origin
        if not 0 <= start < reach:
            rule = f"leave the centre within the {reach} taps"
            raise checks.value_error(self.name, "origin", rule, origin)
        return start


CONVOLVE = Convention(
    "convolve",
    reflects=True,
    mode_words="Acceptable mode flags are 'valid', 'same', or 'full', not mode={}.",
    rank_words="volume and kernel should have the same dimensionality:",
)
CORRELATE = Convention("correlate", reflects=False)
FFTCONVOLVE = Convention(
    "fftconvolve",
    reflects=True,
    method="fft",
    mode_words="acceptable mode flags are 'valid', 'same', or 'full':",
)
OACONVOLVE = replace(FFTCONVOLVE, name="oaconvolve", method="overlap")
CONVOLVE2D = Convention("convolve2d", reflects=True, is_of_matrices=True)
CORRELATE2D = Convention(
    "correlate2d",
    reflects=False,
    is_of_matrices=True,
    takes_later_middle=True,
    conjugates_swapped=True,
)


def result_type(type1: np.dtype, type2: np.dtype, floats: bool = False) -> np.dtype:
    """Return the dtype of SciPy's result, within the bits that JAX has been given."""
    with jax.numpy_dtype_promotion("standard"):  # types alone, whatever the user allows of arrays
        if floats:  # which each operand becomes by itself
            type1, type2 = (
                jnp.promote_types(t, np.float32 if jnp.issubdtype(t, np.inexact) else np.float64)
                for t in (type1, type2)
            )
        try:
            wide = np.promote_types(type1, type2)
        except TypeError:  # of two 16-bit floats
            wide = jnp.promote_types(type1, type2)
        return jnp.dtype(jax.dtypes.canonicalize_dtype(wide))


def check_ranks(c: Convention, in1: jax.Array, in2: jax.Array) -> None:
    """Raise ValueError where the numbers of axes are not what the function takes."""
    if c.is_of_matrices:
        for name, operand in (("in1", in1), ("in2", in2)):
            if operand.ndim != 2:
                words = f"{c.name} inputs must both be 2-D arrays:"
                got = f"shape {operand.shape}"
                raise checks.value_error(c.name, name, "have 2 axes", got, "", words)
    checks.same_rank(c.name, ("in1", "in2"), (in1, in2), c.rank_words)


def empty_result(c: Convention, a: jax.Array, b: jax.Array, mode: str, filled: bool) -> jax.Array:
    """Return SciPy's result for operands without elements, or raise; `filled`: zeros lie beyond."""
    if c.method:
        return jnp.zeros(0, a.dtype)
    if not (c.is_of_matrices and filled):
        for name, operand in (("in1", a), ("in2", b)):
            checks.not_empty(c.name, name, operand, "a cannot be empty:")
    pairs = list(zip(a.shape, b.shape))
    if mode == "valid":
        checks.nested(c.name, ("in1", "in2"), (a.shape, b.shape), VALID_WORDS)
    shapes = {
        "full": [max(n + m - 1, 0) for n, m in pairs],
        "same": a.shape,
        "valid": [abs(n - m) + 1 for n, m in pairs],
    }
    return jnp.zeros(shapes[mode], a.dtype)
