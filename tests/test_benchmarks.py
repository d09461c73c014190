"""The benchmark measures what it says and writes its page."""

import time
from pathlib import Path

import pytest


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))


def test_timing_tells_slow_from_fast(benchmarks):
    from timing import measure

    times = measure({"slow": lambda: time.sleep(0.01), "fast": lambda: None}, rounds=3, burst=0.005)
    assert 0.01 <= times["slow"].seconds < 0.1
    assert times["fast"].seconds < 0.001


def test_a_page_is_written(benchmarks, single, tmp_path):
    import report
    import run
    from cases import Case, _layer

    cases = {"single": Case("64", (64,), (9,)), "channels": _layer("layer", 1, 3, 8, 4, 3)}
    steps = {group: run.gradients(case, *run.operands(case)) for group, case in cases.items()}
    results = {
        "about": run.about(),
        "limits": {"copy, GB/s": 1.0, "matrix product, GFLOP/s": 1.0},
        "forward": {group: {case.name: run.time_forward(case)} for group, case in cases.items()},
        "gradients": {group: {cases[group].name: run._seconds(step)} for group, step in steps.items()},
    }
    assert results["forward"]["single"]["64"]["error"] < 1e-6
    report.write(results, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert page.count("fastest peer / ours") == 4
    assert "| 64 | " in page
    assert "planner's regret" in page
