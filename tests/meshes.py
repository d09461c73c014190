"""What the tests of divided arrays share: the kinds of mesh, and a comparison with one device."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from jaxconv.engine.mesh.traffic import traffic

KINDS = {"explicit": AxisType.Explicit, "auto": AxisType.Auto}
AXES = {"a": 2, "b": 2}


def is_explicit(mesh):
    return mesh.axis_types[0] is AxisType.Explicit


def placed(mesh, array, *spec):
    return jax.device_put(array, NamedSharding(mesh, P(*spec)))


def loss(fn, *operands):
    return jnp.sin(fn(*operands)).sum()


def both(fn):
    """Return a function of the output and of all derivatives."""
    return lambda *operands: (fn(*operands), jax.grad(partial(loss, fn), (0, 1))(*operands))


def compared(mesh, fn, signal, spec, *others, tolerance=2e-5):
    """Compile on the mesh, compare with one device, return the traffic and the output."""
    on_mesh = placed(mesh, signal, *spec), *(placed(mesh, other) for other in others)
    compiled = jax.jit(fn).lower(*on_mesh).compile()
    found = compiled(*on_mesh)
    with jax.set_mesh(jax.make_mesh((1,), ("one",), devices=jax.devices()[:1])):
        truth = jax.jit(fn)(signal, *others)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(truth), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(np.abs(b).max(), 1e-30))
    return traffic(compiled), found


def numbers(rng, *shape):
    return rng.standard_normal(shape).astype("f") / max(shape[-1], 1) ** 0.5
