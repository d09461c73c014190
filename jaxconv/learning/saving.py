"""Saving: pytrees in a file, written completely or not at all, and read back only if they fit."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks, files


def write(path: Path, settings: dict[str, Any], **trees: Any) -> None:
    """Write the leaves of pytrees, with the settings that they belong to."""
    leaves: Any = {
        f"{name} {number}": _words(leaf)
        for name, tree in trees.items()
        for number, leaf in enumerate(jax.tree.leaves(tree))
    }
    leaves["settings"] = np.array(json.dumps(settings))
    files.write(path, lambda file: np.savez(file, **leaves))


def read(
    function: str, path: Path, settings: dict[str, Any], exact: dict[str, Any], alike: dict[str, Any]
) -> dict[str, Any]:
    """Return the pytrees that `write` saved, in these structures, or raise.

    The saved leaves must have the shapes of those in `exact`; for those in `alike` the first axis may
    differ.
    """
    if not path.exists():
        error = checks.value_error(function, "save", "name an existing file", path)
        raise FileNotFoundError(str(error))
    try:
        saved = files.arrays(path)
        made_with = json.loads(str(saved.pop("settings")))
    except (ValueError, KeyError):
        rule, remedy = "name an undamaged file of a fit", "Delete it, and start again without `resume`."
        raise checks.value_error(function, "save", rule, path, remedy) from None
    _check_settings(function, path, made_with, json.loads(json.dumps(settings)))
    trees = {}
    for name, like in (exact | alike).items():
        leaves, structure = jax.tree.flatten(like)
        read = [saved.get(f"{name} {number}") for number in range(len(leaves))]
        drop = 0 if name in exact else 1
        shapes = [[np.shape(_words(a))[drop:] for a in each if a is not None] for each in (leaves, read)]
        if shapes[0] != shapes[1]:
            rule = f"hold {name} of shapes {shapes[0]}, as this fit has"
            raise checks.value_error(function, "save", rule, f"{path} with {shapes[1]}")
        trees[name] = structure.unflatten([_as(*pair) for pair in zip(leaves, read, strict=True)])
    return trees


def _check_settings(
    function: str, path: Path, made_with: dict[str, Any], wanted: dict[str, Any]
) -> None:
    """Raise ValueError if the settings of a file differ from these, naming those that differ."""
    names = [n for n in sorted(made_with | wanted) if made_with.get(n) != wanted.get(n)]
    if names:
        asked, got = (", ".join(f"{n} {each.get(n)!r}" for n in names) for each in (wanted, made_with))
        remedy = "Use the options of that fit, or start again without `resume`."
        raise checks.value_error(
            function, "save", f"hold a fit with {asked}", f"{path} with {got}", remedy
        )


def _words(leaf: Any) -> np.ndarray:
    """Return a leaf as an array that NumPy can save: a random key as its words."""
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf)


def _as(like: Any, value: Any) -> jax.Array:
    if jnp.issubdtype(like.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(jnp.asarray(value), impl=jax.random.key_impl(like))
    return jnp.asarray(value.view(like.dtype) if value.dtype.kind == "V" else value)  # V: bfloat16
