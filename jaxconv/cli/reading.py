"""Reading: pictures, signals, and the numbers of options."""

import math
import re
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks
from jaxconv.tiled import targets

MOST = 10_000  # numbers of a range
LARGE = 2**26  # samples: to search as many in memory takes some 3 GB
SIGNALS = (".npy", ".wav", ".csv")


def load(command: str, argument: str, path: Path) -> jax.Array:
    """Load a picture as an array of brightness, or a signal as a line; or raise ValueError."""
    if path.suffix.lower() in SIGNALS:
        return _signal(command, argument, path)
    from PIL import Image

    try:
        with Image.open(path) as picture:
            grey = picture.mode in ("L", "I", "F") or picture.mode.startswith("I;16")
            pixels = np.asarray(picture if grey else picture.convert("RGB"), np.float32)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        got = f"{path} ({_reason(error)})"
        raise checks.value_error(command, argument, "be a picture that can be read", got) from None
    return jnp.asarray(pixels if grey else pixels.mean(-1))


def too_large(command: str, argument: str, path: Path) -> Any:
    """Open a .zarr, or a .npy too large to be searched in memory, to be read by parts; else None."""
    if path.suffix.lower() not in (".npy", ".zarr"):
        return None
    try:
        source = targets.opened(path)
    except (OSError, ValueError) as error:
        if path.suffix.lower() == ".npy":
            return None  # `load` tells what is wrong
        got = f"{path} ({_reason(error)})"
        raise checks.value_error(command, argument, "be an array that can be read", got) from None
    is_small = path.suffix.lower() == ".npy" and math.prod(source.shape) < LARGE
    if is_small or len(source.shape) > 2:
        return None
    return source


def _reason(error: Exception) -> str:
    """Return in plain words why a picture cannot be read."""
    from PIL import Image, UnidentifiedImageError

    reasons = {
        FileNotFoundError: "no such file",
        IsADirectoryError: "a folder",
        PermissionError: "no permission to read it",
        UnidentifiedImageError: "not a picture file",
        Image.DecompressionBombError: f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels",
    }
    return reasons.get(type(error), f"damaged: {error}")


def _signal(command: str, argument: str, path: Path) -> jax.Array:
    """Load a line of samples; of several channels of sound the mean."""
    try:
        kind = path.suffix.lower()
        values = (
            _sound(path)
            if kind == ".wav"
            else np.load(path, allow_pickle=False)
            if kind == ".npy"
            else np.loadtxt(path, delimiter=",", ndmin=1)
        )
        values = np.asarray(values, np.float32).squeeze()
    except (OSError, ValueError, EOFError, wave.Error, TypeError) as error:
        got = f"{path} ({_reason(error)})"
        raise checks.value_error(command, argument, "be a signal that can be read", got) from None
    if values.ndim not in (1, 2) or values.size == 0:
        rule = "hold a line of numbers, or a picture of them"
        raise checks.value_error(command, argument, rule, f"{path} of shape {values.shape}")
    return jnp.asarray(values)


def _sound(path: Path) -> np.ndarray:
    """Return the samples of a sound, scaled to 1, the mean of its channels."""
    with wave.open(str(path)) as sound:
        width, channels = sound.getsampwidth(), sound.getnchannels()
        raw = sound.readframes(sound.getnframes())
    if width == 3:
        bytes_ = np.frombuffer(raw, "u1").reshape(-1, 3)
        samples = (np.pad(bytes_, ((0, 0), (1, 0))).reshape(-1).view("<i4")) / 2.0**31
    elif width == 1:
        samples = np.frombuffer(raw, "u1") / 128.0 - 1
    else:
        samples = np.frombuffer(raw, f"<i{width}") / 2.0 ** (8 * width - 1)
    return samples.reshape(-1, channels).mean(1)


def numbers(
    command: str,
    argument: str,
    text: str,
    least: float = -np.inf,
    step: float | None = None,
    check: Callable[[float], None] = lambda highest: None,
) -> list[float]:
    """Read "25", or "20..30/2" for every second from 20 to 30; the step may have a default.

    The highest is checked before all are listed.
    """
    first, dots, rest = text.partition("..")
    last, slash, every = rest.partition("/")
    try:
        low = float(first)
        high = float(last) if dots else low
        by = float(every) if slash else step if step is not None else high - low or 1.0
    except ValueError:
        low = high = by = np.nan
    if least < low <= high < np.inf and low > -np.inf and by > 0:
        check(high)
        if (high - low) / by < MOST:
            return [round(low + i * by, 9) for i in range(int((high - low) / by + 1e-6) + 1)]
        rule = f"be at most {MOST:,} numbers"
        raise checks.value_error(command, argument, rule, repr(text), "Take a larger step.")
    kind = "a positive number" if least == 0 else "a number"
    rule = f"be {kind} or a range of them"
    example = "25 or 20..30" if step is not None else "1.5 or 0.8..1.2/0.1"
    raise checks.value_error(command, argument, rule, repr(text), f"Try {example}.")


def span(command: str, argument: str, text: str, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Read ROW,COLUMN,ROWS,COLUMNS, or START,COUNT of a line, as the slices of a part."""
    words = "ROW,COLUMN,ROWS,COLUMNS" if len(shape) == 2 else "START,COUNT"
    try:
        values = [int(part) for part in text.split(",")]
        starts, counts = values[: len(shape)], values[len(shape) :]
        if len(counts) == len(shape) and all(
            0 <= start and 0 < count and start + count <= n
            for start, count, n in zip(starts, counts, shape)
        ):
            return tuple(slice(start, start + count) for start, count in zip(starts, counts))
    except ValueError:
        pass
    rule = f"be {words} of a part inside the image {shape}"
    raise checks.value_error(command, argument, rule, repr(text))


def sizes(command: str, signal: str, kernel: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Read sizes as "1024x1024" and "31x31" of a signal and a kernel."""
    for name, text in (("signal", signal), ("kernel", kernel)):
        if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", text):
            rule = "be sizes with x between them, as 1024x1024"
            raise checks.value_error(command, name, rule, repr(text))
    shape, window = (tuple(map(int, text.split("x"))) for text in (signal, kernel))
    if len(shape) != len(window):
        rule = f"have as many axes as the signal, {len(shape)}"
        raise checks.value_error(command, "kernel", rule, kernel)
    return shape, window
