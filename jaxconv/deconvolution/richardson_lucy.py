"""Richardson and Lucy: the scene under which the photons that were counted are most probable."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name
from jax.scipy.sparse.linalg import bicgstab

from jaxconv import checks, progress
from jaxconv.deconvolution.blur import Edges
from jaxconv.deconvolution.observed import Observed, each_image, observed
from jaxconv.deconvolution.resting import implicit
from jaxconv.deconvolution.variation import ROUNDING, attraction
from jaxconv.engine.mesh.arrays import by_compiler

KEPT = "convolved"  # what a gradient keeps of each iteration, beside the scene; the rest is cheap
BARELY = 1e-2  # what is seen less than this, of what is seen most, keeps its first value


class State(NamedTuple):
    """An iteration's: what extrapolation and the rule of stopping look back at."""

    scene: jax.Array
    before: Any  # of extrapolation: the scene before, or None without
    step: Any  # from the point that was extrapolated to the scene
    step_before: Any
    change: Any  # of the scene, relative; None without a tolerance
    done: jax.Array


class Problem(NamedTuple):
    """What stays the same over the iterations."""

    seen: Observed
    background: jax.Array
    sensitivity: jax.Array  # how much of each sample of the scene is seen
    total_variation: Any


class Options(NamedTuple):
    """Static."""

    acceleration: bool
    varied: bool
    normalized: bool
    tolerant: bool


def richardson_lucy(
    image: Any,
    kernel: Any,
    num_iter: int = 50,
    *,
    boundary: Edges | None = None,
    mask: Any = None,
    background: Any = 0.0,
    total_variation: Any = 0.0,
    acceleration: bool = False,
    tolerance: float | None = None,
    initial: Any = None,
    normalized: bool = True,
) -> jax.Array:
    """Deconvolve an image of counts, by Richardson's and Lucy's multiplications.

    Each iteration multiplies the scene by the adjoint of observed over expected,
    `x = x * adjoint(image / (blur(x) + background)) / adjoint(1)`: likelier each time that the samples
    are Poisson's, never negative, and noisier in the end, so the number of iterations is a setting.

    Args:
        image: one or several; negative samples count as 0.
        kernel: how a point spreads, not negative; or a linear map that `blur` or `varying_blur` made.
        num_iter: how many iterations, at most if there is a tolerance; static.
        boundary: as for `blur`; by default "unknown": light comes from beyond the edges.
        mask: True where a sample is missing, or saturated.
        background: what is seen besides the scene: a number, or an image.
        total_variation: how much a scene is drawn to be flat but for edges, mostly 0.001 to 0.05. Steps
            below twice this, the image's brightest sample taken as 1, are smoothed rather than kept.
        acceleration: extrapolate each step from those before it, as much as they agree.
        tolerance: stop when an iteration changes the scene, in its root of summed squares, by less than
            this times the scene. The gradient is then that of the point of rest, to which it came near.
        initial: the scene to start from; by default flat, the mean of what was seen.
        normalized: False to leave out the division by `adjoint(1)`, as scikit-image does.

    Shapes:
        image (..., n1, ..., nd), kernel (m1, ..., md) -> as image; mask and background as image, or
        without its leading axes. initial as image, or, of boundary "unknown", larger by the kernel less
        one to hold what lies beyond the edges.

    Returns:
        The scene within the image, in floats.

    Raises:
        ValueError: if the kernel has more axes than the image, the mask another shape, `num_iter` is not
            positive, or `total_variation` is negative.
        TypeError: if an operand is not an array of real numbers.

    Gradient:
        In the image, the kernel, the background, the initial scene and `total_variation`: through every
        iteration, of which three arrays are kept; with a tolerance by the implicit function theorem, in
        memory of one iteration.

    Source:
        W. H. Richardson, JOSA 62 (1972); L. B. Lucy, Astronomical Journal 79 (1974); M. Bertero and P.
        Boccacci, Astronomy and Astrophysics 437 (2005) for edges; D. S. C. Biggs and M. Andrews, Applied
        Optics 36 (1997) for the acceleration; N. Dey and others, Microscopy Research and Technique 69
        (2006) for total variation; H. Lanteri, M. Roche and C. Aime, Inverse Problems 18 (2002), for its
        derivative in two parts, which keeps the scene positive and lets it come to rest.

    Example:
        >>> image = jnp.array([0.0, 1.0, 2.0, 1.0, 0.0, 0.0])
        >>> richardson_lucy(image, jnp.array([0.25, 0.5, 0.25]), 300).round(1).tolist()
        [0.0, 0.0, 4.0, 0.0, 0.0, 0.0]
    """
    function = "richardson_lucy"
    checks.positive(function, "num_iter", num_iter)
    seen = observed(function, image, kernel, boundary, mask)
    known = not checks.is_traced(total_variation)
    if known and not float(total_variation) >= 0:
        raise checks.value_error(function, "total_variation", "be 0 or more", total_variation)
    options = Options(
        acceleration, not known or float(total_variation) > 0, normalized, tolerance is not None
    )
    total_variation = jnp.asarray(total_variation, seen.image.dtype)
    operands = seen, _light(seen, background), total_variation, _first(seen, initial)
    solve = partial(_solved, num_iter=num_iter, tolerance=tolerance, options=options)
    return by_compiler(solve, seen.image, seen.image.shape)(*operands)


