"""Lax's form of a convolution: its parameters and layouts, to the problem's form and back."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxconv.engine.problem import Boundaries, Problem, continued, left_to_pad

lax_p = lax.conv_general_dilated_p


def problem_of(lhs, rhs, platform: str, **params: Any) -> Problem:
    """Read the static facts off two abstract values and lax's parameters."""
    lhs_spec, rhs_spec, _ = params["dimension_numbers"]
    n, _, *space = (lhs.shape[axis] for axis in lhs_spec)
    outputs, inputs, *window = (rhs.shape[axis] for axis in rhs_spec)
    batch_groups = params["batch_group_count"]
    groups = params["feature_group_count"] * batch_groups
    result = params["preferred_element_type"] or lhs.dtype
    return Problem(
        batch=n // batch_groups,
        groups=groups,
        inputs=inputs,
        outputs=outputs // groups,
        space=tuple(space),
        window=tuple(window),
        strides=params["window_strides"],
        padding=params["padding"],
        signal_dilation=params["lhs_dilation"],
        kernel_dilation=params["rhs_dilation"],
        dtype=str(lhs.dtype),
        result=str(jnp.dtype(result)),
        precision=params["precision"],
        platform=platform,
        channels_last=lhs_spec[1] == len(lhs_spec) - 1,
        batch_axis=lhs_spec[0],
        boundaries=params.get("boundaries", ()),
    )


def parameters(lhs: Any, rhs: Any, **options: Any) -> dict[str, Any]:
    """Return the canonical parameters that lax makes of its options, after its own checks."""
    traced = jax.make_jaxpr(partial(lax.conv_general_dilated, **options))(lhs, rhs)
    return next(e.params for e in traced.eqns if e.primitive is lax_p)


def canonical_signal(problem: Problem, lhs: jax.Array, **params: Any) -> jax.Array:
    """Bring a signal in lax's layout to the canonical one: batch, groups, inputs, space."""
    p, batch_groups = problem, params["batch_group_count"]
    signal = lhs.transpose(params["dimension_numbers"].lhs_spec)
    if batch_groups > 1:  # (g n, i) to (n, g, i)
        signal = signal.reshape(batch_groups, p.batch, p.inputs, *p.space).swapaxes(0, 1)
    return signal.reshape(p.batch, p.groups, p.inputs, *p.space)


def canonical_kernel(problem: Problem, rhs: jax.Array, **params: Any) -> jax.Array:
    """Bring a kernel in lax's layout to the canonical one: groups, outputs, inputs, window."""
    p = problem
    kernel = rhs.transpose(params["dimension_numbers"].rhs_spec)
    return kernel.reshape(p.groups, p.outputs, p.inputs, *p.window)


def in_layout(out: jax.Array, problem: Problem, **params: Any) -> jax.Array:
    """Bring a canonical output to lax's layout."""
    p, out_spec = problem, params["dimension_numbers"].out_spec
    out = out.reshape(p.batch, p.groups * p.outputs, *p.places)
    return out.transpose([out_spec.index(axis) for axis in range(out.ndim)])


def extended(
    signal: jax.Array, boundaries: Boundaries, value: Any = None, **params: Any
) -> tuple[jax.Array, dict[str, Any]]:
    """Continue a signal in lax's layout; return it and lax's parameters with the padding left."""
    axes, padding = params["dimension_numbers"].lhs_spec[2:], params["padding"]
    longer = continued(signal, axes, padding, boundaries, value)
    return longer, dict(params, padding=left_to_pad(padding, boundaries))


def is_as_long(lhs: Any, out: Any, params: dict[str, Any]) -> bool:
    """Return whether a convolution has an output for each sample of its signal."""
    lhs_spec, _, out_spec = params["dimension_numbers"]
    lengths = [(lhs.shape[i], out.shape[j]) for i, j in zip(lhs_spec[2:], out_spec[2:])]
    plain = {1} == {1, *params["window_strides"], *params["lhs_dilation"]}
    return plain and all(n == m for n, m in lengths)
