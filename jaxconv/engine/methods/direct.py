"""Direct: JAX's own `lax.conv_general_dilated`.

Wins where many features meet (it is a matrix product there), on outputs of a few places, and takes
every problem. Loses by far with one channel on a CPU, where it runs as a plain loop, and worst in
three dimensions.
"""

from dataclasses import replace

import jax
from jax import lax

from jaxconv.engine.costs import Cost, constants
from jaxconv.engine.problem import Problem

LOCAL = True
MOST_CALLS = 32  # groups that are computed one by one, since JAX computes them together slowly


def supports(problem: Problem) -> str:
    """It can compute everything."""
    return ""


def cost(problem: Problem) -> Cost:
    """Gathering a patch for each place, and the product of the patches with the kernels."""
    c, p = constants(problem.platform), problem
    patches = p.products / p.outputs
    run = p.inputs * p.window[-1] if p.rank else 1
    gathered = patches / c.patch_rate * max(1.0, c.patch_run / run)
    rate = c.vector_rate if p.inputs > p.outputs == 1 else c.matrix_rate
    return Cost(c.direct_call + gathered + 2 * p.products / rate, 0)


def prepare(problem: Problem, kernel: jax.Array) -> jax.Array:
    """Leave the kernel as it is."""
    return kernel


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Call lax; on a CPU, once for each of a few groups."""
    cpu, groups = problem.platform == "cpu", problem.groups
    if not cpu or groups == 1 or problem.inputs == problem.outputs == 1 or groups > MOST_CALLS:
        return _call(problem, signal, kernel)
    alone = replace(problem, groups=1)
    pieces = [_call(alone, signal[:, g : g + 1], kernel[g : g + 1]) for g in range(groups)]
    return lax.concatenate(pieces, 1)


def _call(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Merge groups into features and call lax."""
    n, g, i, *space = signal.shape
    dtype = problem.accumulator
    out = lax.conv_general_dilated(
        signal.reshape(n, g * i, *space),
        kernel.reshape(g * problem.outputs, i, *problem.window),
        problem.strides,
        problem.padding,
        problem.signal_dilation,
        problem.kernel_dilation,
        feature_group_count=g,
        precision=problem.precision,
        preferred_element_type=None if dtype == signal.dtype else dtype,
    )
    return out.reshape(problem.output)
