"""Streaming: convolutions, scores and peaks of signals that come in chunks, as of the whole."""

from jaxconv.streaming.peaks import Found, PeakStream, finish_peaks, push_peaks, start_peaks
from jaxconv.streaming.rates import RateStream
from jaxconv.streaming.state import Stream
from jaxconv.streaming.stream import finish, push, start

__all__ = [
    "Found",
    "PeakStream",
    "RateStream",
    "Stream",
    "finish",
    "finish_peaks",
    "push",
    "push_peaks",
    "start",
    "start_peaks",
]
