"""Peaks of maps larger than memory: none lost and none doubled where tiles meet.

Each tile tells its candidates: the places that no other within the distance exceeds. Scores that are
computed differ by rounding from tile to tile, so places as high as that count as candidates too; then
the candidates of all tiles are compared, each with the score of the tile that it lies in.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.matching.banks import Best
from jaxconv.matching.peaks import parabola, tops
from jaxconv.tiled.functions import MAX_BYTES, scores
from jaxconv.tiled.running import Sweep, run, tile_within
from jaxconv.tiled.targets import opened
from jaxconv.types import Method, Mode

ROUNDING = 1e-5  # of a score from -1 to 1


class Found(NamedTuple):
    """Peaks, highest first."""

    places: np.ndarray
    positions: np.ndarray  # tops of parabolas
    scores: np.ndarray
    which: np.ndarray  # template of each, if there are several


def find_peaks(
    source: Any, *, threshold: float = 0.0, min_distance: int = 1, max_bytes: int = MAX_BYTES
) -> Found:
    """Find the peaks of a map that does not fit into memory: all that `matching.find_peaks` finds.

    Args:
        source: the map, as for `tiled.convolve`; real.
        threshold: as for `matching.find_peaks`.
        min_distance: as for `matching.find_peaks`.
        max_bytes: as for `tiled.convolve`.

    Shapes:
        source (n1, ..., nd) -> places and positions (number found, d), scores (number found,).

    Returns:
        `Found`, highest first, all of them.

    Raises:
        ValueError: if `min_distance` is not positive, or no tile keeps `max_bytes`.

    Source:
        `matching.find_peaks`.

    Example:
        >>> find_peaks(np.array([0.0, 2.0, 1.0, 0.0, 3.0], np.float32)).places.tolist()
        [[4], [1]]
    """
    source = opened(source)
    shape, none = tuple(source.shape), (0,) * len(source.shape)
    sweep = Sweep("find_peaks", lambda x, _: x, source, shape, none, none, ("fill",) * len(shape))
    return _found(sweep, threshold, min_distance, 0.0, max_bytes)


def find(
    source: Any,
    template: Any,
    *,
    threshold: float,
    min_distance: int = 1,
    mode: Mode = "valid",
    template_mask: Any = None,
    method: Method = "auto",
    max_bytes: int = MAX_BYTES,
) -> Found:
    """Find templates in an array that does not fit into memory, without keeping the map of scores.

    The peaks of `matching.normalized_correlation`, or of `matching.best_match`.

    Args:
        source: as for `tiled.convolve`; real.
        template: what to look for, with as many axes; or several, stacked along a first axis.
        threshold: a peak's score is greater than this.
        min_distance: as for `matching.find_peaks`.
        mode: as for `matching.normalized_correlation`. Beyond the edges lies the mean of all
            samples, for which they are read once more.
        template_mask: as there.
        method: as for `tiled.convolve`.
        max_bytes: as for `tiled.convolve`.

    Shapes:
        As `tiled.find_peaks`; a place is that of the template's first sample, and in mode "same" of its
        middle, `m // 2`.

    Returns:
        `Found`, highest first, all of them.

    Raises:
        ValueError: as `tiled.find_peaks`, and if the template does not fit inside the source.
        TypeError: if the template is not of real numbers.

    Example:
        >>> signal = np.array([5, 5, 6, 7, 6, 5, 5], np.float32)
        >>> find(signal, [1.0, 3.0, 1.0], threshold=0.9).places.tolist()
        [[2]]
    """
    of = scores("find", source, template, mode, method=method, template_mask=template_mask)
    return _found(of, threshold, min_distance, ROUNDING, max_bytes)


def _found(of: Sweep, threshold: float, distance: int, rounding: float, max_bytes: int) -> Found:
    """Find the peaks of a sweep's outputs."""
    checks.positive(of.function, "min_distance", distance)
    rank, shape = len(of.shape), of.shape
    before, behind = (tuple(n + distance for n in side) for side in (of.before, of.behind))

    def compute(samples: jax.Array, start: jax.Array) -> Any:
        """Return a tile's candidates, scores and templates; of scores one more on each side."""
        found = of.compute(samples, start)
        values = found.score if isinstance(found, Best) else found
        which = found.which if isinstance(found, Best) else jnp.zeros_like(values, int)
        floats = jnp.issubdtype(values.dtype, jnp.inexact)
        inside = jnp.ones((), bool)  # NaN stands beyond the map
        for axis, n in enumerate(shape):
            place = jax.lax.broadcasted_iota(start.dtype, values.shape, axis) + start[axis] - distance
            inside &= (place >= 0) & (place < n)
        lowest = jnp.nan if floats else jnp.iinfo(values.dtype).min
        values = jnp.where(inside, values, jnp.asarray(lowest, values.dtype))
        candidates = tops(values, threshold, distance, rounding) & inside
        around = slice(distance - 1, None if distance == 1 else 1 - distance)
        own = (slice(distance, -distance),) * rank
        return candidates[own], values[(around,) * rank], which[own]

    sweep = Sweep(of.function, compute, of.source, shape, before, behind, of.boundaries, of.fillvalue)
    tile, program = tile_within(sweep, max_bytes)
    places, squares, templates = [], [], []

    def take(number: int, start: tuple[int, ...], found: Any) -> None:
        candidates, values, which = found
        own = np.unravel_index(number, [-(-n // m) for n, m in zip(shape, tile)])
        skipped = [i * m - s for i, m, s in zip(own, tile, start)]  # told by the tile before
        here = np.argwhere(candidates)
        here = here[(here >= skipped).all(1)]
        windows = np.lib.stride_tricks.sliding_window_view(values, (3,) * rank)
        squares.append(windows[tuple(here.T)])
        templates.append(which[tuple(here.T)])
        places.append(here + np.array(start))

    run(sweep, tile, program, take)
    merged = np.concatenate(places), np.concatenate(squares), np.concatenate(templates)
    return _resolved(*merged, distance, shape)


def _resolved(
    places: np.ndarray, squares: np.ndarray, templates: np.ndarray, distance: int, shape: Any
) -> Found:
    """Choose the peaks among candidates in `find_peaks`' way: the highest, of equals the first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    order = np.lexsort(places.T[::-1])  # in memory order
    places, squares, templates = places[order], squares[order], templates[order]
    rank = places.shape[1]
    heights = squares[(slice(None), *(1,) * rank)]
    near = KDTree(places).query_pairs(distance, p=np.inf, output_type="ndarray") if len(places) else []
    near = np.reshape(near, (-1, 2)).astype(int)
    top = np.ones(len(places), bool)
    first, second = heights[near[:, 0]], heights[near[:, 1]]
    top[near[first < second, 0]] = False
    top[near[first > second, 1]] = False
    near = near[top[near].all(1)]
    touching = near[(np.abs(places[near[:, 0]] - places[near[:, 1]]) <= 1).all(1)]
    links = coo_array(
        (np.ones(len(touching)), (touching[:, 0], touching[:, 1])), shape=(len(places),) * 2
    )
    _, plateau = connected_components(links, directed=False)
    firsts = np.zeros(len(places), bool)
    firsts[np.unique(plateau, return_index=True)[1]] = True
    left = top & firsts
    near = np.sort(near, 1)
    near = near[np.lexsort((near[:, 1], near[:, 0]))]
    for earlier, later in near:  # in memory order: what is kept takes the place of what is near
        if left[earlier] and left[later]:
            left[later] = False
    chosen = np.flatnonzero(left)
    chosen = chosen[np.argsort(-heights[chosen].astype(float), kind="stable")]
    places, squares = places[chosen], squares[chosen]
    offsets = _offsets(squares) if len(chosen) else np.zeros((0, rank))
    offsets[((places == 0) | (places == np.array(shape) - 1)).any(1)] = 0
    return Found(places, places + offsets, heights[chosen], templates[chosen])


def _offsets(squares: np.ndarray) -> np.ndarray:
    """Return how far the tops of the parabolas are from the peaks."""
    centre = jnp.ones(squares.ndim - 1, int)
    return np.array(jax.vmap(lambda square: parabola(square, centre))(jnp.asarray(squares, float)))
