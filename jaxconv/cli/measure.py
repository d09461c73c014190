"""`jaxconv calibrate` and `jaxconv bench`: how fast this machine is, also with other libraries."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from jaxconv import checks, files, plotting, progress
from jaxconv.benchmarking import rows
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
    quick: Annotated[bool, typer.Option("--quick", help="Fewer cases: about four minutes.")] = False,
    platform: Annotated[str | None, typer.Option(help="Platform: cpu, cuda, rocm or tpu.")] = None,
    only: Annotated[str, typer.Option(help="Only the parts whose name contains this text.")] = "",
    output: Output = Path("out"),
) -> None:
    """Compare the speed of jaxconv with JAX, SciPy, OpenCV and PyTorch, in about 15 minutes.

    `--only sharded` divides arrays over four devices, which a CPU simulates. Libraries that are not
    installed are skipped. Prints the time of each case and of its fastest peer;
    writes all results so far after each case (benchmarks.json), and plots the time of each method
    against the size of the kernel (methods.png).
    """
    from jaxconv.benchmarking import running  # its peers take long to import

    with one_line_errors("bench"):
        chosen = running.parts(only)
        if not chosen:
            names = ", ".join(part for part, *_ in running.PARTS)
            raise checks.value_error("bench", "only", f"be in the name of a part: {names}", repr(only))
        running.simulate_devices(only)
        total = sum(len(running.quickly(cases) if quick else cases) for _, cases, _ in chosen)
        results = {}
        print(f"{'':52}{'jaxconv':>12}{'peer':>12}{'ratio':>8}")
        with progress.bar("timing", total) as report:
            for done, (part, name, results) in enumerate(running.run(platform, quick, only), 1):
                row = results[part][name]
                print(_format(f"{part}: {name}", row))
                report(done, seconds=row["seconds"].get(rows.OURS, 0.0))
                text = json.dumps(results, indent=1)
                files.write(
                    output / "benchmarks.json", lambda file, text=text: file.write(text.encode())
                )
        print(f"wrote {output / 'benchmarks.json'}")
        if "one channel, forward" in results:
            figure = plotting.methods(results["one channel, forward"])
            write(output / "methods.png", lambda file: figure.savefig(file, dpi=110))


def _format(title: str, row: dict[str, Any]) -> str:
    """Return a line of the table: our time, the time of the fastest peer, their ratio."""
    seconds, peers = row["seconds"], rows.peers(row).values() if rows.OURS in row["seconds"] else ()
    ours = seconds.get(rows.OURS, min(seconds.values()))
    peer = f"{min(peers) * 1e3:>9.3f} ms{min(peers) / ours:>8.2f}" if peers else ""
    return f"{title:52}{ours * 1e3:>9.3f} ms{peer}"
