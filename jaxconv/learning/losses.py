"""Losses: how badly a filter finds the targets in a batch of scenes.

Each takes parameters and a batch of scenes (`signals.Scene` with a leading axis) and returns a number to
minimize. Responses are correlations, wherever the filter lies inside the signal; *elsewhere* are the
places where it touches no patch of a target.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax.scipy.special import entr

from jaxconv import checks
from jaxconv.convolution import correlate
from jaxconv.detection.patches import check_batch, elsewhere, targets
from jaxconv.floats import as_floats
from jaxconv.signals import Scene


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Detector:
    """A filter and a bias: `sigmoid(response + bias)` is the probability that a target is there."""

    filter: jax.Array
    bias: jax.Array


def responses(filters: jax.Array, signals: jax.Array) -> jax.Array:
    """Correlate each signal with a filter, or with each filter of a bank, in mode "valid".

    Args:
        filters: one filter, or a bank of filters along the first axis.
        signals: the signals, along the first axis.

    Shapes:
        filters (m1, ..., md), signals (count, n1, ..., nd) -> (count, n1 - m1 + 1, ..., nd - md + 1);
        with filters (k, m1, ..., md) -> (count, k, n1 - m1 + 1, ..., nd - md + 1).

    Returns:
        The maps of responses; index p - m // 2 is the response of the filter with its middle at place p.

    Raises:
        ValueError: if the filter and the signals differ in their axes, or the filter is the larger one.

    Gradient:
        In both.

    Example:
        >>> responses(jnp.ones((3, 3)), jnp.ones((2, 5, 6))).shape
        (2, 3, 4)
    """
    rank = signals.ndim - 1
    if filters.ndim not in (rank, rank + 1):
        rule = f"have {rank} axes, or {rank + 1} if it is a bank"
        raise checks.value_error("responses", "filters", rule, f"shape {filters.shape}")
    if any(m > n for n, m in zip(signals.shape[1:], filters.shape[-rank:], strict=True)):
        rule = f"be no larger than the signals, {signals.shape[1:]}"
        raise checks.value_error("responses", "filters", rule, f"shape {filters.shape}")
    filters, signals = as_floats(filters, signals)
    signals = signals if filters.ndim == rank else signals[:, None]
    return correlate(signals, filters[None], "valid", axes=tuple(range(-rank, 0)))


def deflection(filter: jax.Array, scenes: Scene, *, target: int = 0) -> jax.Array:
    """Return how many standard deviations the response at targets is above the response elsewhere.

    `(mean at targets - mean elsewhere) / standard deviation elsewhere`, of `responses`: in noise alone
    the output signal-to-noise ratio, among other shapes Fisher's criterion.

    Args:
        filter: the filter.
        scenes: scenes with one leading axis.
        target: the kind that is the target.

    Shapes:
        filter (m1, ..., md), scenes.signal (count, n1, ..., nd) -> ().

    Returns:
        The deflection; it does not change when the filter is scaled.

    Raises:
        ValueError: as for `responses`, or if the scenes have no leading axis.

    Gradient:
        In the filter and the signals.

    Source:
        B. Picinbono, "On deflection as a performance criterion in detection", IEEE Trans. Aerospace
        and Electronic Systems 31 (1995).

    Example:
        >>> scenes = Scene(jnp.array([[0, 9, 0, 0, 3, 1.0]]), jnp.array([[[1]]]), jnp.array([[0]]))
        >>> f"{deflection(jnp.ones(1), scenes):.2f}"
        '7.03'
    """
    check_batch("deflection", scenes)
    return _mean(*_standardize(responses(filter, scenes.signal), scenes, filter.shape, target))


def negative_deflection(filter: jax.Array, scenes: Scene, *, target: int = 0) -> jax.Array:
    """Return minus the `deflection`: the loss whose minimum is the matched filter.

    Args:
        filter: the filter.
        scenes: scenes with one leading axis.
        target: the kind that is the target.

    Shapes:
        filter (m1, ..., md), scenes.signal (count, n1, ..., nd) -> ().

    Returns:
        The loss.

    Raises:
        ValueError: as for `responses`, or if the scenes have no leading axis.

    Gradient:
        In the filter and the signals.

    Source:
        see `deflection`.

    Example:
        >>> scenes = Scene(jnp.array([[0, 9, 0, 0, 3, 1.0]]), jnp.array([[[1]]]), jnp.array([[0]]))
        >>> f"{negative_deflection(jnp.ones(1), scenes):.2f}"
        '-7.03'
    """
    return -deflection(filter, scenes, target=target)


def logistic(detector: Detector, scenes: Scene, *, target: int = 0) -> jax.Array:
    """Return the cross-entropy of classifying places as target or not, with equal weight for both.

    `(mean at targets of log(1 + exp(-z)) + mean elsewhere of log(1 + exp(z))) / 2`, with
    `z = response + bias`.

    Args:
        detector: filter and bias.
        scenes: scenes with one leading axis.
        target: the kind that is the target.

    Shapes:
        detector.filter (m1, ..., md), scenes.signal (count, n1, ..., nd) -> ().

    Returns:
        The loss, in nats; log 2 for a filter of zeros.

    Raises:
        ValueError: as for `responses`, or if the scenes have no leading axis.

    Gradient:
        In the detector and the signals.

    Source:
        D. R. Cox, "The regression analysis of binary sequences" (1958).

    Example:
        >>> scenes = Scene(jnp.array([[0, 9, 0, 0, 3, 1.0]]), jnp.array([[[1]]]), jnp.array([[0]]))
        >>> f"{logistic(Detector(jnp.zeros(1), jnp.zeros(())), scenes):.3f}"
        '0.693'
    """
    check_batch("logistic", scenes)
    maps = responses(detector.filter, scenes.signal) + detector.bias
    at, is_target, free = _places(maps, scenes, detector.filter.shape, target)
    return (_mean(jax.nn.softplus(-at), is_target) + _mean(jax.nn.softplus(maps), free)) / 2


def peak_least_squares(
    filter: jax.Array, scenes: Scene, *, target: int = 0, width: float = 2.0
) -> jax.Array:
    """Return the mean squared difference between the responses and a peak of height 1 at each target.

    The peak is `exp(-distance^2 / (2 width^2))`. In the frequency domain, with filters as large as the
    image, this is MOSSE; here the filter may be small.

    Args:
        filter: the filter.
        scenes: scenes with one leading axis.
        target: the kind that is the target.
        width: standard deviation of the peak, in samples.

    Shapes:
        filter (m1, ..., md), scenes.signal (count, n1, ..., nd) -> ().

    Returns:
        The loss.

    Raises:
        ValueError: as for `responses`, or if the scenes have no leading axis.

    Gradient:
        In the filter and the signals.

    Source:
        D. S. Bolme et al., "Visual object tracking using adaptive correlation filters" (2010).

    Example:
        >>> scenes = Scene(jnp.array([[0, 0, 1, 0, 0.0]]), jnp.array([[[2]]]), jnp.array([[0]]))
        >>> float(peak_least_squares(jnp.ones(1), scenes, width=0.1).round(3))
        0.0
    """
    check_batch("peak_least_squares", scenes)
    maps = responses(filter, scenes.signal)
    grid = jnp.indices(maps.shape[1:], maps.dtype, sparse=True)
    corners, wanted = targets(scenes, filter.shape, target)

    def draw_peaks(corners: jax.Array, wanted: jax.Array) -> jax.Array:
        def peak(corner: jax.Array, want: jax.Array) -> jax.Array:
            squares = sum((axis - at) ** 2 for axis, at in zip(grid, corner.astype(maps.dtype)))
            return jnp.where(want, jnp.exp(-squares / (2 * width**2)), 0)

        return jax.vmap(peak)(corners, wanted).max(0)

    return ((maps - jax.vmap(draw_peaks)(corners, wanted)) ** 2).mean()


def peak_responses(bank: jax.Array, signals: jax.Array) -> jax.Array:
    """Return the maximum response of each filter of a bank in each signal.

    Args:
        bank: filters along the first axis.
        signals: the signals, along the first axis.

    Shapes:
        bank (k, m1, ..., md), signals (count, n1, ..., nd) -> (count, k).

    Returns:
        The responses.

    Raises:
        ValueError: as for `responses`.

    Gradient:
        In both, through the position of the maximum.

    Example:
        >>> peak_responses(jnp.array([[1.0], [-1.0]]), jnp.array([[0.0, 3.0, -5.0]])).tolist()
        [[3.0, 5.0]]
    """
    maps = responses(bank, signals)
    maps = maps.reshape(*maps.shape[:2], -1)
    top = maps.argmax(2, keepdims=True)  # not max, whose derivative has no place where a map, computed
    number = jnp.arange(maps.shape[2]).reshape(1, 1, -1)  # again by XLA, is rounded otherwise
    return jnp.where(number == top, maps, 0).sum(2)


def softmax(bank: jax.Array, scenes: Scene) -> jax.Array:
    """Return the cross-entropy of classifying the pattern of each scene by the highest peak response.

    `-log softmax(peak_responses)[kind]`, averaged over the scenes.

    Args:
        bank: one filter for each kind.
        scenes: scenes with one leading axis, and one pattern in each scene.

    Shapes:
        bank (k, m1, ..., md), scenes.signal (count, n1, ..., nd) -> ().

    Returns:
        The loss, in nats.

    Raises:
        ValueError: as for `responses`; if the scenes have no leading axis, or hold several patterns.

    Gradient:
        In the bank and the signals.

    Source:
        J. S. Bridle, "Probabilistic interpretation of feedforward classification network
        outputs" (1990).

    Example:
        >>> scenes = Scene(jnp.array([[0, 9.0]]), jnp.array([[[1]]]), jnp.array([[0]]))
        >>> float(softmax(jnp.array([[1.0], [-1.0]]), scenes).round(3))
        0.0
    """
    check_batch("softmax", scenes)
    if scenes.kinds.shape[1:] != (1,):
        rule = "hold one pattern each"
        raise checks.value_error("softmax", "scenes", rule, f"kinds of shape {scenes.kinds.shape}")
    named = jax.nn.log_softmax(peak_responses(bank, scenes.signal))
    return -jnp.take_along_axis(named, scenes.kinds, 1).mean()


def sorting(bank: jax.Array, scenes: Scene, *, balance: float = 6.0) -> jax.Array:
    """Return the loss by which a bank learns one filter per kind, from the places but not the kinds.

    `-(mean of log sum over filters of exp z) - balance (entropy of how often each filter is chosen)`,
    over all patterns: z is the response of a filter to a pattern, in standard deviations above its mean
    elsewhere, and the filters are chosen with probabilities `softmax(z)`. The first term makes some
    filter respond to each pattern, the second makes the filters share the patterns.

    Args:
        bank: filters along the first axis, one per kind.
        scenes: scenes with one leading axis; their kinds are ignored.
        balance: weight of the entropy.

    Shapes:
        bank (k, m1, ..., md), scenes.signal (count, n1, ..., nd) -> ().

    Returns:
        The loss.

    Raises:
        ValueError: as for `responses`, or if the scenes have no leading axis.

    Gradient:
        In the bank and the signals.

    Source:
        after A. Krause, P. Perona and R. Gomes, "Discriminative clustering by regularized information
        maximization" (2010).

    Example:
        >>> signal, places = jnp.array([[0, 9.0, 0, 1, 3, -9]]), jnp.array([[[1], [5]]])
        >>> scenes = Scene(signal, places, jnp.array([[0, 1]]))
        >>> apart, alike = jnp.array([[1.0], [-1.0]]), jnp.array([[1.0], [1.0]])
        >>> bool(sorting(apart, scenes) < sorting(alike, scenes))
        True
    """
    check_batch("sorting", scenes)
    maps, size = responses(bank, scenes.signal), bank.shape[1:]
    scores, inside = jax.vmap(lambda maps: _standardize(maps, scenes, size, None), 1, -1)(maps)
    inside = inside[..., 0]
    shares = _mean(jax.nn.softmax(scores), inside[..., None], (0, 1))
    return -_mean(jax.nn.logsumexp(scores, -1), inside) - balance * entr(shares).sum()


def _standardize(
    maps: jax.Array, scenes: Scene, size: tuple[int, ...], target: int | None
) -> tuple[jax.Array, jax.Array]:
    """Return the responses at the places, in deviations above the mean elsewhere, and which count."""
    at, is_target, free = _places(maps, scenes, size, target)
    mean = _mean(maps, free)
    return (at - mean) / jnp.sqrt(_mean((maps - mean) ** 2, free)), is_target


def _places(
    maps: jax.Array, scenes: Scene, size: tuple[int, ...], target: int | None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return the responses at the places, which are targets, and which of the map are elsewhere."""
    corners, is_target = targets(scenes, size, target)
    at = jax.vmap(lambda response, at: response[tuple(at.T)])(maps, corners)
    return at, is_target, elsewhere(scenes, size, target)


def _mean(values: jax.Array, where: jax.Array, axes: tuple[int, ...] | None = None) -> jax.Array:
    return jnp.where(where, values, 0).sum(axes) / where.sum(axes, dtype=values.dtype)
