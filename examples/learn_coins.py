"""Six coins are marked; the filter learned from them finds the other eighteen.

You will see a filter that has become a ring, without any information about rings, and what it finds in
scikit-image's photograph, compared with a ring drawn by hand and with scikit-image's matching of one of
the marked coins. All use the same sizes and the same edges, and the same threshold: nine tenths of the
lowest score of the six marked coins.
Try next: MARKED = COINS[:2], and see how few are enough.

    python examples/learn_coins.py --save out
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from find_coins import COINS
from judging import judge, save
from matplotlib.figure import Figure
from skimage import data
from skimage.feature import match_template

from jaxconv import kernels, learning, matching, plotting, signals

RADIUS, SIZE, CROP = 20, 49, 97  # pixels: radius of the scaled coins, side of the filter and of a crop
STEPS = 400
RADII = np.arange(17.0, 33.0)
MARKED, REST = COINS[:6], COINS[6:]


def cut(edges, row, column, radius):
    """Return a coin in the middle of a square, scaled to `RADIUS`."""
    reach = CROP / 2 * radius / RADIUS
    padded = np.pad(edges, 80, mode="reflect")
    rows, columns = (round(80 + at - reach) for at in (row, column))
    side = round(2 * reach)
    patch = padded[rows : rows + side, columns : columns + side]
    return jax.image.resize(jnp.asarray(patch), (CROP, CROP), "linear")


def learn(coins):
    """Learn a filter from a few coins, randomly rotated and mirrored, in noise."""
    coins = (coins - coins.mean()) / coins.std()

    def draw(key):
        which, turn, flip, noise = jax.random.split(key, 4)
        coin = coins[jax.random.randint(which, (), 0, len(coins))]
        rotations = [lambda c, k=k: jnp.rot90(c, k) for k in range(4)]
        coin = jax.lax.switch(jax.random.randint(turn, (), 0, 4), rotations, coin)
        coin = jnp.where(jax.random.bernoulli(flip), coin, coin.T)
        signal = coin + jax.random.normal(noise, coin.shape)
        return signals.Scene(signal, jnp.full((1, 2), CROP // 2), jnp.zeros(1, int))

    start = learning.random_filter(jax.random.key(0), (SIZE, SIZE)) / 10
    optimizer = optax.adam(optax.cosine_decay_schedule(1e-3, STEPS))
    options = {"steps": STEPS, "batch": 16, "optimizer": optimizer}
    return learning.fit(
        jax.random.key(1), learning.peak_least_squares, draw, start, **options
    ).parameters


def at_all_sizes(template, score):
    """Return the best score of a template for `RADIUS`, scaled to all radii."""
    best = None
    for radius in RADII:
        side = 2 * round(SIZE * radius / RADIUS / 2) + 1
        scaled = score(jax.image.resize(template, (side, side), "linear"))
        best = scaled if best is None else np.maximum(best, scaled)
    return best


def find(score):
    """Return the places whose scores are similar to those of the marked coins."""
    worst = min(
        score[round(r) - 3 : round(r) + 4, round(c) - 3 : round(c) + 4].max() for r, c, _ in MARKED
    )
    peaks = matching.find_peaks(jnp.asarray(score), threshold=0.9 * float(worst), min_distance=15)
    return np.asarray(peaks.places[: int(peaks.count)])


def main():
    image = data.coins()
    edges = np.asarray(kernels.edges(jnp.asarray(image, jnp.float32)))
    coins = jnp.stack([cut(edges, *coin) for coin in MARKED])
    learned = learn(coins)
    drawn = signals.circle(SIZE, radius=RADIUS, width=2.0)
    middle = slice(CROP // 2 - SIZE // 2, CROP // 2 + SIZE // 2 + 1)
    ours = jax.jit(lambda template: matching.normalized_correlation(edges, template, mode="same"))
    scores = {
        "learned": at_all_sizes(learned, ours),
        "drawn by hand": at_all_sizes(drawn, ours),
        "scikit-image, a marked coin": at_all_sizes(
            coins[1, middle, middle], lambda t: match_template(edges, np.asarray(t), pad_input=True)
        ),
    }
    places = {name: find(np.asarray(score)) for name, score in scores.items()}
    rest = np.array(REST)[:, :2]
    for name, each in places.items():
        marked = np.abs(each[:, None] - np.array(MARKED)[None, :, :2]).max(-1) <= 6
        judge(name, each[~marked.any(1)], rest, reach=6)

    figure = Figure(figsize=(12, 7), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.6))
    names = ("learned", "drawn by hand", "a marked coin")
    unit = [
        learning.unit_energy(learning.zero_mean(k)) for k in (learned, drawn, coins[1, middle, middle])
    ]
    plotting.filters(unit, names, ax=top.subplots())
    left, right = bottom.subplots(1, 2)
    left.imshow(image, cmap="gray")
    left.set_title("marked (rings), found by the learned filter (crosses)")
    left.plot(*places["learned"].T[::-1], "x", color="tab:orange", ms=9, mew=2)
    for row, column, radius in MARKED:
        plotting.ring((row, column), radius + 4, ax=left, colour="white").set_linestyle("--")
    plotting.heat_map(scores["learned"], places["learned"], ax=right)
    right.set_title("normalized correlation, the best of all sizes")
    for axes in (left, right):
        axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
    save(figure, "learn_coins")


if __name__ == "__main__":
    main()
