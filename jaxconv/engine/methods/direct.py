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
    """Merge groups into features and call lax."""
    n, g, i, *space = signal.shape
    o = problem.outputs
    dtype = problem.accumulator
    out = lax.conv_general_dilated(
        signal.reshape(n, g * i, *space),
        kernel.reshape(g * o, i, *problem.window),
        problem.strides,
        problem.padding,
        problem.signal_dilation,
        problem.kernel_dilation,
        feature_group_count=g,
        precision=problem.precision,  # pyright: ignore[reportArgumentType]
        preferred_element_type=None if dtype == signal.dtype else dtype,
    )
    return out.reshape(problem.output)
