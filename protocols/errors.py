"""Every error Labwright raises on purpose.

    LabwrightError
    ├── InputError          a file or value that a person gave cannot be used
    │   ├── FileProblemsError   a file has one or more problems, each with its place
    │   │   └── ExportError         a protocol or program cannot be said in another form
    │   ├── QuantityError       a quantity without a unit, of the wrong dimension, not finite or negative
    │   └── UnknownNameError    a labware kind, well, liquid, site … that does not exist
    ├── CompileError        a protocol cannot be turned into a program for this workcell
    ├── ApprovalError       nobody with authority approved exactly this
    ├── LeaseError          another process holds the workcell
    ├── RecordError         a journal or run folder is damaged or of another schema version
    └── DeviceError         a device refused or failed an instruction

An exception of any other type is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class LabwrightError(Exception):
    """Something a person can act on.

    Attributes:
        what: what happened, one sentence without a full stop.
        where: file and line, field, step, well or image; empty when there is no such place.
        mend: what to do about it; empty when nothing is known to help.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what = what
        self.where = where
        self.mend = mend
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        mend = f". {self.mend}" if self.mend else ""
        return f"{place}{self.what}{mend}"


class InputError(LabwrightError):
    """Raised when a file or a value that a person gave cannot be used."""


MOST_SHOWN = 50
"""How many problems of one file are written out."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file: where (file and line, field or column), what, and what to do about it."""

    where: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f". {self.mend}" if self.mend else "")


class FileProblemsError(InputError):
    """Raised when a file has one or more problems.

    Attributes:
        problems: each of them with its place; the text of the error shows the first :data:`MOST_SHOWN`.
        more: how many were found beside those.
    """

    def __init__(self, path: str, problems: Sequence[Problem], *, more: int = 0, mend: str = "") -> None:
        self.problems = tuple(problems)
        self.more = more
        if len(self.problems) == 1 and not more:
            (problem,) = self.problems
            super().__init__(problem.what, where=problem.where, mend=problem.mend or mend)
            return
        shown = self.problems[:MOST_SHOWN]
        hidden = len(self.problems) - len(shown) + more
        lines = [f"{len(self.problems) + more} problems", *(f"  {problem}" for problem in shown)]
        if hidden:
            lines.append(f"  and {hidden} more")
        if mend:
            lines.append(f"  {mend}")
        super().__init__("\n".join(lines), where=path)


class ExportError(FileProblemsError):
    """Raised when a protocol or a program cannot be said in another form; each reason names the part that cannot."""


class QuantityError(InputError, ValueError):
    """Raised when a quantity has no unit, the wrong dimension, is not finite or is negative."""


class UnknownNameError(InputError, ValueError):
    """Raised when a labware kind, well, liquid, site or device does not exist."""


class CompileError(LabwrightError):
    """Raised when a protocol cannot be turned into a program for this workcell."""


class ApprovalError(LabwrightError):
    """Raised when nobody with authority approved exactly this program on exactly this workcell."""


class LeaseError(LabwrightError):
    """Raised when another process holds the workcell."""


class RecordError(LabwrightError):
    """Raised when a journal or run folder is damaged, or written by another schema version."""


class DeviceError(LabwrightError):
    """Raised when a device refused or failed an instruction."""
