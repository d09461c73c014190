"""Total variation: the scene that explains an image and is flat but for edges."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.sparse.linalg import cg

from jaxconv import checks
from jaxconv.deconvolution.blur import Edges
from jaxconv.deconvolution.observed import Observed, each_image, observed
from jaxconv.deconvolution.resting import implicit
from jaxconv.deconvolution.variation import variation
from jaxconv.engine.mesh.arrays import by_compiler


class Given(NamedTuple):
    """What the solution depends on."""

    seen: Observed
    weight: jax.Array


def total_variation(
    image: Any,
    kernel: Any,
    weight: Any,
    *,
    boundary: Edges | None = None,
    mask: Any = None,
    num_iter: int = 200,
    tolerance: float = 1e-3,
) -> jax.Array:
    """Deconvolve an image by least squares and the least total variation: edges stay, noise goes.

    The scene x of the least `sum of (blur(x) - image)^2 / 2 + weight * sum of |gradient(x)|`, where a
    gradient's size is `sqrt(|gradient|^2 + e^2)`, e a thousandth of the image's brightest sample, so
    that there is a derivative everywhere; found by L-BFGS.

    Args:
        image: one or several.
        kernel: how a point spreads; or a linear map that `blur` or `varying_blur` made.
        weight: of the total variation, beside the image's brightest sample taken as 1; of noise of
            standard deviation s, on that scale, s^2 to s / 10 have proved good.
        boundary: as for `blur`; by default "unknown": light comes from beyond the edges.
        mask: True where a sample is missing.
        num_iter: how many iterations at most; static.
        tolerance: stop when the derivative has become this many times what it was at the start.

    Shapes:
        image (..., n1, ..., nd), kernel (m1, ..., md) -> as image; mask as image, or without its leading
        axes.

    Returns:
        The scene within the image, in floats.

    Raises:
        ValueError: if the kernel has more axes than the image, the mask another shape, or `num_iter` is
            not positive.
        TypeError: if an operand is not an array of real numbers.

    Gradient:
        In the image, the kernel and the weight, by the implicit function theorem at the solution.

    Source:
        L. I. Rudin, S. Osher and E. Fatemi, Physica D 60 (1992); C. R. Vogel and M. E. Oman, IEEE
        Transactions on Image Processing 7 (1998). `optax.lbfgs` minimizes.

    Example:
        >>> step = jnp.array([1.0, 1.0, 1.25, 1.75, 2.0, 2.0])
        >>> total_variation(step, jnp.array([0.25, 0.5, 0.25]), 1e-3).round(1).tolist()
        [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    """
    function = "total_variation"
    checks.positive(function, "num_iter", num_iter)
    seen = observed(function, image, kernel, boundary, mask)
    return _solved(Given(seen, jnp.asarray(weight, seen.image.dtype)), num_iter, tolerance)


@partial(jax.jit, static_argnums=(1, 2))
def _solved(given: Given, num_iter: int, tolerance: float) -> jax.Array:
    solve = partial(_each, num_iter=num_iter, tolerance=tolerance)
    return by_compiler(solve, given.seen.image, given.seen.image.shape)(given)


def _each(given: Given, num_iter: int, tolerance: float) -> jax.Array:
    seen = given.seen

    def one(image: jax.Array, mask: jax.Array, scale: jax.Array) -> jax.Array:
        single = given._replace(seen=Observed(image, mask, scale, seen.linear))
        solve = partial(_minimum, num_iter=num_iter, tolerance=tolerance)
        scene = implicit(solve, jax.grad(_cost), partial(_inverse, num_iter=num_iter))(single)
        return seen.linear.cropped(scene) * scale

    return each_image(seen, one)(seen.image, seen.seen, seen.scale)


def _cost(scene: jax.Array, given: Given) -> jax.Array:
    error = given.seen.linear(scene) - given.seen.image
    return (given.seen.seen * error**2).sum() / 2 + given.weight * variation(scene)


def _inverse(linear: Any, of: jax.Array, num_iter: int) -> jax.Array:
    return cg(linear, of, tol=1e-4, maxiter=num_iter)[0]


def _minimum(given: Given, num_iter: int, tolerance: float) -> jax.Array:
    import optax

    seen = given.seen.seen.sum()
    mean = (given.seen.image * given.seen.seen).sum() / jnp.where(seen > 0, seen, 1)
    first = jnp.full(given.seen.linear.scene_shape, mean, given.seen.image.dtype)

    def cost(scene: jax.Array) -> jax.Array:
        return _cost(scene.astype(first.dtype), given)  # the step's length is of 64 bits where it may be

    optimizer = optax.lbfgs()
    value_and_grad = optax.value_and_grad_from_state(cost)
    slope = jnp.linalg.norm(jax.grad(cost)(first))

    def going(carry: Any) -> jax.Array:
        _, state, done = carry
        now = jnp.linalg.norm(optax.tree.get(state, "grad"))
        return (done == 0) | (done < num_iter) & (now > tolerance * slope)

    def step(carry: Any) -> Any:
        scene, state, done = carry
        value, grad = value_and_grad(scene, state=state)
        updates, state = optimizer.update(grad, state, scene, value=value, grad=grad, value_fn=cost)
        return optax.apply_updates(scene, updates), state, done + 1

    scene, _, _ = jax.lax.while_loop(going, step, (first, optimizer.init(first), 0))
    return scene
