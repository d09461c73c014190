"""The site: Sphinx reads the pages of this folder; the reference and the gallery are written for it.

make site
"""

import re
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_site")]

import gallery  # noqa: E402
import methods  # noqa: E402
import reference  # noqa: E402

import jaxconv  # noqa: E402
from jaxconv import explorer  # noqa: E402

project = "jaxconv"
author = "the jaxconv developers"
copyright = f"{date.today().year}, {author}"
release = version = jaxconv.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "_site"]
suppress_warnings = ["myst.header"]  # a page may begin at any level of headings
default_role = "code"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 80
napoleon_custom_sections = ["Shapes", "Units", "Gradient", "Source"]
napoleon_use_rtype = False
copybutton_prompt_text = ">>> |$ "

html_theme = "furo"
html_title = "jaxconv"
html_static_path = ["_site/static"]
html_css_files = ["tables.css"]
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}


def setup(app):
    """Write the generated pages before the others are read, and mend links that lead out of docs/."""
    reference.write(HERE / "api")
    gallery.write(HERE.parent / "examples", HERE / "gallery")
    methods.write(HERE.parent / "jaxconv" / "engine" / "methods", HERE / "methods", gallery.keep)
    app.connect("source-read", _inside)
    app.connect("build-finished", _explorer)


def _explorer(app, error):
    """Lay the explorer beside the pages."""
    if not error:
        (Path(app.outdir) / "explorer.html").write_text(explorer.page(), encoding="utf-8")


def _inside(app, name, source):
    """Let links to examples lead to their pages in the gallery."""
    root = "../" * name.count("/") or "./"
    text = source[0]
    text = re.sub(r"\]\(\.\./examples/README\.md\)", f"]({root}gallery/index.md)", text)
    text = re.sub(r"\]\(\.\./examples/(\w+)\.py\)", rf"]({root}gallery/\1.md)", text)
    source[0] = text
