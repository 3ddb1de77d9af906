"""Every failure as one paragraph that a person can act on, and an exit code; never a traceback."""

from __future__ import annotations

import errno
import os
import platform
import re
import sqlite3
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.cli.exits import ExitCode

_MENDS = {
    errno.ENOSPC: "Make room on the disk, then try again",
    errno.EDQUOT: "Make room within your quota, then try again",
    errno.EACCES: "Choose a place that you may write to, or set LABWRIGHT_HOME to one",
    errno.EPERM: "Choose a place that you may write to, or set LABWRIGHT_HOME to one",
    errno.EROFS: "Choose a place that can be written to, or set LABWRIGHT_HOME to one",
    errno.ENOENT: "Check the path",
    errno.ENOTDIR: "Name a folder; a part of this path is a file",
    errno.EEXIST: "Name a folder; there is a file of this name",
    errno.EISDIR: "Name a file; this is a folder",
    errno.ENAMETOOLONG: "Choose a shorter path",
    errno.EFBIG: "Make room within your limit of file sizes (ulimit -f), then try again",
    errno.EMFILE: "Close other programs, or raise the limit of open files (ulimit -n)",
}

_REFUSALS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE}
)
_GOES_ON = ("BudgetSpent", "ModelUnavailable")
"""Errors of models after which the same command goes on; by name, so that no failure waits for models to be loaded."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What to tell the user of an exception."""

    code: ExitCode
    what: str
    where: str = ""
    mend: str = ""
    problems: tuple[dict[str, str], ...] = ()

    def paragraph(self) -> str:
        """One paragraph: where, what, and what to do."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what.rstrip()}" + (f"\n{self.mend.rstrip('.')}." if self.mend else "")

    def as_json(self) -> dict[str, Any]:
        """The failure, for machines: ``problems`` are those of a file, one by one."""
        what = self.what.splitlines()[0] if self.problems else self.what
        return {
            "error": what,
            "where": self.where,
            "mend": self.mend,
            "problems": list(self.problems),
            "exit_code": int(self.code),
        }


def explain(error: BaseException) -> Failure:
    """Turn an exception into what the user is told; a bug leaves a crash log behind."""
    if isinstance(error, KeyboardInterrupt):
        return Failure(ExitCode.INTERRUPTED, "interrupted")
    if isinstance(error, MemoryError):
        return Failure(ExitCode.SYSTEM, "there is not enough memory for this", mend="Split the job into smaller ones")
    known = _known(error)
    if known is not None:
        return known
    if isinstance(error, OSError):
        return _refused(error)
    if isinstance(error, UnicodeEncodeError):
        return Failure(ExitCode.INPUT, "a path has bytes that are not UTF-8 text", mend="Rename the file or folder")
    return _bug(error)


def _known(error: BaseException) -> Failure | None:
    from protocols.errors import (
        ApprovalError,
        CompileError,
        DeviceError,
        FileProblemsError,
        InputError,
        LabwrightError,
        LeaseError,
        RecordError,
    )

    if not isinstance(error, LabwrightError):
        return None
    kinds: tuple[tuple[type[LabwrightError], ExitCode], ...] = (
        (InputError, ExitCode.INPUT),
        (CompileError, ExitCode.INPUT),
        (ApprovalError, ExitCode.NOT_ALLOWED),
        (LeaseError, ExitCode.NOT_ALLOWED),
        (RecordError, ExitCode.RECORD),
        (DeviceError, ExitCode.STOPPED),
    )
    code = next((code for kind, code in kinds if isinstance(error, kind)), ExitCode.INPUT)
    if type(error).__name__ in _GOES_ON:
        code = ExitCode.STOPPED
    if code == ExitCode.RECORD and _computer_refused(error.__context__):
        code = ExitCode.SYSTEM
    if isinstance(error, FileProblemsError):
        problems = tuple({"where": item.where, "what": item.what, "mend": item.mend} for item in error.problems)
        return Failure(code, _by_line(error.what, error.where), error.where, error.mend, problems)
    return Failure(code, error.what, error.where, error.mend)


def _computer_refused(cause: BaseException | None) -> bool:
    """Whether a record is sound and the disk or its permissions are in the way."""
    if isinstance(cause, OSError):
        return cause.errno in _REFUSALS
    primary = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)


def _by_line(problems: str, path: str) -> str:
    """A list of problems that names the file once, before it, and not again in each of its lines."""
    return re.sub(rf"^  {re.escape(path)}:(\d+)", r"  line \1", problems, flags=re.MULTILINE)


def _refused(error: OSError) -> Failure:
    what = error.strerror or str(error) or type(error).__name__
    where = next((str(name) for name in (error.filename2, error.filename) if name), "")
    return Failure(ExitCode.SYSTEM, what[:1].lower() + what[1:], where, _MENDS.get(error.errno or 0, ""))


def _bug(error: BaseException) -> Failure:
    summary = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    log = _write_crash_log(error)
    kept = f"Details are in {log}; please send that file with your report" if log else "No crash log could be written"
    return Failure(ExitCode.BUG, f"this is a bug in Labwright ({summary})", mend=kept)


def _write_crash_log(error: BaseException) -> Path | None:
    """The traceback in a file of its own; ``None`` where nothing can be written."""
    text = "\n".join(
        [
            f"Labwright crash log, {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}",
            f"Python {platform.python_version()} on {platform.platform()}",
            f"Command: {' '.join(sys.argv)}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    for folder in (os.environ.get("LABWRIGHT_HOME"), tempfile.gettempdir()):
        if not folder:
            continue
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="labwright-crash-", suffix=".log", dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return Path(name)
    return None
