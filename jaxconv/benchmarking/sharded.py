"""Arrays divided over a mesh: traffic, error and time beside `jax.lax.conv_general_dilated`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxconv.convolution import conv_general_dilated
from jaxconv.engine.timing import measure
from jaxconv.engine.traffic import Traffic, traffic

DEVICES = 4
KINDS = {"Auto": AxisType.Auto, "Explicit": AxisType.Explicit}


@dataclass(frozen=True)
class Spread:
    """A convolution in lax's layout, and the axes of its signal that a mesh of DEVICES divides."""

    what: str
    signal: tuple[int, ...]
    kernel: tuple[int, ...]
    spec: tuple[str | None, ...]
    kind: str
    method: str = "auto"
    strides: int = 1
    groups: int = 1
    gradients: bool = False

    @property
    def name(self) -> str:
        """What is divided, the method, and the kind of axes."""
        ending = ", with gradients" if self.gradients else ""
        return f"{self.what}, {self.method}, {self.kind}{ending}"

    def operands(self) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 noise."""
        rng = np.random.default_rng(0)
        x, k = (rng.standard_normal(shape, np.float32) for shape in (self.signal, self.kernel))
        return x, k / np.float32(k[0].size ** 0.5)

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return us and lax."""
        options: dict[str, Any] = {
            "window_strides": (self.strides,) * (len(self.signal) - 2),
            "padding": "SAME",
            "feature_group_count": self.groups,
        }
        ours = partial(conv_general_dilated, method=self.method, **options)
        lax = partial(jax.lax.conv_general_dilated, **options)
        return {"jaxconv": self._of(ours), "lax": self._of(lax)}

    def _of(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if not self.gradients:
            return fn
        return jax.value_and_grad(lambda x, k: (fn(x, k) ** 2).mean(), (0, 1))


def time_sharded(case: Spread) -> dict[str, Any]:
    """Compile for the mesh, count what is sent, compare with one device in float64, and time."""
    mesh = jax.make_mesh((DEVICES,), ("d",), axis_types=(KINDS[case.kind],))
    x, k = case.operands()
    with jax.set_mesh(mesh):
        operands = [
            jax.device_put(array, NamedSharding(mesh, P(*spec)))
            for array, spec in ((x, case.spec), (k, ()))
        ]
        compiled = {
            name: jax.jit(fn).lower(*operands).compile() for name, fn in case.functions().items()
        }
        times = measure({name: partial(run, *operands) for name, run in compiled.items()})
        found = {name: run(*operands) for name, run in compiled.items()}
    with jax.enable_x64(True):
        truth = jax.jit(case.functions()["lax"])(*(jnp.asarray(a, float) for a in (x, k)))
    sent = {name: traffic(run) for name, run in compiled.items()}
    return {
        "seconds": {name: t.seconds for name, t in times.items()},
        "error": {name: _error(out, truth) for name, out in found.items()},
        "messages": {name: _counts(one) for name, one in sent.items()},
        "bytes": {name: sum(one.bytes.values()) for name, one in sent.items()},
    }


def _counts(sent: Traffic) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(sent.messages.items())) or "none"


def _error(found: Any, truth: Any) -> float:
    """Return the largest error of any array, relative to its largest element."""
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(truth), strict=True)
    arrays = [(np.asarray(a, float), np.asarray(b, float)) for a, b in pairs]
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in arrays)


def _cases() -> list[Spread]:
    line, image = ((8, 1, 1 << 16), (1, 1, 33)), ((8, 1, 512, 512), (1, 1, 9, 9))
    volume, layer = ((8, 1, 64, 64, 64), (1, 1, 5, 5, 5)), ((8, 32, 64, 64), (32, 32, 3, 3))
    samples, rows, columns = (None, None, "d"), (None, None, "d"), (None, None, None, "d")
    made = []
    for kind in KINDS:
        add = lambda *case, kind=kind, **options: made.append(Spread(*case, kind, **options))  # noqa: E731
        for method in ("auto", "shifts", "direct", "fft", "overlap"):
            add("lines, batch", *line, ("d",), method=method)
            add("lines, samples", *line, samples, method=method)
        for method in ("auto", "shifts", "direct", "fft"):
            add("images, batch", *image, ("d",), method=method)
            add("images, rows", *image, rows, method=method)
            add("images, columns", *image, columns, method=method)
        add("volumes, depth", *volume, rows)
        add("layer, batch", *layer, ("d",))
        add("layer, rows", *layer, rows)
        add("layer of stride 2, rows", *layer, rows, strides=2)
        add("depthwise, batch", layer[0], (32, 1, 3, 3), ("d",), groups=32)
        add("4 groups, batch", layer[0], (32, 8, 3, 3), ("d",), groups=4)
        add("lines of 1025 taps, samples", line[0], (1, 1, 1025), samples)
        add("taps beyond a shard, samples", (8, 1, 1 << 12), (1, 1, 3001), samples)
        for what, operands, spec in (
            ("lines, batch", line, ("d",)),
            ("lines, samples", line, samples),
            ("images, rows", image, rows),
            ("layer, batch", layer, ("d",)),
            ("layer, rows", layer, rows),
        ):
            add(what, *operands, spec, gradients=True)
    return made


SHARDED = _cases()
