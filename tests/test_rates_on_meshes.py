"""FIR filters and rates on arrays divided over devices: the same values and derivatives as on one."""

from functools import partial

import pytest

from jaxconv import fir, multirate
from tests.meshes import both, compared, numbers

BATCH, SPACE = (("a", "b"),), (None, ("a", "b"))
OF_TAPS = {
    "lfilter": lambda x, taps: fir.lfilter(taps, 1.0, x),
    "lfilter's state": lambda x, taps: fir.lfilter(taps, 1.0, x, zi=taps[None, 1:])[1],
    "filtfilt": lambda x, taps: fir.filtfilt(taps, 1.0, x),
    "upfirdn": lambda x, taps: multirate.upfirdn(taps, x, 3, 2),
    "resample_poly up": lambda x, taps: multirate.resample_poly(x, 4, 3, window=taps),
    "resample_poly down": lambda x, taps: multirate.resample_poly(x, 1, 4, window=taps),
}
OF_SIGNAL = {
    "hilbert": lambda x: abs(fir.hilbert(x)),
    "savgol_filter": partial(fir.savgol_filter, window_length=7, polyorder=2),
    "decimate": lambda x: multirate.decimate(x, 4, n=20, ftype="fir"),
    "resample_poly 160:147": lambda x: multirate.resample_poly(x, 160, 147, padtype="line"),
}
FUNCTIONS = OF_TAPS | {name: lambda x, taps, fn=fn: fn(x) for name, fn in OF_SIGNAL.items()}


@pytest.mark.parametrize("spec", [BATCH, SPACE], ids=["batch", "time"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_divided_signals_give_the_same(mesh, rng, single, name, spec):
    compared(mesh, both(FUNCTIONS[name]), numbers(rng, 4, 484), spec, numbers(rng, 22))
