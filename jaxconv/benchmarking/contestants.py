"""Contestants: jaxconv, and the installed libraries that compute the same on the same device.

JAX compiles, as we do; SciPy, OpenCV, PyTorch and CuPy are called eagerly, as their users call them.
On a GPU only those libraries take part that compute there.
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.signal
import numpy as np
import scipy.signal

from jaxconv.benchmarking.cases import Case
from jaxconv.convolution import conv_general_dilated, convolve

HOURS = 1e10  # products; with more, the default of a peer (the definition) takes seconds to hours
SCIPYS = ("float32", "float64", "complex64", "int32")  # dtypes that SciPy and CuPy convolve
Runs = dict[str, Callable[[], Any]]


def imported(name: str) -> ModuleType | None:
    """Return a peer, or None where it is not installed."""
    try:
        return __import__(name, fromlist=["*"])
    except ImportError:
        return None


def on_cpu() -> bool:
    """Whether the device that is timed is a CPU."""
    return device().platform == "cpu"


def device() -> Any:
    """Return the device that is timed."""
    return next(iter(jnp.zeros(()).devices()))


def forward(case: Case, x: np.ndarray, k: np.ndarray) -> Runs:
    """Return for each contestant a function without arguments that computes the case."""
    ours, jaxs = in_jax(case)
    a, b = jnp.asarray(x), jnp.asarray(k)
    runs: Runs = {"jaxconv": partial(jax.jit(ours), a, b), "JAX": partial(jax.jit(jaxs), a, b)}
    if not case.options and case.dtype in SCIPYS:
        runs |= _scipys(case, x, k) if on_cpu() else _cupys(case, x, k)
    if not case.options and on_cpu():
        runs |= _opencv(case, x, k)
    torchs = _torch(case, x, k)
    return runs | ({"PyTorch": torchs[0]} if torchs else {})


def gradients(case: Case, x: np.ndarray, k: np.ndarray) -> Runs:
    """Return the same for the value and both gradients of half the sum of squared magnitudes."""
    a, b = jnp.asarray(x), jnp.asarray(k)
    runs: Runs = {}
    for name, fn in zip(("jaxconv", "JAX"), in_jax(case), strict=True):
        step = jax.value_and_grad(lambda x, k, fn=fn: (jnp.abs(fn(x, k)) ** 2).sum() / 2, (0, 1))
        runs[name] = partial(jax.jit(step), a, b)
    torchs = _torch(case, x, k)
    runs["forward"] = partial(jax.jit(in_jax(case)[0]), a, b)
    return runs | ({"PyTorch": torchs[1]} if torchs else {})


def in_jax(case: Case):
    """Return our function of the case's operands, and JAX's."""
    if case.options:
        ours, jaxs = conv_general_dilated, jax.lax.conv_general_dilated
        return partial(ours, **case.options), partial(jaxs, **case.options)
    method = "fft" if case.products > HOURS and case.dtype != "int32" else "auto"
    jaxs = partial(jax.scipy.signal.convolve, mode=case.mode, method=method)
    return partial(convolve, mode=case.mode), jaxs


def _scipys(case: Case, x: np.ndarray, k: np.ndarray) -> Runs:
    return {
        "SciPy": partial(scipy.signal.convolve, x, k, case.mode),
        "SciPy oa": partial(scipy.signal.oaconvolve, x, k, case.mode),
    }


def _cupys(case: Case, x: np.ndarray, k: np.ndarray) -> Runs:
    cupy, signal = imported("cupy"), imported("cupyx.scipy.signal")
    if not (cupy and signal) or device().platform != "gpu":
        return {}
    a, b = cupy.asarray(x), cupy.asarray(k)

    def run(convolve: Callable[..., Any]) -> Any:
        out = convolve(a, b, case.mode)
        cupy.cuda.Stream.null.synchronize()
        return out

    chosen = signal.convolve if case.rank == 1 else signal.fftconvolve  # the former chooses in 1-D alone
    return {"CuPy": partial(run, chosen), "CuPy oa": partial(run, signal.oaconvolve)}


def _opencv(case: Case, x: np.ndarray, k: np.ndarray) -> Runs:
    cv2 = imported("cv2")
    small = x.ndim == 2 and min(k.shape) <= 127
    if not cv2 or not small or case.mode == "full" or case.dtype not in ("float32", "float64"):
        return {}
    cv2.setNumThreads(2)
    reflected = np.ascontiguousarray(k[::-1, ::-1])
    inside = slice(None)
    if case.mode == "valid":
        inside = tuple(slice(m // 2, n - (m - 1) // 2) for n, m in zip(x.shape, k.shape))

    def run() -> np.ndarray:
        return cv2.filter2D(x, -1, reflected, borderType=cv2.BORDER_CONSTANT)[inside]

    return {"OpenCV": run}


def _torch(case: Case, x: np.ndarray, k: np.ndarray):
    """Return PyTorch's forward pass, and its value with gradients; None if it cannot be timed."""
    torch = imported("torch")
    if not torch or (case.products > HOURS and not case.options):
        return None
    if not on_cpu() and not torch.cuda.is_available():
        return None
    torch.set_num_threads(2)
    single, rank = not case.options, case.rank
    torchs = getattr(torch.nn.functional, f"conv{rank}d")
    if single:
        beyond = {"valid": 0, "same": "same", "full": tuple(m - 1 for m in k.shape)}
        x, k = x[None, None], np.flip(k)[None, None].copy()
        options = {"padding": beyond[case.mode]}
    else:
        options = {
            "padding": [lo for lo, _ in case.options["padding"]],
            "stride": case.options["window_strides"],
            "groups": case.options["feature_group_count"],
        }
    narrow = case.dtype in ("bfloat16", "float16")  # which NumPy does not hand over
    where, dtype = "cpu" if on_cpu() else "cuda", getattr(torch, case.dtype)
    signal, kernel = (
        torch.from_numpy(v.astype(np.float32) if narrow else v).to(where, dtype) for v in (x, k)
    )
    if case.dtype != "int32":
        signal, kernel = signal.requires_grad_(), kernel.requires_grad_()

    def waited(result: Any) -> Any:
        if where == "cuda":
            torch.cuda.synchronize()
        return result

    def value() -> Any:
        with torch.no_grad():
            return waited(torchs(signal, kernel, **options))

    def step() -> Any:
        loss = (torchs(signal, kernel, **options).abs() ** 2).sum() / 2
        return waited((loss.detach(), torch.autograd.grad(loss, (signal, kernel))))

    return value, step
