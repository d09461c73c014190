"""Explorer: convolution to be touched, as one page that needs no server and no outside address.

`data.json` holds a photograph, digits and a network; `docs/_site/explorer_data.py` wrote it.
"""

from importlib.resources import files

ROOMS = ("slide", "lay", "match", "learn", "stack")


def page() -> str:
    """Return the page, all in one.

    Shapes:
        None.

    Returns:
        HTML.

    Example:
        >>> page().startswith("<!doctype html>")
        True
    """
    here = files("jaxconv.explorer")

    def read(name: str) -> str:
        return (here / name).read_text(encoding="utf-8")

    scripts = "\n".join(
        read(f"{name}.js").replace('"use strict";\n', "") for name in ("core", "draw", *ROOMS, "rooms")
    )
    parts = {"STYLE": read("style.css"), "DATA": read("data.json"), "SCRIPTS": scripts}
    text = read("page.html")
    for name, part in parts.items():
        text = text.replace(f"/* {name} */", part)
    return text
