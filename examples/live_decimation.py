"""A fifth of the samples, while the record still comes in: the packets give what the whole would.

You will see the seismogram of `find_aftershocks.py` arrive in packets of uneven length and leave at a
fifth of its rate, low-pass filtered. The stream keeps the few samples that the filter still needs and
the phase of the rate, so it does not matter where packets end. Without a filter, what the ground does
above half the new rate would fold onto what it does below (aliasing). The shocks themselves are mostly
above: to find them, stay at the full rate.
Try next: UP, DOWN = 3, 7: any ratio of whole numbers is one rate.

    python examples/live_decimation.py --save out
"""

import numpy as np
import scipy.signal
from find_aftershocks import record_of
from judging import save
from live_aftershocks import PACKET, packets
from matplotlib.figure import Figure

from jaxconv import multirate, streaming

UP, DOWN = 1, 5
WINDOW = ("kaiser", 5.0)
SHOWN = 100, 106  # seconds


def decimated(record):
    """Return the outputs of each packet, and how many samples had come by its end."""
    state = streaming.start(
        WINDOW, PACKET[1], multirate.resample_poly, up=UP, down=DOWN, dtype=np.float32
    )
    outputs, came = [], []
    for packet in packets(record):
        state, out = streaming.push(state, packet)
        outputs.append(np.asarray(out))
        came.append(len(packet))
    return [*outputs, np.asarray(streaming.finish(state))], np.cumsum([*came, 0])


def main():
    record, rate = record_of()
    record = np.asarray(record, np.float32)
    outputs, came = decimated(record)
    slow, slow_rate = np.concatenate(outputs), rate * UP / DOWN
    late = (came / rate - np.cumsum([len(out) for out in outputs]) / slow_rate).max()
    print(
        f"{len(record)} samples in {len(outputs) - 1} packets became {len(slow)}, "
        f"{late:.1f} s late at most"
    )
    whole = np.asarray(multirate.resample_poly(record, UP, DOWN, window=WINDOW))
    same = len(slow) == len(whole) and np.abs(slow - whole).max() < 1e-5 * np.abs(whole).max()
    print(f"the whole at once gives {'the same' if same else 'others'}")
    save(draw(record, rate, slow, slow_rate, came / rate), "live_decimation")


def draw(record, rate, slow, slow_rate, ends):
    """Draw some seconds at both rates, and the spectra with and without a filter."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    top, bottom = figure.subplots(2, 1)
    for end in ends[(ends > SHOWN[0]) & (ends < SHOWN[1])]:
        top.axvline(
            end, color="0.85", lw=1, label="end of a packet" if end == ends[ends > SHOWN[0]][0] else None
        )
    for line, each, style in ((record, rate, "-"), (slow, slow_rate, ".-")):
        top.plot(
            np.arange(len(line)) / each, line, style, lw=0.8, label=f"{each:.0f} samples per second"
        )
    top.set(
        xlabel="time (s)",
        ylabel="ground velocity (counts)",
        xlim=SHOWN,
        ylim=(-300, 300),
        title="noise between the shocks",
    )
    top.legend(loc="upper right")
    picked = record[:: DOWN // UP]
    for line, each, name in (
        (record, rate, "the record"),
        (picked, slow_rate, "samples picked, without a filter"),
        (slow, slow_rate, "decimated in packets"),
    ):
        quiet = line[round(90 * each) : round(170 * each)]
        frequency, power = scipy.signal.welch(quiet, each, nperseg=round(10 * each))
        bottom.semilogy(frequency, power, label=name)
    bottom.set(xlabel="frequency (Hz)", ylabel="power (counts² per Hz)", ylim=(1, None))
    bottom.set_title("its spectrum: what lies above half the rate folds back, unless filtered out")
    bottom.legend()
    return figure


if __name__ == "__main__":
    main()
