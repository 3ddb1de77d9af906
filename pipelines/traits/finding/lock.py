"""One process at a time works in a folder.

The operating system's lock on the file is what counts; its text only says who holds it. A lock dies with its process,
so that the folder of a killed job is free at once.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocols.errors import LeaseError

LOCK = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold ``folder`` locked.

    Raises:
        LeaseError: another process works in it; the message says which.
    """
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(file, 200, 0).decode(errors="replace").strip() or "another process"
            raise LeaseError(
                f"the folder is in use by {holder}",
                where=str(folder),
                mend="Wait until it has ended, or name another folder with --out",
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
        os.ftruncate(file, 0)
    finally:
        os.close(file)
