"""Write docs/deconvolution-benchmarks.md: speed and quality beside scikit-image, deepinv and scico.

SCICO_PYTHON names the Python of an environment with scico; without it, scico's row is left out.

SCICO_PYTHON=scico/bin/python python benchmarks/deconvolution.py docs
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from skimage import data, restoration
from skimage.metrics import peak_signal_noise_ratio
from turns import ROUNDS, in_turn, machine, table

from jaxconv import convolve, progress
from jaxconv.deconvolution import richardson_lucy, total_variation, unsupervised_wiener, wiener

SIZE = 128
SCICO = os.environ.get("SCICO_PYTHON")
WEIGHTS = (0.001, 0.003, 0.01, 0.03, 0.1)
SHAPES = (((512, 512), (31, 31)), ((64, 64, 64), (15, 15, 15)))
RNG = np.random.default_rng(0)
IMAGES = {
    "camera": lambda: data.camera()[80:, 160:] / 255,
    "coins": lambda: data.coins()[20:, 20:] / 255,
    "moon": lambda: data.moon()[100:, 100:] / 255,
    "page": lambda: data.page()[10:, 60:] / 255,
}


def main(docs: Path) -> None:
    """Measure, and write the page."""
    with progress.bar("deconvolution", 3) as report:
        speed = speeds()
        report(1)
        counts = quality(poisson, of_counts())
        report(2)
        gauss = quality(gaussian, of_gaussian_noise())
        report(3)
    text = (Path(__file__).parent / "deconvolution.md").read_text()
    told = dict(speed=speed, counts=counts, gauss=gauss, machine=machine())
    told |= dict(size=SIZE, rounds=ROUNDS, weights=", ".join(map(str, WEIGHTS)))
    (docs / "deconvolution-benchmarks.md").write_text(text.format(**told))


def speeds() -> str:
    """Richardson and Lucy beside scikit-image, and the gradients."""
    rows = []
    for shape, size in SHAPES:
        image, kernel = RNG.random(shape, np.float32) + 0.1, RNG.random(size, np.float32)
        kernel /= kernel.sum()
        for boundary in ("fill", "unknown", "wrap", "symmetric"):
            rows.append(one_speed(jnp.asarray(image), jnp.asarray(kernel), boundary))
    head = ["image, kernel, boundary", "jaxconv, ms", "scikit-image / jaxconv", "gradient, image"]
    return table([*head, "kernel", "memory", "difference", "compilation, s"], rows)


def one_speed(image: jax.Array, kernel: jax.Array, boundary: Any) -> list[str]:
    """One row: 20 iterations."""
    theirs = boundary == "fill"
    call: dict[str, Any] = dict(boundary=boundary, normalized=not theirs)
    if theirs:
        call["initial"] = jnp.full(image.shape, 0.5, image.dtype)
    value = jax.jit(lambda x, k: richardson_lucy(x, k, 20, **call))

    def loss(x: jax.Array, k: jax.Array) -> jax.Array:
        return jnp.sin(value(x, k)).sum()

    before = time.perf_counter()
    by_image, by_kernel = (jax.jit(jax.grad(loss, number)) for number in (0, 1))
    compiled = value.lower(image, kernel).compile()
    compilation = time.perf_counter() - before
    as_numpy = np.asarray(image), np.asarray(kernel)
    runs = {
        "jaxconv": lambda: value(image, kernel),
        "scikit-image": lambda: restoration.richardson_lucy(*as_numpy, 20, clip=False),
        "image": lambda: by_image(image, kernel),
        "kernel": lambda: by_kernel(image, kernel),
    }
    seconds = in_turn(runs)
    own = seconds["jaxconv"]
    far = ""
    if theirs:
        wide = [a.astype(float) for a in as_numpy]
        want = restoration.richardson_lucy(*wide, 20, clip=False)
        far = f"{np.abs(np.asarray(runs['jaxconv']()) - want).max() / want.max():.0e}"
    names = ["x".join(map(str, a.shape)) for a in (image, kernel)]
    ratios = [f"{seconds[name] / own:.2f}" for name in ("scikit-image", "image", "kernel")]
    held = compiled.memory_analysis().temp_size_in_bytes / image.nbytes
    label = {"fill": "zeros"}.get(boundary, boundary)
    return [
        f"{', '.join(names)}, {label}",
        f"{1e3 * own:.1f}",
        *ratios,
        f"{held:.0f}",
        far,
        f"{compilation:.1f}",
    ]


def disc(radius: float = 3.5) -> np.ndarray:
    """A point out of focus."""
    y, x = np.mgrid[-4:5, -4:5]
    return normalized(np.clip(radius + 0.5 - np.hypot(x, y), 0, 1))


def motion() -> np.ndarray:
    """A camera that moved aslant."""
    y, x = np.mgrid[-6:7, -6:7]
    return normalized(np.clip(1 - np.abs(y - 0.5 * x), 0, 1))


def normalized(kernel: np.ndarray) -> np.ndarray:
    """A kernel that keeps the light."""
    return kernel / kernel.sum()


def poisson(image: np.ndarray) -> np.ndarray:
    """Count photons."""
    return RNG.poisson(200 * np.maximum(image, 0)) / 200


def gaussian(image: np.ndarray) -> np.ndarray:
    """Add noise."""
    return image + 0.01 * RNG.standard_normal(image.shape)


Solver = Callable[[np.ndarray, np.ndarray], Any]


def of_counts() -> dict[str, list[Solver]]:
    """Return the solvers of counts; several where a weight is to be chosen."""
    ours = partial(richardson_lucy, num_iter=20)
    return {
        "scikit-image `richardson_lucy`": [
            lambda x, k: restoration.richardson_lucy(x, k, 20, clip=False),
        ],
        "deepinv `MLEM`": [deepinvs_mlem],
        "`richardson_lucy`": [ours],
        "the same, `acceleration`, 7 iterations": [partial(ours, num_iter=7, acceleration=True)],
        "the same, `total_variation`": [partial(ours, total_variation=w) for w in WEIGHTS],
    }


def of_gaussian_noise() -> dict[str, list[Solver]]:
    """Return the solvers of Gaussian noise; several where a weight is to be chosen."""
    return {
        "scikit-image `wiener`": [
            lambda x, k, w=w: restoration.wiener(x, k, w, clip=False) for w in WEIGHTS
        ],
        "scikit-image `unsupervised_wiener`": [
            lambda x, k: restoration.unsupervised_wiener(x, k, clip=False, rng=0)[0],
        ],
        "deepinv, total variation": [partial(deepinvs_variation, weight=w) for w in WEIGHTS],
        **({"scico, total variation": [partial(scicos, weight=w) for w in WEIGHTS]} if SCICO else {}),
        "`wiener`": [partial(wiener, balance=w) for w in WEIGHTS],
        "`unsupervised_wiener`": [lambda x, k: unsupervised_wiener(jax.random.key(0), x, k).scene],
        "`total_variation`": [partial(total_variation, weight=w) for w in WEIGHTS],
    }


def deepinvs(x: np.ndarray, k: np.ndarray) -> tuple[Any, Any]:
    """Return deepinv's image and physics."""
    import deepinv
    import torch

    physics = deepinv.physics.Blur(torch.tensor(k[None, None], dtype=torch.float32), padding="valid")
    return torch.tensor(x[None, None], dtype=torch.float32), physics


