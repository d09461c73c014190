"""What is a convolution? Reflect one signal, shift it over the other, multiply, sum.

You will see a sawtooth reflected, and slide over a square wave, and the area of their product: 15 at
shift -5, 20 at shift 0, smaller with less overlap, and 0 without overlap.
Try next: another sawtooth, `signals.sawtooth(t, first=0, last=4)`. What is the area at shift -5 now?

    python examples/01_sliding.py --save out
"""

import numpy as np
from judging import save
from matplotlib.figure import Figure

from jaxconv import plotting, reference, signals

STEP = 0.1
SHIFTS = (-10, -7.5, -5, 0, 5, 7.5, 10, 12)
t = signals.midpoints(-15, 15, STEP)
f, g = signals.square_wave(t), signals.sawtooth(t)


def areas():
    """Return the convolution by its definition, and its value at some shifts."""
    area = np.asarray(reference.convolve(f, g)) * STEP
    return area, {s: round(float(area[t.size - 1 + round(s / STEP)]), 3) for s in SHIFTS}


def main():
    area, at = areas()
    print("area of the product:", ", ".join(f"{a:g} at shift {s:g}" for s, a in at.items()))
    figure = Figure(figsize=(14, 7), layout="constrained")
    grid = figure.add_gridspec(2, 4)
    axes = figure.add_subplot(grid[0, 0])
    axes.plot(t, f, color="black", lw=3, label="f")
    axes.plot(t, g, color="tab:orange", ls="--", label="g")
    axes.plot(t, g[::-1], color="tab:orange", label="g, reflected")
    axes.set(xlabel="time", ylabel="value", ylim=(-0.2, 5.6), title="f, g, and g reflected")
    axes.legend(loc="upper right", fontsize=8)
    for column, shift in enumerate((-5, 0, 7.5), 1):
        axes = figure.add_subplot(grid[0, column])
        plotting.overlap(f, g, shift, t=t, ax=axes)
        axes.set(xlabel="time", ylim=(-0.2, 5.6))
    axes = figure.add_subplot(grid[1, :])
    axes.plot((np.arange(area.size) - t.size + 1) * STEP, area, lw=2)
    axes.plot(list(at), list(at.values()), "o", color="tab:orange")
    axes.set(xlabel="shift", ylabel="area of the product", xlim=(-15, 15))
    axes.set_title("the convolution: the area at every shift; dots: the shifts that are printed")
    save(figure, "01_sliding")


if __name__ == "__main__":
    main()
