"""`jaxconv plan` and `jaxconv tune`: how two sizes are convolved, as planned and as measured."""

from functools import partial
from typing import Annotated

import jax
import jax.numpy as jnp
import typer

import jaxconv
from jaxconv import checks
from jaxconv.cli.reading import sizes
from jaxconv.cli.shared import app, one_line_errors
from jaxconv.types import METHODS, MODES

Signal = Annotated[str, typer.Argument(help="Size of the signal, as 1024x1024.")]
Kernel = Annotated[str, typer.Argument(help="Size of the kernel, as 31x31.")]
ModeName = Annotated[str, typer.Option("--mode", help=f"{', '.join(MODES)}.")]
Dtype = Annotated[str, typer.Option(help="Type of the numbers, as float32, bfloat16 or int16.")]


@app.command()
def plan(
    signal: Signal,
    kernel: Kernel,
    mode: ModeName = "same",
    dtype: Dtype = "float32",
    method: Annotated[str, typer.Option(help=f"{', '.join(METHODS)}.")] = "auto",
    platform: Annotated[
        str | None, typer.Option(help="cpu, cuda, rocm or tpu; by default this machine's.")
    ] = None,
) -> None:
    """Print by which method a convolution of two sizes is computed, and what the others would take."""
    with one_line_errors("plan"):
        checks.one_of("plan", "mode", mode, MODES)
        shapes = sizes("plan", signal, kernel)
        platforms = ("cpu", "cuda", "rocm", "tpu")
        if platform is not None:
            checks.one_of("plan", "platform", platform, platforms)
        with wide("plan", dtype):
            print(jaxconv.plan(*shapes, mode, method, dtype=dtype, platform=platform))  # pyright: ignore


@app.command()
def tune(
    signal: Signal,
    kernel: Kernel,
    mode: ModeName = "same",
    dtype: Dtype = "float32",
    forget: Annotated[
        bool, typer.Option("--forget", help="First drop all that was measured on this device.")
    ] = False,
) -> None:
    """Measure a convolution of two sizes, with its gradients, by each method that may be the fastest.

    Kept for this device and these versions: later processes plan by it.
    """
    with one_line_errors("tune"):
        checks.one_of("tune", "mode", mode, MODES)
        shapes = sizes("tune", signal, kernel)
        if forget:
            jaxconv.tuning.forget()
        with wide("tune", dtype):
            operands = [jax.ShapeDtypeStruct(shape, jnp.dtype(dtype)) for shape in shapes]
            print(jaxconv.tune(partial(jaxconv.convolve, mode=mode), *operands))  # pyright: ignore


def wide(command: str, dtype: str):
    """Return the context that a type of 64 bits needs, or raise where there is no such type."""
    try:
        return jax.enable_x64(jnp.dtype(dtype).itemsize > (8 if dtype.startswith("complex") else 4))
    except TypeError:
        rule = "be the name of a type of numbers"
        raise checks.value_error(command, "dtype", rule, repr(dtype), "Try float32.") from None
