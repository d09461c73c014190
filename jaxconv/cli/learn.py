"""`jaxconv learn`: a filter from random values until it is the matched filter."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import typer

from jaxconv import checks, detection, files, kernels, learning, plotting, signals
from jaxconv.cli import tasks
from jaxconv.cli.reading import load
from jaxconv.cli.shared import CTRL_C, Output, app, one_line_errors, write
from jaxconv.cli.tasks import Task

LOSSES = {
    "deflection": learning.negative_deflection,
    "logistic": learning.logistic,
    "least-squares": learning.peak_least_squares,
}
OPTIMIZERS = ("adam", "adamw", "lion", "rmsprop", "sgd")
KEEP = 5  # steps between frames


Target = Annotated[str, typer.Argument(help=f"{', '.join(signals.SHAPES)}, or a file, as for `find`.")]
Marks = Annotated[
    list[str] | None,
    typer.Option(help="ROW,COLUMN of a target in the picture, or SAMPLE; repeated for each target."),
]
Loss = Annotated[str, typer.Option(help=f"Loss to minimize: {', '.join(LOSSES)}.")]
Noise = Annotated[
    float,
    typer.Option(help="Standard deviation of the noise; ink, or that of the picture or signal, is 1."),
]
Size = Annotated[int, typer.Option(help="Side of the filter in pixels or samples, odd.")]
Steps = Annotated[int, typer.Option(help="Number of gradient steps.")]
Batch = Annotated[int, typer.Option(help="Number of scenes per step.")]
Optimizer = Annotated[str, typer.Option(help=f"Optax optimizer: {', '.join(OPTIMIZERS)}.")]
Rate = Annotated[float, typer.Option(help="Learning rate at the first step; it falls to 0.")]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers.")]
Devices = Annotated[
    int | None,
    typer.Option(help="Divide each batch over so many devices; on a CPU they are simulated."),
]
Edges = Annotated[
    bool, typer.Option("--edges", help="Learn from the picture's edges instead of its brightness.")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue an interrupted run of the same options.")
]


@dataclass(frozen=True)
class Order:
    """The options of one run."""

    target: str
    mark: list[str]
    loss: str
    noise: float
    size: int
    steps: int
    batch: int
    optimizer: str
    rate: float
    seed: int
    edges: bool


@app.command()
def learn(
    target: Target,
    mark: Marks = None,
    loss: Loss = "deflection",
    noise: Noise = 0.5,
    size: Size = 21,
    steps: Steps = 300,
    batch: Batch = 64,
    optimizer: Optimizer = "adam",
    rate: Rate = 0.01,
    seed: Seed = 0,
    edges: Edges = False,
    devices: Devices = None,
    resume: Resume = False,
    output: Output = Path("out"),
) -> None:
    """Learn a filter by gradient descent, from random values until it is the matched filter.

    The filter finds a shape among others in noise, or the targets that you mark in a picture or signal.
    Prints how it compares with the optimum in closed form; writes the filter (NAME.npz), the history
    (NAME.json) and pictures (NAME.png, and the animation NAME.gif). Ctrl-C keeps the best filter so far.
    """
    with one_line_errors("learn"):
        mesh = None if devices is None else _mesh(devices)
        order = Order(target, mark or [], loss, noise, size, steps, batch, optimizer, rate, seed, edges)
        task = _task(order)
        path = output / task.name
        state = path.with_suffix(".state.npz")
        optimum = learning.optimum(task.clean, size, noise)

        fit = _fit(order, task, optimum, state, resume, mesh)
        learned = _filter(fit.best if fit.interrupted else fit.parameters)
        print(f"{task.description}, noise {noise:g}")
        _write(order, task, fit, learned, path)
        if fit.interrupted:
            print(f"interrupted after {fit.steps[-1]} of {steps} steps; --resume goes on")
            raise typer.Exit(CTRL_C)
        _show(order, task, fit, learned, optimum, path)
        state.unlink(missing_ok=True)  # another run in this folder may have ended before


def _task(order: Order) -> Task:
    """Check the options, and return the task that they describe."""
    checks.one_of("learn", "loss", order.loss, tuple(LOSSES))
    checks.one_of("learn", "optimizer", order.optimizer, OPTIMIZERS)
    for name in ("steps", "batch"):
        checks.positive("learn", name, getattr(order, name))
    if checks.positive("learn", "size", order.size, odd=True) < 3:
        raise checks.value_error("learn", "size", "be 3 or greater", order.size)
    for name in ("noise", "rate"):
        if getattr(order, name) <= 0:
            raise checks.value_error("learn", name, "be positive", getattr(order, name))
    if order.target in signals.SHAPES or not Path(order.target).suffix:
        if order.mark:
            raise checks.value_error("learn", "mark", "be left out for a shape", order.mark[0])
        return tasks.find_shape(order.target, order.size, jax.random.key(order.seed + 1))
    path = Path(order.target)
    signal = load("learn", "target", path)
    if order.edges and signal.ndim == 1:
        raise checks.value_error("learn", "edges", "be left out for a signal", "a signal")
    marks = [_mark(text, signal.ndim) for text in order.mark]
    return tasks.find_marks(
        path.stem, kernels.edges(signal) if order.edges else signal, marks, order.size
    )


def _mesh(devices: int) -> jax.sharding.Mesh:
    """Return a mesh of so many devices, which on a CPU are simulated."""
    with suppress(RuntimeError):  # JAX has begun: there are as many as there are
        jax.config.update("jax_num_cpu_devices", checks.positive("learn", "devices", devices))
    if devices > jax.device_count():
        rule = f"be at most the {jax.device_count()} that JAX sees"
        raise checks.value_error("learn", "devices", rule, devices)
    return jax.make_mesh((devices,), ("batch",), devices=jax.devices()[:devices])


def _fit(
    order: Order,
    task: Task,
    optimum: jax.Array,
    state: Path,
    resume: bool,
    mesh: jax.sharding.Mesh | None,
) -> learning.Fit:
    """Learn, saving the state in a file after each epoch."""
    data_key, start_key = jax.random.split(jax.random.key(order.seed))
    start = learning.random_filter(start_key, optimum.shape)
    schedule = optax.cosine_decay_schedule(order.rate, order.steps)
    by_logistic = order.loss == "logistic"

    def watch(parameters: Any) -> dict[str, jax.Array]:
        kernel = _filter(parameters)
        return {"filter": kernel, "similarity": learning.cosine_similarity(kernel, optimum)}

    constraint: Any = {"project": learning.unit_energy} if order.loss == "deflection" else {}
    return learning.fit(
        data_key,
        LOSSES[order.loss],
        task.draw(order.noise),
        learning.Detector(start, jnp.zeros(())) if by_logistic else start,
        steps=order.steps,
        batch=order.batch,
        optimizer=getattr(optax, order.optimizer)(schedule),
        every=KEEP,
        watch=watch,
        mesh=mesh,
        save=state,
        resume=resume,
        settings=asdict(order),
        **constraint,
    )


def _write(order: Order, task: Task, fit: learning.Fit, learned: jax.Array, path: Path) -> None:
    """Write the filter and the history."""
    arrays = {"filter": learned, "radius": _radius(order), "target": task.name}
    write(path.with_suffix(".npz"), lambda file: np.savez(file, **arrays))
    history = json.dumps(_history(order, fit), indent=1)
    write(path.with_suffix(".json"), files.text(history))


def _show(
    order: Order, task: Task, fit: learning.Fit, learned: jax.Array, optimum: jax.Array, path: Path
) -> None:
    """Print how the filter compares, and draw it."""
    scene_key, test_key = jax.random.split(jax.random.key(order.seed + 2))
    draw = task.draw(order.noise)
    fresh = jax.jit(jax.vmap(draw))(jax.random.split(scene_key, 64))
    scene = jax.tree.map(lambda a: a[0], fresh)
    bank = {"random start": fit.watched["filter"][0], "learned": learned, "optimum (Fisher)": optimum}
    evaluation = lowest_loss = None
    if order.loss == "deflection":
        lowest_loss = float(learning.negative_deflection(optimum, fresh))
    if order.target in signals.SHAPES:
        template = signals.SHAPES[order.target](order.size, zero_mean=True)
        bank["zero-mean template"] = template
        snr = detection.output_snr(template, order.noise)
        print(f"output SNR of the {order.target}: {snr:.1f} ({20 * jnp.log10(snr):.1f} dB)")
        evaluation = _rates(test_key, order, task, bank, optimum)
    else:
        for name, kernel in bank.items():
            deflection = learning.deflection(kernel, task.clean)
            cosine = learning.cosine_similarity(kernel, optimum)
            print(f"{name:20}cosine with the optimum {cosine:>7.4f}, deflection {deflection:>6.2f}")
    judged = f"scenes not used for learning, noise {4 * order.noise:g}"
    figure = plotting.learned(
        fit, optimum, scene, task.name, least=lowest_loss, seen=evaluation, judged=judged
    )
    write(path.with_suffix(".png"), lambda file: figure.savefig(file, dpi=100))
    print(f"wrote {plotting.save(plotting.evolution(fit, scene, task.name), path.with_suffix('.gif'))}")


def _rates(
    key: jax.Array, order: Order, task: Task, bank: dict[str, jax.Array], optimum: jax.Array
) -> learning.Evaluation:
    """Print each filter's similarity to the optimum and its detection rates in fresh scenes."""
    levels = (order.noise, 4 * order.noise)
    filters = jnp.stack(list(bank.values()))
    evaluations = [learning.evaluate(key, task.draw(level), filters) for level in levels]
    rates = [column for each in evaluations for column in (each.detected(), each.first)]
    print(f"{'':20}{'cosine with':>12}" + "".join(f"{f'noise {level:g}':>22}" for level in levels))
    print(f"{'':20}{'the optimum':>12}" + f"{'detected':>11}{'first':>11}" * 2)
    for number, (name, kernel) in enumerate(bank.items()):
        cosine = learning.cosine_similarity(kernel, optimum)
        print(f"{name:20}{cosine:>12.4f}" + "".join(f"{rate[number]:>11.3f}" for rate in rates))
    print("detected: share of 1000 new targets above the level that 1 in 1000 other places exceeds")
    print("first: share of the scenes whose highest response is at the target")
    return jax.tree.map(lambda a: a[:3], evaluations[1])


def _history(order: Order, fit: learning.Fit) -> dict[str, Any]:
    """Return the options and the history of the fit, in types that JSON can hold."""
    watched = fit.watched["similarity"]
    numbers = {"losses": fit.losses, "steps": fit.steps, "similarity": watched}
    return {"asked": asdict(order), **{name: np.asarray(a).tolist() for name, a in numbers.items()}}


def _filter(parameters: Any) -> jax.Array:
    return parameters.filter if isinstance(parameters, learning.Detector) else parameters


def _radius(order: Order) -> float:
    """Return the radius of the target."""
    is_shape = order.target in signals.SHAPES
    return signals.default_radius(order.size) if is_shape else order.size / 2


def _mark(text: str, rank: int) -> tuple[int, ...]:
    """Read "43,334" of a picture, or "190" of a signal."""
    rule, example = {1: ("be a sample's number", "190"), 2: ("be a row and a column", "43,334")}[rank]
    try:
        place = tuple(round(float(number)) for number in text.split(","))
    except (ValueError, OverflowError):  # of infinity
        place = ()
    if len(place) != rank:
        raise checks.value_error("learn", "mark", rule, repr(text), f"Try {example}.")
    return place
