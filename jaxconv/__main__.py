"""The command line; each command has its file in `commands`."""

import os
import sys

from jaxconv.cli import find, learn, lesson, measure
from jaxconv.cli.shared import CTRL_C, app

__all__ = ["app", "find", "learn", "lesson", "main", "measure"]


def main() -> None:
    """Run a command; end at once on Ctrl-C, without waiting for what XLA's threads are at."""
    try:
        app()
    except SystemExit as end:
        if end.code != CTRL_C:
            raise
        sys.stdout.flush()
        os._exit(CTRL_C)  # an interpreter that is taken down under running threads may crash


if __name__ == "__main__":
    main()
