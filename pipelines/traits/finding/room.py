"""A disk that is full, said in one way whichever stage was writing."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from protocols.errors import LabwrightError

FULL: Mapping[int, str] = {
    errno.ENOSPC: "The disk is full; what is whole stays, and the job goes on from it",
    errno.EDQUOT: "Your quota on this disk is used up; what is whole stays, and the job goes on from it",
    errno.EFBIG: "The file may not grow any more; what is whole stays, and the job goes on from it",
}
"""What is said of each of the system's refusals for want of room."""


@contextmanager
def told_if_full(folder: Path) -> Iterator[None]:
    """Turn every error that comes from a full disk into one.

    Args:
        folder: what is named where the error does not say which file could not be written.

    Raises:
        OSError: there is no room, with the place and what is full; other errors pass as they are.
    """
    try:
        yield
    except (OSError, LabwrightError) as error:
        cause = error if isinstance(error, OSError) else error.__context__
        full = FULL.get(cause.errno or 0) if isinstance(cause, OSError) else None
        if not isinstance(cause, OSError) or full is None:
            raise
        said = error.where if isinstance(error, LabwrightError) else error.filename
        raise OSError(cause.errno, full, str(said or folder)) from error
