"""Runs a command's work so that whatever goes wrong becomes one paragraph and an exit code."""

from __future__ import annotations

from collections.abc import Callable

import typer

from console.cli.exits import ExitCode
from console.cli.screen import Screen, complain

Work = Callable[[Screen], ExitCode]


def report_failures(work: Work, *, as_json: bool = False) -> None:
    """Do ``work`` on a screen and leave with its exit code.

    Raises:
        typer.Exit: always, with the code.
    """
    screen = Screen(as_json=as_json)
    try:
        code = work(screen)
    except BaseException as error:
        from console.cli.failures import explain

        failure = explain(error)
        code = failure.code
        screen.give(failure.as_json())
        complain(failure.paragraph())
    raise typer.Exit(int(code))
