"""Proving: what a child process runs to find out whether oneDNN's convolution is right here."""

from dataclasses import replace

import jax
import numpy as np

from jaxconv.engine.methods import direct, onednn
from jaxconv.engine.problem import Problem
from jaxconv.engine.proof import PROVED

TOLERANCE = 1e-5
TIMES = 20  # each, two beside each other: so a call that waits for its own threads would hang


def problems() -> list[Problem]:
    """Return one problem of each kind: rank, groups, strides, dilation, uneven and large padding."""
    found = []
    for rank in (1, 2, 3):
        ones = (1,) * rank
        for groups, inputs, outputs in [(1, 3, 16), (1, 8, 5), (4, 2, 3), (24, 1, 1)]:
            space, window = (7, 9, 8)[:rank], (3, 2, 4)[:rank]
            plain = Problem(
                batch=2,
                groups=groups,
                inputs=inputs,
                outputs=outputs,
                space=space,
                window=window,
                strides=ones,
                padding=((1, 1),) * rank,
                signal_dilation=ones,
                kernel_dilation=ones,
                dtype="float32",
                result="float32",
            )
            found.append(plain)
            found.append(replace(plain, strides=(2, 1, 3)[:rank], padding=((0, 5),) * rank))
            found.append(replace(plain, kernel_dilation=(2, 3, 1)[:rank], padding=((9, 3),) * rank))
    return found


def main() -> None:
    """Compute them, and print that it is proved."""
    random = np.random.default_rng(0)
    for problem in problems():
        p = problem
        signal = random.normal(size=(p.batch, p.groups, p.inputs, *p.space)).astype(p.dtype)
        kernel = random.normal(size=(p.groups, p.outputs, p.inputs, *p.window)).astype(p.dtype)

        @jax.jit
        def both(signal, kernel, problem=problem):
            twice = (onednn.run(problem, x, kernel) for x in (signal, 2 * signal))
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
