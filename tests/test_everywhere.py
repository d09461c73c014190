"""What must hold of every public function: integers, second calls, strict promotion, no jit."""

import inspect

import jax
import jax.monitoring
import jax.numpy as jnp
import numpy as np
import pytest

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
