"""How did the camera move? A blurred photograph tells, and then it is sharp.

You will see scikit-image's photograph of a clock, taken while the camera moved, and the clock as it was:
blind deconvolution. The path of the camera is taken for a straight line at constant speed, so the kernel
is three numbers: length, angle and width. They are found by gradient descent on how probable they make
the spectrum of the photograph, if that of the scene falls by a power of the frequency (Levin, Weiss,
Durand and Freeman, CVPR 2009: to look for scene and kernel at once ends in no blur at all). There are
several minima, so it starts from many lengths. Then `total_variation` takes the kernel back, and a
matched filter confirms that the rim of the clock is round.
Try next: weight=1e-4, and the reflections left and right show how far the speed was not constant.

    python examples/sharpen_clock.py --save out
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import skimage
from judging import save
from matplotlib.figure import Figure
from skimage import io

from jaxconv import kernels, matching, signals
from jaxconv.deconvolution import total_variation

ROWS, COLUMNS = slice(60, 250), slice(70, 350)  # the clock, and around it as much as it moved
STEPS, LENGTHS = 300, jnp.arange(4.0, 56.0, 4.0)  # pixels
SHAPE = 7, 61


def photograph():
    """Return the part of the photograph that shows the clock, from 0 to 1."""
    path = Path(skimage.__file__).parent / "data" / "clock_motion.png"
    return jnp.asarray(io.imread(path)[ROWS, COLUMNS] / 255, jnp.float32)


def line(path):
    """Return the kernel of a path: how long a pixel's light fell on each of its neighbours."""
    y, x = (axis - n // 2 for axis, n in zip(np.indices(SHAPE), SHAPE, strict=True))
    along = x * jnp.cos(path["angle"]) + y * jnp.sin(path["angle"])
    across = y * jnp.cos(path["angle"]) - x * jnp.sin(path["angle"])
    width = jnp.exp(path["log width"])
    ends = jax.nn.sigmoid(1.7 / width * (jnp.exp(path["log length"]) / 2 - jnp.abs(along)))
    kernel = ends * jnp.exp(-((across / width) ** 2) / 2)
    return kernel / kernel.sum()


def surprise(path, image):
    """Return the negative logarithm of how probable the spectrum is, per frequency."""
    rows, columns = image.shape
    window = jnp.outer(jnp.hanning(rows), jnp.hanning(columns))
    power = jnp.abs(jnp.fft.rfft2((image - image.mean()) * window)) ** 2 / (window**2).sum()
    y, x = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)
    squares = np.sin(np.pi * y) ** 2 + np.sin(np.pi * x) ** 2  # of the frequency
    counted = squares > squares[0, 4]  # the rest is the shading, and the window
    blur = jnp.abs(jnp.fft.rfft2(line(path), image.shape)) ** 2
    scene = jnp.exp(path["log scene"]) / np.where(counted, squares, 1) ** path["power"]
    expected = blur * scene + jnp.exp(path["log noise"])
    return jnp.where(counted, power / expected + jnp.log(expected), 0).sum() / counted.sum()


@jax.jit
def descend(length, image):
    """Return the path that gradient descent comes to from a length, and its surprise."""
    zero = jnp.zeros(())
    path = {"angle": zero, "log length": jnp.log(length), "log width": zero - 0.4}
    path |= {"log scene": zero - 6, "log noise": zero - 11.5, "power": zero + 1}
    optimizer = optax.adam(optax.cosine_decay_schedule(0.03, STEPS))

    def step(_, carry):
        path, state = carry
        change, state = optimizer.update(jax.grad(surprise)(path, image), state)
        return optax.apply_updates(path, change), state

    path, _ = jax.lax.fori_loop(0, STEPS, step, (path, optimizer.init(path)))
    return path, surprise(path, image)


def rim(image):
    """Return how well the best of many rings fits the edges, its radius and its centre."""
    radii = jnp.arange(42.0, 62.0, 2.0)
    rings = jnp.stack([signals.circle(127, radius=r, width=3.0) for r in radii])
    best = matching.best_match(kernels.edges(image), rings)
    row, column = jnp.unravel_index(best.score.argmax(), best.score.shape)
    return float(best.score.max()), float(radii[best.which[row, column]]), (row + 63, column + 63)


def main():
    image = photograph()
    paths, costs = jax.vmap(descend, (0, None))(LENGTHS, image)
    path = jax.tree.map(lambda found: found[costs.argmin()], paths)
    length, angle = float(jnp.exp(path["log length"])), float(jnp.degrees(path["angle"]))
    print(f"the camera moved by {length:.1f} pixels, at {abs(angle):.1f} degrees to the rows")
    kernel = line(path)
    sharp = total_variation(image, kernel, weight=4e-4)
    (blurred_fit, *_), (fit, radius, _) = rim(image), rim(sharp)
    print(f"a ring fits with {blurred_fit:.2f} before, with {fit:.2f} after, radius {radius:.0f} pixels")
    save(draw(image, kernel, sharp, paths, costs), "sharpen_clock")


def draw(image, kernel, sharp, paths, costs):
    """Draw the photograph, the path with what was tried, and the clock."""
    figure = Figure(figsize=(13, 6), layout="constrained")
    axes = figure.subplot_mosaic([["photograph", "sharp"], ["lengths", "kernel"]], height_ratios=[3, 1])
    for name, shown in (("photograph", image), ("sharp", sharp)):
        axes[name].imshow(shown, cmap="gray", vmin=0.35, vmax=1)
        axes[name].set(xlabel="column (pixels)", ylabel="row (pixels)")
    axes["photograph"].set_title("the photograph")
    axes["sharp"].set_title("what the camera would have seen at rest")
    axes["kernel"].imshow(kernel, cmap="viridis")
    axes["kernel"].set(
        title="the path found, as a kernel", xlabel="column (pixels)", ylabel="row (pixels)"
    )
    lengths, best = jnp.exp(paths["log length"]), costs.argmin()
    axes["lengths"].plot(lengths, costs, "o", label="from one first length each")
    axes["lengths"].plot(lengths[best], costs[best], "s", color="tab:orange", label="taken")
    axes["lengths"].set(title="where gradient descent ended", ylim=(-9.5, -9))
    axes["lengths"].set(xlabel="length (pixels)", ylabel="surprise", xlim=(0, 56))
    axes["lengths"].legend()
    return figure


if __name__ == "__main__":
    main()
