"""Where the processes of a workcell listen: short paths that only this user can reach.

A Unix socket's path may be no longer than about 100 bytes, and a folder under ``LABWRIGHT_HOME`` may be longer.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from protocols.errors import InputError


def socket_path(folder: Path, purpose: str) -> Path:
    """The socket for ``purpose`` ("control", "world") of what is kept in ``folder``; always the same one.

    Raises:
        InputError: others can reach the folder that holds the sockets.
    """
    private = Path(tempfile.gettempdir()) / f"labwright-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        private.mkdir(mode=0o700)
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise InputError(
            "the folder for sockets can be reached by others",
            where=str(private),
            mend="Remove it, or make it yours alone (chmod 700)",
        )
    return private / f"{purpose}-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}.sock"
