"""OneDNN: the convolution of Intel's library, which jaxlib carries on x86-64 Linux, called by its name.

Wins where several features meet, and depthwise where they come last. The call is not documented by JAX:
`proof.py` tries it in a process of its own before it is offered.
"""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv.engine import proof
from jaxconv.engine.costs import Constants, Cost
from jaxconv.engine.methods.layout import (
    VECTOR,
    features_last,
    is_gradient,
    is_product,
    lanes,
    merged,
    moved_bytes,
    vector_work,
)
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem

MOST_GROUPED_TAPS = 1000  # past which groups are computed by a plain loop


def supports(problem: Problem) -> str:
    """Float32 of several features, on a processor where it was proved."""
    p, depthwise = problem, problem.groups > 1 == problem.inputs * problem.outputs
    if refusal := unable(p):
        return refusal
    if not 1 <= p.rank <= 3:
        return "has one to three spatial axes"
    if p.outputs == 1 and not depthwise:
        return "one output feature, of which it makes no vector"
    if is_product(p):
        return "one tap or one place, which is a product"
    if p.groups > 1 and p.taps > MOST_GROUPED_TAPS:
        return (
            f"{p.taps:,} taps of groups, and past {MOST_GROUPED_TAPS:,} it computes them by a plain loop"
        )
    return proof.refusal()


def unable(problem: Problem) -> str:
    """Refuse what the library computes nowhere."""
    if problem.platform != "cpu":
        return "computes on a CPU only"
    return "" if problem.dtype == problem.result == "float32" else "computes float32 only"


def cost(problem: Problem, c: Constants) -> Cost:
    """The products, at a rate that falls where features do not fill its vectors; and moving features."""
    p, volume, calls, moved = problem, problem.rank > 2, 1, moved_bytes(problem)
    if is_gradient(p):
        rate = (1.25 if volume else 0.75) * c.onednn_rate * _gradient_share(p)
        calls, moved = (5, 3 * moved) if volume else (6, 0.8 * moved)
    elif p.inputs * p.outputs == 1:
        rate = c.onednn_depthwise_rate
    else:
        filled = lanes(p) * p.inputs / (p.inputs + 1)
        last = (p.places[-1] + 1) / (p.places[-1] + 2)  # a row is computed in pieces
        rate = c.onednn_rate * filled * last * (0.6 if p.groups > 1 else 1.0)
    held = p.accumulator.itemsize * p.batch * p.groups * p.inputs * math.prod(p.padded) * _stages(p)
    seconds = calls * c.onednn_call + 2 * p.products / rate + 2 * held / c.memory_rate
    return Cost(seconds + moved / c.onednn_memory_rate, moved_bytes(p) + held)


def _gradient_share(problem: Problem) -> float:
    """Return the share of its rate that a sum of many taps has.

    It keeps the places of a row times the vectors of output features in registers, and where these are
    few each waits for its own last sum.
    """
    p = problem
    few, short = (8, 22) if p.rank > 2 else (5, 37)  # with which it has half
    registers, own = p.places[-1] * math.ceil(p.outputs / VECTOR), p.batch * math.prod(p.places)
    return lanes(p) * registers / (registers + few) * own / (own + short)


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Call it with features last, and a line as an image of one row, which it computes faster."""
    p = problem
    if _stages(p):
        signal = p.stage(signal)
        p = p.staged
    if p.rank == 1:
        p = _as_image(p)
    out = called(p, *features_last(*merged(p, signal, kernel)))
    return jnp.moveaxis(out, -1, 1).reshape(problem.output)


def called(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Call oneDNN with a signal N, space, C and a kernel window, I, O.

    The configuration is protobuf's JSON of XLA's `OneDnnConvolutionConfig`; a dilation of 1 is none.
    What it cannot compute ends the process.
    """
    p, last = problem, problem.rank + 1
    data = {"batch_dim": "0", "feature_dim": str(last), "spatial_dims": _words(range(1, last))}
    dims = {"input_feature_dim": str(p.rank), "output_feature_dim": str(last)}
    filter = {**dims, "shape": _words(kernel.shape), "spatial_dims": _words(range(p.rank))}
    config = {
        "dims": str(p.rank + 2),
        "feature_groups": str(p.groups),
        "input": {"data": data},
        "kernel": {"filter": filter},
        "output": {"data": data},
        "window": {
            "pad_left": _words(low for low, _ in p.padding),
            "pad_right": _words(high for _, high in p.padding),
            "strides": _words(p.strides),
            "window_dilations": _words(p.kernel_dilation),
        },
        "optimization_config": {"user_scratchpad": False},
    }
    result = jax.ShapeDtypeStruct((p.batch, *p.places, p.groups * p.outputs), signal.dtype)
    return custom_call("convolution", result, {"onednn_conv_config": config})(signal, kernel)


def custom_call(name: str, result: jax.ShapeDtypeStruct, config: dict[str, Any]) -> Callable[..., Any]:
    """Return what calls a function of the library by its name."""
    return jax.ffi.ffi_call(
        f"__onednn${name}",
        result,
        vmap_method="sequential",
        custom_call_api_version=2,
        legacy_backend_config=json.dumps(config),
    )


def _stages(problem: Problem) -> bool:
    """Whether the signal is dilated or cropped, which is done beforehand."""
    return max(problem.signal_dilation) > 1 or min(map(min, problem.padding)) < 0


def _as_image(problem: Problem) -> Problem:
    p = problem
    return replace(
        p,
        space=(1, *p.space),
        window=(1, *p.window),
        strides=(1, *p.strides),
        padding=((0, 0), *p.padding),
        signal_dilation=(1, *p.signal_dilation),
        kernel_dilation=(1, *p.kernel_dilation),
    )


def _words(numbers) -> list[str]:
    return [str(n) for n in numbers]


METHOD = Method(
    supports, cost, run, is_local=True, is_portable=False, prefers_features_last=True, work=vector_work
)
