"""SciPy's own tests of the family pass with jaxconv in SciPy's place."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TESTED = (
    "TestConvolve or TestFFTConvolve or TestOAConvolve or TestAllFreqConvolves or TestCorrelat"
    " or orrelation or choose_conv or sepfir"
    " or test_upfirdn or test_fir_filter_design or test_savitzky_golay"
    " or TestResample or TestDecimate or TestHilbert or TestLFilterZI or TestFiltFilt"
    " or TestLinearFilter and FIR"
)
NOT_OURS = (
    "test_choose_conv_method or Extended",  # arrays of 80-bit floats, which JAX does not have
    "test_fft_nan",  # a warning that depends on values, which are not known while tracing
    "test_impulse_response",  # of firwin_2d, 1e-35 to five digits
    "IIR or iir or TestLFilterZI or TestSOSFiltFilt or gust",  # filters with feedback
    "TestFiltFilt and (test_basic or test_sine or test_axis)",  # with feedback too
    "test_float16_upcast",  # to 32 bits, as JAX does
    "fs_validation or bad_pass_zero or bad_args or window_length_3d",  # errors in words of our own
    "TestResample and test_basic",  # the same
)


@pytest.mark.long
def test_scipys_own_tests_pass():
    found = importlib.util.find_spec("scipy.signal.tests")
    if found is None:
        pytest.skip("this SciPy was installed without its tests")
    folder = Path(found.submodule_search_locations[0])
    files = [str(folder / f"test_{name}.py") for name in ("signaltools", "bsplines", "upfirdn")]
    files += [str(folder / f"test_{name}.py") for name in ("fir_filter_design", "savitzky_golay")]
    asked = f"({TESTED}) and not ({' or '.join(NOT_OURS)})"
    command = [sys.executable, "-m", "pytest", "-p", "tests.scipys_own", "-q", *files, "-k", asked]
    root = Path(__file__).parent.parent
    plain = ["-p", "no:cacheprovider", "-W", "ignore", "-c", "/dev/null", "--rootdir", str(folder)]
    done = subprocess.run([*command, *plain], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout.splitlines()[-1]
