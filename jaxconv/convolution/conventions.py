"""Conventions: what each of SciPy's functions does its own way, and the words of its errors."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks

REFLECTED = (
    "convolve",
    "fftconvolve",
    "oaconvolve",
    "convolve2d",
)  # others conjugate the kernel
BY_FFT = ("fftconvolve", "oaconvolve")
TWO_AXES = ("convolve2d", "correlate2d")
MODE_WORDS = {
    "": "Acceptable mode flags are 'valid', 'same', or 'full'.",
    "convolve": "Acceptable mode flags are 'valid', 'same', or 'full', not mode={}.",
    "fftconvolve": "acceptable mode flags are 'valid', 'same', or 'full':",
    "oaconvolve": "acceptable mode flags are 'valid', 'same', or 'full':",
}
VALID_WORDS = "For 'valid' mode, one must be at least as large as the other in every dimension:"
BOUNDARY_WORDS = (
    "Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or 'symm')."
)


def turned(function: str, kernel: jax.Array, axes: Sequence[int]) -> jax.Array:
    """Return the kernel as the engine slides it, which neither reflects nor conjugates."""
    return jnp.flip(kernel, axes) if function in REFLECTED else kernel.conj()


def centre(function: str, m: int, origin: int) -> int:
    """Return which of m taps "same" takes for the middle, moved by an origin as ndimage has it.

    SciPy takes the later of an even kernel's two middle ones in `correlate2d` only.
    """
    sign = 1 if function in REFLECTED else -1
    found = (m if function == "correlate2d" else m - 1) // 2 + sign * origin
    if not 0 <= found < m:
        raise checks.value_error(function, "origin", f"leave the centre within the {m} taps", origin)
    return found


def result_type(type1: np.dtype, type2: np.dtype, floats: bool = False) -> np.dtype:
    """Return the dtype of SciPy's result, within the bits that JAX has been given."""
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


def check_ranks(function: str, in1: jax.Array, in2: jax.Array) -> None:
    """Raise ValueError where the numbers of axes are not what the function takes."""
    if function in TWO_AXES:
        for name, operand in (("in1", in1), ("in2", in2)):
            if operand.ndim != 2:
                words = f"{function} inputs must both be 2-D arrays:"
                got = f"shape {operand.shape}"
                raise checks.value_error(function, name, "have 2 axes", got, "", words)
    words = "volume and kernel should have the same dimensionality:"
    if function != "convolve":
        words = "in1 and in2 should have the same dimensionality:"
    checks.same_rank(function, ("in1", "in2"), (in1, in2), words)


def of_nothing(function: str, a: jax.Array, b: jax.Array, mode: str, filled: bool) -> jax.Array:
    """Return what SciPy does of operands without elements, or raise; `filled`: zeros lie beyond."""
    if function in BY_FFT:
        return jnp.zeros(0, a.dtype)
    if function not in TWO_AXES or not filled:
        for name, operand in (("in1", a), ("in2", b)):
            checks.not_empty(function, name, operand, "a cannot be empty:")
    pairs = list(zip(a.shape, b.shape))
    if mode == "valid":
        checks.nested(function, ("in1", "in2"), (a.shape, b.shape), VALID_WORDS)
    shapes = {
        "full": [max(n + m - 1, 0) for n, m in pairs],
        "same": a.shape,
        "valid": [abs(n - m) + 1 for n, m in pairs],
    }
    return jnp.zeros(shapes[mode], a.dtype)
