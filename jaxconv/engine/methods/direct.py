"""Direct: JAX's own `lax.conv_general_dilated`.

Wins where many features meet (it is a matrix product there), on outputs of a few places, and takes
every problem. Loses by far with one channel on a CPU, where it runs as a plain loop, and worst in
three dimensions.
"""

import math

import jax
from jax import lax

from jaxconv.engine.costs import Cost, constants
from jaxconv.engine.problem import Problem

LOCAL = True


def supports(problem: Problem) -> str:
    """It can compute everything."""
    return ""


def cost(problem: Problem) -> Cost:
    """A fixed price an output, and the products at the rate of a plain loop or a matrix product."""
    c = constants(problem.platform)
    outputs = math.prod(problem.output)
    dense = problem.inputs * problem.outputs >= c.matrix_features
    rate = c.direct_matrix_rate if dense else c.direct_rate[min(problem.rank, 3)]
    seconds = c.direct_call + outputs * c.direct_output + 2 * problem.products / rate
    return Cost(seconds, 0)


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Merge groups into features and call lax, channels last where that is faster."""
    n, g, i, *space = signal.shape
    o, rank = problem.outputs, problem.rank
    lhs = signal.reshape(n, g * i, *space)
    rhs = kernel.reshape(g * o, i, *problem.window)
    last = problem.platform == "cpu" and i * o > 1
    spatial = "DHW"[3 - rank :] if rank <= 3 else ""
    order = (f"N{spatial}C", f"{spatial}IO", f"N{spatial}C") if last and spatial else None
    if order:
        to_last = (0, *range(2, 2 + rank), 1)
        lhs, rhs = lhs.transpose(to_last), rhs.transpose(*range(2, 2 + rank), 1, 0)
        lhs, rhs = lax.optimization_barrier((lhs, rhs))
    dtype = problem.accumulator
    out = lax.conv_general_dilated(
        lhs,
        rhs,
        problem.strides,
        problem.padding,
        problem.signal_dilation,
        problem.kernel_dilation,
        dimension_numbers=order,
        feature_group_count=g,
        precision=problem.precision,  # pyright: ignore[reportArgumentType]
        preferred_element_type=None if dtype == signal.dtype else dtype,
    )
    if order:
        out = lax.optimization_barrier(out).transpose(0, rank + 1, *range(1, rank + 1))
    return out.reshape(problem.output)
