"""The timings that the documents quote: jaxconv beside JAX and SciPy, its error beside its time."""

import platform
from functools import partial

import jax
import jax.numpy as jnp
import jax.scipy.signal
import numpy as np
import scipy.signal
from timing import measure

import jaxconv

CASES = {  # signal, kernel, as users call it
    "64 * 9, eager": ((64,), (9,)),
    "1e6 * 9": ((1_000_000,), (9,)),
    "1e6 * 1025": ((1_000_000,), (1025,)),
    "1024^2 * 3^2": ((1024, 1024), (3, 3)),
    "1024^2 * 31^2": ((1024, 1024), (31, 31)),
}


def case(name: str, shapes: tuple) -> None:
    """Print one row for each contestant."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    x, k = jnp.asarray(a), jnp.asarray(b)
    eager = name.endswith("eager")
    wrap = (lambda f: f) if eager else jax.jit
    run = {
        "jaxconv": partial(wrap(jaxconv.convolve), x, k),
        "jax.scipy": partial(wrap(jax.scipy.signal.convolve), x, k),
        "SciPy": partial(scipy.signal.convolve, a, b),
    }
    if eager:
        run["jnp.convolve"] = partial(jnp.convolve, x, k)
    times = measure(run)
    truth = scipy.signal.convolve(a.astype(float), b.astype(float), method="direct" if eager else "auto")
    scale = np.abs(a).max() * np.abs(b).max() * b.size
    for contestant, taken in times.items():
        error = np.abs(np.asarray(run[contestant](), float) - truth).max() / scale
        ratio = taken.seconds / times["jaxconv"].seconds
        print(
            f"{name:15} {contestant:13} {taken.seconds * 1e3:10.3f} ms  {ratio:7.2f} times jaxconv's"
            f"   first call {taken.first * 1e3:8.1f} ms   error {error:.1e}"
        )


def main() -> None:
    """Run all cases."""
    device = jax.devices()[0]
    print(
        f"{device.device_kind} ({platform.machine()}), JAX {jax.__version__}, SciPy {scipy.__version__}"
    )
    for name, shapes in CASES.items():
        case(name, shapes)


if __name__ == "__main__":
    main()
