"""The command line: ``labwright``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that the command line names, and exit with its code.

    Raises:
        SystemExit: always, with one of :class:`~console.cli.exits.ExitCode`.
    """
    from console.cli.app import app
    from console.cli.streams import prepare
    from console.cli.usage import called

    prepare()
    sys.exit(called(app, sys.argv[1:]))
