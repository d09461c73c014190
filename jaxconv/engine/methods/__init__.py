"""How a convolution can be computed: one file a method, all of one shape.

Each module has `supports(problem)`, which returns "" or the reason why not; `cost(problem, constants)`,
its predicted time and memory; `prepare(problem, kernel)`, what can be computed of the kernel alone; and
`run(problem, signal, ready)`, which from that computes the formula of `problem.py` and returns
`problem.output` elements in `problem.accumulator`. `LOCAL` says whether an
error or a NaN reaches only the places whose window holds it. A new method is a new file and a new line
here.
"""

from typing import Protocol, cast

import jax

from jaxconv.engine.costs import Constants, Cost
from jaxconv.engine.methods import direct, fft, folded, lags, lines, overlap, phases, products, shifts
from jaxconv.engine.problem import Problem


class MethodModule(Protocol):
    """The shape that all methods have."""

    LOCAL: bool

    def supports(self, problem: Problem) -> str:
        """Return "" where the method can compute the problem, else why not."""
        ...

    def cost(self, problem: Problem, c: Constants) -> Cost:
        """Predict time and extra memory."""
        ...

    def prepare(self, problem: Problem, kernel: jax.Array) -> jax.Array:
        """Compute what `run` takes of the kernel."""
        ...

    def run(self, problem: Problem, signal: jax.Array, ready: jax.Array) -> jax.Array:
        """Compute the rest."""
        ...


METHOD_MODULES: dict[str, MethodModule] = {
    name: cast(MethodModule, module)
    for name, module in {
        "direct": direct,
        "products": products,
        "shifts": shifts,
        "folded": folded,
        "lines": lines,
        "overlap": overlap,
        "fft": fft,
        "lags": lags,
        "phases": phases,
    }.items()
}
