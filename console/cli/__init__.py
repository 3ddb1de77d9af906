"""The command line: ``labwright``."""

from __future__ import annotations

import gc
import sys

GARBAGE_THRESHOLD = 50_000
"""Of objects made before the youngest are searched for garbage; at Python's own 700 that is a seventh of a start."""


def main() -> None:
    """Run the command that the command line names, and exit with its code.

    Raises:
        SystemExit: always, with one of :class:`~console.cli.exits.ExitCode`.
    """
    gc.set_threshold(GARBAGE_THRESHOLD)
    from console.cli.app import app
    from console.cli.streams import prepare
    from console.cli.usage import called

    prepare()
    sys.exit(called(app, sys.argv[1:]))
