"""Did the ground shake again? The main shock's waveform finds its weak repetitions.

You will see four minutes of a seismogram from ObsPy. The record and the waveform of the first shock are
whitened with the spectrum of the quiet time between shocks. The reference list is the result that
ObsPy's tests expect from its coincidence trigger, which uses four stations; here one is enough.
Try next: leave out the whitening, and the two weakest shocks are close to chance level.

    python examples/find_aftershocks.py --save out
"""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import obspy
from judging import judge, save
from matplotlib.figure import Figure

from jaxconv import detection, matching

SHOCKS = (29.5, 83.0, 178.6, 206.8)  # seconds from the first sample, at 16:24:03.68
START, LENGTH = 29.8, 4.0  # of the template, in seconds
RECORD = "signal/tests/data/BW.UH1._.SHZ.D.2010.147.cut.slist.gz"


def record_of():
    """Return the record, and its samples per second."""
    trace = obspy.read(str(Path(obspy.__file__).parent / RECORD))[0]
    return jnp.asarray(np.asarray(trace.data, float)), trace.stats.sampling_rate


def find(record, rate):
    """Return the times of the shocks found (seconds), and the scores."""
    quiet = record[int(90 * rate) : int(170 * rate)]
    white = detection.whiten(record, detection.noise_spectrum(quiet, 512, average="median"))
    start = round(START * rate)
    shock = white[start : start + round(LENGTH * rate)]
    score = matching.normalized_correlation(white, shock)
    peaks = matching.find_peaks(score, threshold=0.5, min_distance=round(rate))
    return np.asarray(peaks.positions[: int(peaks.count), 0]) / rate, score


def main():
    record, rate = record_of()
    times, score = find(record, rate)
    judge("shocks", times, SHOCKS, reach=0.5, templates=SHOCKS[:1])
    figure = Figure(figsize=(11, 6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    time = np.arange(record.size) / rate
    top.plot(time, record, lw=0.6)
    top.set(ylabel="ground velocity (counts)", ylim=(-1500, 1500))
    top.set_title("BW.UH1..SHZ, the first shock clipped at 3 % of its height")
    bottom.plot(time[: score.size], score, lw=0.6)
    bottom.plot(
        times, [float(score[round(s * rate)]) for s in times], "v", color="tab:orange", label="found"
    )
    bottom.axhline(0.5, color="tab:red", ls="--", label="threshold")
    bottom.set(xlabel="time (s)", ylabel="normalized correlation")
    bottom.legend(loc="upper right")
    save(figure, "find_aftershocks")


if __name__ == "__main__":
    main()
