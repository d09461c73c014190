"""The command line; each command has its own file in `cli`."""

import os
import sys

from jaxconv.cli import explore, find, learn, lesson, measure, planner
from jaxconv.cli.shared import CTRL_C, app

__all__ = ["app", "explore", "find", "learn", "lesson", "main", "measure", "planner"]


def main() -> None:
    """Run a command; on Ctrl-C end at once, without waiting for the threads of XLA."""
    try:
        app()
    except SystemExit as end:
        if end.code != CTRL_C:
            raise
        sys.stdout.flush()
        os._exit(CTRL_C)  # an interpreter that shuts down while threads run may crash


if __name__ == "__main__":
    main()
