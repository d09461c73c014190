"""Slow convolutions that users reported: the function as reported, and the address of the thread."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.signal
from jax import lax

Make = Callable[[], tuple[Callable[..., Any], tuple]]


@dataclass(frozen=True)
class Report:
    """A slow function and its operands; some are smaller than reported, so that they end in time."""

    thread: str
    name: str
    make: Make
    x64: bool = False


def _noise(*shapes: tuple[int, ...]) -> list[jax.Array]:
    keys = jax.random.split(jax.random.key(0), len(shapes))
    return [jax.random.normal(key, shape) for key, shape in zip(keys, shapes, strict=True)]


def _gradients(fn: Callable[..., jax.Array], operands: list[jax.Array]):
    return jax.grad(lambda x, k: (fn(x, k) ** 2).sum(), (0, 1)), tuple(operands)


def _image():
    return partial(jax.scipy.signal.convolve, mode="same"), tuple(_noise((300, 300), (300, 300)))


def _frames():
    one = partial(jax.scipy.signal.convolve, mode="same")
    return jax.vmap(one, (0, None)), tuple(_noise((100, 128, 128), (30, 30)))


def _dilated():
    fn = partial(
        lax.conv_general_dilated,
        window_strides=(1,),
        padding="SAME",
        rhs_dilation=(16,),
        feature_group_count=64,
    )
    return fn, tuple(_noise((32, 64, 1024), (64, 1, 8)))


def _depthwise():
    fn = partial(
        lax.conv_general_dilated,
        window_strides=(1, 1),
        padding="SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=64,
    )
    return fn, tuple(_noise((8, 32, 32, 64), (7, 7, 1, 64)))


def _grouped():
    fn = partial(lax.conv_general_dilated, window_strides=(1, 1), padding="SAME", feature_group_count=16)
    return _gradients(fn, _noise((8, 64, 32, 32), (64, 4, 3, 3)))


def _transposed(rank: int, features: tuple[int, int], size: int, window: int, stride: int):
    def fn(x, k):
        return lax.conv_transpose(x, k, (stride,) * rank, "SAME", dimension_numbers=numbers)

    space = "ABD"[:rank]
    numbers = (f"NC{space}", f"IO{space}", f"NC{space}")
    shapes = (4, features[0], *(size,) * rank), (*features, *(window,) * rank)
    return _gradients(fn, _noise(*shapes))


def _in_a_loop():
    def fn(x, k):
        return lax.fori_loop(0, 2, lambda _, x: lax.conv(x, k, (1,), "VALID"), x)

    signal, kernel = _noise((1, 1000, 1024), (1000, 1000, 1))
    return fn, (signal, kernel / 32)


def _per_sample():
    def loss(kernels, x):
        for k in kernels:
            x = jnp.tanh(lax.conv_general_dilated(x, k, (1, 1), "SAME"))
        return x.sum()

    def each(x, *kernels):
        return jax.vmap(jax.grad(loss), (None, 0))(kernels, x[:, None])

    return each, tuple(_noise((100, 3, 16, 16), (8, 3, 3, 3), (8, 8, 3, 3)))


def _long():
    fn = partial(lax.conv_general_dilated, window_strides=(1,), padding="SAME")
    return fn, tuple(_noise((4, 8, 16_384), (8, 8, 1024)))


JAX, XLA, TORCH = (
    f"https://github.com/{name}/issues/" for name in ("jax-ml/jax", "openxla/xla", "pytorch/pytorch")
)
REPORTS = (
    Report(f"{JAX}5227", "300² × 300² in float64", _image, x64=True),
    Report(f"{JAX}25461", "100 frames of 128² × 30²", _frames),
    Report(f"{JAX}26266", "depthwise, 64 features, dilated by 16", _dilated),
    Report(f"{JAX}23713", "depthwise 7², 64 features last", _depthwise),
    Report(f"{JAX}13800", "16 groups of 4, 3²: gradients", _grouped),
    Report(f"{JAX}23783", "transposed, 1-D: gradients", partial(_transposed, 1, (32, 32), 4096, 16, 8)),
    Report(f"{XLA}34273", "transposed, 3-D: gradients", partial(_transposed, 3, (16, 1), 16, 3, 2)),
    Report(f"{JAX}12868", "1000 to 1000, 1 tap, in a loop", _in_a_loop),
    Report(f"{JAX}1606", "gradients of 100 samples, each its own", _per_sample),
    Report(f"{TORCH}21462", "8 to 8, 1024 taps, 1-D", _long),
)
