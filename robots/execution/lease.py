"""The lease: one process at a time holds a workcell.

The operating system's lock on the lease file is the lease; the file's text only says who holds it. A lock dies
with its process, so that the lease of a dead process is free at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from protocols.errors import LeaseError
from robots.execution.home import utc_now

_TRIES = 25
_PAUSE = 0.01
"""s between two tries to lock the file, or to read what its holder is about to write."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lease: process, host, run, since when (UTC, ISO 8601), and where its control channel listens."""

    pid: int
    host: str
    run: str
    since: str
    control: str | None = None

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} holds it for run {self.run} since {self.since}"


class Lease:
    """Holds ``path`` locked until closed.

    Raises:
        LeaseError: another process holds it; the message says which.
    """

    def __init__(self, path: Path, run: str) -> None:
        self.path = path
        self.run = run
        self._since = utc_now()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _locked(self._file):
            os.close(self._file)
            self._file = -1
            holder = lease_holder(path)
            said = holder if holder is not None and holder.pid else "another process holds it"
            raise LeaseError(
                f"the workcell is in use: {said}",
                where=str(path.parent.name),
                mend="Wait until that run has ended, or stop it with `labwright runs stop`",
            )
        self.announce(None)

    def announce(self, control: str | None) -> None:
        """Write down who holds the lease, and the address of the control channel."""
        holder = Holder(os.getpid(), socket.gethostname(), self.run, self._since, control)
        text = json.dumps(asdict(holder)).encode()
        os.ftruncate(self._file, 0)  # a reader sees nothing rather than half of one holder and half of another
        os.pwrite(self._file, text, 0)

    def close(self) -> None:
        """Give the lease back."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _locked(file: int) -> bool:
    """Lock ``file``; tries for a moment, because :func:`lease_holder` locks it for an instant too."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_PAUSE)
            continue
        return True
    return False


def lease_holder(path: Path) -> Holder | None:
    """Who holds the lease now; ``None`` if nobody does."""
    for _ in range(_TRIES):
        if not _is_locked(path):
            return None
        said = _said(path)
        if said is not None:
            return said
        time.sleep(_PAUSE)  # it was locked a moment ago, or is about to be given back
    return Holder(0, "unknown", "unknown", "unknown")


def _is_locked(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def _said(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
