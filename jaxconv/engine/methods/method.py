"""Method: what one way to compute a problem consists of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from jaxconv.engine.costs import Constants, Cost
from jaxconv.engine.problem import Problem


def as_it_is(problem: Problem, operand: jax.Array) -> jax.Array:
    """Return an operand of which nothing is computed beforehand."""
    return operand


@dataclass
class Method:
    """Functions of a problem. What is prepared of one operand alone may be kept and used again."""

    supports: Callable[[Problem], str]  # "", or the reason why the method cannot compute the problem
    cost: Callable[[Problem, Constants], Cost]  # predicted time and extra memory
    run: Callable[
        [Problem, Any, Any], jax.Array
    ]  # of both prepared operands, the formula of `problem.py`
    prepare_signal: Callable[[Problem, jax.Array], Any] = as_it_is
    prepare_kernel: Callable[[Problem, jax.Array], Any] = as_it_is
    is_local: bool = False  # an error or a NaN reaches only the places whose window holds it
    is_portable: bool = True  # a program may be exported with it
    prefers_features_last: bool = False  # so neighbours of it in a network move no data
    wraps: bool = False  # it wraps around by itself; for other methods the signal is extended
    work: Callable[[Problem], Any] | None = None  # if less so, a gradient's operands are exchanged
    shared: float = 1.0  # the share of its time that is left where the signal was prepared
