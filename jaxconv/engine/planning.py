"""Planning: ask each method, pick the one that promises to be fastest. Pure Python on static facts."""

import math
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv import checks
from jaxconv.engine import costs, tuned
from jaxconv.engine.exchange import exchange, exchanged, is_exchanged, pays, restored
from jaxconv.engine.how import How
from jaxconv.engine.methods import METHODS
from jaxconv.engine.problem import Problem
from jaxconv.engine.tuned import Times

FAVOUR = 0.3  # measured on residual networks: what layouts that agree are worth
DENSE = 8  # features in and out, from which it is


@dataclass(frozen=True)
class Candidate:
    """One method's answer: its cost, or why it cannot."""

    method: str
    seconds: float
    bytes: int
    parameters: str = ""
    refusal: str = ""
    measured: bool = False  # here, by `tune`; else predicted


@dataclass(frozen=True)
class Plan:
    """How one problem will be computed, and what the other methods would have cost.

    A plan prints as a table, in a notebook too, and may be passed as `method`.
    """

    problem: Problem
    how: How
    method: str
    candidates: tuple[Candidate, ...]
    source: str  # of the constants that it was planned by

    @property
    def chosen(self) -> Candidate:
        """The candidate that was picked."""
        return next(c for c in self.candidates if c.method == self.method)

    @property
    def seen(self) -> Problem:
        """The problem as its method sees it."""
        return as_seen(self.method, self.problem, self.how.local)

    @property
    def is_exchanged(self) -> bool:
        """Whether signal and kernel are computed in each other's place."""
        return is_exchanged(self.problem, self.seen)

    @property
    def is_local(self) -> bool:
        """Whether an error or a NaN reaches only the places whose window holds it."""
        return METHODS[self.method].is_local and not self.is_exchanged

    def prepare_signal(self, signal: jax.Array) -> Any:
        """Return what the method makes of a canonical signal alone."""
        method = METHODS[self.method]
        if not self.problem.products:
            return signal
        signal = signal if method.wraps else self.problem.extend(signal)
        if self.is_exchanged:
            return method.prepare_kernel(self.seen, exchange(signal))
        return method.prepare_signal(self.seen, signal)

    def prepare_kernel(self, kernel: jax.Array) -> Any:
        """Return what the method makes of a canonical kernel alone."""
        method = METHODS[self.method]
        if not self.problem.products:
            return kernel
        if self.is_exchanged:
            return method.prepare_signal(self.seen, exchange(kernel))
        return method.prepare_kernel(self.seen, kernel)

    def run(self, signal: Any, kernel: Any) -> jax.Array:
        """Compute the problem of two prepared operands."""
        dtype, method = jnp.dtype(self.problem.result), METHODS[self.method]
        if not self.problem.products:
            return jnp.zeros(self.problem.output, dtype)
        if self.is_exchanged:
            return restored(method.run(self.seen, kernel, signal)).astype(dtype)
        return method.run(self.seen, signal, kernel).astype(dtype)

    def __str__(self) -> str:
        lines = [self.title, f"  {'method':8} {self._time:>12} {'memory':>10}  note"]
        for mark, c in self._rows():
            lines.append(f"{mark:1} {c[0]:8} {c[1]:>12} {c[2]:>10}  {c[3]}".rstrip())
        lines.append(f"costs: {self.source}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("", "method", self._time, "memory", "note"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in (mark, *cells)) + "</tr>"
            for mark, cells in self._rows()
        )
        table = f"<table><tr>{head}</tr>{rows}</table>"
        return f"<p>{self.title}</p>{table}<p>costs: {self.source}</p>"

    @property
    def title(self) -> str:
        """The problem in one line."""
        p = self.problem
        features = f"  batch {p.batch}  groups {p.groups}  features {p.inputs} to {p.outputs}"
        boundaries = f"  {', '.join(p.boundaries)}" if p.boundaries else ""
        plain = p.batch == p.groups == p.inputs == p.outputs == 1
        return (
            f"convolution  signal {p.space}  kernel {p.window}  ->  {p.places}"
            f"{'' if plain else features}{boundaries}  {p.dtype} on {p.platform}"
        )

    @property
    def _time(self) -> str:
        """What the column of times is called: all are predicted, or some were measured."""
        return "time" if any(c.measured for c in self.candidates) else "predicted"

    def _rows(self):
        for c in sorted(self.candidates, key=lambda c: (bool(c.refusal), c.seconds)):
            mark = ">" if c.method == self.method else ""
            if c.refusal:
                yield mark, (c.method, "-", "-", c.refusal)
            else:
                note = ", ".join(filter(None, (c.parameters, "measured here" * c.measured)))
                cells = (c.method, f"{c.seconds * 1e3:.3f} ms", f"{c.bytes / 1e6:.1f} MB", note)
                yield mark, cells


