"""Direct: JAX's own `lax.conv_general_dilated`.

Wins where many features meet (it is a matrix product there), on outputs of a few places, and takes
every problem but one of integers on a GPU. Loses by far with one channel on a CPU, where it runs as a
plain loop, and worst in three dimensions.
"""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.costs import Constants, Cost
from jaxconv.engine.methods.layout import (
    VECTOR,
    features_last,
    filled,
    is_gradient,
    lanes,
    merged,
    moved_bytes,
    vector_work,
)
from jaxconv.engine.methods.method import Method
from jaxconv.engine.problem import Problem, added_and_cropped, pad_space

DEEP = 8000  # products a sum, past which JAX's matrix product slows down, as in kernels' gradients
FEW = 8  # input features, with fewer of which such a product takes twice as long
ONE_PLACE = 3  # times that XLA takes longer for the products at one place: a 1 x 1 kernel's gradient
MOST_PADDED = 2  # input features up to which padding beforehand is faster with few output features
MOST_PADDED_GRADIENT = 8  # the same in the gradient of an image's kernel
GPUS = ("cuda", "rocm")
MOST_CALLS = 32  # groups that are computed one by one, since JAX computes them together slowly


def supports(problem: Problem) -> str:
    """It can compute everything, but on GPUs, where XLA knows no convolution of integers."""
    no_integers = problem.is_exact and problem.platform in GPUS
    return "integers, which XLA does not convolve on a GPU" if no_integers else ""


def cost(problem: Problem, c: Constants) -> Cost:
    """Gathering patches, the product of these with the kernels, and what is padded beforehand."""
    p, on_cpu = problem, problem.platform == "cpu"
    of_layer = on_cpu and is_gradient(p) and p.inputs * p.outputs > 1 and not p.is_complex
    seconds = _gradient_seconds(p, c) if of_layer else _seconds(p, c)
    held = p.accumulator.itemsize * p.batch * p.groups * p.inputs * math.prod(p.padded)
    return Cost(seconds, held * (on_cpu and _pads(p)))


def _seconds(problem: Problem, c: Constants) -> float:
    """Predict gathering a patch for each place, row by row, and the product."""
    p = problem
    few = p.rank == 2 and p.taps < math.prod(p.places)  # there XLA leaves out some of the zeros
    products = p.products / (math.prod(p.signal_dilation) ** 0.5 if few else 1)
    patches = products / p.outputs
    rows = patches / (p.inputs * p.window[-1] if p.rank else 1)
    alone = p.inputs * p.outputs == 1  # then by one thread
    gathered = patches / c.patch_rate + rows * c.patch_row * (1.0 if alone else 0.4)
    gathered *= c.patch_volume if p.rank > 2 else 1.0
    is_deep = p.inputs * p.taps >= DEEP or is_gradient(p)
    rate = c.matrix_deep_rate / (1 + (p.inputs < FEW)) if is_deep else c.matrix_rate
    rate = rate / ONE_PLACE if p.taps > math.prod(p.places) == 1 else rate
    rate = c.vector_rate if p.inputs > p.outputs == 1 else rate
    calls = 3 if p.is_complex else 1  # of real convolutions, as JAX computes it
    seconds = c.direct_call + calls * (gathered + 2 * products / rate)
    return seconds + 8 * moved_bytes(p) / c.memory_rate


def _gradient_seconds(problem: Problem, c: Constants) -> float:
    """Predict the same of few places under many taps and several features: a layer's gradient."""
    p, patches = problem, problem.products / problem.outputs
    calls = 2 + p.groups / 2
    if p.rank > 2:
        calls, gathered = 5, patches / (1.6 * c.patch_rate)
        rate, moved = 1.3 * c.product_rate * filled(p, 155, 40), 3.5
    elif _by_ynnpack(p):
        gathered = 0.0
        rate = 0.58 * c.matrix_rate * lanes(p, 2 * VECTOR) * min(1, (p.places[-1] + 1) / 5)
        moved = 3.5
    else:
        gathered = patches / (0.45 * c.patch_rate)
        rate, moved = 0.8 * c.matrix_rate * filled(p, 1, 17), 5.5
    rate /= ONE_PLACE if math.prod(p.places) == 1 else 1
    products = 2 * p.products / rate
    return calls * c.direct_call + gathered + products + moved * moved_bytes(p) / c.memory_rate


