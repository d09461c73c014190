"""`jaxconv calibrate` and `jaxconv bench`: how fast this machine is, also with other libraries."""

import json
from pathlib import Path
from typing import Annotated, Any

import jax
import typer

from jaxconv import checks, files, plotting, progress
from jaxconv.benchmarking import rows
from jaxconv.benchmarking.cases import DTYPES, Case
from jaxconv.cli.reading import sizes
from jaxconv.cli.shared import Output, app, one_line_errors, write
from jaxconv.engine import device, store


@app.command()
def calibrate(
    platform: Annotated[str | None, typer.Option(help="Platform: cpu, cuda, rocm or tpu.")] = None,
) -> None:
    """Measure the planner's constants on this device, in about two minutes, and save them.

    Later processes on this device with the same versions plan with them.
    """
    from jaxconv.engine import calibration  # with scipy's optimizer

    with one_line_errors("calibrate"):
        number = len(list(calibration.problems("cpu")))
        with progress.bar("calibrating", number) as report:
            constants = calibration.calibrate(
                platform, report=lambda done, seconds: report(done, seconds=seconds)
            )
        print(constants)
        print(f"wrote {store.path(device.platform_name(platform))}")


@app.command()
def bench(
    suite: Annotated[
        list[str] | None,
        typer.Option(
            help="What to time, may be given again: quick (a minute), signals, images, volumes, "
            "layers, family, matching, learning, streams, reported, sharded; by default all but "
            "quick and sharded."
        ),
    ] = None,
    signal: Annotated[str, typer.Option(help="Time this size alone, as 1024x1024.")] = "",
    kernel: Annotated[str, typer.Option(help="The kernel's size with --signal, as 31x31.")] = "",
    dtype: Annotated[
        str, typer.Option(help="float32, bfloat16, float16, float64, complex64 or int32.")
    ] = "float32",
    platform: Annotated[str | None, typer.Option(help="Platform: cpu, cuda, rocm or tpu.")] = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Without JAX's asynchronous dispatch on CPUs.")
    ] = False,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Time nothing, but compare two files of results.")
    ] = None,
    output: Output = Path("out"),
) -> None:
    """Compare the speed of jaxconv with JAX, SciPy, OpenCV, PyTorch and CuPy, where installed.

    Prints for each case our time, that of the fastest peer, and their ratio. Writes all results so far
    after each case (benchmarks.json), and plots the time of each method against the size of the kernel
    (methods.png) and how near each case comes to what the device can do (roofline.png). The suite
    sharded divides arrays over four devices, which a CPU simulates.
    """
    from jaxconv.benchmarking import comparing, running  # whose peers take long to import

    with one_line_errors("bench"):
        if compare:
            print(comparing.table(*map(comparing.load, compare)))
            return
        suites = suite or list(running.WHOLE)
        for name in suites:
            checks.one_of("bench", "suite", name, tuple(running.SUITES))
        checks.one_of("bench", "dtype", dtype, DTYPES)
        own = None
        if signal or kernel:
            shape, window = sizes("bench", signal, kernel)
            own = Case(f"{signal} × {kernel}", shape, window, dtype=dtype)
        jax.config.update("jax_cpu_enable_async_dispatch", not inline)
        running.simulate_devices(suites)
        total = sum(len(cases) for _, cases, _ in running.parts(suites, own, dtype))
        results = {}
        print(f"{'':52}{'jaxconv':>12}{'peer':>12}{'ratio':>8}")
        with progress.bar("timing", total) as report:
            steps = running.run(platform, suites, own, dtype)
            for done, (part, name, results) in enumerate(steps, 1):
                row = results[part][name]
                print(_format(f"{part}: {name}", row))
                report(done, seconds=row["seconds"].get(rows.OURS, 0.0))
                files.write(output / "benchmarks.json", files.text(json.dumps(results, indent=1)))
        print(f"wrote {output / 'benchmarks.json'}")
        _draw(results, output, bool(own))


def _draw(results: dict[str, Any], output: Path, own: bool) -> None:
    """Draw the pictures for which there are results: no lines over sizes where there is one."""
    figures = {}
    if "one channel, forward" in results and not own:
        figures["methods"] = plotting.methods(results["one channel, forward"])
    if any(part.endswith("forward") for part in results):
        figures["roofline"] = plotting.roofline(results)
    for name, figure in figures.items():
        write(output / f"{name}.png", lambda file, figure=figure: figure.savefig(file, dpi=110))


def _format(title: str, row: dict[str, Any]) -> str:
    """Return a line of the table: our time, the time of the fastest peer, their ratio."""
    seconds, peers = row["seconds"], rows.peers(row).values() if rows.OURS in row["seconds"] else ()
    ours = seconds.get(rows.OURS, min(seconds.values()))
    peer = f"{min(peers) * 1e3:>9.3f} ms{min(peers) / ours:>8.2f}" if peers else ""
    return f"{title:52}{ours * 1e3:>9.3f} ms{peer}"
