"""Learning: gradient descent (optax) from random values to a matched filter, and beyond.

A loss, data, and parameters to start from; `fit` does the rest. What theory promises is known in closed
form (`optimum`), so what is learned can be judged.
"""

from jaxconv.learning.constraints import non_negative, separable, symmetric, unit_energy, zero_mean
from jaxconv.learning.evaluation import Evaluation, confusion, cosine_similarity, evaluate, optimum
from jaxconv.learning.fitting import Fit, State, default_optimizer, fit, init, random_filter, step
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
