"""Can a heartbeat do with a quarter of its samples? Yes, if a filter comes first.

You will see PyWavelets' electrocardiogram in the hum of the mains and in noise, taken for 360 samples
per second. Every fourth sample alone keeps the hum, now at 30 Hz in the middle of the heartbeat
(aliasing): no filter takes it out again. `decimate` filters first. The cut-off of such a filter is then
learned, by gradient descent on its error in the first half of the record; the second half judges.
Try next: HUM = 0, and see what the noise alone does.

    python examples/resample_heartbeats.py --save out
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pywt
from judging import save
from matplotlib.figure import Figure

from jaxconv.fir import firwin
from jaxconv.multirate import decimate, resample_poly

RATE, DOWN = 360, 4  # samples per second; how many become one
HUM, NOISE = 100.0, 30.0  # units of the record, whose beats are about 300 high
TAPS, STEPS = 81, 150
LEARNED, JUDGED = slice(8, 128), slice(128, 248)  # of the slow record, without its ends


def records():
    """Return the electrocardiogram as it was, and with hum and noise; both have a mean of 0."""
    quiet = jnp.asarray(pywt.data.ecg(), jnp.float32)
    hum = HUM * jnp.sin(2 * np.pi * 60 / RATE * jnp.arange(quiet.size))
    noise = NOISE * jax.random.normal(jax.random.key(0), quiet.shape)
    return quiet - quiet.mean(), quiet - quiet.mean() + hum + noise


def filtered(cutoff, record):
    """Return the record at the slow rate, after a low-pass filter with this cut-off (hertz)."""
    return resample_poly(record, 1, DOWN, window=firwin(TAPS, cutoff, fs=RATE))


def error(slow, quiet):
    """Return the root of the mean squared error of a slow record."""
    return jnp.sqrt(((slow - quiet[::DOWN]) ** 2).mean())


@jax.jit
def learn(record, quiet):
    """Return the cut-off that gradient descent comes to, and the error after each step."""
    optimizer = optax.adam(0.5)

    def cost(cutoff):
        return error(
            filtered(cutoff, record)[LEARNED], quiet[DOWN * LEARNED.start : DOWN * LEARNED.stop]
        )

    def step(carry, _):
        cutoff, state = carry
        value, slope = jax.value_and_grad(cost)(cutoff)
        change, state = optimizer.update(slope, state)
        return (cutoff + change, state), (cutoff, value)

    first = jnp.asarray(10.0)
    (cutoff, _), course = jax.lax.scan(step, (first, optimizer.init(first)), length=STEPS)
    return cutoff, course


def main():
    quiet, record = records()
    cutoff, (cutoffs, errors) = learn(record, quiet)
    slow = {
        "every fourth sample": record[::DOWN],
        "decimate": decimate(record, DOWN),
        f"learned, {cutoff:.0f} Hz": filtered(cutoff, record),
    }
    for name, line in slow.items():
        part = slice(DOWN * JUDGED.start, DOWN * JUDGED.stop)
        print(f"{name}: error {error(line[JUDGED], quiet[part]):.1f}")
    save(draw(quiet, slow, cutoffs, errors), "resample_heartbeats")


def draw(quiet, slow, cutoffs, errors):
    """Draw the slow records over what they should be, and how the cut-off was learned."""
    figure = Figure(figsize=(12, 9), layout="constrained")
    *rows, bottom = figure.subplots(4, 1)
    time = np.arange(quiet.size) / RATE
    for axes, (name, line) in zip(rows, slow.items(), strict=True):
        axes.plot(time, quiet, color="0.6", lw=2, label="without hum and noise, 360 samples per second")
        axes.plot(time[::DOWN], line, color="tab:blue", lw=1, marker=".", ms=3, label="90 per second")
        axes.set(title=name, ylabel="heart (units)", ylim=(-220, 520), xlim=(0, time[-1]))
    rows[0].legend(loc="upper right", ncols=2)
    rows[-1].set_xlabel("time (s)")
    bottom.plot(cutoffs, errors, ".-")
    bottom.set(
        xlabel="cut-off (Hz)", ylabel="error (units)", title="the cut-off, from 10 Hz, step by step"
    )
    return figure


if __name__ == "__main__":
    main()
