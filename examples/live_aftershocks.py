"""The ground shakes again, and you are told while the record still comes in.

You will see the seismogram of `find_aftershocks.py` arrive in packets of uneven length, as from a
station: whitened, compared with the first shock and searched for peaks packet by packet. Each shock is
told as soon as it is certain. Only what has come is used: the noise before the first shock, and that
shock as template. At the end all comes again as one packet, and the shocks are the same.
Try next: packets of 10 seconds, and see how much later you are told.

    python examples/live_aftershocks.py --save out
"""

import numpy as np
from find_aftershocks import LENGTH, SHOCKS, START, record_of
from judging import judge, save
from matplotlib.figure import Figure

from jaxconv import detection, matching, streaming

QUIET = 25.0  # seconds of noise at the beginning
SIZE = 64  # of its spectrum: coarse, since the noise is short
PACKET = (20, 100)  # samples
THRESHOLD, APART = 0.5, 1.0  # of the scores; seconds


def packets(record, seed=0):
    """Yield the record piece by piece, as a station sends it."""
    lengths = np.random.default_rng(seed)
    while len(record):
        length = lengths.integers(*PACKET)
        yield record[:length]
        record = record[length:]


class Watch:
    """All that is remembered between two packets: three streams, and what whitened the template."""

    def __init__(self, quiet, rate):
        """Begin with a record of noise alone."""
        self.rate = rate
        spectrum = detection.noise_spectrum(quiet, SIZE, average="median")
        self.whitened = streaming.start(spectrum, PACKET[1], detection.whiten, dtype=np.float32)
        self.peaks = streaming.start_peaks(THRESHOLD, round(APART * rate))
        self.held, self.scores = np.zeros(0, np.float32), None

    def push(self, packet):
        """Take a packet; return the scores that it completes, and the shocks that are certain now."""
        self.whitened, white = streaming.push(self.whitened, packet)
        if self.scores is None:
            self.held = np.concatenate([self.held, white])
            start, length = round(START * self.rate), round(LENGTH * self.rate)
            if len(self.held) < start + length:
                return self.held[:0], ()
            shock, white = self.held[start : start + length], self.held
            self.scores = streaming.start(shock, PACKET[1], matching.normalized_correlation)
        self.scores, new = streaming.push(self.scores, white)
        self.peaks, found = streaming.push_peaks(self.peaks, new)
        return np.asarray(new), found.positions / self.rate


def main():
    record, rate = record_of()
    record = np.asarray(record, np.float32)
    watch, came, scores, told = Watch(record[: round(QUIET * rate)], rate), 0, [], []
    for packet in packets(record):
        came += len(packet)
        new, found = watch.push(packet)
        scores.append(new)
        for time in found:
            told.append((time, came / rate))
            print(
                f"shock at {time:6.2f} s, told at {came / rate:6.2f} s, {came / rate - time:.2f} s later"
            )
    times = np.array(told)[:, 0]
    judge("shocks as they come", times, SHOCKS, reach=0.5, templates=SHOCKS[:1])
    _, whole = Watch(record[: round(QUIET * rate)], rate).push(record)
    same = len(whole) == len(times) and np.abs(whole - times).max() < 0.01
    print(f"in one packet: {len(whole)} shocks, {'the same' if same else 'others'}")
    save(draw(record, np.concatenate(scores), told, rate), "live_aftershocks")


def draw(record, scores, told, rate):
    """Draw the record and its scores, and when each shock was told."""
    figure = Figure(figsize=(11, 6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    top.plot(np.arange(len(record)) / rate, record, lw=0.6)
    top.set(ylabel="ground velocity (counts)", ylim=(-1500, 1500))
    top.set_title("the record, which came in packets of 0.4 to 2 s; the shocks clipped")
    bottom.plot(np.arange(len(scores)) / rate, scores, lw=0.6)
    bottom.axhline(THRESHOLD, color="tab:red", ls="--", label="threshold")
    for number, (time, later) in enumerate(told):
        height = scores[round(time * rate)]
        bottom.plot(
            [time, later],
            [height, height],
            color="tab:orange",
            label=None if number else "time until told",
        )
        bottom.plot([time], [height], "v", color="tab:orange")
    bottom.set(xlabel="time (s)", ylabel="normalized correlation", ylim=(-1, 1.1))
    bottom.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    main()
