"""Calibration: constants that fit what was timed, kept for this device, refused elsewhere."""

import json
import math
import warnings
from dataclasses import asdict, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv.engine import calibration, costs, device, planning, store
from jaxconv.engine.calibration import Calibration, Measured
from jaxconv.engine.methods import METHODS
from tests.conftest import nearest_cpu


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Keep calibrations in a folder of the test's own."""
    monkeypatch.setenv("JAXCONV_CACHE", str(tmp_path))
    costs.constants.cache_clear()
    yield tmp_path
    costs.constants.cache_clear()


def test_the_fit_finds_the_constants_behind_the_times():
    truth = replace(costs.CPU, memory_rate=5e9, lines_rate=5e10, fft_rate=4e9, shifts_slow_rate=3e9)
    times = [
        Measured(problem, name, module.cost(problem, truth).seconds)
        for problem in calibration.problems("cpu")
        for name, module in METHODS.items()
        if not module.supports(problem)
    ]
    found = calibration._fit(times, costs.CPU)
    for name in ("memory_rate", "lines_rate", "fft_rate", "shifts_slow_rate"):
        assert getattr(found, name) == pytest.approx(getattr(truth, name), rel=0.15)
    told = Calibration(found, costs.CPU, tuple(times))
    assert max(told.regret(found)) < 1.05 < max(told.regret(costs.CPU))
    assert "lines_rate" in str(told)


def test_calibrating_measures_and_keeps(folder, monkeypatch, single):
    few = list(calibration.problems("cpu"))[:2]
    monkeypatch.setattr(calibration, "problems", lambda platform: few)
    reported = []
    found = calibration.calibrate(report=lambda done, seconds: reported.append((done, seconds)))
    assert [done for done, _ in reported] == [1, 2]
    assert all(0 < seconds < 1 for _, seconds in reported)
    assert {time.problem for time in found.times} == set(few)
    assert costs.constants("cpu") == found.constants
    assert found.constants.shifts_call != costs.CPU.shifts_call
    assert "calibrated on" in str(jaxconv.plan((100,), (3,))).splitlines()[-1]
    assert [file.suffix for file in folder.iterdir()] == [".json"]


@pytest.mark.parametrize(
    ("processor", "release", "processes", "nearest"),
    [
        ("Intel(R) Xeon(R)", (0, 10), 1, costs.CPU),
        ("AMD EPYC 9B14", (0, 10), 1, costs.EPYC),
        ("AMD EPYC 9B14", (0, 12), 1, costs.EPYC_AND_NEWER_JAX),
        ("AMD EPYC 9B14", (0, 12), 2, costs.CPU),
        ("Intel(R) Xeon(R)", (0, 12), 1, costs.XEON_AND_NEWER_JAX),
        ("", (0, 12), 1, costs.XEON_AND_NEWER_JAX),
        ("", (0, 10), 1, costs.CPU),
    ],
)
def test_the_nearest_machine_that_was_measured(monkeypatch, processor, release, processes, nearest):
    monkeypatch.setattr(device, "processor", lambda: processor)
    monkeypatch.setattr(device, "release", lambda package: release)
    monkeypatch.setattr(jax, "process_count", lambda: processes)
    assert nearest_cpu() is nearest


def test_without_a_file_the_built_in_constants_are_used_silently(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert costs.constants("cpu") == costs.CPU
        assert costs.constants("tpu") == costs.ACCELERATOR


def wrong_files():
    """Yield what a file may wrongly hold, by what is wrong with it."""
    good = asdict(costs.CPU)
    yield "cut short", lambda text: text[: len(text) // 2]
    yield "of another device", lambda text: text.replace(jax.__version__, "0.0.1")
    yield "not an object", lambda text: "[1, 2]"
    for name, values in {
        "a constant missing": {k: v for k, v in good.items() if k != "fft_rate"},
        "a rate of zero": {**good, "fft_rate": 0.0},
        "a rate that is no number": {**good, "fft_rate": math.nan},
        "a rate in words": {**good, "fft_rate": "fast"},
        "no source": {**good, "source": 3},
    }.items():
        yield name, lambda text, v=values: json.dumps({**json.loads(text), "constants": v})


@pytest.mark.parametrize("spoil", [pytest.param(spoil, id=name) for name, spoil in wrong_files()])
def test_a_wrong_file_is_left_out_with_one_warning(folder, spoil):
    file = store.write("cpu", asdict(replace(costs.CPU, fft_rate=1.0)))
    assert costs.constants("cpu").fft_rate == 1.0
    costs.constants.cache_clear()
    file.write_text(spoil(file.read_text()))
    with pytest.warns(UserWarning, match="damaged, or of another device"):
        assert costs.constants("cpu") == costs.CPU
    assert costs.constants("cpu") == costs.CPU  # a second warning would be an error


def test_a_file_that_is_no_text_is_left_out(monkeypatch, tmp_path):
    monkeypatch.setenv("JAXCONV_CACHE", str(tmp_path))
    file = store.path("cpu")
    file.write_bytes(bytes(range(128, 256)))
    with pytest.warns(UserWarning, match="is damaged"):
        assert store.read("cpu", {"source"}) == {}
    monkeypatch.setenv("JAXCONV_CACHE", "off")
    assert store.read("cpu", {"source"}) == {}


def test_jaxs_gpu_is_planned_as_the_platform_that_it_lowers_for(monkeypatch):
    """On NVIDIA's and AMD's devices JAX says "gpu", and lowers for "cuda" or "rocm"."""

    class Device:
        class client:
            platform_version = "PJRT C API rocm 60200"

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert device.platform_name() == "cuda"
    monkeypatch.setattr(jax, "devices", lambda platform: [Device])
    assert device.platform_name() == device.platform_name("gpu") == "rocm"
    assert device.platform_name("tpu") == "tpu"


def test_a_prepared_kernel_runs_as_it_was_prepared(monkeypatch):
    """Whatever was calibrated since: its spectrum is of the method that made it."""
    signal, kernel = jnp.ones(3000), jnp.ones(301)
    prepared = jaxconv.prepare(kernel, signal.shape, mode="same")
    want = jaxconv.convolve(signal, prepared, mode="same")
    slow = {name: 1e3 for name in ("fft_call", "lines_call", "folded_call", "shifts_call")}
    other = replace(costs.CPU, source="another machine's", **slow)
    monkeypatch.setattr(costs, "constants", lambda platform: other)
    planning.plan.cache_clear()
    jax.clear_caches()
    again = jaxconv.prepare(kernel, signal.shape, mode="same")
    assert again.plan.method != prepared.plan.method
    np.testing.assert_array_equal(jaxconv.convolve(signal, prepared, mode="same"), want)
    assert str(prepared.plan).endswith(costs.CPU.source)
    assert str(again.plan).endswith("another machine's")
    planning.plan.cache_clear()
    jax.clear_caches()
