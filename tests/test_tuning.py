"""Tuning: what was measured is kept, told and planned by; nothing of another device is."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv import tuning
from jaxconv.engine import planning, store, trials, tuned
from jaxconv.engine.methods import METHODS
from jaxconv.engine.timing import Timing
from tests.helpers import assert_sums_close, operands

LINE, KERNEL = (3000,), (33,)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Keep what is measured in a folder of the test's own, and forget it afterwards."""
    monkeypatch.setenv("JAXCONV_CACHE", str(tmp_path))
    tuned._KNOWN.clear()
    planning.plan.cache_clear()
    yield tmp_path
    tuned._KNOWN.clear()
    planning.plan.cache_clear()
    jax.clear_caches()


@pytest.fixture
def taking(monkeypatch):
    """Let methods take the seconds that are said, and all others nine; return what was timed."""
    timed = []

    def pretend(**seconds):
        def measure(runs, **_):
            timed.append(set(runs))
            for run in runs.values():
                jax.block_until_ready(run())
            return {name: Timing(1, *[seconds.get(name, 9.0)] * 3) for name in runs}

        monkeypatch.setattr(trials, "measure", measure)
        monkeypatch.setattr(tuning, "measure", measure)
        return timed

    return pretend


def again():
    """Forget what this process has in memory, as a new one would."""
    tuned._KNOWN.clear()
    planning.plan.cache_clear()
    jax.clear_caches()


def test_the_fastest_that_was_measured_is_planned_printed_and_run(rng, taking, folder):
    signal, kernel = operands(rng, [LINE, KERNEL])
    before = jaxconv.plan(signal, kernel)
    compiled = jax.jit(jaxconv.convolve)
    compiled(signal, kernel)
    taking(fft=1e-6)
    told = jaxconv.tune(jaxconv.convolve, signal, kernel)
    assert before.method != "fft"
    assert len(told.trials) == 3  # forward, and both gradients
    assert {trial.after.method for trial in told.trials} == {"fft"}
    assert "> fft          0.001 ms" in str(told)
    assert f"{before.method:8}" in str(told)
    assert "planned before" in str(told)
    for _ in range(2):
        plan = jaxconv.plan(signal, kernel)
        assert (plan.method, plan.chosen.seconds, plan.chosen.measured) == ("fft", 1e-6, True)
        assert "0.001 ms" in str(plan)
        assert "measured here" in str(plan)
        assert "fft" in compiled.lower(signal, kernel).as_text()
        assert_sums_close(compiled(signal, kernel), np.convolve(signal, kernel), signal, kernel)
        again()
    (kept,) = folder.iterdir()
    assert kept.name.startswith("tuned-cpu")
    assert len(list(kept.iterdir())) == 3


def test_bounds_hold_for_what_was_measured(rng, taking):
    taking(fft=1e-6, folded=1e-3)
    jaxconv.tune(jaxconv.convolve, *map(jnp.zeros, (LINE, KERNEL)))
    assert jaxconv.plan(LINE, KERNEL).method == "fft"
    assert jaxconv.plan(LINE, KERNEL, local=True).method in ("shifts", "direct")
    assert jaxconv.plan(LINE, KERNEL, "full", "direct").method == "direct"


def test_a_method_by_name_is_not_tuned(taking):
    timed = taking()
    told = jaxconv.tune(partial(jaxconv.convolve, method="direct"), *map(jnp.zeros, (LINE, KERNEL)))
    assert (told.trials, timed, str(told)) == ((), [], "no convolution to tune")


def test_what_was_measured_goes_to_others_in_one_file(taking, tmp_path, monkeypatch):
    taking(fft=1e-6)
    jaxconv.tune(jaxconv.convolve, *map(jnp.zeros, (LINE, KERNEL)))
    file = tuning.save(tmp_path / "team" / "tuned.json")
    tuning.forget()
    assert jaxconv.plan(LINE, KERNEL).method != "fft"
    assert not list(tmp_path.glob("tuned-*"))
    monkeypatch.setenv("JAXCONV_READ_ONLY", "1")
    assert tuning.load(file) == 3
    assert jaxconv.plan(LINE, KERNEL).method == "fft"
    assert not list(tmp_path.glob("tuned-*"))
    tuning.forget()
    monkeypatch.delenv("JAXCONV_READ_ONLY")
    tuning.load(file)
    again()
    assert jaxconv.plan(LINE, KERNEL).method == "fft"


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda text: text[: len(text) // 2], "be a file that"),
        (lambda text: "[]", "be a file that"),
        (lambda text: text.replace('"fft"', '"fast"'), "be a file that"),
        (lambda text: text.replace("1e-06", "-1"), "be a file that"),
        (lambda text: text.replace(jax.__version__, "0.0.1"), "jax 0.0.1"),
    ],
)
def test_a_file_of_another_device_or_damaged_is_refused(taking, tmp_path, spoil, match):
    taking(fft=1e-6)
    jaxconv.tune(jaxconv.convolve, *map(jnp.zeros, (LINE, KERNEL)))
    file = tuning.save(tmp_path / "tuned.json")
    tuning.forget()
    file.write_text(spoil(file.read_text()))
    with pytest.raises(ValueError, match=match):
        tuning.load(file)
    assert jaxconv.plan(LINE, KERNEL).method != "fft"