def within(scene: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return the middle of deepinv's scene, which is larger than the image."""
    scene = scene[0, 0].detach().numpy()
    first = [(n - m) // 2 for n, m in zip(scene.shape, shape)]
    return scene[tuple(slice(i, i + m) for i, m in zip(first, shape))]


def deepinvs_mlem(x: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Richardson and Lucy by deepinv."""
    import deepinv
    import torch

    y, physics = deepinvs(x, k)
    start = torch.full_like(physics.A_adjoint(y), float(y.mean()))
    solver = deepinv.optim.MLEM(data_fidelity=deepinv.optim.PoissonLikelihood(), max_iter=20)
    return within(solver(y, physics, init=start), x.shape)


def deepinvs_variation(x: np.ndarray, k: np.ndarray, weight: float) -> np.ndarray:
    """Least squares and total variation by deepinv."""
    import deepinv

    y, physics = deepinvs(x, k)
    solver = deepinv.optim.FISTA(
        data_fidelity=deepinv.optim.L2(),
        prior=deepinv.optim.TVPrior(n_it_max=20),
        lambda_reg=weight,
        stepsize=1.0,
        max_iter=200,
    )
    return within(solver(y, physics), x.shape)


def scicos(x: np.ndarray, k: np.ndarray, weight: float) -> np.ndarray:
    """Least squares and total variation by scico, in its own environment."""
    program = Path(__file__).parent / "by_scico.py"
    with tempfile.TemporaryDirectory() as folder:
        problem, scene = Path(folder) / "problem.npz", Path(folder) / "scene.npy"
        np.savez(problem, image=x, kernel=k)
        subprocess.run([str(SCICO), program, problem, str(weight), scene], check=True)
        return np.load(scene)


def quality(noise: Callable[[np.ndarray], np.ndarray], solvers: dict[str, list[Solver]]) -> str:
    """Return the gains of all methods."""
    kernels, found = {"disc": disc(), "motion": motion()}, {name: [] for name in solvers}
    heads = [f"{name}, {kernel}" for name in IMAGES for kernel in kernels]
    blurred = []
    for photograph in IMAGES.values():
        for kernel in kernels.values():
            edge = len(kernel) // 2
            wide = photograph()[: SIZE + 2 * edge, : SIZE + 2 * edge]
            truth = wide[edge:-edge, edge:-edge]
            image = noise(np.asarray(convolve(wide, kernel, "valid"))).astype(np.float32)
            blurred.append(psnr(truth, image))
            for name, several in solvers.items():
                scenes = [solve(image, kernel.astype(np.float32)) for solve in several]
                found[name].append(max(psnr(truth, scene) for scene in scenes) - blurred[-1])
    rows = [["the image itself, dB", *(f"{value:.1f}" for value in blurred), ""]]
    for name, gains in found.items():
        rows.append([name, *(f"{gain:+.1f}" for gain in gains), f"{np.mean(gains):+.2f}"])
    return table(["", *heads, "mean"], rows)


def psnr(truth: np.ndarray, scene: Any) -> float:
    """Return the peak signal-to-noise ratio, white at 1."""
    return peak_signal_noise_ratio(truth, np.clip(np.asarray(scene, float), 0, 1), data_range=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
