"""Calibration: the planner's constants, measured on the device at hand.

A few dozen problems are timed by each method that may win them; the constants are those under which the
methods' own costs predict these times best, in ratios, drawn gently towards the ones that came with the
library, so that what the problems do not tell stays as it was.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from statistics import geometric_mean

import jax
import numpy as np
from scipy.optimize import least_squares

from jaxconv.engine import costs, device, store
from jaxconv.engine.costs import Constants
from jaxconv.engine.methods import METHODS
from jaxconv.engine.planning import as_seen, plan_afresh
from jaxconv.engine.problem import Problem, Shape
from jaxconv.engine.trials import Measured, time_methods

__all__ = ["Calibration", "calibrate"]

LINES = {
    100: (9,),
    1000: (9,),
    10_000: (33,),
    100_000: (9, 129, 1025),
    1_000_000: (3, 33, 129, 513, 2049, 16_385),
}
IMAGES = {
    16: (3,),
    64: (5,),
    128: (15,),
    256: (9, 31),
    512: (63,),
    1024: (3, 11, 15, 21, 41, 127),
    2048: (63,),
}
VOLUMES = {32: (5,), 64: (9,), 128: (3, 7)}
PULL = 0.15  # weight of a constant's own logarithm beside that of one measured time


@dataclass(frozen=True)
class Calibration:
    """The constants that fit the measured times, and how good they are beside those before."""

    constants: Constants
    before: Constants
    times: tuple[Measured, ...]

    def regret(self, constants: Constants) -> list[float]:
        """Return for each problem how many times the fastest method's time the pick takes."""
        by_problem: dict[Problem, list[Measured]] = {}
        for time in self.times:
            by_problem.setdefault(time.problem, []).append(time)
        return [
            min(times, key=partial(_predicted, constants)).seconds / min(t.seconds for t in times)
            for times in by_problem.values()
        ]

    def __str__(self) -> str:
        lines = [f"{'constant':22}{'before':>12}{'measured':>12}"]
        for name in _tuned(self.constants):
            before, after = getattr(self.before, name), getattr(self.constants, name)
            lines.append(f"{name:22}{before:>12.3g}{after:>12.3g}")
        for title, constants in (("before", self.before), ("measured", self.constants)):
            regret = self.regret(constants)
            told = f"{geometric_mean(regret):.2f} times the fastest method's, at most {max(regret):.2f}"
            lines.append(f"{title}: the picks' time is {told}")
        return "\n".join(lines)


def calibrate(
    platform: str | None = None, *, report: Callable[[int, float], None] = lambda done, seconds: None
) -> Calibration:
    """Measure the constants of the planner on a device, and keep them for this and later processes.

    They are kept in the user's cache folder for this device and these versions, in 32 bits.

    Args:
        platform: "cpu", "cuda", "rocm" or "tpu"; None for the default device's.
        report: is called after each problem with how many are done and the fastest method's seconds.

    Shapes:
        Those of the problems that it times.

    Returns:
        A `Calibration`: the constants, those before, and the times.

    Raises:
        RuntimeError: if JAX has no such device, or nothing may be kept (`JAXCONV_CACHE=off`).

    Example:
        >>> calibrate().constants.memory_rate > 1e9  # doctest: +SKIP
        True
    """
    platform = device.platform_name(platform)
    store.path(platform)  # raises where there is no such device
    if not store.writes():
        told = "no constants are kept with JAXCONV_CACHE=off, JAXCONV_READ_ONLY=1 or several processes"
        raise RuntimeError(f"calibrate: {told}.")
    before = costs.built_in(platform)
    times = []
    with jax.default_device(jax.devices(platform)[0]):
        for done, problem in enumerate(problems(platform), 1):
            measured = time_methods(problem, before)
            times += measured
            report(done, min((m.seconds for m in measured), default=0.0))
    told = device.about(platform)
    on = f"{told['device']} ({told['processor']}, {told['cores']} cores)"
    source = f"calibrated on {on}, JAX {told['versions']['jax']}, {told['date']}"
    found = Calibration(replace(_fit(times, before), source=source), before, tuple(times))
    store.write(platform, asdict(found.constants))
    costs.constants.cache_clear()
    plan_afresh()
    return found