@lru_cache(4096)
def plan(problem: Problem, how: How) -> Plan:
    """Plan a problem as asked.

    Raises:
        ValueError: if the named method, or within the bounds any method, cannot compute the problem.
    """
    constants = costs.constants(problem.platform)
    if problem.precision and lax.Precision.HIGHEST in problem.precision:
        constants = constants.in_full_precision
    candidates = tuple(_ask(name, problem, how, constants) for name in METHODS)
    times = tuned.find(problem)
    if times:
        candidates = tuple(_measured(c, times, problem, how) for c in candidates)
    able = [c for c in candidates if not c.refusal]
    name = how.method
    if how.problem not in (None, problem):
        got = f"one for signal {how.problem.space} and kernel {how.problem.window}"  # pyright: ignore
        rule = f"be a plan for signal {problem.space} and kernel {problem.window}, types and options too"
        remedy = f"Pass {name!r} for its method only."
        raise checks.value_error(how.function, "method", rule, got, remedy)
    if name == "auto":
        if not able:
            reasons = "; ".join(f"{c.method} {c.refusal}" for c in candidates)
            rule = "leave a method that can compute the problem within the bounds"
            raise checks.value_error(how.function, "max_bytes", rule, reasons, "Widen the bounds.")
        name = _fastest(problem, how, constants, times, able)
        return Plan(problem, how, name, candidates, _source(constants))
    refusal = next(c.refusal for c in candidates if c.method == name)
    if refusal:
        rule = f"be able to compute the problem, and {name!r} cannot ({refusal})"
        others = " or ".join(repr(c.method) for c in able)
        remedy = f"Use {others}." if others else "Widen the bounds."
        raise checks.value_error(how.function, "method", rule, repr(name), remedy)
    return Plan(problem, how, name, candidates, _source(constants))


def _fastest(
    problem: Problem, how: How, constants: costs.Constants, times: Times | None, able: list[Candidate]
) -> str:
    """Return the name of the method that was measured to be the fastest, or else is predicted to be."""
    margin = constants.margin
    if times:
        measured = [c for c in able if c.measured]
        if how.between_layers and any(c.method == times.between_layers for c in measured):
            return times.between_layers
        able, margin = measured or able, 1 if measured else margin
    return min(able, key=lambda c: _rank(problem, how, margin, c)).method


def _measured(candidate: Candidate, times: Times, problem: Problem, how: How) -> Candidate:
    """Return a candidate with the time that it took instead of the predicted one, if it ran as here."""
    method = candidate.method
    seconds = times.seconds.get(method)
    as_here = as_seen(method, problem) == as_seen(method, problem, how.local)
    return replace(candidate, seconds=seconds, measured=True) if seconds and as_here else candidate


def _source(constants: costs.Constants) -> str:
    """Return where the constants came from, and what is asked of methods where that is not here."""
    margin = f"; another method than direct must promise {constants.margin} times its speed"
    return constants.source + (margin if constants.margin > 1 else "")


def plan_afresh() -> None:
    """Drop all plans and what was compiled by them: from now on others hold."""
    plan.cache_clear()
    jax.clear_caches()


def possible(how: How, problem: Problem) -> How:
    """Fall back to "auto" if the named method cannot compute the problem: so derivatives are planned."""
    able = how.method == "auto" or not _refusal(how.method, problem, how.local)
    return how.by(how.method if able else "auto")


def as_seen(method: str, problem: Problem, local: bool = False) -> Problem:
    """Return a problem as a method sees it.

    For most the signal was continued beforehand; for some, and if it need not be local, the operands
    are exchanged.
    """
    seen = _continued(method, problem)
    return exchanged(seen) if not local and pays(method, seen) else seen


def _continued(method: str, problem: Problem) -> Problem:
    """Return the problem of the signal that a method is given, which for most was continued."""
    return problem if METHODS[method].wraps else problem.extended


def _refusal(method: str, problem: Problem, local: bool) -> str:
    """Return why a method cannot compute a problem, or ""; any method returns an empty output."""
    return METHODS[method].supports(as_seen(method, problem, local)) if problem.products else ""


def _ask(method: str, problem: Problem, how: How, constants: costs.Constants) -> Candidate:
    """Return what a method promises, and whether it keeps the bounds."""
    refusal = _refusal(method, problem, how.local)
    if refusal or not problem.products:
        return Candidate(method, 0.0, 0, "", refusal)
    seen = as_seen(method, problem, how.local)
    seconds, held, parameters = METHODS[method].cost(seen, constants)
    if is_exchanged(problem, seen):
        parameters = ", ".join(filter(None, (parameters, "operands exchanged")))
    longer = _continued(method, problem)
    if longer.space != problem.space:  # the longer signal is one more array
        added = problem.batch * problem.groups * problem.inputs * math.prod(longer.space)
        added *= jnp.dtype(problem.dtype).itemsize
        seconds, held = seconds + 2 * added / constants.memory_rate, held + added
    cost = costs.Cost(seconds, held, parameters)
    return Candidate(method, *cost, how.refusal(method, cost))


def _rank(problem: Problem, how: How, margin: int, candidate: Candidate) -> float:
    """Return the seconds that a candidate is ranked by: JAX's own method has the margin.

    Between dense layers of up to two axes methods that want features last are favoured: neighbours
    that agree move no data.
    """
    many = problem.taps == 1 or math.prod(problem.places) > 1  # places; else one product is all
    flat = problem.rank < 3  # in volumes JAX's own is no faster so
    dense = how.between_layers and flat and many and min(problem.inputs, problem.outputs) >= DENSE
    favour = FAVOUR if dense and METHODS[candidate.method].prefers_features_last else 1.0
    shared = METHODS[candidate.method].shared if how.shares_signal else 1.0
    return candidate.seconds * favour * shared * (1 if candidate.method == "direct" else margin)


@contextmanager
def noting():
    """Give a list of the plans of what is lowered, or divided by the compiler, meanwhile."""
    _NOTED.append([])
    try:
        yield _NOTED[-1]
    finally:
        _NOTED.pop()


def note(chosen: Plan) -> None:
    """Tell who is noting that a plan is lowered."""
    for plans in _NOTED[-1:]:
        plans.append(chosen)


_NOTED: list[list[Plan]] = []  # of all threads: the compiler divides arrays in one of its own
