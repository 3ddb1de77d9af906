"""Runs a command's work so that whatever goes wrong becomes one paragraph and an exit code."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

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
    except typer.Exit:
        raise
    except BrokenPipeError:  # the reader of a pipe has gone: there is nobody to tell
        code = ExitCode.OK
        with suppress(OSError):
            screen.abandon_output()
    except BaseException as error:
        from console.cli.failures import explain

        failure = explain(error)
        code = failure.code
        if as_json:
            screen.give({"error": failure.what, "where": failure.where, "mend": failure.mend, "exit_code": int(code)})
        complain(failure.paragraph())
    raise typer.Exit(int(code))
