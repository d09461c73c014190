"""Planning: ask each method, pick the one that promises to be fastest. Pure Python on static facts."""

from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.engine import costs
from jaxconv.engine.methods import METHOD_MODULES
from jaxconv.engine.problem import Problem


@dataclass(frozen=True)
class Candidate:
    """One method's answer: its predicted cost, or the reason why it cannot."""

    method: str
    seconds: float
    bytes: int
    refusal: str = ""


@dataclass(frozen=True)
class Plan:
    """How one problem will be computed, and what the other methods would have cost.

    A plan prints as a table.
    """

    problem: Problem
    method: str
    candidates: tuple[Candidate, ...]

    def __str__(self) -> str:
        p = self.problem
        lines = [
            f"convolution  signal {p.space}  kernel {p.window}  ->  {p.places}"
            f"  {p.dtype} on {p.platform}",
            f"  {'method':8} {'predicted':>12} {'memory':>10}  note",
        ]
        for c in self.candidates:
            mark = ">" if c.method == self.method else " "
            time = "-" if c.refusal else f"{c.seconds * 1e3:.3f} ms"
            memory = "-" if c.refusal else f"{c.bytes / 1e6:.1f} MB"
            lines.append(f"{mark} {c.method:8} {time:>12} {memory:>10}  {c.refusal}".rstrip())
        lines.append(f"costs: {costs.constants(p.platform).source}")
        return "\n".join(lines)


@lru_cache(4096)
def plan(problem: Problem, method: str = "auto") -> Plan:
    """Plan a problem; `method` other than "auto" is taken as it is, where it can be.

    Raises:
        ValueError: if the named method cannot compute the problem.
    """
    asked = tuple(_ask(name, problem) for name in METHOD_MODULES)
    able = [c for c in asked if not c.refusal]
    if method == "auto":
        return Plan(problem, min(able, key=lambda c: c.seconds).method, asked)
    refusal = next(c.refusal for c in asked if c.method == method)
    if refusal:
        rule = f"be able to compute the problem, and {method!r} cannot ({refusal})"
        others = " or ".join(repr(c.method) for c in able)
        raise checks.value_error("convolution", "method", rule, repr(method), f"Use {others}.")
    return Plan(problem, method, asked)


def compute(problem: Problem, method: str, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Compute a problem in its canonical form by the planned method."""
    dtype = jnp.dtype(problem.result)
    if problem.products == 0:
        return jnp.zeros(problem.output, dtype)
    chosen = plan(problem, method if _can(method, problem) else "auto").method
    return METHOD_MODULES[chosen].run(problem, signal, kernel).astype(dtype)


def _can(method: str, problem: Problem) -> bool:
    """Tell whether a named method can: a derivative that it cannot compute is planned afresh."""
    return method == "auto" or not METHOD_MODULES[method].supports(problem)


def _ask(name: str, problem: Problem) -> Candidate:
    module = METHOD_MODULES[name]
    refusal = module.supports(problem)
    cost = costs.Cost(0.0, 0) if refusal or not problem.products else module.cost(problem)
    return Candidate(name, *cost, refusal)
