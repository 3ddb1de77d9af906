"""What the command's exit codes mean."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit code of every command; ``docs/reference/cli.md`` shows this table to users."""

    OK = 0
    """All went well."""
    FINDINGS = 1
    """Verification found errors, or a check found something that needs mending."""
    INPUT = 2
    """A file, an option or a name cannot be used."""
    STOPPED = 3
    """The run did not end: it was stopped or paused, waits for an answer, or a device failed. It can be resumed."""
    NOT_ALLOWED = 4
    """The workcell is in use by another run, or nobody approved exactly this."""
    RECORD = 5
    """A run's record is damaged, or another version wrote it."""
    SYSTEM = 6
    """The computer refused: disk full, no permission, out of memory."""
    BUG = 70
    """Something that should not happen; a crash log was written."""
    INTERRUPTED = 130
    """Ctrl-C."""
