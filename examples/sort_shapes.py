"""Four filters learn one shape each, from the places of shapes but not their kinds.

You will see a bank of random values become one filter for each of circle, cross, square and triangle,
and which shapes it confuses in new scenes; then the same bank learned from kinds but not places, by
softmax over its peak responses. That one need not know where a shape is: some of its filters are a shape
twice, a little apart, which responds at either place.
Try next: BALANCE = 2, where for some seeds one filter responds to two shapes.

    python examples/sort_shapes.py --save out
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from judging import save
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment

from jaxconv import learning, plotting, signals

SHAPES = ("circle", "cross", "square", "triangle")
SEEDS = range(10)
NOISE, BALANCE = 0.8, 6.0
draw = signals.scenes(shape=(64, 64), kinds=SHAPES, size=21, count=1, noise=NOISE)
sorting = partial(learning.sorting, balance=BALANCE)
unit_energy = jax.vmap(learning.unit_energy)


def start(key):
    """Return a random filter for each shape."""
    return jax.vmap(lambda key: learning.random_filter(key, (21, 21)))(
        jax.random.split(key, len(SHAPES))
    )


def learn(seed, loss, **options):
    """Return a bank before and after learning."""
    data_key, start_key = jax.random.split(jax.random.key(seed))
    bank = start(start_key)
    return bank, learning.fit(data_key, loss, draw, bank, **options).parameters


def confuse(bank, scenes):
    """Count for each shape (row) how often each filter (column) has the highest peak."""
    highest = learning.peak_responses(bank, scenes.signal).argmax(1)
    return learning.confusion(scenes.kinds[:, 0], highest, len(SHAPES))


def main():
    scenes = jax.jit(jax.vmap(draw))(jax.random.split(jax.random.key(99), 1000))
    sorted_right = 0
    for seed in SEEDS:
        before, bank = learn(seed, sorting, project=unit_energy)
        counts = np.asarray(confuse(bank, scenes))
        _, order = linear_sum_assignment(-counts)  # the filter of each shape
        right = counts[:, order].trace() / counts.sum()
        sorted_right += right > 0.9
        print(f"seed {seed}: {right:.1%} right, confusion {counts[:, order].tolist()}")
    print(f"sorted right: {sorted_right} of {len(SEEDS)} seeds")
    _, labelled = learn(0, learning.softmax, steps=1000)
    counts = np.asarray(confuse(labelled, scenes))
    print(f"with labels: {counts.trace() / counts.sum():.1%} right, confusion {counts.tolist()}")

    figure = Figure(figsize=(10, 8), layout="constrained")
    axes = figure.subplots(3, 1)
    plotting.filters(before, [f"random start {n + 1}" for n in range(4)], ax=axes[0])
    plotting.filters(bank[jnp.array(order)], [f"sorted: {shape}" for shape in SHAPES], ax=axes[1])
    plotting.filters(labelled, [f"with labels: {shape}" for shape in SHAPES], ax=axes[2])
    save(figure, "sort_shapes")


if __name__ == "__main__":
    main()