def test_a_damaged_part_is_left_out_with_a_warning(taking, folder):
    taking(fft=1e-6)
    jaxconv.tune(jaxconv.convolve, *map(jnp.zeros, (LINE, KERNEL)))
    for file in folder.glob("*/*.json"):
        file.write_text(file.read_text()[:9])
    again()
    with pytest.warns(UserWarning, match="is damaged and is left out"):
        assert jaxconv.plan(LINE, KERNEL).method != "fft"


def test_stopping_keeps_what_is_done(taking, monkeypatch):
    taking(fft=1e-6)
    real, done = tuned.keep, []

    def stop(problem, times):
        if done:
            raise KeyboardInterrupt
        done.append(problem)
        real(problem, times)

    monkeypatch.setattr(tuned, "keep", stop)
    with pytest.raises(KeyboardInterrupt):
        jaxconv.tune(jaxconv.convolve, *map(jnp.zeros, (LINE, KERNEL)))
    again()
    assert jaxconv.plan(LINE, KERNEL).method == "fft"


def test_between_layers_the_function_as_it_stands_decides(taking):
    """Alone one method is the fastest, and in the program another."""
    layers = [eqx.nn.Conv2d(8, 8, 3, padding=1, key=jax.random.key(i)) for i in range(2)]

    def net(x):
        for layer in layers:
            x = jax.nn.relu(layer(x))
        return x

    x = jnp.zeros((8, 20, 20))
    timed = taking(shifts=1.0, direct=0.9, fft=0.8)
    told = jaxconv.tune(jaxconv.accelerate(net), x)
    assert {trial.after.method for trial in told.trials} == {"fft"}
    assert timed.count({"shifts", "direct", "fft"}) == len(told.trials)  # in the network
    times = tuned.find(told.trials[0].before.problem)
    tuned.keep(told.trials[0].before.problem, replace(times, between_layers="shifts"))
    planning.plan.cache_clear()
    assert jaxconv.explain(net, x).forward[0].method == "shifts"


@pytest.mark.parametrize(
    ("dtype", "boundary"),
    [
        ("float32", "wrap"),
        ("bfloat16", "reflect"),
        ("int16", "fill"),
        ("complex64", "wrap"),
        ("uint8", "reflect"),
    ],
)
def test_every_dtype_and_boundary_is_timed_as_it_is(taking, dtype, boundary):
    taking()
    call = partial(jaxconv.convolve, mode="same", boundary=boundary)
    told = jaxconv.tune(call, jnp.ones((20, 21), dtype), jnp.ones((3, 4), dtype))
    for trial in told.trials:
        assert trial.after.problem.dtype == dtype
        assert trial.after.method == min(trial.seconds, key=lambda name: trial.seconds[name])
        assert set(trial.seconds) <= {c.method for c in trial.after.candidates if not c.refusal}


def test_features_that_come_last_are_timed_so(taking):
    taking()
    options = {
        "window_strides": (1, 1),
        "padding": "SAME",
        "dimension_numbers": ("NHWC", "HWIO", "NHWC"),
    }
    call = partial(jaxconv.conv_general_dilated, **options)
    told = jaxconv.tune(call, jnp.ones((2, 9, 8, 4)), jnp.ones((3, 3, 4, 5)))
    assert told.trials[0].after.problem.channels_last
    assert len(told.trials[0].seconds) > 2


def test_processes_beside_each_other_keep_what_each_has_measured(folder):
    code = """
import sys, jax.numpy as jnp, jaxconv
jaxconv.tune(jaxconv.convolve, jnp.ones(int(sys.argv[1])), jnp.ones(5))
"""
    sizes = ("100", "200")
    running = [subprocess.Popen([sys.executable, "-c", code, size]) for size in sizes]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    with jax.enable_x64(False):
        found = {times.problem for times in tuned.all_of("cpu")}
    assert all(any(f"space=({size},)" in problem for problem in found) for size in sizes)
    assert store.path("cpu", "tuned").with_suffix("").is_dir()
    for file in folder.glob("*/*.json"):
        assert set(json.loads(file.read_text())["seconds"]) <= set(METHODS)