def run(problem: Problem, signal: jax.Array, kernel: jax.Array) -> jax.Array:
    """Call lax; on a CPU in the ways in which it is fast, and right, there.

    Those are: features last, the only layout that it computes fast inside a loop
    (github.com/jax-ml/jax/issues/12868); one call for each of a few groups; and where few features meet
    at many taps, as in a kernel's gradient, padding done beforehand. Cropping too: with padding of
    (-1, 1), say, XLA of JAX 0.10.2 reads outside of the signal.
    """
    p = problem
    if p.platform != "cpu":
        return _call(p, signal, kernel, is_last=False)
    added, cropped = added_and_cropped(p.padding)
    crop = [(*pair, 0) for pair in cropped]
    is_beyond = any(n + lo + hi < 0 for n, (lo, hi, _) in zip(p.dilated, crop))  # windows on zeros alone
    if _pads(p) or is_beyond:
        signal = p.stage(signal)
        p = p.staged
    if max(p.signal_dilation, default=1) == 1 and min(map(min, p.padding), default=0) < 0:
        signal = pad_space(signal, crop)
        p = replace(p, space=signal.shape[3:], padding=added)
    if p.groups == 1 or p.inputs == p.outputs == 1 or p.groups > MOST_CALLS:
        return _call(p, signal, kernel, is_last=True)
    alone = replace(p, groups=1)
    pieces = [
        _call(alone, signal[:, g : g + 1], kernel[g : g + 1], is_last=True) for g in range(p.groups)
    ]
    return lax.concatenate(pieces, 1)


def _pads(problem: Problem) -> bool:
    """Whether on a CPU the signal is padded beforehand: if there is padding, and few features meet.

    What YNNPACK computes is not: with JAX 0.10.2 the gradient of kernels from 32 to 32 features, 5 x 5
    on 2 x 100 x 100 samples, takes 31 ms of a padded signal and 4.6 else.
    """
    p, dilated = problem, max(problem.signal_dilation, default=1) > 1
    if p.rank < 2 or not (dilated or any(map(any, p.padding))) or (_by_ynnpack(p) and not dilated):
        return False
    is_layer = p.rank == 2 and p.groups <= MOST_CALLS and is_gradient(p)
    return p.inputs <= (MOST_PADDED_GRADIENT if is_layer else MOST_PADDED)


def _by_ynnpack(problem: Problem) -> bool:
    """Whether XLA lets YNNPACK compute so many features, not of integers, and gathers no patches.

    It does so with more than one vector of output features.
    """
    return problem.rank == 2 and problem.outputs > VECTOR and not problem.is_exact


def _call(problem: Problem, signal: jax.Array, kernel: jax.Array, is_last: bool) -> jax.Array:
    """Merge groups into features and call lax.

    But a kernel's gradient on a GPU into the batch: so XLA knows it. The value and both gradients of 96
    kernels of 3 x 3 on 8 x 56 x 56 samples took 5.5 ms on an H200 with groups of features, and lax's
    own, which have this form, 0.18.
    """
    p, space = problem, "ABDEFGHJKLM"[: problem.rank]
    by_batch = p.platform in GPUS and p.groups > 1 and is_gradient(p)
    signal, kernel = merged(p, jnp.moveaxis(signal, 1, 0) if by_batch else signal, kernel)
    if by_batch:
        signal = signal.reshape(p.groups * p.batch, p.inputs, *p.space)
    numbers = (f"NC{space}", f"OI{space}", f"NC{space}")
    if is_last:
        signal, kernel = features_last(signal, kernel)
        numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
    out = lax.conv_general_dilated(
        signal,
        kernel,
        p.strides,
        p.padding,
        p.signal_dilation,
        p.kernel_dilation,
        numbers,
        feature_group_count=1 if by_batch else p.groups,
        batch_group_count=p.groups if by_batch else 1,
        precision=p.precision,
        preferred_element_type=None if p.accumulator == signal.dtype else p.accumulator,
    )
    return (jnp.moveaxis(out, -1, 1) if is_last else out).reshape(p.output)


METHOD = Method(supports, cost, run, is_local=True, prefers_features_last=True, work=vector_work)
