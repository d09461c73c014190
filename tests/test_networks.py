"""The networks in examples/: taken as they are, their convolutions planned, nothing else changed."""

import jax
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

import jaxconv
from jaxconv.engine import proof
from jaxconv.engine.mesh.traffic import traffic
from tests.helpers import program

METHODS = {  # what the networks are there to show: not all is left to lax
    "accelerate_flax": {"direct", "shifts"},
    "accelerate_equinox": {"direct", "products"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_scores_and_gradients_are_the_same(name, single, capsys):
    example = program(f"examples/{name}.py")
    plans, *differences = example.compare()
    assert max(differences) < 1e-5
    used = {plan.method for plan in (*plans.forward, *plans.gradient)}
    assert ({"onednn"} if not proof.refusal() else METHODS[name]) <= used
    told = capsys.readouterr().out
    assert "scores:" in told
    assert "gradients:" in told
    assert jax.dtypes.canonicalize_dtype(float) == "float32"


def flax_step():
    """Return parameters and a training step of a small Flax NNX network, features last."""
    from flax import nnx

    class Network(nnx.Module):
        def __init__(self, rngs):
            self.first = nnx.Conv(3, 8, (3, 3), rngs=rngs)
            self.second = nnx.Conv(8, 8, (5, 5), strides=2, feature_group_count=8, rngs=rngs)
            self.last = nnx.Linear(8, 5, rngs=rngs)

        def __call__(self, x):
            x = nnx.relu(self.second(nnx.relu(self.first(x))))
            return self.last(x.mean((1, 2)))

    graph, parameters = nnx.split(Network(nnx.Rngs(0)))
    return parameters, _step(lambda parameters, x: nnx.merge(graph, parameters)(x)), (0, 1, 2, 3)


def equinox_step():
    """Return the same of Equinox, whose modules take one image, features first."""
    import equinox as eqx

    class Network(eqx.Module):
        first: eqx.nn.Conv2d
        last: eqx.nn.Linear

        def __init__(self, key):
            first, last = jax.random.split(key)
            self.first = eqx.nn.Conv2d(3, 8, 5, stride=2, padding=2, key=first)
            self.last = eqx.nn.Linear(8, 5, key=last)

        def __call__(self, x):
            return self.last(jax.nn.relu(self.first(x)).mean((1, 2)))

    parameters, static = eqx.partition(Network(jax.random.key(0)), eqx.is_array)

    def scores(parameters, x):
        return jax.vmap(eqx.combine(parameters, static))(x)

    return parameters, _step(scores), (0, 3, 1, 2)


def _step(scores):
    def step(parameters, x, labels):
        def loss(parameters):
            log_p = jax.nn.log_softmax(scores(parameters, x))
            return -(log_p * jax.nn.one_hot(labels, 5)).sum(-1).mean()

        value, slope = jax.value_and_grad(loss)(parameters)
        return value, jax.tree.map(lambda p, s: p - 0.1 * s, parameters, slope)

    return step


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit])
@pytest.mark.parametrize("make", [flax_step, equinox_step])
def test_a_training_step_on_a_mesh_is_that_of_one_device(rng, single, make, kind):
    """The batch is divided along one axis of the mesh, the rows of the images along the other."""
    parameters, step, order = make()
    images = rng.standard_normal((4, 32, 32, 3)).astype("f").transpose(order)
    labels = rng.integers(0, 5, 4)
    want = jax.jit(step)(parameters, images, labels)
    mesh = jax.make_mesh((2, 2), ("batch", "rows"), axis_types=(kind,) * 2)
    with jax.set_mesh(mesh):
        of_images = P(*("batch" if axis == 0 else "rows" if axis == 1 else None for axis in order))
        operands = [
            jax.device_put(value, NamedSharding(mesh, spec))
            for value, spec in ((parameters, P()), (images, of_images), (labels, P("batch")))
        ]
        compiled = jax.jit(jaxconv.accelerate(step)).lower(*operands).compile()
        found = compiled(*operands)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(want), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert set(traffic(compiled).messages) == {"collective-permute", "all-reduce"}
