"""Nobody draws the filter: gradient descent finds it, and it is the matched filter.

You will see random values become a circle in 100 steps, the loss fall to the loss of the optimum, which
is known in closed form, and the similarity of the two filters.
Try next: `target=1` in `optimum`, and `partial(learning.negative_deflection, target=1)` as both losses:
the cross.

    python examples/08_learn_circle.py --save out
"""

from functools import partial

import jax
from judging import save
from matplotlib.figure import Figure

from jaxconv import learning, plotting, signals

NOISE, SIZE = 0.4, 13
draw = partial(signals.scenes, shape=(48, 48), kinds=["circle", "cross"], size=SIZE)


def learn(steps=100):
    """Return the fit, the optimum, and the optimum's loss."""
    start_key, data_key, clean_key, test_key = jax.random.split(jax.random.key(0), 4)
    clean = jax.jit(jax.vmap(draw(noise=0.0)))(jax.random.split(clean_key, 128))
    optimum = jax.jit(partial(learning.optimum, size=SIZE, noise=NOISE))(clean)
    fit = learning.fit(
        data_key,
        learning.negative_deflection,
        draw(noise=NOISE),
        learning.random_filter(start_key, (SIZE, SIZE)),
        steps=steps,
        project=learning.unit_energy,
        watch=lambda w: {"filter": w, "similarity": learning.cosine_similarity(w, optimum)},
    )
    fresh = jax.jit(jax.vmap(draw(noise=NOISE)))(jax.random.split(test_key, 128))
    return fit, optimum, float(jax.jit(learning.negative_deflection)(optimum, fresh))


def main():
    fit, optimum, lowest_loss = learn()
    similarity = fit.watched["similarity"]
    print(f"similarity to the optimum: {similarity[0]:.2f} at first, {similarity[-1]:.4f} learned")
    first, last, best = -fit.losses[0], -fit.losses[-1], -lowest_loss
    print(f"deflection: {first:.1f} at first, {last:.1f} learned, {best:.1f} best")
    figure = Figure(figsize=(11, 7), layout="constrained")
    top, bottom = figure.subplots(2, 1)
    stages = fit.watched["filter"]
    names = ("random start", "after 10 steps", "after 30 steps", "learned", "optimum")
    plotting.filters([stages[0], stages[1], stages[3], fit.parameters, optimum], names, ax=top)
    plotting.learning(fit, lowest_loss, ax=bottom)
    save(figure, "08_learn_circle")


if __name__ == "__main__":
    main()
