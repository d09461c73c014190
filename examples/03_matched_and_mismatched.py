"""Which filter finds a signal best? The one that looks like it, including its negative lobes.

You will see a wave of two positive lobes and a negative one on itself, where every area is positive; and
on a square wave as long, where the area in the middle is negative, and the sum is small. Below, a
wavelet in noise, and the responses of three filters of equal energy: the wavelet itself, its positive
part, and a wave of another width. None has a larger response than the wavelet itself (the
Cauchy-Schwarz inequality); the noise moves the heights in the picture a little.
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

STEP = 0.05
times = signals.midpoints(-10, 10, STEP)  # two positive lobes and a negative one, and a wave as long
lobes = jnp.where(jnp.abs(times) < 6, -jnp.cos(jnp.pi * times / 4), 0)
square = signals.square_wave(times, -6, 6)


def peaks(signal):
    """Return the response of each filter, scaled to unit energy, at the wavelet."""
    unit = {name: kernel / jnp.linalg.norm(kernel) for name, kernel in FILTERS.items()}
    return {name: float(correlate(signal, kernel, "same")[PLACE]) for name, kernel in unit.items()}


def main():
    clean = signals.ricker(t - PLACE, 5.0)
    at = peaks(clean)
    print(
        "response at the wavelet, without noise:",
        ", ".join(f"{value:.2f} {name}" for name, value in at.items()),
    )
    noisy = clean + NOISE * jax.random.normal(jax.random.key(0), t.shape)
    figure = Figure(figsize=(10, 10), layout="constrained")
    grid = figure.add_gridspec(3, 2)
    for column, (name, other) in enumerate({"itself": lobes, "a long square wave": square}.items()):
        axes = figure.add_subplot(grid[0, column])
        plotting.overlap(lobes, other, 0, t=times, ax=axes)
        area = float(jnp.sum(lobes * other)) * STEP
        axes.set(
            title=f"three lobes with {name}: {area:.2f}", xlabel="time", ylabel="value", ylim=(-1.2, 2)
        )
    top = figure.add_subplot(grid[1, :])
    bottom = figure.add_subplot(grid[2, :], sharex=top)
    top.plot(t, noisy, color="0.6", lw=0.8, label="in noise")
    top.plot(t, clean, color="black", lw=2, label="the wavelet")
    top.legend(loc="upper right")
    top.set(ylabel="signal")
    plotting.matched_and_mismatched(noisy, FILTERS, t=t, ax=bottom)
    bottom.set(xlabel="time (samples)", ylabel="response, filters of unit energy")
    save(figure, "03_matched_and_mismatched")


if __name__ == "__main__":
    main()
