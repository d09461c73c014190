"""One setting for all tests: float64 at hand, four devices, strict promotion, fixed seeds.

`JAX_ENABLE_X64=0 pytest` runs them in 32 bits, less those marked `needs_x64`. At the end the run tells
how many cases each method computed.

Programs are compiled without LLVM's optimizations and with XLA's older emitters of fusions, which is
faster; where JAX_ENABLE_X64 is given, 0 or 1, as users compile them. What one process of a run has
compiled the others take from a folder.
"""

import os
import tempfile
from collections import Counter

import jax
import numpy as np
import pytest

from jaxconv.engine import costs
from jaxconv.engine.methods import METHODS
from jaxconv.engine.problem import Problem
from tests import helpers, meshes

if "JAX_ENABLE_X64" not in os.environ:
    jax.config.update("jax_enable_x64", True)
    passes = "--xla_llvm_disable_expensive_passes=true --xla_backend_optimization_level=0"
    if jax.__version_info__ < (0, 11):  # later ones have newer emitters alone
        passes += " --xla_cpu_use_fusion_emitters=false"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {passes}"
jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")

if "PYTEST_XDIST_WORKER" not in os.environ:  # the first process of a run
    COMPILED = tempfile.TemporaryDirectory(prefix="compiled-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
os.environ["JAXCONV_CACHE"] = "off"  # the built-in constants, whatever this machine calibrated

nearest_cpu = costs.nearest_cpu
costs.nearest_cpu = lambda: costs.CPU  # so that tests plan alike on every machine

SEED = 20261122

COMPUTED: set[tuple[str, str, Problem]] = set()  # test, method, and what the method computed in it
BY_WORKERS: Counter[str] = Counter()  # how many of these the workers of pytest-xdist found, by method


def current_test():
    """Return the name of the test that is running."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]


def counted(name, run):
    """Return a method's `run` that also notes in which test it is traced; not where another calls it."""

    def noted(problem, *operands):
        if not counted.outer:
            COMPUTED.add((current_test(), name, problem))
        counted.outer.append(name)
        try:
            return run(problem, *operands)
        finally:
            counted.outer.pop()

    return noted


def by_method():
    """Return how many cases each method computed in this process: different problems in each test."""
    return Counter(method for _, method, _ in COMPUTED)


counted.outer = []
for _name, _module in METHODS.items():
    _module.run = counted(_name, _module.run)


def pytest_configure(config):
    words = "holds in 64 bits only; JAX_ENABLE_X64=0 leaves it out"
    config.addinivalue_line("markers", f"needs_x64: {words}")


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["computed"] = dict(by_method())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    BY_WORKERS.update(getattr(node, "workeroutput", {}).get("computed", {}))


def pytest_terminal_summary(terminalreporter):
    cases = BY_WORKERS + by_method()
    told = ", ".join(f"{name} {cases[name]}" for name in METHODS)
    terminalreporter.write_line(f"cases by method: {told}")


NOT_IN_32_BITS = {  # files that the run in 32 bits leaves out, and why
    "has tolerances of 64 bits": "acceleration banks detection kernels masked matching normalized"
    " planning signals theory",
    "is the same in both": "benchmarks calibration cli docs errors everywhere examples explorer fuzz"
    " house learning lecture networks one_way processes reference scipys_own sharded_scores"
    " sharding",
}


def why_not_in_32_bits(item):
    """Return why a test is left out where JAX has 32 bits, or ""."""
    name = item.path.stem.removeprefix("test_")
    reasons = [reason for reason, names in NOT_IN_32_BITS.items() if name in names.split()]
    reasons += ["needs 64 bits"] if item.get_closest_marker("needs_x64") else []
    reasons += ["is the same in both"] if "single" in item.fixturenames else []
    return "; ".join(reasons)


def pytest_collection_modifyitems(items):
    if not jax.config.jax_enable_x64:
        for item in items:
            if reason := why_not_in_32_bits(item):
                item.add_marker(pytest.mark.skip(reason=reason))


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


@pytest.fixture(scope="module")
def short_blocks():
    """Let `overlap` and `lags` cut short operands into several blocks. Nothing else changes."""
    with helpers.short_blocks():
        yield


@pytest.fixture
def traced_anew():
    """Forget what was compiled, so that a call outside of any new `jit` is traced and counted again."""
    jax.clear_caches()


@pytest.fixture
def named_method_runs(request):
    """Fail a test that has a parameter `method` if that method computed nothing in it."""
    yield
    method = request.node.callspec.params.get("method") if hasattr(request.node, "callspec") else None
    if method in METHODS:
        require_computed(method)


def require_computed(method):
    """Raise AssertionError if a method computed nothing in the running test."""
    computed = {name for test, name, _ in COMPUTED if test == current_test()}
    assert method in computed, f"{method!r} computed nothing here; {computed or 'nothing'} did"


@pytest.fixture(params=meshes.KINDS)
def mesh(request):
    """A mesh of two axes, as the context."""
    made = jax.make_mesh(
        tuple(meshes.AXES.values()), tuple(meshes.AXES), axis_types=(meshes.KINDS[request.param],) * 2
    )
    with jax.set_mesh(made):
        yield made
