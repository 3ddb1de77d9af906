"""Calls the app so that what is wrong with the command line itself is said like any other failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import typer

from console.cli.exits import ExitCode
from console.cli.screen import Screen, complain


def called(app: Callable[..., Any], words: Sequence[str]) -> int:
    """The exit code of the command that ``words`` name."""
    strange = next((word for word in words if not _is_text(word)), None)
    if strange is not None:
        shown = strange.encode("utf-8", "backslashreplace").decode()
        return _refuse(words, f"'{shown}' has bytes that are not UTF-8 text", mend="Rename it, or write it in UTF-8")
    try:
        return int(app(list(words), prog_name="labwright", standalone_mode=False) or 0)
    except typer.Abort:
        return int(ExitCode.INTERRUPTED)
    except Exception as error:
        if not hasattr(error, "format_message"):  # the class of the parser's errors is private to typer
            raise
        return _usage(words, error)


def _usage(words: Sequence[str], error: Any) -> int:
    path = error.ctx.command_path if getattr(error, "ctx", None) is not None else "labwright"
    message = " ".join(str(error.format_message()).split())
    if not message:  # no command was named: typer has shown the help already
        return int(ExitCode.INPUT)
    what = message[:1].lower() + message[1:].rstrip(".")
    where = path.removeprefix("labwright").strip()
    return _refuse(words, what, where=where, mend=f"`{path} --help` shows what it takes")


def _refuse(words: Sequence[str], what: str, *, where: str = "", mend: str) -> int:
    from console.cli.failures import Failure

    failure = Failure(ExitCode.INPUT, what, where, mend)
    Screen(as_json="--json" in words).give(failure.as_json())
    complain(failure.paragraph())
    return int(failure.code)


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
