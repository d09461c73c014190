"""An edge filter on a real photograph: weights that sum to zero respond only to changes.

You will see scikit-image's photograph of a cameraman, its horizontal and vertical changes by the two
Sobel filters, and the strength of its edges. Where the photograph is flat, the response is 0.
Try next: `kernels.laplacian_of_gaussian(2.0)`, which responds to edges of all directions.

    python examples/06_edges.py --save out
"""

import jax.numpy as jnp
from judging import save
from matplotlib.figure import Figure
from skimage import data

from jaxconv import convolve, kernels

SOBEL = [kernels.sobel(axis=axis) for axis in (0, 1)]


def edges(image):
    """Return the change along rows, along columns, and the strength of both."""
    down, across = (convolve(image, kernel, "same", boundary="symmetric") for kernel in SOBEL)
    return down, across, jnp.hypot(down, across)


def main():
    image = jnp.asarray(data.camera(), jnp.float32)
    down, across, strength = edges(image)
    print(f"weights of the filters sum to {SOBEL[0].sum():g} and {SOBEL[1].sum():g}")
    print(f"on a flat image the strongest edge is {edges(jnp.full((9, 9), 200.0))[2].max():g}")
    row, column = divmod(int(strength.argmax()), image.shape[1])
    print(f"strongest edge of the photograph: {strength.max():.0f} at ({row}, {column})")
    figure = Figure(figsize=(12, 10), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12)
    limit = float(jnp.quantile(strength, 0.995))  # so that weaker edges are seen too
    for axes, (title, picture, options) in zip(
        figure.subplots(2, 2).flat,
        (
            ("the photograph", image, {"cmap": "gray"}),
            ("change downwards", down, {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}),
            ("change to the right", across, {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}),
            ("strength of the edges", strength, {"cmap": "viridis", "vmax": limit}),
        ),
        strict=True,
    ):
        drawn = axes.imshow(picture, **options)
        axes.set_title(title)
        axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
        beyond = {"RdBu_r": "both", "viridis": "max", "gray": "neither"}[options["cmap"]]
        figure.colorbar(drawn, ax=axes, shrink=0.8, label="grey values", extend=beyond)
    save(figure, "06_edges")


if __name__ == "__main__":
    main()
