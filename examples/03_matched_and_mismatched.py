"""Which filter finds a signal best? The one that looks like it, including its negative lobes.

You will see a wavelet with negative lobes in noise, and the responses of three filters of equal energy:
the wavelet itself, its positive part, and a wave of another width. Multiplied by itself, every lobe
gives a positive product; multiplied by another wave, some products cancel. No filter has a larger
response than the first (the Cauchy-Schwarz inequality).
Try next: turn the wavelet upside down. Where is its response now?

    python examples/03_matched_and_mismatched.py --save out
"""

import jax
import jax.numpy as jnp
from judging import save
from matplotlib.figure import Figure

from jaxconv import correlate, plotting, signals

PLACE, NOISE = 60, 0.25
t = jnp.arange(200.0)
wave = signals.ricker(jnp.arange(-20.0, 21), 5.0)
FILTERS = {
    "matched, the wavelet": wave,
    "its positive part": jnp.maximum(wave, 0),
    "mismatched, twice as wide": signals.ricker(jnp.arange(-20.0, 21), 10.0),
}


def peaks(signal):
    """Return the response of each filter, scaled to unit energy, at the wavelet."""
    unit = {name: kernel / jnp.linalg.norm(kernel) for name, kernel in FILTERS.items()}
    return {name: float(correlate(signal, kernel, "same")[PLACE]) for name, kernel in unit.items()}


def main():
    clean = signals.ricker(t - PLACE, 5.0)
    at = peaks(clean)
    print("response at the wavelet:", ", ".join(f"{value:.2f} {name}" for name, value in at.items()))
    noisy = clean + NOISE * jax.random.normal(jax.random.key(0), t.shape)
    figure = Figure(figsize=(10, 7), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    top.plot(t, noisy, color="0.6", lw=0.8, label="in noise")
    top.plot(t, clean, color="black", lw=2, label="the wavelet")
    top.legend(loc="upper right")
    top.set(ylabel="signal")
    plotting.matched_and_mismatched(noisy, FILTERS, t=t, ax=bottom)
    bottom.set(xlabel="time (samples)", ylabel="response, filters of unit energy")
    save(figure, "03_matched_and_mismatched")


if __name__ == "__main__":
    main()