def problems(platform: str) -> Iterator[Problem]:
    """Yield what is timed: lines, images, volumes, features, and the shapes of kernels' gradients.

    Args:
        platform: as for `calibrate`.

    Shapes:
        Of signals up to 32 MB.

    Example:
        >>> next(problems("cpu")).window
        (9,)
    """
    same = partial(_same, platform)
    for sizes, rank in ((LINES, 1), (IMAGES, 2), (VOLUMES, 3)):
        for n, ms in sizes.items():
            for m in ms:
                yield same((n,) * rank, (m,) * rank)
    yield same((56, 56), (3, 3), batch=8, inputs=64, outputs=64)
    yield same((64, 64), (3, 3), batch=8, inputs=3, outputs=16)
    yield same((64, 64), (5, 5), batch=4, inputs=16, outputs=32)
    yield same((256, 256), (7, 7), batch=2, inputs=8, outputs=8)
    yield same((32, 32), (3, 3), batch=32, inputs=16, outputs=16)
    yield same((8, 8), (3, 3), batch=32, inputs=64, outputs=64)
    strided = same((32, 32), (3, 3), batch=32, inputs=8, outputs=16)
    yield replace(strided, strides=(2, 2))
    yield replace(strided, signal_dilation=(2, 2), padding=((1, 2),) * 2)
    yield same((56, 56), (1, 1), batch=8, inputs=64, outputs=256)
    yield same((56, 56), (3, 3), batch=8, groups=96)
    yield same((56, 56), (7, 7), batch=8, groups=96)
    yield same((96, 96), (21, 21), batch=50)
    for n, lags in [(100, 9), (10_000, 9), (1_000_000, 9), (1_000_000, 33), (1_000_000, 257)]:
        yield replace(same((n,), (n,)), padding=((lags // 2,) * 2,))
    for lags in (3, 9, 31):
        yield replace(same((1024, 1024), (1024, 1024)), padding=((lags // 2,) * 2,) * 2)
    features = {"batch": 64, "inputs": 8, "outputs": 64}
    yield replace(same((56, 56), (56, 56), **features), padding=((1, 1),) * 2)
    yield replace(same((56, 56), (56, 56), **features), padding=((0, 0),) * 2)
    yield replace(same((256, 256), (256, 256), batch=8, inputs=2, outputs=8), padding=((3, 3),) * 2)
    yield replace(same((56, 56), (56, 56), groups=96, inputs=8), padding=((1, 1),) * 2)


def _same(
    platform: str, space: Shape, window: Shape, *, batch=1, groups=1, inputs=1, outputs=1
) -> Problem:
    """Return the problem of mode 'same'."""
    ones = (1,) * len(space)
    padding = tuple((m // 2, (m - 1) // 2) for m in window)
    sizes = batch, groups, inputs, outputs, space, window
    return Problem(*sizes, ones, padding, ones, ones, "float32", "float32", platform=platform)


def _fit(times: list[Measured], start: Constants) -> Constants:
    """Return the constants that predict the times best: least squares of the logarithms of ratios."""
    names = _tuned(start)
    origin = np.log([getattr(start, name) for name in names])

    def constants(logs: np.ndarray) -> Constants:
        return replace(start, **dict(zip(names, np.exp(logs).tolist(), strict=True)))

    def residuals(logs: np.ndarray) -> np.ndarray:
        tried = constants(logs)
        errors = [np.log(_predicted(tried, time) / time.seconds) for time in times]
        return np.concatenate([errors, PULL * (logs - origin)])

    return constants(least_squares(residuals, origin, loss="soft_l1").x)


def _predicted(constants: Constants, time: Measured) -> float:
    return METHODS[time.method].cost(as_seen(time.method, time.problem), constants).seconds


def _tuned(constants: Constants) -> list[str]:
    """Return the names of what is fitted: rates and prices, not the sizes at which something changes."""
    return [f.name for f in fields(constants) if isinstance(getattr(constants, f.name), float)]
