"""Several processes, each with a part of the signal: the script that users take to their cluster."""

import os
import re
import socket
import subprocess
import sys
import time

import jax
import pytest

from jaxconv.engine import costs, store
from tests.helpers import ROOT

SCRIPT = ROOT / "examples" / "over_processes.py"


def started(count, *options):
    """Start as many processes of one job."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    job = [sys.executable, SCRIPT, "--coordinator", f"localhost:{port}", "--processes", str(count)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_NUM_CPU_DEVICES": "1", "JAX_ENABLE_X64": "0"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    each = [[*job, "--process", str(number), *options] for number in range(count)]
    return [subprocess.Popen(command, env=env, **pipes) for command in each]


@pytest.mark.parametrize("count", [2, 4])
def test_each_computes_its_part(count):
    processes = started(count)
    try:
        told = [process.communicate(timeout=120)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    for number, text in enumerate(told):
        lines = re.findall(rf"process {number}: (.*), (\(.*\)) of it, error (.*)", text)
        part = f"({65536 // count},)"
        assert [line[:2] for line in lines] == [
            ("convolution", part),
            ("gradient in the signal", part),
            ("gradient in the kernel", "(33,)"),
        ], text
        assert all(float(error) < 5e-6 for *_, error in lines)


def test_where_one_is_killed_the_others_end_with_an_error():
    first, second = started(2, "--repeat", "1000000000")
    try:
        for line in first.stdout:  # connected, so both run
            if "connected" in line:
                break
        time.sleep(3)
        second.kill()
        began = time.monotonic()
        assert first.wait(timeout=60) != 0
        assert time.monotonic() - began < 30
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()


def test_a_job_plans_by_what_is_the_same_on_all_hosts(monkeypatch, tmp_path):
    monkeypatch.setenv("JAXCONV_CACHE", str(tmp_path))
    names = {field: getattr(costs.CPU, field) for field in costs.Constants.__dataclass_fields__}
    store.write("cpu", names | {"source": "this host's"})
    assert store.read("cpu", set(names))["source"] == "this host's"
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    assert store.read("cpu", set(names)) == {}


TUNING = """
import sys
import jax
import jaxconv
jax.distributed.initialize(f"localhost:{sys.argv[1]}", 2, int(sys.argv[2]), heartbeat_timeout_seconds=10)
shapes = [jax.ShapeDtypeStruct((n,), "float32") for n in (5000, 33)]
told = jaxconv.tune(jaxconv.convolve, *shapes)
plan = jaxconv.plan((5000,), (33,), dtype="float32")
print("times:", plan.method, [c.seconds for c in plan.candidates if c.measured])
"""


def test_all_plan_by_what_process_0_measured(tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    env = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_NUM_CPU_DEVICES": "1", "JAX_ENABLE_X64": "0"}
    env["JAXCONV_CACHE"] = str(tmp_path)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    running = [
        subprocess.Popen([sys.executable, "-c", TUNING, port, number], env=env, **pipes)
        for number in "01"
    ]
    try:
        told = [process.communicate(timeout=120)[0] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    first, second = (re.findall("times: .*", text) for text in told)
    assert first == second, told
    assert first[0].count(",") >= 3, told
    assert not list(tmp_path.glob("tuned-*")), "a job reads no folder, and writes none"
