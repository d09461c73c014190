"""SciPy's own tests of the family pass with jaxconv in SciPy's place."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TESTED = (
    "TestConvolve or TestFFTConvolve or TestOAConvolve or TestAllFreqConvolves or TestCorrelat"
    " or orrelation or choose_conv or sepfir"
)
NOT_OURS = (
    "test_choose_conv_method",  # arrays of 80-bit floats, which JAX does not have
    "test_fft_nan",  # a warning that depends on values, which are not known while tracing
)


@pytest.mark.long
def test_scipys_own_tests_pass():
    found = importlib.util.find_spec("scipy.signal.tests")
    if found is None:
        pytest.skip("this SciPy was installed without its tests")
    folder = Path(found.submodule_search_locations[0])
    files = [str(folder / f"test_{name}.py") for name in ("signaltools", "bsplines")]
    asked = f"({TESTED}) and not ({' or '.join(NOT_OURS)})"
    command = [sys.executable, "-m", "pytest", "-p", "tests.scipys_own", "-q", *files, "-k", asked]
    root = Path(__file__).parent.parent
    plain = ["-p", "no:cacheprovider", "-W", "ignore", "-c", "/dev/null", "--rootdir", str(folder)]
    done = subprocess.run([*command, *plain], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout.splitlines()[-1]
