"""Platforms that are not here: what is planned for GPUs and TPUs, and that it is lowered for them."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxconv.engine import costs, device, planning
from jaxconv.engine.how import How
from jaxconv.engine.methods import METHODS
from jaxconv.engine.planning import plan
from tests.test_planning import problem

ACCELERATORS = ("cuda", "rocm", "tpu")
DTYPES = ("float32", "bfloat16", "float16", "complex64", "int32", "int16", "uint8", "int8")
SHAPES = [  # each method takes one
    ((40, 41), (5, 5), {"inputs": 2, "outputs": 3, "batch": 2}),
    ((3000,), (33,), {}),
    ((5000,), (4990,), {}),
    ((20, 20), (3, 3), {"signal_dilation": (2, 2)}),
    ((20, 20), (3, 3), {"boundaries": ("wrap", "wrap"), "padding": ((1, 1), (1, 1))}),
]


@pytest.fixture
def gpu(monkeypatch):
    """Return a function that plans as on a GPU of some name."""

    def name(kind):
        monkeypatch.setattr(device, "kind", lambda platform: kind)
        for cache in (costs.nearest_gpu, costs.constants, planning.plan):
            cache.cache_clear()

    yield name
    monkeypatch.undo()
    for cache in (costs.nearest_gpu, costs.constants, planning.plan):
        cache.cache_clear()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("platform", ACCELERATORS)
def test_what_a_method_takes_it_is_lowered_for(platform, dtype):
    """Here this says no more than that JAX knows how; on an H200 every one of these also ran."""
    lowered = set()
    for space, window, facts in SHAPES:
        p = problem(space, window, dtype=dtype, result=dtype, platform=platform, **facts)
        for name, method in METHODS.items():
            if method.supports(planning.as_seen(name, p)):
                continue
            how = partial(plan(p, How(method=name)).run)
            ready = partial(jax.eval_shape, plan(p, How(method=name)).prepare_signal)
            signal = jax.ShapeDtypeStruct((p.batch, p.groups, p.inputs, *space), dtype)
            kernel = jax.ShapeDtypeStruct((p.groups, p.outputs, p.inputs, *window), dtype)
            kept = jax.eval_shape(plan(p, How(method=name)).prepare_kernel, kernel)
            jax.export.export(jax.jit(how), platforms=[platform])(ready(signal), kept)
            lowered.add(name)
    exact = {"shifts", "products"} | ({"direct", "phases"} if platform == "tpu" else set())
    floats = set(METHODS) - {"onednn", "matmul"} - ({"folded"} if dtype == "complex64" else set())
    assert lowered == (exact if p.is_exact else floats)


@pytest.mark.parametrize("platform", ["cuda", "rocm"])
@pytest.mark.parametrize(("dtype", "most"), [("int16", 300), ("uint8", 255), ("int32", 99)])
@pytest.mark.parametrize(
    "facts",
    [
        {"inputs": 3, "outputs": 2, "batch": 2},
        {"strides": (2, 3), "kernel_dilation": (1, 2), "padding": ((3, 4), (-1, 0))},
        {"groups": 2, "padding": ((40, 0), (0, 40))},
    ],
)
def test_integers_on_a_gpu_do_without_xlas_convolution(rng, platform, dtype, most, facts):
    """Many taps are counted through in a loop, which wraps around as the definition does."""
    p = problem((60, 91), (31, 35), dtype=dtype, result=dtype, platform=platform, **facts)
    low = 0 if dtype == "uint8" else -most
    signal, kernel = (
        jnp.asarray(rng.integers(low, most, shape), dtype)
        for shape in (
            (p.batch, p.groups, p.inputs, *p.space),
            (p.groups, p.outputs, p.inputs, *p.window),
        )
    )
    chosen = plan(p, How())
    assert chosen.method == "shifts"
    with pytest.raises(ValueError, match="XLA does not convolve on a GPU"):
        plan(p, How(method="direct"))
    got = jax.jit(chosen.run)(signal, chosen.prepare_kernel(kernel))
    np.testing.assert_array_equal(got, METHODS["direct"].run(p, signal, kernel))
    assert got.dtype == dtype


@pytest.mark.parametrize("platform", ["cuda", "rocm"])
@pytest.mark.parametrize("facts", [{"batch": 2, "inputs": 3, "outputs": 2}, {"strides": (2, 1)}])
def test_a_kernels_gradient_of_groups_is_in_the_form_that_xla_knows(rng, platform, facts):
    p = problem((20, 21), (19, 20), groups=4, padding=((1, 0), (0, 1)), platform=platform, **facts)
    signal, kernel = (
        jnp.asarray(rng.standard_normal(shape), "float32")
        for shape in (
            (p.batch, p.groups, p.inputs, *p.space),
            (p.groups, p.outputs, p.inputs, *p.window),
        )
    )
    run = partial(METHODS["direct"].run, p)
    assert "batch_group_count=4" in str(jax.make_jaxpr(run)(signal, kernel))
    here = METHODS["direct"].run(replace(p, platform="cpu"), signal, kernel)
    np.testing.assert_allclose(run(signal, kernel), here, atol=1e-4)


def test_where_nothing_was_measured_a_method_must_promise_three_times_laxs_speed():
    stayed = 0
    for space, window, _ in SHAPES + [((n, n), (m, m), {}) for n in (64, 512, 4096) for m in (3, 9, 31)]:
        p = problem(space, window, platform="tpu")
        chosen = plan(p, How())
        lax = next(c for c in chosen.candidates if c.method == "direct")
        able = [c for c in chosen.candidates if not c.refusal]
        assert chosen.method == "direct" or 3 * chosen.chosen.seconds <= lax.seconds
        stayed += chosen.method == "direct" != min(able, key=lambda c: c.seconds).method
        assert "must promise 3 times its speed" in str(chosen)
    assert stayed > 3


def test_constants_of_a_gpu_are_those_of_its_own_kind_or_have_a_margin(gpu):
    p = problem((100, 100), (5, 5), platform="cuda")
    gpu("NVIDIA H200")
    assert costs.constants("cuda") == costs.HOPPER
    assert str(plan(p, How())).endswith("H200, JAX 0.11.2, 2026-11")
    for kind in ("NVIDIA A100-SXM4-80GB", ""):
        gpu(kind)
        assert costs.constants("cuda").margin == costs.UNMEASURED
        assert "not this device; another method" in str(plan(p, How()))
        assert plan(p, How()).method == "direct"


def test_products_in_full_precision_are_slower_on_a_gpu(gpu):
    gpu("NVIDIA H200")
    facts = {"batch": 32, "inputs": 256, "outputs": 256, "platform": "cuda"}
    full = (jax.lax.Precision.HIGHEST,) * 2
    fast, slow = (plan(problem((64, 64), (3, 3), precision=p, **facts), How()) for p in (None, full))
    assert slow.chosen.seconds > 2 * fast.chosen.seconds
    assert costs.CPU.in_full_precision == costs.CPU


def test_on_an_accelerator_a_loop_is_never_taken_where_lax_can():
    chosen = plan(problem((2000,), (1500,), platform="tpu"), How())
    assert "at most 1,024 are unrolled" in str(chosen)
