"""A pytest plugin that puts jaxconv's functions where SciPy's own tests have SciPy's.

pytest -p tests.scipys_own .../scipy/signal/tests/test_signaltools.py -k fftconvolve
"""

import jax
import scipy.signal

import jaxconv
from tests.helpers import FAMILY, in_numpy

jax.config.update("jax_enable_x64", True)


def pytest_collection_finish(session):
    """Exchange the functions, once the tests have been collected by their own names."""
    own = {getattr(scipy.signal, name): in_numpy(getattr(jaxconv, name)) for name in FAMILY}
    places = [scipy.signal.__dict__, *(item.module.__dict__ for item in session.items)]
    places += [item.callspec.params for item in session.items if hasattr(item, "callspec")]
    for place in places:
        for key, value in list(place.items()):
            if callable(value) and getattr(value, "__hash__", None) and value in own:
                place[key] = own[value]
