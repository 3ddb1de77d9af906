"""The command line: ``labwright``."""

from __future__ import annotations


def main() -> None:
    """Run the command that the command line names, and exit with its code."""
    from console.cli.app import app

    app()
