"""Saving: pytrees in a file, written whole or not at all, read back only where they fit."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv import checks, files


def write(path: Path, settings: dict[str, Any], **trees: Any) -> None:
    """Write the leaves of pytrees, and the settings that they belong to."""
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
    """Return what `write` wrote as pytrees of these structures, or raise.

    The leaves of the `exact` ones have the same shapes; of those of the `alike` ones the first axis
    may differ.
    """
    if not path.exists():
        error = checks.value_error(function, "save", "name a file that is there", path)
        raise FileNotFoundError(str(error))
    try:
        found = files.arrays(path)
        made = json.loads(str(found.pop("settings")))
    except (ValueError, KeyError):
        rule, remedy = "name an undamaged file of a fit", "Delete it, and start again without `resume`."
        raise checks.value_error(function, "save", rule, path, remedy) from None
    _check_settings(function, path, made, json.loads(json.dumps(settings)))
    trees = {}
    for name, like in (exact | alike).items():
        leaves, structure = jax.tree.flatten(like)
        kept = [found.get(f"{name} {number}") for number in range(len(leaves))]
        drop = 0 if name in exact else 1
        shapes = [[np.shape(_words(a))[drop:] for a in each if a is not None] for each in (leaves, kept)]
        if shapes[0] != shapes[1]:
            rule = f"hold {name} of shapes {shapes[0]}, as this fit has"
            raise checks.value_error(function, "save", rule, f"{path} with {shapes[1]}")
        trees[name] = structure.unflatten([_as(*pair) for pair in zip(leaves, kept, strict=True)])
    return trees


def _check_settings(function: str, path: Path, made: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise ValueError where a file's settings differ from these, naming those that do."""
    names = [n for n in sorted(made | wanted) if made.get(n) != wanted.get(n)]
    if names:
        asked, got = (", ".join(f"{n} {each.get(n)!r}" for n in names) for each in (wanted, made))
        remedy = "Use the options of that fit, or start again without `resume`."
        raise checks.value_error(
            function, "save", f"hold a fit with {asked}", f"{path} with {got}", remedy
        )


def _words(leaf: Any) -> np.ndarray:
    """Return a leaf as NumPy can save it: a key as its words."""
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf)


def _as(like: Any, value: Any) -> jax.Array:
    if jnp.issubdtype(like.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(jnp.asarray(value), impl=jax.random.key_impl(like))
    return jnp.asarray(value.view(like.dtype) if value.dtype.kind == "V" else value)  # V: bfloat16
