"""A pytest plugin that puts jaxconv's functions where SciPy's own tests have SciPy's.

pytest -p tests.scipys_own .../scipy/signal/tests/test_signaltools.py -k fftconvolve
"""

from types import ModuleType

import jax
import scipy.signal

import jaxconv
from jaxconv import fir, multirate
from tests.helpers import FAMILY, in_numpy

jax.config.update("jax_enable_x64", True)


def in_their_place(function):
    """Return a function that gives NumPy's arrays, and takes no other libraries'."""
    return in_numpy(lambda *args, xp=None, device=None, **kwargs: function(*args, **kwargs))


def pytest_collection_finish(session):
    """Exchange the functions, once the tests have been collected by their own names."""
    ours = [getattr(jaxconv, name) for name in FAMILY]
    ours += [getattr(module, name) for module in (fir, multirate) for name in module.__all__]
    own = {getattr(scipy.signal, function.__name__): in_their_place(function) for function in ours}
    places = [item.module.__dict__ for item in session.items]
    places += [item.callspec.params for item in session.items if hasattr(item, "callspec")]
    signal = ModuleType("scipy.signal")  # SciPy's own functions go on calling one another
    signal.__dict__.update(scipy.signal.__dict__)
    for place in (signal.__dict__, *places):
        for key, value in list(place.items()):
            if value is scipy.signal:
                place[key] = signal
            elif callable(value) and getattr(value, "__hash__", None) and value in own:
                place[key] = own[value]
