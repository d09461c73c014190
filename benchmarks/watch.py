"""Watch the speed: compare the working tree with another revision, and name what became slower.

python benchmarks/watch.py main
python benchmarks/watch.py HEAD~5 --rounds 7

Each round times both trees, in turn, each in a process of its own, so that whatever else the machine
does falls on both. Within a process each case is timed in turn with a copy and a matrix product, and
counts in units of these; calls are computed where they are called (inline dispatch), which disturbs
them less. Slower is what took 15 % longer in the median of the rounds, and 5 % in all rounds but one of
five or more, and that again in as many rounds by itself. Exit status 1 if anything is slower.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import geometric_mean, median
from typing import Annotated, Any

import typer

SLOWER, LONGER = 1.15, 1.05  # in the median, and in all rounds but one
ROOT = Path(__file__).parents[1]
BURST, TURNS = 0.01, 9  # seconds of calls in a row, and how often each has its turn
MARK = "times: "


def watch(
    revision: Annotated[str, typer.Argument(help="What to compare with: a commit, a branch, a tag.")],
    rounds: Annotated[int, typer.Option(help="How often both are timed.")] = 5,
    only: Annotated[str, typer.Option(help="Only the cases whose name contains this text.")] = "",
) -> None:
    """Compare the working tree with another revision."""
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        git = ["git", "-C", str(ROOT)]
        subprocess.run([*git, "worktree", "add", "--quiet", "--detach", other, revision], check=True)
        try:
            found = ratios((other, ROOT), rounds, lambda name: only in name)
            suspects = {name for name, each in found.items() if is_slower(each)}
            if suspects:  # by chance, or again?
                again = ratios((other, ROOT), rounds, lambda name: name in suspects)
                found |= again
        finally:
            subprocess.run([*git, "worktree", "remove", "--force", other], check=True)
    for name, each in sorted(found.items(), key=lambda item: -median(item[1])):
        mark = "slower" if name in suspects and is_slower(each) else ""
        mark = mark or ("faster" if median(each) <= 1 / SLOWER else "")
        print(f"{mark:8}{median(each):>6.2f}   {name:44}" + " ".join(f"{r:.2f}" for r in sorted(each)))
    raise typer.Exit(any(is_slower(found[name]) for name in suspects))


def is_slower(each: list[float]) -> bool:
    """Whether the ratios of the rounds say that something takes longer."""
    longer = sum(ratio > LONGER for ratio in each)
    return median(each) >= SLOWER and longer >= len(each) - (len(each) > 4)


def ratios(
    trees: tuple[Path, Path], rounds: int, wanted: Callable[[str], bool]
) -> dict[str, list[float]]:
    """Return for each case the second tree's time divided by the first's, in each round."""
    found: dict[str, list[float]] = {}
    names = ""
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        turn = trees if number % 2 == 0 else trees[::-1]
        taken = {tree: timed(tree, names) for tree in turn}
        before, after = (taken[tree] for tree in trees)
        chosen = [name for name in before if name in after and wanted(name)]
        for name in chosen:
            found.setdefault(name, []).append(after[name] / before[name])
        names = "|".join(chosen)
    return found


def timed(tree: Path, names: str) -> dict[str, float]:
    """Return the times of a tree's cases of these names, or all, in units of the machine."""
    own = {"PYTHONPATH": str(tree), "JAXCONV_CACHE": "off"}
    command = [sys.executable, __file__, MARK, names]
    done = subprocess.run(
        command, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if not lines:
        raise SystemExit(f"{tree} could not be timed:\n{done.stderr}")
    return json.loads(lines[-1].removeprefix(MARK))


def cases() -> Iterator[tuple[str, Callable[..., Any], list[Any]]]:
    """Yield what is timed: the public functions, on sizes at which different methods win."""
    import jax
    import jax.numpy as jnp

    import jaxconv
    from jaxconv import matching

    def noise(*shapes: tuple[int, ...]) -> list[jax.Array]:
        return [jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate(shapes)]

    def same(x: jax.Array, k: jax.Array) -> jax.Array:
        return jaxconv.convolve(x, k, mode="same")

    def gradient(x: jax.Array, k: jax.Array) -> Any:
        return jax.value_and_grad(lambda x, k: (same(x, k) ** 2).sum(), (0, 1))(x, k)

    for n, m in ((1000, 9), (100_000, 65), (1_000_000, 33), (1_000_000, 257), (1_000_000, 4097)):
        yield f"convolve, {n} with {m}", same, noise((n,), (m,))
    for n, m in ((64, 3), (512, 5), (1024, 9), (1024, 21), (1021, 31), (1024, 101)):
        yield f"convolve, {n}² with {m}²", same, noise((n, n), (m, m))
    yield "convolve, 96³ with 5³", same, noise((96,) * 3, (5,) * 3)
    yield "value and gradients, 100000 with 65", gradient, noise((100_000,), (65,))
    yield "value and gradients, 512² with 9²", gradient, noise((512, 512), (9, 9))
    layer = jaxconv.conv_general_dilated
    yield (
        "layer, 32 to 32, 3²",
        lambda x, k: layer(x, k, (1, 1), "SAME"),
        noise((8, 32, 56, 56), (32, 32, 3, 3)),
    )
    yield (
        "normalized_correlation, 512² with 16²",
        matching.normalized_correlation,
        noise((512, 512), (16, 16)),
    )
    yield (
        "best_match, 256², 8 of 16²",
        lambda x, t: matching.best_match(x, t).score,
        noise((256, 256), (8, 16, 16)),
    )
    yield "gaussian_filter, 1024²", lambda x: jaxconv.gaussian_filter(x, 3.0), noise((1024, 1024))
    yield "planning, a thousand times", plan_anew, [jnp.zeros(())]


def plan_anew(_: Any) -> None:
    """Plan a new problem a thousand times."""
    import jaxconv

    for size in range(1000):
        jaxconv.plan((10_000 + size,), (9,))


def time_here(names: str) -> dict[str, float]:
    """Return the time of each case, divided by that of a copy and a matrix product in turn with it."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    x, m = jnp.ones(4_000_000), jnp.ones((512, 512))
    unit = jax.jit(lambda x, m: (x + 1, m @ m))
    found = {}
    for name, fn, operands in cases():
        if names and name not in names.split("|"):
            continue
        run = fn if fn is plan_anew else jax.jit(fn)
        calls = [lambda run=run, o=operands: run(*o), lambda: unit(x, m)]
        taken: list[list[float]] = [[], []]
        for call in calls:
            seconds(call, 1)
        counts = [1 if fn is plan_anew and not i else burst(call) for i, call in enumerate(calls)]
        for _ in range(1 if fn is plan_anew else TURNS):
            for times, call, count in zip(taken, calls, counts):
                times.append(seconds(call, count))
        found[name] = median(taken[0]) / geometric_mean(taken[1])
    return found


def burst(call: Callable[[], Any]) -> int:
    """Return how many calls fill a burst."""
    return max(1, int(BURST / seconds(call, 1)))


def seconds(call: Callable[[], Any], count: int) -> float:
    """Return the seconds of one of some calls in a row."""
    import jax

    start = time.perf_counter()
    for _ in range(count):
        jax.block_until_ready(call())
    return (time.perf_counter() - start) / count


if __name__ == "__main__":
    if sys.argv[1:2] == [MARK]:
        print(MARK + json.dumps(time_here(sys.argv[2])))
    else:
        typer.run(watch)
