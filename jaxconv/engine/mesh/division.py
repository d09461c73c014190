"""Division: which mesh axes divide which part of a convolution, read off its arrays' shardings.

Batch, groups, output features and places are divided without traffic but the halo; input features, and
the kernel's own samples where it is as long as the signal (as in a kernel's gradient), are summed by one
`jax.lax.psum`. Whatever else is divided is gathered first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jaxconv.engine.mesh.halo import Names
from jaxconv.engine.problem import Problem

Spec = tuple[Names, ...]  # per axis of an array, the mesh axes that divide it


@dataclass(frozen=True)
class Division:
    """Which mesh axes divide which part of a convolution."""

    groups: Names
    batch: Names
    inputs: Names
    outputs: Names
    places: Spec
    windows: Spec
    by_batch: bool  # whether the groups lie along the signal's batch

    @property
    def signal(self) -> Spec:
        """How the signal is divided: batch, features, space."""
        lead = (self.groups, self.inputs) if self.by_batch else (self.batch, self.groups or self.inputs)
        return (*lead, *(place or window for place, window in zip(self.places, self.windows)))

    @property
    def kernel(self) -> Spec:
        """How the kernel is divided: outputs, inputs, window."""
        return (self.groups or self.outputs, self.inputs, *self.windows)

    @property
    def output(self) -> Spec:
        """How the output is divided: batch, features, places."""
        return (self.batch, self.groups or self.outputs, *self.places)

    @property
    def summed(self) -> Names:
        """Mesh axes over which the shards' outputs are to be added."""
        return (*self.inputs, *(name for names in self.windows for name in names))


def division(
    problem: Problem, by_batch: bool, sizes: dict[str, int], signal: Spec, kernel: Spec, output: Spec
) -> Division:
    """Divide a convolution as its operands and its output are; each mesh axis divides one part."""
    taken: set[str] = set()

    def claim(*candidates: Names) -> Names:
        for names in candidates:
            if names and taken.isdisjoint(names):
                taken.update(names)
                return names
        return ()

    def divides(names: Names) -> bool:
        return problem.groups % math.prod(sizes[name] for name in names) == 0

    is_grouped = problem.groups > 1
    by_group = (output[1], signal[0 if by_batch else 1], kernel[0])
    groups = claim(*filter(divides, by_group)) if is_grouped else ()
    batch = () if by_batch else claim(output[0], signal[0])
    outputs = () if is_grouped else claim(output[1], kernel[0])
    inputs = claim(signal[1], kernel[1]) if by_batch or not is_grouped else ()
    places, windows = [], []
    for axis in range(problem.rank):
        of_signal, of_kernel, of_output = signal[2 + axis], kernel[2 + axis], output[2 + axis]
        is_kernels = is_summed(problem, axis) and not of_output
        windows.append(claim(of_signal, of_kernel) if is_kernels else ())
        places.append(() if is_kernels else claim(of_output, of_signal))
    return Division(groups, batch, inputs, outputs, tuple(places), tuple(windows), by_batch)


def is_summed(problem: Problem, axis: int) -> bool:
    """Return whether along an axis the kernel had better be divided than the output: the longer one."""
    return problem.window[axis] > problem.places[axis]


def in_order(spec: Sequence[Any], order: Sequence[int]) -> Spec:
    """Return a partition spec in the order of an array's axes as the problem counts them."""
    names = [() if n is None else n if isinstance(n, tuple) else (n,) for n in spec]
    names += [()] * (len(order) - len(names))
    return tuple(names[axis] for axis in order)


def rule(problem: Problem, by_batch: bool, numbers: Any) -> tuple[str, dict[str, int]]:
    """Return how a compiler may divide a convolution, in the notation of `custom_partitioning`.

    Each axis has a letter, or one for the groups and one within them; an axis that two arrays share is
    divided in both alike.
    """
    p = problem
    sizes = {"g": p.groups, "b": p.batch, "i": p.inputs, "o": p.outputs}

    def grouped(letter: str) -> str:
        if p.groups == 1:
            return letter
        return f"(g {letter})" if sizes[letter] > 1 else "g"

    space = []
    for axis in range(p.rank):
        x, k, y = (f"{letter}{axis}" for letter in "xky")
        space.append((x, x, y) if is_summed(p, axis) else (x, k, x))
    signal, kernel, output = zip(*space) if space else ((), (), ())
    batch, inputs = (grouped("b"), "i") if by_batch else ("b", grouped("i"))
    letters = (batch, inputs, *signal), (grouped("o"), "i", *kernel), ("b", grouped("o"), *output)
    words = []
    for order, of_array in zip(numbers, letters):
        by_axis = dict(zip(order, of_array))
        words.append([by_axis[axis] for axis in range(len(order))])
    whole = {word for array in words for word in array}
    within = {s: n for s, n in sizes.items() if n > 1 and p.groups > 1 and s not in whole}
    signal, kernel, output = map(" ".join, words)
    return f"{signal}, {kernel} -> {output}", within
