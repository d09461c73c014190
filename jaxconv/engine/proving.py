"""Proving: what a child process runs to try oneDNN, its convolution and its product."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np

from jaxconv.engine.methods import direct, matmul, onednn
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem
from jaxconv.engine.proof import PROVED

TOLERANCE = 1e-5
TIMES = 20  # each, two beside each other: so a call that waits for its own threads would hang


def problems() -> list[tuple[Method, Problem]]:
    """Return one problem of each kind for either method."""
    return [(onednn.METHOD, p) for p in _convolutions()] + [(matmul.METHOD, p) for p in _products()]


def _products() -> list[Problem]:
    """Return problems of one tap and of one place in each order that is told apart, and groups."""
    found = []
    for groups, inputs, outputs in [(1, 24, 40), (1, 5, 1), (3, 7, 2)]:
        sizes = {"batch": 3, "groups": groups, "inputs": inputs, "outputs": outputs, "space": (6, 7)}
        one_tap, one_place = (_problem(2, window=window, **sizes) for window in ((1, 1), (6, 7)))
        found += [replace(one_tap, channels_last=last) for last in (False, True)]
        found += [replace(one_place, batch_axis=axis) for axis in (0, 1, 3)]
    return found


def _convolutions() -> list[Problem]:
    """Return one problem of each rank, groups, strides, dilation, uneven and large padding."""
    found = []
    for rank in (1, 2, 3):
        for groups, inputs, outputs in [(1, 3, 16), (1, 8, 5), (4, 2, 3), (24, 1, 1)]:
            space, window = (7, 9, 8)[:rank], (3, 2, 4)[:rank]
            sizes = {"groups": groups, "inputs": inputs, "outputs": outputs, "padding": ((1, 1),) * rank}
            plain = _problem(rank, space=space, window=window, **sizes)
            found.append(plain)
            found.append(replace(plain, strides=(2, 1, 3)[:rank], padding=((0, 5),) * rank))
            found.append(replace(plain, kernel_dilation=(2, 3, 1)[:rank], padding=((9, 3),) * rank))
    return found


def _problem(rank: int, **sizes: Any) -> Problem:
    """Return a problem of float32 without steps or dilation."""
    ones = (1,) * rank
    same = {"batch": 2, "padding": ((0, 0),) * rank, "dtype": "float32", "result": "float32"}
    return Problem(strides=ones, signal_dilation=ones, kernel_dilation=ones, **same | sizes)


def main() -> None:
    """Compute them, and print that it is proved."""
    random = np.random.default_rng(0)
    for method, problem in problems():
        p = problem
        signal = random.normal(size=(p.batch, p.groups, p.inputs, *p.space)).astype(p.dtype)
        kernel = random.normal(size=(p.groups, p.outputs, p.inputs, *p.window)).astype(p.dtype)

        @jax.jit
        def both(signal, kernel, method=method, problem=problem):
            twice = (method.run(problem, x, kernel) for x in (signal, 2 * signal))
            return *twice, direct.run(problem, signal, kernel)

        for _ in range(TIMES):
            got, doubled, want = map(np.asarray, both(signal, kernel))
            error = max(np.abs(got - want).max(), np.abs(doubled - 2 * want).max()) / np.abs(want).max()
            if not error <= TOLERANCE:
                print(f"an error of {error:.1e} for signal {p.space} and kernel {p.window}")
                return
    print(PROVED)


if __name__ == "__main__":
    main()
