"""The reference: a page for each public name, from its docstring, and one for each module."""

import importlib
import inspect
from pathlib import Path

from gallery import keep

MODULES = {
    "jaxconv": "Convolution and its plan",
    "jaxconv.boundaries": "What lies beyond the edge",
    "jaxconv.kernels": "Kernels with a name",
    "jaxconv.matching": "Where a template lies",
    "jaxconv.detection": "What is best in noise",
    "jaxconv.learning": "Filters by gradient descent",
    "jaxconv.streaming": "Signals that come in chunks",
    "jaxconv.tiled": "Arrays larger than memory",
    "jaxconv.multirate": "Another sampling rate",
    "jaxconv.tuning": "Plans that were measured",
    "jaxconv.reference": "The definition",
    "jaxconv.signals": "Waves, shapes and scenes",
    "jaxconv.plotting": "Pictures",
}


def write(folder: Path) -> None:
    """Write all pages, and leave those that are as they were."""
    pages = {"index.md": _index()}
    for module, about in MODULES.items():
        names = public(module)
        pages[f"{module}.md"] = _module(module, about, names)
        for name in names:
            pages[f"{module}.{name}.md"] = _page(module, name)
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        keep(folder / name, text)


def public(module: str) -> list[str]:
    """Return the public names of a module that are no modules themselves."""
    found = importlib.import_module(module)
    names = getattr(found, "__all__", None) or [
        name
        for name, value in vars(found).items()
        if callable(value) and not name.startswith("_") and value.__module__ == module
    ]
    return sorted(name for name in names if not inspect.ismodule(getattr(found, name)))


def _index() -> str:
    modules = "\n".join(
        f"- [{module}]({module}.md): {about.lower()}" for module, about in MODULES.items()
    )
    about = "Every public name, with its shapes, errors and an example."
    return f"# Reference\n\n{about}\n\n{modules}\n\n{_tree(MODULES)}"


def _module(module: str, about: str, names: list[str]) -> str:
    found = importlib.import_module(module)
    rows = "\n".join(
        f"| [{name}]({module}.{name}.md) | {_first(getattr(found, name))} |" for name in names
    )
    tree = _tree(f"{module}.{name}" for name in names)
    return f"# {module}\n\n{about}.\n\n| | |\n|---|---|\n{rows}\n\n{tree}"


def _page(module: str, name: str) -> str:
    value = getattr(importlib.import_module(module), name)
    if isinstance(value, dict):
        return (
            f"# {name}\n\n`{module}.{name}`, a dictionary with the keys {', '.join(map(repr, value))}.\n"
        )
    kind = "autoclass" if inspect.isclass(value) else "autofunction"
    members = "\n   :members:\n   :exclude-members: __new__" if kind == "autoclass" else ""
    return f"# {name}\n\n```{{eval-rst}}\n.. {kind}:: {module}.{name}{members}\n```\n"


def _first(value: object) -> str:
    """Return the first line of a docstring."""
    if isinstance(value, dict):
        return "A dictionary."
    return (inspect.getdoc(value) or "").splitlines()[0].replace("|", "\\|")


def _tree(names) -> str:
    return "\n".join(["```{toctree}", ":hidden:", "", *names, "```", ""])
