"""One heartbeat is marked; the filter learned from it finds the others in strong noise.

You will see a filter learned from the first 400 samples of PyWavelets' electrocardiogram, with new noise
at every step, compared with the optimum in closed form, the beat itself, and scikit-image's matching of
the beat; and what each finds, misses and finds falsely in 200 noisy copies of the rest of the record,
which is 1024 samples long and holds two more beats. The threshold of each is the level that one sample
in two thousand exceeds without a beat, in the part used for learning.
Try next: NOISE = 150, where no filter finds all beats.

    python examples/learn_heartbeats.py --save out
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pywt
from judging import judge, save
from matplotlib.figure import Figure
from skimage.feature import match_template

from jaxconv import learning, matching, signals

NOISE, COPIES, FALSE_ALARM = 100.0, 200, 5e-4
KNOWN, SIZE, MIDDLE = 400, 60, 30
BEATS = (190, 518, 848)  # samples, the R peaks
RECORD = jnp.asarray(pywt.data.ecg(), jnp.float32)
PART = signals.Scene(RECORD[:KNOWN], jnp.array([[BEATS[0]]]), jnp.zeros(1, int))
REST, THERE = RECORD[KNOWN:], np.array(BEATS[1:]) - KNOWN


def noisy(key, signal, copies):
    return signal[None] + NOISE * jax.random.normal(key, (copies, signal.size))


def draw(key):
    return signals.Scene(noisy(key, PART.signal, 1)[0], PART.places, PART.kinds)


def learn():
    """Return the learned filter, and the optimum."""
    clean = jax.tree.map(lambda a: a[None], PART)
    optimum = learning.optimum(clean, SIZE, NOISE, stride=1)
    start = learning.random_filter(jax.random.key(0), (SIZE,))
    watch = lambda w: {"similarity": learning.cosine_similarity(w, optimum)}  # noqa: E731
    options = {"project": learning.unit_energy, "watch": watch, "steps": 1000}
    return learning.fit(jax.random.key(1), learning.negative_deflection, draw, start, **options), optimum


def threshold_of(respond, known):
    """Return the response that the known part exceeds by chance, away from its beat."""
    away = np.abs(np.arange(KNOWN - SIZE + 1) + MIDDLE - BEATS[0]) >= SIZE
    return float(np.quantile(respond(known)[:, away], 1 - FALSE_ALARM))


def find(respond, threshold, rest):
    """Return the peaks in each copy above the threshold."""
    peaks = jax.jit(partial(matching.find_peaks, threshold=threshold, min_distance=100, max_peaks=20))
    each = [peaks(jnp.asarray(response)) for response in respond(rest)]
    return [np.asarray(peaks.places[: int(peaks.count), 0]) + MIDDLE for peaks in each]


def main():
    fit, optimum = learn()
    similarity = fit.watched["similarity"]
    print(f"similarity to the optimum: {similarity[0]:.3f} at first, {similarity[-1]:.3f} learned")
    beat = RECORD[BEATS[0] - MIDDLE : BEATS[0] - MIDDLE + SIZE]
    beat = beat - beat.mean()
    filters = {
        "learned": partial(learning.responses, fit.parameters),
        "optimum": partial(learning.responses, optimum),
        "the beat itself": partial(learning.responses, beat),
        "scikit-image": lambda x: np.stack(
            [match_template(np.asarray(row)[None], np.asarray(beat)[None])[0] for row in x]
        ),
    }
    known, rest = (
        noisy(jax.random.key(seed), signal, COPIES) for seed, signal in ((2, PART.signal), (3, REST))
    )
    thresholds = {name: threshold_of(respond, known) for name, respond in filters.items()}
    places = {name: find(respond, thresholds[name], rest) for name, respond in filters.items()}
    offset = np.arange(COPIES) * 10 * REST.size  # copies one after another, far apart
    truth = (offset[:, None] + THERE[None]).ravel()
    for name, samples in places.items():
        judge(name, np.concatenate([at + o for at, o in zip(samples, offset)]), truth, reach=8)

    figure = Figure(figsize=(11, 7), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1)
    for name, kernel, style in (
        ("the beat itself", beat, "-"),
        ("optimum", optimum, "-"),
        ("learned", fit.parameters, "--"),
    ):
        top.plot(np.arange(SIZE) - MIDDLE, learning.unit_energy(kernel), style, label=name)
    top.set(xlabel="time from the beat (samples)", ylabel="weight")
    top.legend()
    time = KNOWN + np.arange(REST.size)
    middle.plot(time, rest[0], color="0.7", lw=0.7, label="a noisy copy")
    middle.plot(time, REST, lw=1.2, label="without noise")
    middle.plot(
        KNOWN + places["learned"][0], REST[places["learned"][0]], "v", color="tab:orange", label="found"
    )
    middle.set(ylabel="heart (units of the record)")
    middle.legend(loc="upper right")
    bottom.plot(
        time[MIDDLE : MIDDLE + REST.size - SIZE + 1], learning.responses(fit.parameters, rest[:1])[0]
    )
    bottom.axhline(thresholds["learned"], color="tab:red", ls="--", label="threshold")
    bottom.legend(loc="upper right")
    bottom.set(xlabel="time (samples)", ylabel="response of the learned filter", xlim=middle.get_xlim())
    save(figure, "learn_heartbeats")


if __name__ == "__main__":
    main()
