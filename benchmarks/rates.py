"""Write docs/rates-benchmarks.md: resampling and FIR filters beside SciPy.

python benchmarks/rates.py docs
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.signal
from jax import lax
from turns import ROUNDS, in_turn, machine, table

from jaxconv import convolve, fir, multirate, progress

RATES = ((160, 147), (1, 10), (147, 160), (3, 2), (1, 2), (10, 1), (441, 320))
UPFIRDN = ((1, 1, 101), (1, 10, 201), (10, 1, 201), (3, 2, 61), (160, 147, 3201))
RNG = np.random.default_rng(0)
SIGNAL = RNG.standard_normal(1_000_000, np.float32)


def main(docs: Path) -> None:
    """Measure, and write the page."""
    with progress.bar("rates", 3) as report:
        tables = []
        for part in (of_resampling, of_upfirdn, of_others):
            tables.append(part())
            report(len(tables))
    text = (Path(__file__).parent / "rates.md").read_text()
    names = dict(zip(("resample", "upfirdn", "others"), tables))
    (docs / "rates-benchmarks.md").write_text(text.format(rounds=ROUNDS, machine=machine(), **names))


def error(got: Any, want: Any) -> str:
    """Return the greatest difference, relative to the greatest value."""
    return f"{np.abs(np.asarray(got) - want).max() / np.abs(want).max():.0e}"


def of_resampling() -> str:
    """`resample_poly` at several rates."""
    x, rows = jnp.asarray(SIGNAL), []
    for up, down in RATES:
        ours = jax.jit(lambda x, up=up, down=down: multirate.resample_poly(x, up, down))
        gradient = jax.jit(jax.grad(lambda x, f=ours: (f(x) ** 2).sum()))
        seconds = in_turn(
            {
                "jaxconv": lambda f=ours: f(x),
                "SciPy": lambda up=up, down=down: scipy.signal.resample_poly(SIGNAL, up, down),
                "gradient": lambda g=gradient: g(x),
            }
        )
        own = seconds["jaxconv"]
        want = scipy.signal.resample_poly(SIGNAL.astype(float), up, down)
        ratios = [f"{seconds['SciPy'] / own:.2f}", f"{seconds['gradient'] / own:.2f}"]
        rows.append([f"{up}:{down}", f"{1e3 * own:.2f}", *ratios, error(ours(x), want)])
    head = ["up:down", "jaxconv, ms", "SciPy / jaxconv", "gradient / jaxconv", "error"]
    return table(head, rows)


def of_upfirdn() -> str:
    """`upfirdn` beside the convolution that it is."""
    x, rows = jnp.asarray(SIGNAL), []
    for up, down, taps in UPFIRDN:
        h = RNG.standard_normal(taps).astype("f")
        ours = jax.jit(lambda x, h, up=up, down=down: multirate.upfirdn(h, x, up, down))
        plain = jax.jit(lambda x, h, up=up, down=down: dilated(x, h, up, down))
        bare = jax.jit(lambda x, h: convolve(x, h, "full"))
        per_phase = h[::up]
        length = -(-(SIGNAL.size * up) // down)  # outputs, of as many products each
        enough = jnp.asarray(np.resize(SIGNAL, length))
        seconds = in_turn(
            {
                "jaxconv": lambda f=ours, h=h: f(x, h),
                "same sum": lambda f=bare, h=per_phase, x=enough: f(x, h),
                "JAX": lambda f=plain, h=h: f(x, h),
                "SciPy": lambda h=h, up=up, down=down: scipy.signal.upfirdn(h, SIGNAL, up, down),
            },
        )
        own = seconds["jaxconv"]
        want = scipy.signal.upfirdn(h.astype(float), SIGNAL.astype(float), up, down)
        ratios = [f"{own / seconds['same sum']:.2f}"]
        ratios += [f"{seconds[name] / own:.2f}" for name in ("JAX", "SciPy")]
        rows.append([f"{up}:{down}", taps, f"{1e3 * own:.2f}", *ratios, error(ours(x, h), want)])
    head = [
        "up:down",
        "taps",
        "jaxconv, ms",
        "jaxconv / convolution",
        "JAX / jaxconv",
        "SciPy / jaxconv",
    ]
    return table([*head, "error"], rows)


def dilated(x: jax.Array, h: jax.Array, up: int, down: int) -> jax.Array:
    """`upfirdn` as JAX's own convolution."""
    edge = len(h) - 1
    out = lax.conv_general_dilated(
        x[None, None], jnp.flip(h)[None, None], (down,), [(edge, edge)], lhs_dilation=(up,)
    )
    return out[0, 0]


def of_others() -> str:
    """The rest of the family, each as it is mostly called."""
    taps = np.asarray(scipy.signal.firwin(101, 0.3), np.float32)
    calls: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        "`lfilter`, 101 taps": (
            lambda x: fir.lfilter(taps, 1.0, x),
            lambda x: scipy.signal.lfilter(taps, 1.0, x),
        ),
        "`filtfilt`, 101 taps": (
            lambda x: fir.filtfilt(taps, 1.0, x),
            lambda x: scipy.signal.filtfilt(taps, 1.0, x),
        ),
        "`savgol_filter`, 31 samples, order 3": (
            lambda x: fir.savgol_filter(x, 31, 3),
            lambda x: scipy.signal.savgol_filter(x, 31, 3),
        ),
        "`decimate` by 8": (
            lambda x: multirate.decimate(x, 8),
            lambda x: scipy.signal.decimate(x, 8, ftype="fir"),
        ),
        "`hilbert`": (fir.hilbert, scipy.signal.hilbert),
    }
    rows = []
    for name, (ours, theirs) in calls.items():
        jitted, x = jax.jit(ours), jnp.asarray(SIGNAL)
        seconds = in_turn({"jaxconv": lambda f=jitted, x=x: f(x), "SciPy": lambda f=theirs: f(SIGNAL)})
        own = seconds["jaxconv"]
        rows.append(
            [
                name,
                f"{1e3 * own:.2f}",
                f"{seconds['SciPy'] / own:.2f}",
                error(jitted(x), theirs(SIGNAL.astype(float))),
            ]
        )
    return table(["1,000,000 samples", "jaxconv, ms", "SciPy / jaxconv", "error"], rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
