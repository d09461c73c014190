"""One setting for all tests: float64 at hand, four devices, strict promotion, fixed seeds."""

import jax
import numpy as np
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")

SEED = 20261122


@pytest.fixture
def rng():
    """Random numbers from a fixed seed."""
    return np.random.default_rng(SEED)


@pytest.fixture
def single():
    """Run a test as most users run JAX: in 32 bits."""
    with jax.enable_x64(False):
        yield
