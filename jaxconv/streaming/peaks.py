"""Peaks of a stream of scores: none lost and none doubled where chunks meet.

Whether a place is a peak is known once `min_distance` more scores have come. Of equal scores that near,
and of a plateau, the first counts, as in `matching.find_peaks`; so the last peak is remembered.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from jaxconv import checks


class Found(NamedTuple):
    """Peaks in the order of their places, which count from the stream's first score."""

    places: np.ndarray  # int64
    positions: np.ndarray  # tops of parabolas, float64
    scores: np.ndarray


@dataclass(frozen=True)
class PeakStream:
    """What is remembered between two chunks of scores."""

    threshold: float
    min_distance: int
    held: np.ndarray | None = None  # the scores that are looked at again
    first: int = 0  # place of the first of them
    settled: int = 0  # places before this are told
    last_top: int = -2  # the last place that no other within the distance exceeds
    last_peak: int | None = None


def start_peaks(threshold: float, min_distance: int = 1) -> PeakStream:
    """Begin to look for peaks in scores that come in chunks.

    Args:
        threshold: a peak is greater than this.
        min_distance: two peaks are farther apart than this.

    Shapes:
        None.

    Returns:
        The state before the first chunk.

    Raises:
        ValueError: if `min_distance` is not positive.
        TypeError: if it is not a whole number.

    Example:
        >>> peaks = start_peaks(threshold=1.0)
        >>> peaks, first = push_peaks(peaks, [0.0, 2.0, 3.0])
        >>> peaks, second = push_peaks(peaks, [0.0, 1.5, 0.5])
        >>> first.places.tolist(), second.places.tolist(), finish_peaks(peaks).places.tolist()
        ([], [2, 4], [])
    """
    return PeakStream(float(threshold), checks.positive("start_peaks", "min_distance", min_distance))


def push_peaks(state: PeakStream, scores: Any) -> tuple[PeakStream, Found]:
    """Take the next scores, and return the peaks that are certain now.

    Args:
        state: the state.
        scores: any number of them, real; NaN is no peak.

    Shapes:
        scores (n,) -> places, positions and scores (number found,).

    Returns:
        The state after these scores, and `Found`: the peaks that `matching.find_peaks` finds in all
        scores, each told once.

    Raises:
        ValueError: if the scores have not one axis.
        TypeError: if they are not real numbers, or not of the type of those before.

    Source:
        `matching.find_peaks`.

    Example:
        >>> push_peaks(start_peaks(1.0), [0.0, 2.0, 0.0])[1].places.tolist()
        [1]
    """
    new = np.asarray(scores)
    if new.dtype.kind not in "iuf" and new.dtype.name != "bfloat16":
        raise checks.type_error("push_peaks", "scores", "be of real numbers", new.dtype)
    if new.ndim != 1:
        raise checks.value_error("push_peaks", "scores", "have one axis", f"shape {new.shape}")
    new = new.astype(np.float32) if new.dtype.itemsize < 4 and new.dtype.kind not in "iu" else new
    if state.held is None:
        held = new
    elif state.held.dtype != new.dtype:
        raise checks.type_error("push_peaks", "scores", f"be of {state.held.dtype}", new.dtype)
    else:
        held = np.concatenate([state.held, new])
    end = state.first + len(held)
    state, found = _told(replace(state, held=held), end - state.min_distance)
    kept = max(state.settled - max(state.min_distance, 1), state.first)
    return replace(state, held=held[kept - state.first :], first=kept), found


def finish_peaks(state: PeakStream) -> Found:
    """End a stream of scores: return the peaks that had waited for what would follow.

    Args:
        state: the state.

    Shapes:
        None.

    Returns:
        `Found`, as `push_peaks` returns it.

    Example:
        >>> finish_peaks(push_peaks(start_peaks(1.0), [0.0, 2.0])[0]).places.tolist()
        [1]
    """
    if state.held is None:
        state = replace(state, held=np.zeros(0, np.float32))
    assert state.held is not None
    return _told(state, state.first + len(state.held))[1]


def _told(state: PeakStream, until: int) -> tuple[PeakStream, Found]:
    """Tell which of the places from those told up to `until` are peaks."""
    from scipy.ndimage import maximum_filter1d  # here, since it takes long to load

    scores, first, distance = state.held, state.first, state.min_distance
    assert scores is not None
    if until <= state.settled:
        return state, Found(np.zeros(0, np.int64), np.zeros(0), scores[:0])
    is_float = scores.dtype.kind == "f"
    lowest = -np.inf if is_float else np.iinfo(scores.dtype).min
    above = scores > np.asarray(state.threshold, scores.dtype if is_float else np.float64)
    heights = np.where(above, scores, scores.dtype.type(lowest))
    highest = maximum_filter1d(heights, 2 * distance + 1, mode="nearest")
    tops = np.flatnonzero((above & (heights == highest))[state.settled - first : until - first])
    peaks, last_top, last_peak = [], state.last_top, state.last_peak
    for top in tops + state.settled:
        is_first = top > last_top + 1
        last_top = int(top)
        if is_first and (last_peak is None or top - last_peak > distance):
            last_peak = last_top
            peaks.append(last_peak)
    places = np.array(peaks, np.int64)
    found = Found(places, places + _offsets(scores, places - first), scores[places - first])
    return replace(state, settled=until, last_top=last_top, last_peak=last_peak), found


def _offsets(scores: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Return how far the top of the parabola through a peak and its neighbours is from it."""
    wide = np.concatenate([[np.nan], scores.astype(np.float64), [np.nan]])
    before, at, behind = (wide[indices + k] for k in range(3))
    bend = before - 2 * at + behind
    curved = np.isfinite(bend) & (bend < 0)
    step = -(behind - before) / 2 / np.where(curved, bend, 1)
    return np.where(curved, np.clip(step, -0.5, 0.5), 0.0)
