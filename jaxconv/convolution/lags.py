"""Lags: at which shifts the places of a correlation are."""

import numpy as np

from jaxconv import checks
from jaxconv.convolution.parts import at_lags, in_mode
from jaxconv.types import MODES, Mode


def correlation_lags(
    in1_len: int,
    in2_len: int,
    mode: Mode = "full",
    *,
    lags: int | range | None = None,
    stride: int = 1,
    exact: bool = False,
) -> np.ndarray:
    """Return the lags of the places of a 1-D correlation, as `scipy.signal.correlation_lags`.

    Args:
        in1_len: length of the signal.
        in2_len: length of the template.
        mode: as for `correlate`.
        lags: as for `correlate`.
        stride: as for `correlate`.
        exact: whether "same" tells the lags of what `correlate` returns; SciPy's, which it tells
            otherwise, are one higher where in1_len is odd and in2_len even.

    Shapes:
        -> as many as `correlate` returns.

    Units:
        samples; positive where in1 is behind.

    Returns:
        The lags, whole numbers.

    Raises:
        ValueError: if a length is negative or an option is not one of its allowed values.

    Source:
        `scipy.signal.correlation_lags`.

    Example:
        >>> correlation_lags(4, 3).tolist(), correlation_lags(4, 3, lags=1).tolist()
        ([-2, -1, 0, 1, 2, 3], [-1, 0, 1])
    """
    function = "correlation_lags"
    if mode not in MODES:
        checks.one_of(function, "mode", mode, MODES, f"Mode {mode} is invalid:")
    for name, length in (("in1_len", in1_len), ("in2_len", in2_len)):
        checks.per_axis(function, name, length, 1, 0)
    if lags is not None:
        (part,) = at_lags(function, lags, [in2_len])
    else:
        late = mode == "same" and not exact and in1_len % 2 == 1
        middle = max(in2_len - 1 + late, 0) // 2
        part = in_mode(mode, in1_len, in2_len, middle, stride)
    return part.start + part.step * np.arange(part.count) - (in2_len - 1)