def _solved(*operands: Any, num_iter: int, tolerance: float | None, options: Options) -> jax.Array:
    problem, state = _start(*operands, options)
    if not any(map(checks.is_traced, jax.tree.leaves((problem, state)))):
        scene = _watched(problem, state, num_iter, tolerance or 0.0, options)
    elif tolerance is None:
        scene = _fixed(problem, state, num_iter, options)
    else:
        scene = _resting(problem, state, num_iter, tolerance, options)
    return _cropped(problem.seen, scene)


def _light(seen: Observed, background: Any) -> jax.Array:
    background = checks.array("richardson_lucy", "background", background)
    shapes = ((), seen.linear.image_shape, seen.image.shape)
    if background.shape not in shapes:
        rule = f"be a number or an image of shape {seen.linear.image_shape}"
        raise checks.value_error("richardson_lucy", "background", rule, background.shape)
    return background


def _first(seen: Observed, initial: Any) -> Any:
    if initial is None:
        return None
    initial = checks.array("richardson_lucy", "initial", initial).astype(seen.image.dtype)
    linear = seen.linear
    rank, shape = len(linear.image_shape), initial.shape
    batch = seen.image.shape[: seen.image.ndim - rank]
    if shape == (*batch, *linear.scene_shape):
        return initial / seen.scale
    if shape != seen.image.shape:
        rule = (
            f"have the image's shape {seen.image.shape}, or the scene's {(*batch, *linear.scene_shape)}"
        )
        raise checks.value_error("richardson_lucy", "initial", rule, shape)
    gaps = [n - m for n, m in zip(linear.scene_shape, linear.image_shape)]
    edges = [(0, 0)] * len(batch) + [((gap + 1) // 2, gap // 2) for gap in gaps]
    return jnp.pad(initial / seen.scale, edges, "edge")


@partial(jax.jit, static_argnums=4)
def _start(
    seen: Observed, background: jax.Array, total_variation: jax.Array, initial: Any, options: Options
) -> tuple[Problem, State]:
    linear, weights = seen.linear, seen.seen
    leading = range(seen.image.ndim - background.ndim)
    background = jnp.expand_dims(background, tuple(leading)).astype(seen.image.dtype)
    background = (background + jnp.zeros_like(seen.image)) / seen.scale
    image = jnp.maximum(seen.image, 0)

    def one(image: jax.Array, weights: jax.Array, background: jax.Array) -> tuple[jax.Array, jax.Array]:
        sensitivity = linear.adjoint(weights)
        light = ((image - background) * weights).sum() / linear.adjoint(weights).sum()
        return sensitivity, jnp.full(linear.scene_shape, jnp.maximum(light, 1e-3), image.dtype)

    sensitivity, flat = each_image(seen, one)(image, weights, background)
    scene = flat if initial is None else initial
    largest = seen.scale.reshape(image.shape[: image.ndim - len(linear.image_shape)])
    none = jnp.zeros_like(largest, int)
    change = jnp.full_like(largest, jnp.inf) if options.tolerant else None
    nothing = jnp.zeros_like(scene)
    before = (scene, nothing, nothing) if options.acceleration else (None, None, None)
    problem = Problem(seen._replace(image=image), background, sensitivity, total_variation)
    return problem, State(scene, *before, change, none)


def _cropped(seen: Observed, scene: jax.Array) -> jax.Array:
    return each_image(seen, seen.linear.cropped)(scene) * seen.scale


def _multiplied(problem: Problem, scene: jax.Array, options: Options) -> jax.Array:
    """Return the scenes, multiplied once."""
    linear, least = problem.seen.linear, jnp.finfo(scene.dtype).eps

    def one(
        scene: jax.Array,
        image: jax.Array,
        seen: jax.Array,
        background: jax.Array,
        sensitivity: jax.Array,
    ) -> jax.Array:
        expected = jnp.maximum(checkpoint_name(linear(scene), KEPT) + background, least)
        back = checkpoint_name(linear.adjoint(seen * image / expected), KEPT)
        back = jnp.maximum(back, 0)
        if options.normalized:
            enough = sensitivity > BARELY * sensitivity.max()
            back = jnp.where(enough, back / jnp.where(enough, sensitivity, 1), 1)
        if options.varied:
            weight = problem.total_variation
            own, others = attraction(scene, jnp.maximum(ROUNDING, 2 * weight))
            back = (back + weight * others) / (1 + weight * own * scene)
        return scene * back

    seen = problem.seen
    operands = (seen.image, seen.seen, problem.background, problem.sensitivity)
    return each_image(seen, one)(scene, *operands)


def _next(problem: Problem, state: State, options: Options) -> State:
    """Return the state after one more iteration."""
    axes = tuple(range(state.done.ndim, state.scene.ndim))

    def total(x: jax.Array) -> jax.Array:
        return x.sum(axes, keepdims=True)

    point = state.scene
    if options.acceleration:
        energy = total(state.step_before**2)
        agreement = total(state.step * state.step_before) / jnp.where(energy > 0, energy, 1)
        onward = jnp.clip(agreement, 0, 1) * (state.scene - state.before)
        point = jnp.maximum(point + onward, 0.1 * point)  # what is 0 would stay so
    scene = _multiplied(problem, point, options)
    before = (state.scene, scene - point, state.step) if options.acceleration else (None, None, None)
    change = None
    if options.tolerant:
        size, moved = total(scene**2), total((scene - state.scene) ** 2)
        change = jnp.sqrt(jax.lax.stop_gradient(moved / jnp.where(size > 0, size, 1)))
        change = change.reshape(state.done.shape)
    return State(scene, *before, change, state.done + 1)


@partial(jax.jit, static_argnums=(2, 3))
def _fixed(problem: Problem, state: State, num_iter: int, options: Options) -> jax.Array:
    kept = jax.checkpoint_policies.save_only_these_names(KEPT)
    step = jax.checkpoint(lambda state: _next(problem, state, options), prevent_cse=False, policy=kept)
    state, _ = jax.lax.scan(lambda state, _: (step(state), None), state, length=num_iter)
    return state.scene


@partial(jax.jit, static_argnums=4)
def _until(problem: Problem, state: State, limit: Any, tolerance: Any, options: Options) -> State:
    def going(state: State) -> jax.Array:
        return (state.done < limit) & (not options.tolerant or state.change >= tolerance)

    def step(state: State) -> State:
        later, more = _next(problem, state, options), going(state)

        def chosen(new: jax.Array, old: jax.Array) -> jax.Array:
            return jnp.where(jnp.expand_dims(more, range(more.ndim, new.ndim)), new, old)

        return jax.tree.map(chosen, later, state) if more.ndim and options.tolerant else later

    return jax.lax.while_loop(lambda state: going(state).any(), step, state)


def _watched(
    problem: Problem, state: State, num_iter: int, tolerance: float, options: Options
) -> jax.Array:
    """Iterate a few at a time, and tell how far it is."""
    with progress.bar("richardson_lucy", num_iter) as report:
        for limit in [*range(0, num_iter, max(1, num_iter // 10))[1:], num_iter]:
            state = _until(problem, state, limit, tolerance, options)
            change = {} if state.change is None else {"change": float(state.change.max())}
            report(int(state.done.max()), **change)
            if change and change["change"] < tolerance:
                break
    return state.scene


def _resting(
    problem: Problem, state: State, num_iter: int, tolerance: float, options: Options
) -> jax.Array:
    """Iterate until it rests, where the gradient is that of `scene = multiplied(scene)`."""

    def solve(given: tuple[Problem, State]) -> jax.Array:
        return _until(*given, num_iter, tolerance, options).scene

    def condition(scene: jax.Array, given: tuple[Problem, State]) -> jax.Array:
        return _multiplied(given[0], scene, options) - scene

    def inverse(linear: Any, of: jax.Array) -> jax.Array:
        return bicgstab(linear, of, tol=tolerance, maxiter=num_iter)[0]

    return implicit(solve, condition, inverse)((problem, state))
