"""Planning: ask each method, pick the one that promises to be fastest. Pure Python on static facts."""

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxconv import checks
from jaxconv.engine import costs
from jaxconv.engine.methods import METHOD_MODULES
from jaxconv.engine.problem import Problem
from jaxconv.types import METHODS


@dataclass(frozen=True)
class Request:
    """What the caller asks of a plan: a method by name, and bounds that any method must keep."""

    method: str = "auto"
    max_bytes: int | None = None  # of memory beyond the operands and the result
    local: bool = False  # whether an error or a NaN may reach only the places whose window holds it
    problem: Problem | None = None  # the one that a plan was passed for
    between_layers: bool = False  # of a network, whose layouts had better agree

    def refusal(self, name: str, cost: costs.Cost) -> str:
        """Return "" where a method keeps the bounds, or why it does not."""
        if self.local and not METHOD_MODULES[name].LOCAL:
            return "spreads an error beyond its window, and local=True"
        if self.max_bytes is not None and cost.bytes > self.max_bytes:
            return f"needs {cost.bytes:,} bytes, and max_bytes={self.max_bytes:,}"
        return ""


ANY = Request()
BETWEEN_LAYERS = Request(between_layers=True)
FAVOUR = 0.3  # measured on residual networks: what layouts that agree are worth
DENSE = 8  # features in and out, from which it is


@dataclass(frozen=True)
class Candidate:
    """One method's answer: its predicted cost, or the reason why it cannot."""

    method: str
    seconds: float
    bytes: int
    parameters: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class Plan:
    """How one problem will be computed, and what the other methods would have cost.

    A plan prints as a table, in a notebook too, and may be passed as `method`.
    """

    problem: Problem
    request: Request
    method: str
    candidates: tuple[Candidate, ...]
    source: str  # of the constants that it was planned by

    @property
    def chosen(self) -> Candidate:
        """The candidate that was picked."""
        return next(c for c in self.candidates if c.method == self.method)

    def __str__(self) -> str:
        lines = [self._title(), f"  {'method':8} {'predicted':>12} {'memory':>10}  note"]
        for mark, c in self._rows():
            lines.append(f"{mark:1} {c[0]:8} {c[1]:>12} {c[2]:>10}  {c[3]}".rstrip())
        lines.append(f"costs: {self.source}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("", "method", "predicted", "memory", "note"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in (mark, *cells)) + "</tr>"
            for mark, cells in self._rows()
        )
        table = f"<table><tr>{head}</tr>{rows}</table>"
        return f"<p>{self._title()}</p>{table}<p>costs: {self.source}</p>"

    def _title(self) -> str:
        p = self.problem
        features = f"  batch {p.batch}  groups {p.groups}  features {p.inputs} to {p.outputs}"
        plain = p.batch == p.groups == p.inputs == p.outputs == 1
        return (
            f"convolution  signal {p.space}  kernel {p.window}  ->  {p.places}"
            f"{'' if plain else features}  {p.dtype} on {p.platform}"
        )

    def _rows(self):
        for c in sorted(self.candidates, key=lambda c: (bool(c.refusal), c.seconds)):
            mark = ">" if c.method == self.method else ""
            if c.refusal:
                yield mark, (c.method, "-", "-", c.refusal)
            else:
                cells = (c.method, f"{c.seconds * 1e3:.3f} ms", f"{c.bytes / 1e6:.1f} MB", c.parameters)
                yield mark, cells


def requested(function: str, method: Any, max_bytes: Any, local: bool, words: str = "") -> Request:
    """Return the request that a public function's options make; `words` are SciPy's own, if it has any.

    Raises:
        ValueError: if the method is no name of one, or `max_bytes` is negative.
    """
    if max_bytes is not None and max_bytes < 0:
        raise checks.value_error(function, "max_bytes", "not be negative", max_bytes)
    if isinstance(method, Plan):
        return Request(method.method, max_bytes, local, method.problem)
    if method not in METHODS:
        checks.one_of(function, "method", method, METHODS, words)
    return Request(method, max_bytes, local)


@lru_cache(4096)
def plan(problem: Problem, request: Request) -> Plan:
    """Plan a problem as requested.

    Raises:
        ValueError: if the named method, or within the bounds any method, cannot compute the problem.
    """
    constants = costs.constants(problem.platform)
    asked = tuple(_ask(name, problem, request, constants) for name in METHOD_MODULES)
    able = [c for c in asked if not c.refusal]
    name = request.method
    if request.problem not in (None, problem):
        got = f"one for signal {request.problem.space} and kernel {request.problem.window}"  # pyright: ignore
        rule = f"be a plan for signal {problem.space} and kernel {problem.window}, types and options too"
        raise checks.value_error(
            "convolution", "method", rule, got, f"Pass {name!r} for its method only."
        )
    if name == "auto":
        if not able:
            told = "; ".join(f"{c.method} {c.refusal}" for c in asked)
            rule = "leave a method that can compute the problem within the bounds"
            raise checks.value_error("convolution", "max_bytes", rule, told, "Widen the bounds.")
        name = min(able, key=partial(_rank, problem, request)).method
        return Plan(problem, request, name, asked, constants.source)
    refusal = next(c.refusal for c in asked if c.method == name)
    if refusal:
        rule = f"be able to compute the problem, and {name!r} cannot ({refusal})"
        others = " or ".join(repr(c.method) for c in able)
        remedy = f"Use {others}." if others else "Widen the bounds."
        raise checks.value_error("convolution", "method", rule, repr(name), remedy)
    return Plan(problem, request, name, asked, constants.source)


def compute(problem: Problem, method: str, signal: jax.Array, ready: Any) -> jax.Array:
    """Compute a canonical problem by a method; `ready` is what its `prepare` made of the kernel."""
    dtype = jnp.dtype(problem.result)
    if problem.products == 0:
        return jnp.zeros(problem.output, dtype)
    return METHOD_MODULES[method].run(problem, signal, ready).astype(dtype)


def prepare(problem: Problem, method: str, kernel: jax.Array) -> Any:
    """Compute what a method can of the kernel alone; nothing where there is nothing to compute."""
    return kernel if problem.products == 0 else METHOD_MODULES[method].prepare(problem, kernel)


def possible(request: Request, problem: Problem) -> Request:
    """Replace a named method that cannot compute the problem by "auto": so derivatives are planned."""
    able = request.method == "auto" or not _refusal(request.method, problem)
    return replace(request, method=request.method if able else "auto", problem=None)


def _refusal(method: str, problem: Problem) -> str:
    """Return why a method cannot compute a problem, or ""; any method returns an empty output."""
    return METHOD_MODULES[method].supports(problem) if problem.products else ""


def _rank(problem: Problem, request: Request, candidate: Candidate) -> float:
    """Return the seconds that a candidate is ranked by.

    Between dense layers `direct` is favoured: neighbours that are computed in its layout move no data.
    """
    dense = request.between_layers and min(problem.inputs, problem.outputs) >= DENSE
    return candidate.seconds * (FAVOUR if dense and candidate.method == "direct" else 1.0)


def _ask(name: str, problem: Problem, request: Request, constants: costs.Constants) -> Candidate:
    refusal, cost = _refusal(name, problem), costs.Cost(0.0, 0)
    if problem.products and not refusal:
        cost = METHOD_MODULES[name].cost(problem, constants)
    return Candidate(name, *cost, refusal or request.refusal(name, cost))
