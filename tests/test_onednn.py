"""OneDNN: jaxlib's library, where it is to be had; and that nothing changes where it is not."""

import os
import subprocess
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxconv
from jaxconv.engine import device, proof, proving, store
from jaxconv.engine.methods import onednn
from tests.conftest import require_computed

there = pytest.mark.skipif(bool(proof.refusal()), reason=proof.refusal())
LAYER = ((2, 8, 9, 11), (16, 8, 3, 3))  # N, C, space; O, I, window


def layer(method, **options):
    options = {"window_strides": (1, 1), "padding": "SAME"} | options
    return partial(jaxconv.conv_general_dilated, method=method, **options)


def drawn(rng, *shapes):
    return [jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in shapes]


@pytest.fixture
def unproved(monkeypatch, tmp_path):
    """Ask anew in the test, and after it."""
    monkeypatch.setenv("JAXCONV_CACHE", str(tmp_path))
    proof.refusal.cache_clear()
    device.processor()  # asks a process of its own, once
    yield tmp_path
    proof.refusal.cache_clear()


def test_it_is_turned_off_by_the_environment(monkeypatch, unproved):
    monkeypatch.setenv(proof.SWITCH, "0")
    assert "turned off by JAXCONV_ONEDNN=0" in proof.refusal()


@pytest.mark.parametrize(("release", "machine"), [((0, 10), "x86_64"), ((0, 12), "arm64")])
def test_where_it_is_not_to_be_had_the_plan_tells_why(monkeypatch, unproved, release, machine):
    monkeypatch.setattr(device, "release", lambda package: release)
    monkeypatch.setattr(proof.platform, "machine", lambda: machine)
    assert proof.refusal() in (
        "jaxlib before 0.12 may hang in it",
        "jaxlib carries it on x86-64 Linux only",
    )
    assert not any(unproved.iterdir()), "nothing was tried"


def test_what_a_child_process_says_is_kept(monkeypatch, unproved):
    monkeypatch.setattr(device, "release", lambda package: proof.OLDEST)
    monkeypatch.setattr(proof.sys, "platform", "linux")
    monkeypatch.setattr(proof.platform, "machine", lambda: "x86_64")
    asked = []

    def run(command, **options):
        asked.append(options["env"][proof.SWITCH])
        return subprocess.CompletedProcess(command, 134, "", "could not create a primitive")

    monkeypatch.setattr(proof.subprocess, "run", run)
    for _ in range(2):
        assert proof.refusal() == "not to be had from this jaxlib: could not create a primitive"
        proof.refusal.cache_clear()
    assert asked == ["0"], "the child does not ask again, and the answer is kept"
    assert store.kept(proof.KEPT) == "could not create a primitive"
    store.path("cpu", proof.KEPT).write_text("[]")
    assert proof.refusal().endswith("could not create a primitive")
    assert asked == ["0"] * 2, "a damaged answer is none"


def test_a_child_that_never_ends_is_ended(monkeypatch, unproved):
    def run(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(proof.subprocess, "run", run)
    assert proof._tried() == f"it did not end within {proof.LONGEST} s"
    assert store.kept(proof.KEPT) == f"it did not end within {proof.LONGEST} s"


@there
def test_the_child_proves_it():
    own = {**os.environ, proof.SWITCH: "0"}
    command = [sys.executable, "-m", "jaxconv.engine.proving"]
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == proof.PROVED


@there
@pytest.mark.parametrize("groups", [1, 8])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_values_and_gradients_are_those_of_direct(rng, rank, groups):
    inputs = 8 // groups
    signal, kernel = drawn(rng, (3, 8, 9, 7, 6)[: 2 + rank], (16, inputs, 3, 2, 3)[: 2 + rank])
    for strides, dilation in [((1, 1, 1), (1, 1, 1)), ((2, 1, 3), (1, 2, 1))]:
        options = {
            "window_strides": strides[:rank],
            "rhs_dilation": dilation[:rank],
            "feature_group_count": groups,
        }

        def loss(signal, kernel, method, options=options):
            return (layer(method, **options)(signal, kernel) ** 2).sum()

        got, want = (
            jax.jit(jax.value_and_grad(partial(loss, method=m), (0, 1)))(signal, kernel)
            for m in ("onednn", "direct")
        )
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-2), got, want)
        require_computed("onednn")


@there
def test_it_runs_in_batches_loops_and_on_shards(rng):
    signal, kernel = drawn(rng, *LAYER)
    want = layer("direct")(signal, kernel)
    batched = jax.vmap(layer("onednn"), (0, None))(jnp.stack([signal, -signal]), kernel)
    np.testing.assert_allclose(batched, jnp.stack([want, -want]), rtol=1e-4, atol=1e-4)
    _, looped = jax.lax.scan(lambda _, x: (None, layer("onednn")(x, kernel)), None, signal[None])
    np.testing.assert_allclose(looped[0], want, rtol=1e-4, atol=1e-4)
    mesh = jax.make_mesh((2,), ("batch",))
    spread = jax.device_put(signal, jax.NamedSharding(mesh, jax.P("batch")))
    with jax.set_mesh(mesh):
        np.testing.assert_allclose(jax.jit(layer("auto"))(spread, kernel), want, rtol=1e-4, atol=1e-4)


@there
def test_an_exported_program_does_without(rng):
    signal, kernel = drawn(rng, *LAYER)
    exported = jax.export.export(jax.jit(layer("auto")))(signal, kernel)
    assert "__onednn$" not in exported.mlir_module()
    with pytest.raises(ValueError, match="belongs to this machine"):
        jax.export.export(jax.jit(layer("onednn")))(signal, kernel)


@there
def test_what_it_cannot_is_refused_before_it_is_called(rng):
    signal, kernel = drawn(rng, *LAYER)
    with pytest.raises(ValueError, match="one output feature"):
        layer("onednn")(signal, kernel[:1])
    with pytest.raises(ValueError, match="float32 only"):
        layer("onednn")(signal.astype("bfloat16"), kernel.astype("bfloat16"))
    assert {p.rank for method, p in proving.problems() if method is onednn.METHOD} == {1, 2, 3}
