"""Finding compared with its peers: template matching, and banks of templates.

Peers that are not installed are skipped. For banks the peers get precomputed spectra; jaxconv and plain
JAX compute them within the measured time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.fft
from jax.scipy.signal import fftconvolve

from jaxconv import matching
from jaxconv.benchmarking.contestants import imported, on_cpu
from jaxconv.convolution import correlate

Contestants = dict[str, Callable[[], Any]]


@dataclass(frozen=True)
class Search:
    """A search: a function that returns its contestants, and the number of pairs that it correlates."""

    name: str
    contestants: Callable[[], Contestants]
    pairs: int = 1


def _noise(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def _match(n: int, m: int, rank: int) -> Contestants:
    x, t = _noise((n,) * rank, (m,) * rank)
    ours = jax.jit(matching.normalized_correlation)
    operands = jnp.asarray(x), jnp.asarray(t)
    runs: Contestants = {"jaxconv": partial(ours, *operands), "JAX": partial(jax.jit(_score), *operands)}
    if not on_cpu():
        return runs
    if (cv2 := imported("cv2")) and rank == 2:
        cv2.setNumThreads(2)
        runs["OpenCV"] = partial(cv2.matchTemplate, x, t, cv2.TM_CCOEFF_NORMED)
    if skimage := imported("skimage.feature"):
        runs["scikit-image"] = partial(skimage.match_template, x, t)
    return runs


def _gradients(n: int, m: int) -> Contestants:
    x, t = _noise((n, n), (m, m))

    def in_jax(score: Callable[..., jax.Array]) -> Callable[[], Any]:
        total = jax.jit(jax.value_and_grad(lambda x, t: (score(x, t) ** 2).sum(), (0, 1)))
        return partial(total, jnp.asarray(x), jnp.asarray(t))

    runs = {"jaxconv": in_jax(matching.normalized_correlation), "JAX": in_jax(_score)}
    torch = imported("torch")
    if torch and (on_cpu() or torch.cuda.is_available()):
        tensors = [torch.from_numpy(v).to("cpu" if on_cpu() else "cuda") for v in (x, t)]
        runs["PyTorch"] = partial(_score_with_torch, torch, *tensors)
    return runs


def _score(x: jax.Array, t: jax.Array) -> jax.Array:
    """Return the scores as one would compute them in JAX."""
    ones, t = jnp.ones_like(t), t - t.mean()
    sums, squares = fftconvolve(x, ones, "valid"), fftconvolve(x**2, ones, "valid")
    variation = jnp.maximum(squares - sums**2 / t.size, 1e-6)
    return fftconvolve(x, jnp.flip(t), "valid") / jnp.sqrt(variation * (t**2).sum())


def _score_with_torch(torch: Any, x: Any, t: Any) -> Any:
    """Return the scores, with gradients, as one would compute them in PyTorch, by FFT."""
    x, t = x.detach().requires_grad_(), t.detach().requires_grad_()
    places = tuple(slice(n - m + 1) for n, m in zip(x.shape, t.shape))

    def correlate(a: Any, b: Any) -> Any:
        spectra = torch.fft.rfft2(a), torch.fft.rfft2(b, a.shape)
        return torch.fft.irfft2(spectra[0] * spectra[1].conj(), a.shape)[places]

    ones, zero_mean = torch.ones_like(t), t - t.mean()
    sums, squares = correlate(x, ones), correlate(x**2, ones)
    variation = (squares - sums**2 / t.numel()).clamp(min=1e-6)
    score = correlate(x, zero_mean) / torch.sqrt(variation * (zero_mean**2).sum())
    total = (score**2).sum()
    total.backward()
    return total.item()


def _segments(peaks: bool, is_complex: bool, segments=16, templates=64, n=16384, m=2048) -> Contestants:
    x, t = _noise((segments, n), (templates, m))
    if is_complex:
        others = _noise((segments + 1, n), (templates + 1, m))
        x, t = (a + np.complex64(1j) * b[1:] for a, b in zip((x, t), others))
    forward, inverse = ("fft", "ifft") if is_complex else ("rfft", "irfft")

    def ours(x: jax.Array, t: jax.Array) -> Any:
        if peaks:
            return matching.loudest(x, t, measure="correlation")
        return correlate(x[:, None], t[None], "valid", axes=-1)

    def plainly(library: Any, spectra: Any) -> Any:
        out = getattr(library, inverse)(spectra[0][:, None] * spectra[1][None].conj(), n)
        return abs(out).argmax(-1) if peaks else out

    def jaxs(x: jax.Array, t: jax.Array) -> Any:
        return plainly(jnp.fft, (getattr(jnp.fft, forward)(x), getattr(jnp.fft, forward)(t, n)))

    spectra = [getattr(scipy.fft, forward)(a, n) for a in (x, t)]

    def scipys() -> Any:
        rows = [plainly(scipy.fft, (row[None], spectra[1])) for row in spectra[0]]
        return np.concatenate(rows)

    runs: Contestants = {
        name: partial(jax.jit(f), *map(jnp.asarray, (x, t)))
        for name, f in (("jaxconv", ours), ("JAX", jaxs))
    }
    if not on_cpu():
        return runs
    runs["SciPy"] = scipys
    if mf := imported("matchedfilter"):
        kind = mf.MatchedFilter if peaks else mf.CorrelationFilter
        bank = kind(n, ndata=segments, ntemplates=templates)
        bank.set_data(np.fft.fft(x).astype(np.complex64))
        bank.set_templates(np.fft.fft(t, n).astype(np.complex64))
        runs["matchedfilter"] = partial(bank.run, binsize=n) if peaks else bank.run
    return runs


def _best(n: int, m: int, count: int) -> Contestants:
    x, t = _noise((n, n), (count, m, m))
    ours = jax.jit(lambda x, t: matching.best_match(x, t).score)
    runs: Contestants = {"jaxconv": partial(ours, jnp.asarray(x), jnp.asarray(t))}
    if (cv2 := imported("cv2")) and on_cpu():

        def by_opencv() -> np.ndarray:
            best = cv2.matchTemplate(x, t[0], cv2.TM_CCOEFF_NORMED)
            for template in t[1:]:
                np.maximum(best, cv2.matchTemplate(x, template, cv2.TM_CCOEFF_NORMED), out=best)
            return best

        runs["OpenCV"] = by_opencv
    return runs


SIZES = [
    *((128, 5), (128, 16), (128, 32), (256, 8), (256, 32), (512, 8), (512, 16), (512, 64)),
    *((1024, 8), (1024, 16), (1024, 32), (1024, 64), (1024, 128), (2048, 16), (2048, 64)),
]
MATCHING = [
    *(Search(f"{n}² × {m}²", partial(_match, n, m, 2)) for n, m in SIZES),
    Search("64³ × 9³", partial(_match, 64, 9, 3)),
]
MATCHING_GRADIENTS = [Search(f"{n}² × {m}²", partial(_gradients, n, m)) for n, m in SIZES[1:14:2]]
BANKS = [
    Search("16 segments of 16384, 64 templates, peaks", partial(_segments, True, False), 1024),
    Search("the same, all lags", partial(_segments, False, False), 1024),
    Search("the same, complex, peaks", partial(_segments, True, True), 1024),
    Search("the same, complex, all lags", partial(_segments, False, True), 1024),
    Search("512², the best of 64 templates of 32²", partial(_best, 512, 32, 64), 64),
]
