"""Deconvolve by scico, which needs another JAX than this project, so in an environment of its own.

python by_scico.py image_and_kernel.npz weight scene.npy
"""

import sys

import numpy as np
from scico import functional, linop, loss
from scico.optimize.admm import ADMM, LinearSubproblemSolver


def total_variation(image: np.ndarray, kernel: np.ndarray, weight: float) -> np.ndarray:
    """Least squares and total variation, as in scico's own example, by a "valid" blur; its middle."""
    shape = tuple(n + m - 1 for n, m in zip(image.shape, kernel.shape))
    blur = linop.Convolve(h=kernel, input_shape=shape, input_dtype=image.dtype, mode="valid", jit=True)
    steps = linop.FiniteDifference(input_shape=shape, input_dtype=image.dtype, append=0, jit=True)
    first = np.pad(image, [(m // 2, (m - 1) // 2) for m in kernel.shape], "edge")
    solver = ADMM(
        f=loss.SquaredL2Loss(y=image, A=blur),
        g_list=[weight * functional.L21Norm()],
        C_list=[steps],
        rho_list=[20 * weight],
        x0=first,
        maxiter=200,
        subproblem_solver=LinearSubproblemSolver(cg_kwargs={"tol": 1e-3, "maxiter": 50}),
    )
    scene = np.asarray(solver.solve())
    return scene[tuple(slice(m // 2, m // 2 + n) for n, m in zip(image.shape, kernel.shape))]


if __name__ == "__main__":
    problem = np.load(sys.argv[1])
    np.save(sys.argv[3], total_variation(problem["image"], problem["kernel"], float(sys.argv[2])))
