"""Learning: gradient descent (optax) from random values to a matched filter, and beyond.

`fit` takes a loss, data, and parameters to start from; `optimum` is the best filter in closed form, to
compare with. Import the names below from `jaxconv.learning`; it needs optax.
"""

from jaxconv.learning.constraints import non_negative, separable, symmetric, unit_energy, zero_mean
from jaxconv.learning.evaluation import Evaluation, confusion, cosine_similarity, evaluate, optimum
from jaxconv.learning.fitting import Fit, fit
from jaxconv.learning.losses import (
    Detector,
    deflection,
    logistic,
    negative_deflection,
    peak_least_squares,
    peak_responses,
    responses,
    softmax,
    sorting,
)
from jaxconv.learning.state import State, default_optimizer, init, random_filter, step

__all__ = [
    "Detector",
    "Evaluation",
    "Fit",
    "State",
    "confusion",
    "cosine_similarity",
    "default_optimizer",
    "deflection",
    "evaluate",
    "fit",
    "init",
    "logistic",
    "negative_deflection",
    "non_negative",
    "optimum",
    "peak_least_squares",
    "peak_responses",
    "random_filter",
    "responses",
    "separable",
    "softmax",
    "sorting",
    "step",
    "symmetric",
    "unit_energy",
    "zero_mean",
]
