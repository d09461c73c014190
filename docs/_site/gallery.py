"""The gallery: a page for each example program, with what it says at its top and its picture."""

import ast
from pathlib import Path

HIDDEN = ("judging",)  # shared by the others


def write(examples: Path, folder: Path) -> None:
    """Write all pages."""
    folder.mkdir(exist_ok=True)
    pages = {path.stem: path for path in sorted(examples.glob("*.py")) if path.stem not in HIDDEN}
    for name, path in pages.items():
        keep(folder / f"{name}.md", _page(name, path))
    cards = "\n\n".join(_card(name, path) for name, path in pages.items())
    tree = "\n".join(["```{toctree}", ":hidden:", "", *pages, "```", ""])
    about = "Programs of the folder examples/; each prints the fact that it proves."
    text = f"# Gallery\n\n{about}\n\n{cards}\n\n{tree}"
    keep(folder / "index.md", text)


def _page(name: str, path: Path) -> str:
    doc, picture = _doc(path), _picture(path)
    title, _, about = doc.partition("\n\n")
    image = f"![{title}]({picture})\n\n" if picture else ""
    return (
        f"# {title.rstrip('.')}\n\n{image}{about}\n\n"
        f"```{{literalinclude}} ../../examples/{path.name}\n:language: python\n```\n"
    )


def _card(name: str, path: Path) -> str:
    title, picture = _doc(path).partition("\n\n")[0], _picture(path)
    image = f"\n\n[![{title}]({picture})]({name}.md)" if picture else ""
    return f"## {name.replace('_', ' ')}\n\n[{title}]({name}.md){image}"


def _doc(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text())) or path.stem


def _picture(path: Path) -> str | None:
    images = path.parent.parent / "docs" / "images"
    found = [
        f"{path.stem}.{kind}" for kind in ("gif", "png") if (images / f"{path.stem}.{kind}").exists()
    ]
    return f"../images/{found[0]}" if found else None


def keep(path: Path, text: str) -> None:
    """Write a page, unless it is as it was."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
