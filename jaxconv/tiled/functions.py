"""The library's functions over arrays that do not fit into memory: tile by tile, with exact edges."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxconv
from jaxconv import checks, matching
from jaxconv.convolution.boundaries import canonical
from jaxconv.convolution.conventions import CONVOLVE, CORRELATE, Convention
from jaxconv.kernels.smoothing import gaussian_radius
from jaxconv.tiled.overview import overview
from jaxconv.tiled.regions import Source
from jaxconv.tiled.running import Sweep, compiled, run, tile_within
from jaxconv.tiled.targets import Target, opened
from jaxconv.types import MODES, Boundary, Method, Mode

MAX_BYTES = 1_000_000_000
PADDED = {"constant": "fill"} | {name: name for name in ("edge", "reflect", "symmetric", "wrap")}


def convolve(
    source: Any,
    kernel: Any,
    target: Any,
    mode: Mode = "full",
    method: Method = "auto",
    *,
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = 0,
    dilation: int | Sequence[int] = 1,
    max_bytes: int = MAX_BYTES,
    journal: Any = None,
) -> Any:
    """Convolve an array that does not fit into memory.

    `jaxconv.convolve`, by tiles that see as far beyond their edges as the kernel reaches: into their
    neighbours, or over the array's own edge by its boundary. While one tile is computed, the next is
    read and the one before it written; a bar shows the time left. After an interruption the same call
    goes on with the tiles that are missing.

    Args:
        source: what has a shape and a dtype and is read by slices: a NumPy memmap, an array of Zarr, a
            dataset of h5py; or the path of a .npy or .zarr.
        kernel: the kernel, with as many axes; it fits into memory.
        target: where the result goes: the path of a .npy or .zarr, which is there once all of it is
            written; or an array of the result's shape and dtype that is written by slices.
        mode: as for `jaxconv.convolve`.
        method: as for `jaxconv.convolve`, for the convolution of a tile.
        boundary: as for `jaxconv.convolve`.
        fillvalue: as for `jaxconv.convolve`.
        dilation: as for `jaxconv.convolve`.
        max_bytes: the most memory for all tiles in flight, in floats, and what their convolution takes.
        journal: beside a target that is an array, the path of a file that lists what is written. It is
            there as long as the target is not whole, and without it there is no going on.

    Shapes:
        As for `jaxconv.convolve`.

    Returns:
        The target: opened for reading if it is a path, else as it was given.

    Raises:
        ValueError: as `jaxconv.convolve`; if no tile keeps `max_bytes`; if the target has another shape
            or dtype than the result, or is what an interrupted call with other arguments left.
        TypeError: if the kernel is not an array of numbers.

    Example:
        >>> out = convolve(np.arange(6.0, dtype=np.float32), [1.0, 1.0], np.zeros(7, np.float32))
        >>> out.tolist()
        [0.0, 1.0, 3.0, 5.0, 7.0, 9.0, 5.0]
    """
    options = (mode, method, boundary, fillvalue, dilation)
    sweep = _linear(CONVOLVE, jaxconv.convolve, source, kernel, *options)
    return _written(sweep, target, max_bytes, journal)


def correlate(
    source: Any,
    kernel: Any,
    target: Any,
    mode: Mode = "full",
    method: Method = "auto",
    *,
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = 0,
    dilation: int | Sequence[int] = 1,
    max_bytes: int = MAX_BYTES,
    journal: Any = None,
) -> Any:
    """Correlate an array that does not fit into memory: `jaxconv.correlate` by tiles.

    Args:
        source: as for `convolve`.
        kernel: the template, which is conjugated.
        target: as for `convolve`.
        mode: as for `jaxconv.correlate`.
        method: as for `convolve`.
        boundary: as for `jaxconv.correlate`.
        fillvalue: as for `jaxconv.correlate`.
        dilation: as for `jaxconv.correlate`.
        max_bytes: as for `convolve`.
        journal: as for `convolve`.

    Shapes:
        As for `jaxconv.correlate`.

    Returns:
        The target, as `convolve`.

    Raises:
        ValueError: as `convolve`.
        TypeError: as `convolve`.

    Example:
        >>> source, target = np.arange(4.0, dtype=np.float32), np.zeros(4, np.float32)
        >>> out = correlate(source, [0.0, 1.0], target, "same")
        >>> out.tolist()
        [0.0, 1.0, 2.0, 3.0]
    """
    options = (mode, method, boundary, fillvalue, dilation)
    sweep = _linear(CORRELATE, jaxconv.correlate, source, kernel, *options)
    return _written(sweep, target, max_bytes, journal)


def normalized_correlation(
    source: Any,
    template: Any,
    target: Any,
    *,
    mode: Mode = "valid",
    boundary: Boundary | str | Sequence[str] = "fill",
    fillvalue: Any = None,
    method: Method = "auto",
    max_bytes: int = MAX_BYTES,
    journal: Any = None,
) -> Any:
    """Find out how well a template fits everywhere in an array that does not fit into memory.

    `matching.normalized_correlation` by tiles.

    Args:
        source: as for `convolve`; real.
        template: what to look for, with as many axes; it fits into memory.
        target: as for `convolve`.
        mode: as for `matching.normalized_correlation`.
        boundary: as for `convolve`.
        fillvalue: the value of "fill"; by default the mean of all samples, for which they are read once
            more. In mode "valid" nothing lies beyond.
        method: as for `convolve`.
        max_bytes: as for `convolve`.
        journal: as for `convolve`.

    Shapes:
        As for `matching.normalized_correlation`.

    Returns:
        The target, as `convolve`.

    Raises:
        ValueError: as `convolve`.
        TypeError: if the template is not of real numbers.

    Example:
        >>> signal = np.array([5, 5, 6, 7, 6, 5, 5], np.float32)
        >>> score = normalized_correlation(signal, [1.0, 3.0, 1.0], np.zeros(5, np.float32))
        >>> int(score.argmax())
        2
    """
    sweep = scores("normalized_correlation", source, template, mode, boundary, fillvalue, method)
    return _written(sweep, target, max_bytes, journal)


def match_template(
    source: Any,
    template: Any,
    target: Any,
    pad_input: bool = False,
    mode: str = "constant",
    constant_values: Any = 0,
    *,
    method: Method = "auto",
    max_bytes: int = MAX_BYTES,
    journal: Any = None,
) -> Any:
    """Find a template in an image that does not fit into memory: `jaxconv.match_template` by tiles.

    Args:
        source: as for `convolve`; real.
        template: as for `jaxconv.match_template`; it fits into memory.
        target: as for `convolve`.
        pad_input: as for `jaxconv.match_template`.
        mode: with `pad_input`, "constant", "edge", "reflect", "symmetric" or "wrap". What else NumPy has
            depends on all samples of a line.
        constant_values: one number.
        method: as for `convolve`.
        max_bytes: as for `convolve`.
        journal: as for `convolve`.

    Shapes:
        As for `jaxconv.match_template`.

    Returns:
        The target, as `convolve`.

    Raises:
        ValueError: as `convolve`; if the mode is none of these.
        TypeError: if the template is not of real numbers.

    Example:
        >>> image = np.pad(np.eye(3, dtype=np.float32), 1)
        >>> int(match_template(image, np.eye(3), np.zeros((3, 3), np.float32)).argmax())
        4
    """
    function = "match_template"
    checks.one_of(function, "mode", mode, tuple(PADDED))
    boundary, value = PADDED[mode], constant_values if mode == "constant" else None
    placed: Mode = "same" if pad_input else "valid"
    sweep = scores(function, source, template, placed, boundary, value, method)
    return _written(sweep, target, max_bytes, journal)


def gaussian_filter(
    source: Any,
    sigma: float | Sequence[float],
    target: Any,
    *,
    order: int | Sequence[int] = 0,
    boundary: Boundary | str | Sequence[str] = "symmetric",
    fillvalue: Any = 0,
    truncate: float = 4.0,
    max_bytes: int = MAX_BYTES,
    journal: Any = None,
) -> Any:
    """Smooth an array that does not fit into memory: `jaxconv.gaussian_filter` by tiles.

    Args:
        source: as for `convolve`.
        sigma: as for `jaxconv.gaussian_filter`.
        target: as for `convolve`.
        order: as for `jaxconv.gaussian_filter`.
        boundary: as for `convolve`.
        fillvalue: as for `convolve`.
        truncate: as for `jaxconv.gaussian_filter`.
        max_bytes: as for `convolve`.
        journal: as for `convolve`.

    Shapes:
        As for `jaxconv.gaussian_filter`.

    Units:
        sigma in samples.

    Returns:
        The target, as `convolve`.

    Raises:
        ValueError: as `convolve` and `jaxconv.gaussian_filter`.

    Example:
        >>> gaussian_filter(np.ones(5, np.float32), 1.0, np.zeros(5, np.float32)).round(3).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    name = "gaussian_filter"
    source = opened(source)
    rank = len(source.shape)
    sigmas = np.ravel(np.asarray(sigma, float)).tolist()
    if len(sigmas) not in (1, rank):
        raise checks.value_error(name, "sigma", f"be one number, or one per axis ({rank})", sigma)
    sigmas = sigmas * (rank // len(sigmas))
    radii = tuple(gaussian_radius(name, s, truncate, None) if s else 0 for s in sigmas)
    options = {"order": order, "truncate": truncate}

    def compute(samples: jax.Array, _: jax.Array) -> jax.Array:
        smooth = jaxconv.gaussian_filter(samples, sigmas, boundary="edge", **options)
        return smooth[tuple(slice(r, n - r) for r, n in zip(radii, smooth.shape))]

    names = canonical(name, boundary, rank)
    call = {"sigma": sigmas, **options, "boundary": names, "fillvalue": fillvalue}
    sweep = Sweep(name, compute, source, tuple(source.shape), radii, radii, names, fillvalue, call)
    return _written(sweep, target, max_bytes, journal)


def _linear(
    convention: Convention,
    function: Callable[..., jax.Array],
    source: Any,
    kernel: Any,
    mode: Mode,
    method: Method,
    boundary: Any,
    fillvalue: Any,
    dilation: Any,
) -> Sweep:
    """Return the sweep of a convolution or a correlation."""
    name = convention.name
    source, kernel = opened(source), checks.array(name, "kernel", kernel)
    steps = checks.per_axis(name, "dilation", dilation, len(source.shape), 1)
    checks.not_empty(name, "kernel", kernel)

    def compute(samples: jax.Array, _: jax.Array) -> jax.Array:
        return function(samples, kernel, "valid", method, dilation=steps)

    reach = [(m - 1) * step + 1 for m, step in zip(kernel.shape, steps)]
    call = {"kernel": _digest(kernel), "method": method, "dilation": steps}
    return _sweep(convention, "kernel", compute, source, reach, mode, boundary, fillvalue, call)


def scores(
    function: str,
    source: Any,
    template: Any,
    mode: Mode = "valid",
    boundary: Any = "fill",
    fillvalue: Any = None,
    method: Method = "auto",
    template_mask: Any = None,
) -> Sweep:
    """Return the sweep of a normalized correlation; of several templates, of their `best_match`."""
    source, template = opened(source), checks.array(function, "template", template)
    rank = len(source.shape)
    checks.not_empty(function, "template", template)
    if mode != "valid" and fillvalue is None and "fill" in canonical(function, boundary, rank):
        fillvalue = overview(source).mean

    def compute(samples: jax.Array, _: jax.Array) -> Any:
        if template.ndim == rank + 1:
            return matching.best_match(samples, template, template_mask=template_mask, method=method)
        return matching.normalized_correlation(
            samples, template, template_mask=template_mask, method=method
        )

    reach, value = template.shape[-rank:], 0 if fillvalue is None else fillvalue
    call = {"template": _digest(template), "method": method}
    convention = CORRELATE.called(function)
    return _sweep(convention, "template", compute, source, reach, mode, boundary, value, call)


def _sweep(
    convention: Convention,
    argument: str,
    compute: Callable[[jax.Array, jax.Array], Any],
    source: Source,
    reach: Sequence[int],
    mode: Mode,
    boundary: Any,
    fillvalue: Any,
    call: dict[str, Any],
) -> Sweep:
    """Return the sweep of a window that reaches so far over a source; `compute` is its "valid" part."""
    name, rank = convention.name, len(source.shape)
    if len(reach) != rank:
        got = f"source {tuple(source.shape)}, {argument} {tuple(reach)}"
        raise checks.value_error(name, argument, f"have as many axes as the source ({rank})", got)
    checks.one_of(name, "mode", mode, MODES)
    if mode == "valid" and any(n < m for n, m in zip(source.shape, reach)):
        got = f"source {tuple(source.shape)}, {argument} reaching {tuple(reach)}"
        raise checks.value_error(name, argument, "fit inside the source in mode 'valid'", got)
    before = {
        "full": [m - 1 for m in reach],
        "same": [m - 1 - convention.start(m, 0) for m in reach],
        "valid": [0 for _ in reach],
    }[mode]
    behind = [m - 1 - b for m, b in zip(reach, before)]
    more = {"full": [m - 1 for m in reach], "same": [0] * rank, "valid": [1 - m for m in reach]}[mode]
    shape = [n + m for n, m in zip(source.shape, more)]
    names = ("fill",) * rank if mode == "valid" else canonical(name, boundary, rank)
    call = call | {"mode": mode, "boundary": names, "fillvalue": fillvalue}
    places = tuple(shape), tuple(before), tuple(behind)
    return Sweep(name, compute, source, *places, names, fillvalue, call)


def _digest(array: jax.Array) -> str:
    return hashlib.sha256(np.asarray(array).tobytes()).hexdigest()


def _written(sweep: Sweep, target: Any, max_bytes: int, journal: Any) -> Any:
    """Compute all tiles and write them."""
    samples, place = sweep.samples([1] * len(sweep.shape)), jnp.zeros(len(sweep.shape), int)
    dtype = jax.eval_shape(sweep.compute, samples, place).dtype
    writer = Target(sweep.function, target, sweep.shape, dtype, journal)
    tile, program = tile_within(sweep, max_bytes)
    call = {"function": sweep.function, **identity(sweep.source), **sweep.call}
    begun, done = writer.begin(json.loads(json.dumps(call, default=str)), tile)
    if begun != tile:  # those of the call that was interrupted
        tile, program = begun, compiled(sweep, begun)

    def take(number: int, start: tuple[int, ...], values: np.ndarray) -> None:
        writer.write(tuple(slice(s, s + n) for s, n in zip(start, tile)), values, number)

    try:
        run(sweep, tile, program, take, done)
    finally:
        writer.settle()
    return writer.end()


def identity(source: Source) -> dict[str, Any]:
    """Return what tells a source from another one, without reading it."""
    facts: dict[str, Any] = {"shape": source.shape, "dtype": np.dtype(source.dtype)}
    path = getattr(source, "filename", None)
    if isinstance(path, str | os.PathLike):
        facts |= {"path": os.path.abspath(path), "changed": os.stat(path).st_mtime_ns}
    return facts
