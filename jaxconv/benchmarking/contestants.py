"""Contestants: jaxconv, and the installed libraries that compute the same."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.scipy.signal
import numpy as np
import scipy.signal

from jaxconv.benchmarking.cases import Case
from jaxconv.convolution import conv_general_dilated, convolve

HOURS = 1e10  # products; with more, the default of a peer (the definition) takes seconds to hours


def forward(case: Case, x: np.ndarray, k: np.ndarray) -> dict:
    """Return for each contestant a function without arguments that computes the case."""
    ours, jaxs = _in_jax(case)
    a, b = jnp.asarray(x), jnp.asarray(k)
    runs = {"jaxconv": partial(jax.jit(ours), a, b), "JAX": partial(jax.jit(jaxs), a, b)}
    if not case.options:
        runs["SciPy"] = partial(scipy.signal.convolve, x, k, "same")
        runs["SciPy oa"] = partial(scipy.signal.oaconvolve, x, k, "same")
        runs |= _opencv(x, k)
    torchs = _torch(case, x, k)
    return runs | ({"PyTorch": torchs[0]} if torchs else {})


def gradients(case: Case, x: np.ndarray, k: np.ndarray) -> dict:
    """Return the same for the value and both gradients of half the sum of squares."""
    a, b = jnp.asarray(x), jnp.asarray(k)
    runs = {}
    for name, fn in zip(("jaxconv", "JAX"), _in_jax(case), strict=True):
        step = jax.value_and_grad(lambda x, k, fn=fn: (fn(x, k) ** 2).sum() / 2, (0, 1))
        runs[name] = partial(jax.jit(step), a, b)
    torchs = _torch(case, x, k)
    runs["forward"] = partial(jax.jit(_in_jax(case)[0]), a, b)
    return runs | ({"PyTorch": torchs[1]} if torchs else {})


def _in_jax(case: Case):
    if case.options:
        ours, jaxs = conv_general_dilated, jax.lax.conv_general_dilated
        return partial(ours, **case.options), partial(jaxs, **case.options)
    method = "fft" if case.products > HOURS else "auto"
    jaxs = partial(jax.scipy.signal.convolve, mode="same", method=method)
    return partial(convolve, mode="same"), jaxs


def _opencv(x: np.ndarray, k: np.ndarray) -> dict:
    try:
        import cv2  # pyright: ignore[reportMissingImports]
    except ImportError:
        return {}
    if x.ndim != 2 or min(k.shape) > 127:
        return {}
    cv2.setNumThreads(2)
    reflected = np.ascontiguousarray(k[::-1, ::-1])
    return {"OpenCV": partial(cv2.filter2D, x, -1, reflected, borderType=cv2.BORDER_CONSTANT)}


def _torch(case: Case, x: np.ndarray, k: np.ndarray):
    """Return PyTorch's forward pass, and its value with gradients; None if it cannot be timed."""
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    if case.products > HOURS and not case.options:
        return None
    torch.set_num_threads(2)
    single = not case.options
    rank = x.ndim if single else x.ndim - 2
    torchs = getattr(torch.nn.functional, f"conv{rank}d")
    if single:
        x, k = x[None, None], np.flip(k)[None, None].copy()
        options = {"padding": "same"}
    else:
        options = {
            "padding": [lo for lo, _ in case.options["padding"]],
            "stride": case.options["window_strides"],
            "groups": case.options["feature_group_count"],
        }
    signal, kernel = (torch.from_numpy(v).requires_grad_() for v in (x, k))

    def value():
        with torch.no_grad():
            return torchs(signal, kernel, **options).numpy()

    def step():
        loss = (torchs(signal, kernel, **options) ** 2).sum() / 2
        return loss.item(), [g.numpy() for g in torch.autograd.grad(loss, (signal, kernel))]

    return value, step
