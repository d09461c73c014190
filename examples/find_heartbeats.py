"""When does the heart beat? One beat finds the others, even if noise hides them from the eye.

You will see PyWavelets' electrocardiogram in noise with a standard deviation of a third of the height of
a beat, and the signal-to-noise ratio of the first beat at every time. The reference list was read from
the record without noise.
Try next: NOISE = 200, where beats are missed at a threshold of one false alarm in a thousand records.

    python examples/find_heartbeats.py --save out
"""

import jax
import jax.numpy as jnp
import numpy as np
import pywt
from judging import judge, save
from matplotlib.figure import Figure

from jaxconv import detection, matching

NOISE = 100.0
BEATS = (190, 518, 848)  # samples, the R peaks
BEFORE, AFTER = 25, 35


def find(record, beat, noise):
    """Return the times of the beats found, the ratio at every sample, and the threshold."""
    ratio = detection.snr(record, beat, jnp.full(64, noise**2))
    threshold = detection.threshold(1e-3 / record.size)
    peaks = matching.find_peaks(ratio, threshold=threshold, min_distance=100)
    return np.asarray(peaks.places[: int(peaks.count), 0]) + BEFORE, ratio, threshold


def main():
    quiet = jnp.asarray(pywt.data.ecg(), jnp.float32)
    first = quiet[BEATS[0] - BEFORE : BEATS[0] + AFTER]
    beat = first - first.mean()  # so that a slow drift of the record does not matter
    record = quiet + NOISE * jax.random.normal(jax.random.key(0), quiet.shape)
    times, ratio, threshold = find(record, beat, NOISE)
    judge("heartbeats", times, BEATS, reach=5, templates=BEATS[:1])
    print(f"expected ratio {detection.output_snr(beat, NOISE):.1f}, threshold {threshold:.1f}")
    figure = Figure(figsize=(11, 6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    time = np.arange(record.size)
    top.plot(time, record, color="0.7", lw=0.7, label="with noise")
    top.plot(time, quiet, lw=1.2, label="without noise")
    top.plot(times, quiet[times], "v", color="tab:orange", label="found")
    top.set(ylabel="heart (units of the record)")
    top.legend(loc="upper right")
    bottom.plot(time[BEFORE : BEFORE + ratio.size], ratio, lw=0.9)
    bottom.axhline(threshold, color="tab:red", ls="--", label="1 false alarm in 1000 records")
    bottom.set(xlabel="time (samples)", ylabel="ratio (standard deviations)")
    bottom.legend(loc="upper right")
    save(figure, "find_heartbeats")


if __name__ == "__main__":
    main()
