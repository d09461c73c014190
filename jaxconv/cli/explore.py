"""`jaxconv explore`: convolution to be touched, in a browser."""

import sys
import webbrowser
from pathlib import Path

from jaxconv import explorer, files
from jaxconv.cli.shared import Output, app, one_line_errors, write


@app.command()
def explore(output: Output = Path("out")) -> None:
    """Open five rooms in a browser: slide, lay, match, learn, stack.

    Writes one page (explorer.html) that needs no server and no network. On a terminal it is opened.
    """
    with one_line_errors("explore"):
        path = output / "explorer.html"
        write(path, files.text(explorer.page()))
        if sys.stdout.isatty():
            webbrowser.open(path.resolve().as_uri())
