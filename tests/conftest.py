"""One setting for all tests: float64 at hand, four devices, strict promotion, fixed seeds."""

import os

import jax
import numpy as np
import pytest

from jaxconv.engine import planning, primitive
from jaxconv.engine.methods import lags, overlap

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")

os.environ["JAXCONV_CACHE"] = os.devnull  # the built-in constants, whatever this machine calibrated

SEED = 20261122


@pytest.fixture(scope="module", autouse=True)
def forget():
    """Let go, after each file, of what was compiled: thousands of programs fill a worker's memory."""
    yield
    jax.clear_caches()


@pytest.fixture
def rng():
    """Random numbers from a fixed seed."""
    return np.random.default_rng(SEED)


@pytest.fixture
def single():
    """Run a test as most users run JAX: in 32 bits."""
    with jax.enable_x64(False):
        yield


@pytest.fixture
def lenient(monkeypatch):
    """Let every method run where it can on small operands: short blocks, and no error where it cannot.

    So one table of cases drives all methods; `test_methods.py` holds that each runs where it says.
    """
    monkeypatch.setattr(overlap, "SHORTEST", {1: 16, 2: 8, 3: 8})
    monkeypatch.setattr(lags, "BLOCK", {1: 8, 2: 4, 3: 4})
    possible = planning.possible
    monkeypatch.setattr(primitive, "plan", lambda p, request: planning.plan(p, possible(request, p)))
    planning.plan.cache_clear()
    yield
    planning.plan.cache_clear()
