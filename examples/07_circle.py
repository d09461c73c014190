"""A circle among other shapes in noise gives the one peak.

You will see a scene of a circle, a cross, a square and a triangle at random places, and the response of
a filter that looks like the circle: its one peak is at the circle.
Try next: NOISE = 3.0, and another key for `search`, a few times. How often is it still?

    python examples/07_circle.py --save out
"""

import jax
from judging import save

from jaxconv import correlate, detection, matching, plotting, signals

NOISE = 0.6
KINDS = ("circle", "cross", "square", "triangle")


def search(key):
    """Return a scene, the response of the circle's filter, and its two highest peaks."""
    scene = signals.scene(key, (120, 160), KINDS, noise=NOISE)
    heat = correlate(scene.signal, signals.circle(21, zero_mean=True), "same")
    return scene, heat, matching.find_peaks(heat, min_distance=12, max_peaks=2)


def main():
    scene, heat, peaks = search(jax.random.key(4))
    row, column = scene.places[0].tolist()
    print(f"hottest spot: {tuple(peaks.places[0].tolist())}, the circle is at {(row, column)}")
    print(f"response there {peaks.scores[0]:.0f}, at the next best {peaks.scores[1]:.0f}")
    ratio = detection.output_snr(signals.circle(21, zero_mean=True), NOISE)
    print(f"theory's signal-to-noise ratio: {ratio:.1f}")
    save(plotting.found(scene.signal, heat, peaks.places[:1], "the hottest spot"), "07_circle")


if __name__ == "__main__":
    main()
