"""Two square waves make a triangle: one slides over the other while a line shows the area.

You will see the overlap grow and shrink, and the area with it: 10 at shift 0, and 0 at shifts of 10 and
more. The picture is an animation.
Try next: a wave of half the width, `signals.square_wave(t, -2.5, 2.5)`. What shape is the line now?

    python examples/02_two_square_waves.py --save out
"""

import numpy as np
from judging import save_animation

from jaxconv import plotting, reference, signals

STEP = 0.1
t = signals.midpoints(-15, 15, STEP)
f = g = signals.square_wave(t)


def area():
    """Return the shifts, and the area at each."""
    shifts = (np.arange(2 * t.size - 1) - t.size + 1) * STEP
    return shifts, np.asarray(reference.convolve(f, g)) * STEP


def main():
    shifts, values = area()
    triangle = np.maximum(values.max() - np.abs(shifts), 0)
    print(f"greatest area: {values.max():.3g} at shift {shifts[values.argmax()]:.3g}")
    print(f"farthest from a triangle: {np.abs(values - triangle).max():.1e}")
    moving = plotting.slide(f, g, np.arange(-12, 12.1, 0.5).tolist(), t=t)
    save_animation(moving, "02_two_square_waves")


if __name__ == "__main__":
    main()
