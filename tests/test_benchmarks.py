"""The benchmark measures what it says, saves it, and its page tells it."""

import time
from functools import partial

import jax
import pytest
import typer

from jaxconv import plotting
from jaxconv.benchmarking import running
from jaxconv.benchmarking.cases import Case, _layer
from jaxconv.benchmarking.family import TASKS
from jaxconv.benchmarking.finding import Search, _best, _gradients, _match, _segments
from jaxconv.benchmarking.learning import Training
from jaxconv.benchmarking.reported import REPORTS
from jaxconv.benchmarking.sharded import KINDS, Spread
from jaxconv.benchmarking.streams import Chunked
from jaxconv.engine.timing import measure
from tests.helpers import program

LINE, LONG = Case("64 × 9", (64,), (9,)), Case("3e4 × 1025", (30_000,), (1025,))
IMAGE, LAYER = Case("9² × 3²", (9, 9), (3, 3)), _layer("l", 1, 3, 8, 4, 3)


def _small(name, make, *arguments):
    return Search(name, partial(make, *arguments))


PARTS = {
    "one channel, forward": [LINE, LONG, IMAGE],
    "channels, forward": [LAYER],
    "one channel, value and both gradients": [LINE],
    "channels, value and both gradients": [LAYER],
    "SciPy's family": [t for t in TASKS if "300" in t.name],
    "finding: matching": [_small("matching", _match, 40, 5, 2)],
    "finding: matching, value and both gradients": [_small("gradients", _gradients, 40, 5)],
    "finding: banks": [
        _small("peaks", _segments, True, False, 2, 3, 1024, 64),
        _small("lags", _segments, False, True, 2, 3, 1024, 64),
        _small("best", _best, 40, 5, 3),
    ],
    "learning": [Training("learning", 32, 5, 4)],
    "streams": [Chunked("chunks", 16, 9, 4), Chunked("a long kernel", 16, 300, 20)],
    "reported": [r for r in REPORTS if "dilated" in r.name],
    "prepared": [LINE],
    "lengths": [LINE],
    "planning": [LINE],
    "sharded": [
        Spread("lines", (4, 1, 1 << 12), (1, 1, 33), (None, None, "d"), kind, gradients=kind == "Auto")
        for kind in KINDS
    ],
}


@pytest.fixture
def few(monkeypatch, single):
    """Run few and small cases."""
    steps = {part: step for part, _, step in running.PARTS}
    assert set(steps) == set(PARTS)
    monkeypatch.setattr(running, "PARTS", [(part, cases, steps[part]) for part, cases in PARTS.items()])


def test_timing_tells_slow_from_fast():
    times = measure({"slow": lambda: time.sleep(0.01), "fast": lambda: None}, rounds=3, burst=0.005)
    assert times["slow"].seconds >= 0.01
    assert times["fast"].seconds < times["slow"].seconds / 10


def test_timing_counts_by_a_clock_and_takes_the_median(monkeypatch):
    """A clock that goes on by what each call takes: whatever else the machine does."""
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    taken = iter(
        [5.0, 0.2, 0.2, 0.3, 0.1, 0.2]
    )  # the first compiles, the second tells how long it takes

    def work():
        clock[0] += next(taken)

    times = measure({"work": work}, rounds=3, burst=0.2, most=10)
    assert times["work"].first == 5
    assert times["work"].seconds == pytest.approx(0.2)


def test_what_divided_arrays_send_is_counted_and_told(few, monkeypatch):
    *_, (_, _, results) = running.run(suites=["sharded"])
    rows = results["sharded"]
    assert rows["lines, auto, Explicit"]["messages"]["jaxconv"] == "2 collective-permute"
    assert rows["lines, auto, Explicit"]["bytes"] == {"jaxconv": 512, "lax": 512}
    assert rows["lines, auto, Auto, with gradients"]["messages"]["jaxconv"].startswith("1 all-reduce, 6")
    assert all(max(row["error"].values()) < 1e-6 for row in rows.values())
    page = program("benchmarks/sharded.py")
    assert len(page.beside_lax(rows)) == 4
    for taps in (33, 4097, 20_001):
        found = page.counted(4, taps)
        assert (found["messages"], found["bytes"]) == (page.messages(4, taps), 4 * (taps - 1))
    assert page.counted(4, 33)["memory"] < 1.1 * page.counted(2, 33)["memory"] / 2


