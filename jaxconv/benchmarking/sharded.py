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
from jaxconv.engine.mesh.traffic import Traffic, traffic
from jaxconv.engine.timing import measure

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


LINE, IMAGE = ((8, 1, 1 << 16), (1, 1, 33)), ((8, 1, 512, 512), (1, 1, 9, 9))
VOLUME, LAYER = ((8, 1, 64, 64, 64), (1, 1, 5, 5, 5)), ((8, 32, 64, 64), (32, 32, 3, 3))
BATCH, FIRST, SECOND = ("d",), (None, None, "d"), (None, None, None, "d")  # of the spatial axes
FORWARD: list[tuple[str, Any, Any, dict[str, Any]]] = [
    *((what, LINE, spec, {"method": method})
      for method in ("auto", "shifts", "direct", "fft", "overlap")
      for what, spec in (("lines, batch", BATCH), ("lines, samples", FIRST))),
    *((what, IMAGE, spec, {"method": method})
      for method in ("auto", "shifts", "direct", "fft")
      for what, spec in (
          ("images, batch", BATCH), ("images, rows", FIRST), ("images, columns", SECOND)
      )),
    ("volumes, depth", VOLUME, FIRST, {}),
    ("layer, batch", LAYER, BATCH, {}),
    ("layer, rows", LAYER, FIRST, {}),
    ("layer of stride 2, rows", LAYER, FIRST, {"strides": 2}),
    ("depthwise, batch", (LAYER[0], (32, 1, 3, 3)), BATCH, {"groups": 32}),
    ("4 groups, batch", (LAYER[0], (32, 8, 3, 3)), BATCH, {"groups": 4}),
    ("lines of 1025 taps, samples", (LINE[0], (1, 1, 1025)), FIRST, {}),
    ("taps beyond a shard, samples", ((8, 1, 1 << 12), (1, 1, 3001)), FIRST, {}),
]  # fmt: skip
GRADIENTS = [
    ("lines, batch", LINE, BATCH, {"gradients": True}),
    ("lines, samples", LINE, FIRST, {"gradients": True}),
    ("images, rows", IMAGE, FIRST, {"gradients": True}),
    ("layer, batch", LAYER, BATCH, {"gradients": True}),
    ("layer, rows", LAYER, FIRST, {"gradients": True}),
]
SHARDED = [
    Spread(what, signal, kernel, spec, kind, **options)
    for kind in KINDS
    for what, (signal, kernel), spec, options in (*FORWARD, *GRADIENTS)
]
