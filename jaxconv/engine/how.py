"""How: what a caller asks of a convolution besides its result, carried unchanged to the planner."""

from dataclasses import dataclass, replace
from typing import Any

from jaxconv import checks
from jaxconv.engine.costs import Cost
from jaxconv.engine.methods import METHODS
from jaxconv.engine.problem import Problem


@dataclass(frozen=True)
class How:
    """A method, a precision, and bounds that any method must keep; hashable, static under `jit`."""

    function: str = "convolution"  # the public one that was called, for the words of errors
    method: str = "auto"
    precision: Any = None  # as `jax.lax` takes it
    max_bytes: int | None = None  # of memory beyond the operands and the result
    local: bool = False  # whether an error or a NaN may reach only the places whose window holds it
    problem: Problem | None = None  # the one that a plan was made for, where a plan was passed as method
    between_layers: bool = False  # of a network, whose layouts had better agree
    portable: bool = False  # whether the program is exported, to run elsewhere
    shares_signal: bool = False  # with many kernels, so that what is prepared of it costs nothing

    @property
    def is_free(self) -> bool:
        """Whether any plan will do."""
        return self.method == "auto" and self.max_bytes is None and not (self.local or self.portable)

    def by(self, method: str) -> "How":
        """Return the same with another method."""
        return replace(self, method=method, problem=None)

    def refusal(self, method: str, cost: Cost) -> str:
        """Return "" where a method keeps the bounds, or why it does not."""
        if self.local and not METHODS[method].is_local:
            return "spreads an error beyond its window, and local=True"
        if self.portable and not METHODS[method].is_portable:
            return "belongs to this machine, and the program may run elsewhere"
        if self.max_bytes is not None and cost.bytes > self.max_bytes:
            return f"needs {cost.bytes:,} bytes, and max_bytes={self.max_bytes:,}"
        return ""


def ask(
    function: str,
    method: Any = "auto",
    precision: Any = None,
    max_bytes: Any = None,
    local: bool = False,
    words: str = "",
) -> How:
    """Return what the options of a public function ask for; `words` are SciPy's own, if it has any.

    Raises:
        ValueError: if the method is not the name of one, or `max_bytes` is negative.
        TypeError: if the precision cannot be hashed.
    """
    if max_bytes is not None and max_bytes < 0:
        raise checks.value_error(function, "max_bytes", "not be negative", max_bytes)
    problem = getattr(method, "problem", None)  # of a Plan
    name = method.method if problem is not None else method
    if problem is None:
        checks.one_of(function, "method", method, ("auto", *METHODS), words)
    precision = checks.static(function, "precision", precision)
    return How(function, name, precision, max_bytes, bool(local), problem)
