"""What must hold of every public function: integers, second calls, strict promotion, no jit."""

import inspect
import math

import jax
import jax.monitoring
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType

import jaxconv
from jaxconv import (
    boundaries,
    deconvolution,
    detection,
    fir,
    kernels,
    learning,
    matching,
    multirate,
    reference,
    signals,
)
from tests.calls import ALL, FLOATS, WRAP
from tests.meshes import placed

WITHOUT_ARRAYS = {  # or whose arrays are tested by themselves: plans, fits, drawn shapes
    *("choose_conv_method", "correlation_lags", "explain", "plan", "prepare", "tune"),
    "detection.score_threshold",
    *("fir.firls", "fir.firwin", "fir.firwin2", "fir.remez", "fir.savgol_coeffs"),
    *("kernels.box", "kernels.laplacian", "kernels.prewitt", "kernels.scharr", "kernels.sobel"),
    *("learning.default_optimizer", "learning.fit", "learning.init", "learning.random_filter"),
    *("learning.non_negative", "learning.step", "reference.overlap"),
    *(f"signals.{name}" for name in ("chirp", "circle", "cross", "default_radius", "disk", "midpoints")),
    *(
        f"signals.{name}"
        for name in ("ricker", "sawtooth", "scenes", "square", "square_wave", "triangle")
    ),
}
MODULES = {
    "": jaxconv,
    "boundaries.": boundaries,
    "deconvolution.": deconvolution,
    "detection.": detection,
    "fir.": fir,
    "kernels.": kernels,
    "learning.": learning,
    "matching.": matching,
    "multirate.": multirate,
    "reference.": reference,
    "signals.": signals,
}


def test_every_public_function_has_a_call():
    public = {
        prefix + name
        for prefix, module in MODULES.items()
        for name in getattr(module, "__all__", vars(module))
        if inspect.isfunction(getattr(module, name))
        and not name.startswith("_")
        and (hasattr(module, "__all__") or getattr(module, name).__module__ == module.__name__)
    }
    public -= {"matching.match_template", "kernels.gaussian_filter"}  # the package's own
    public |= {"learning.default_optimizer"}  # which is cached, and so no plain function
    assert public == {name.split(",")[0] for name in ALL} | WITHOUT_ARRAYS


@pytest.mark.parametrize("name", FLOATS)
def test_integers_give_what_their_floats_give(name):
    """uint8, int16 and uint16 are what images and recordings are made of."""
    want = FLOATS[name](lambda a: jnp.asarray(a, float))
    for dtype in ("uint8", "int16", "uint16"):
        got = FLOATS[name](lambda a, dtype=dtype: jnp.asarray(np.asarray(a).astype(dtype)))
        assert jnp.issubdtype(got.dtype, np.inexact) or got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-4 * np.nanmax(np.abs(want)))


@pytest.mark.parametrize("name", WRAP)
def test_integers_keep_their_modulus(name):
    want = np.asarray(WRAP[name](lambda a: jnp.asarray(a, int)))
    for dtype in ("uint8", "int16", "uint16"):
        got = WRAP[name](lambda a, dtype=dtype: jnp.asarray(np.asarray(a).astype(dtype)))
        np.testing.assert_array_equal(np.asarray(got), want.astype(got.dtype))


COMPILED = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **_: COMPILED.append(event) if "backend_compile" in event else None
)


@pytest.mark.parametrize("name", ALL)
def test_the_second_call_compiles_nothing(name):
    def make(a):
        return np.asarray(a).astype(np.float32)

    jax.block_until_ready(ALL[name](make))
    COMPILED.clear()
    jax.block_until_ready(ALL[name](make))
    assert not COMPILED


@pytest.mark.parametrize("name", ALL)
def test_strict_promotion_will_do(name, single):
    with jax.numpy_dtype_promotion("strict"):
        ALL[name](lambda a: jnp.asarray(a, jnp.float32))


@pytest.mark.parametrize(
    "name", ["matching.best_match", "matching.normalized_correlation", "convolve_masked"]
)
def test_jit_may_be_disabled(name):
    def make(a):
        return np.asarray(a).astype(np.float32)

    want = ALL[name](make)
    with jax.disable_jit():
        np.testing.assert_allclose(ALL[name](make), want, atol=1e-5)


UNDIVIDED = {  # they need known values, or take numbers only
    *("detection.threshold", "kernels.factor", "kernels.gabor", "kernels.gaussian"),
    *("kernels.laplacian_of_gaussian", "learning.confusion", "learning.evaluate"),
    *("matching.overlap_share", "matching.scales", "signals.scene"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in ALL if name not in UNDIVIDED])
def test_divided_operands_give_the_same(name):
    """XLA divides what lies between as it likes, evenly or not; what it computes must stay the same."""
    operands = []

    def keep(a):
        a = np.asarray(a)
        operands.append(a if np.iscomplexobj(a) else a.astype(float))
        return jnp.asarray(operands[-1])

    ALL[name](keep)

    def value(*operands):
        left = iter(operands)
        return ALL[name](lambda _: next(left))

    def loss(*operands):
        floats = (x for x in jax.tree.leaves(value(*operands)) if jnp.issubdtype(x.dtype, np.inexact))
        return sum((jnp.sin(x).sum().real for x in floats), 0.0)

    def both(*operands):
        return value(*operands), jax.grad(loss, range(len(operands)))(*operands)

    want = jax.jit(both)(*operands)
    mesh = jax.make_mesh((2, 2), ("a", "b"), axis_types=(AxisType.Auto,) * 2)
    for axes in (["a", "b"], ["b"], [("a", "b")]):
        got = jax.jit(both)(*(placed(mesh, x, *divided(x.shape, axes, mesh)) for x in operands))
        for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
            a, b = np.asarray(a), np.asarray(b)
            np.testing.assert_allclose(a, b, atol=5e-3 * max(np.nanmax(np.abs(b), initial=0), 1e-30))


def divided(shape, axes, mesh):
    """Return a spec that divides the first axes of fitting lengths."""
    left = list(axes)

    def fits(n):
        names = left[0] if isinstance(left[0], tuple) else (left[0],)
        return n % math.prod(mesh.shape[name] for name in names) == 0

    return [left.pop(0) if left and fits(n) else None for n in shape]
