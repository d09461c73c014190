"""The networks in examples/: taken as they are, their convolutions planned, nothing else changed."""

import jax
import pytest

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
    assert METHODS[name] <= {plan.method for plan in (*plans.forward, *plans.gradient)}
    told = capsys.readouterr().out
    assert "scores:" in told
    assert "gradients:" in told
    assert jax.dtypes.canonicalize_dtype(float) == "float32"