def test_every_part_runs_and_the_page_tells_it(few, tmp_path, monkeypatch):
    steps = list(running.run())
    parts = [part for part, cases in PARTS.items() for _ in cases if part != "sharded"]
    assert [part for part, *_ in steps] == parts
    results = steps[-1][-1]
    told = results["one channel, forward"]["64 × 9"]
    assert told["method"] == "shifts"
    assert told["error"] < 1e-6
    assert {"jaxconv", "JAX", "SciPy", "method shifts"} <= set(told["seconds"])
    assert results["channels, forward"]["l"]["error"] < 1e-6
    (reported,) = results["reported"].values()
    assert reported["difference"] < 1e-5
    assert all(row["error"] < 1e-6 for row in results["streams"].values())
    assert {"jaxconv", "JAX", "whole", "SciPy"} == set(results["streams"]["chunks"]["seconds"])
    planning = results["planning"]["64 × 9"]["seconds"]
    assert 0 < 5 * planning["cached"] < planning["fresh"]
    page = program("benchmarks/page.py")
    monkeypatch.setattr(page, "RESULTS", tmp_path / "results")
    about = results["about"]
    page.keep(results | {"about": about | {"versions": about["versions"] | {"jax": "another"}}})
    page.write(results, tmp_path)
    text = (tmp_path / "benchmarks.md").read_text()
    assert text.count("| fastest peer / ours |") == 8
    assert "## Channels, forward, with JAX another" in text
    assert "| memory by blocks" in text
    assert results["SciPy's family"]["fftconvolve, 300² × 300²"]["error"] < 1e-6
    assert "| fftconvolve, 300² × 300² | " in text
    assert "| 64 × 9 | " in text
    assert "planner's regret" in text
    assert "[jax-ml/jax 26266](https://github.com/jax-ml/jax/issues/26266)" in text
    assert (tmp_path / "images" / "methods.png").stat().st_size > 10_000
    page.write_finding(results, tmp_path)
    text = (tmp_path / "finding-benchmarks.md").read_text()
    assert text.count("| fastest peer / ours |") == 3
    assert all(peer in text for peer in ("OpenCV", "scikit-image", "SciPy", "goal"))
    assert results["finding: matching"]["matching"]["difference"] < 1e-5
    assert results["finding: banks"]["best"]["difference"] < 1e-5
    page.write_learning(results, tmp_path)
    text = (tmp_path / "learning-benchmarks.md").read_text()
    assert all(f"| learning | {peer} | " in text for peer in ("jaxconv", "JAX"))
    assert len(set(results["learning"]["learning"]["steps"].values())) == 1, "all train alike"


def test_the_picture_draws_each_method_and_the_fastest_peer():
    rows = {
        f"1e6 × {m}": {"seconds": {"jaxconv": 1.0, "JAX": 3.0, "SciPy": 2.0 * m, "method fft": 1.0}}
        for m in (3, 9)
    }
    axes = plotting.methods(rows).axes[0]
    lines = {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()}
    assert lines == {"fastest peer": [3000, 3000], "fft": [1000, 1000]}


@pytest.mark.slow
@pytest.mark.parametrize("report", [r for r in REPORTS if "12868" in r.thread], ids=lambda r: r.name)
def test_a_convolution_in_a_loop_is_not_slow(report, single):
    """Inside a loop JAX's own took a hundred times as long (jax issue 12868); ours must not."""
    seconds = running.time_reported(report)["seconds"]
    assert seconds["JAX"] > 2 * seconds["jaxconv"]  # alone some hundred times, beside other work less
    assert jax.default_backend() == "cpu"


def test_the_watch_names_what_is_slower_again_and_nothing_else(monkeypatch, capsys):
    """Two trees by their names; one case always takes twice as long, one did by chance once."""
    watch = program("benchmarks/watch.py")
    calls = []

    def timed(tree, names):
        calls.append(names)
        new = tree == watch.ROOT
        unlucky = 2.0 if new and len(calls) <= 10 else 1.0
        times = {"same": 1.0, "slow": 2.0 if new else 1.0, "unlucky": unlucky, "fast": 0.5 if new else 1}
        return {name: t for name, t in times.items() if not names or name in names.split("|")}

    monkeypatch.setattr(watch, "timed", timed)
    monkeypatch.setattr(watch.subprocess, "run", lambda *_, **__: None)
    with pytest.raises(typer.Exit) as end:
        watch.watch("main", rounds=5, only="")
    assert end.value.exit_code == 1
    marks = {line[17:].split()[0]: line[:8].strip() for line in capsys.readouterr().out.splitlines()}
    assert marks == {"slow": "slower", "unlucky": "", "same": "", "fast": "faster"}
    assert len(calls) == 20


def test_the_watch_times_every_case(monkeypatch):
    watch = program("benchmarks/watch.py")
    names = [name for name, *_ in watch.cases()]
    assert len(names) == len(set(names)) > 15
    found = watch.timed(watch.ROOT, "convolve, 1000 with 9|convolve, 64² with 3²")
    assert set(found) == {"convolve, 1000 with 9", "convolve, 64² with 3²"}
    assert all(0 < time < 10 for time in found.values())
