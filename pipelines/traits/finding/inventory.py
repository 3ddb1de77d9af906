"""Whether a collection is still the one that was scanned, without reading its images."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path


def inventory(images: Path) -> str:
    """A digest of every file's path, size and time of change, for a folder or a single file.

    It changes where anything changed. It may also change where nothing did (a copy, a ``touch``): then the collection
    is scanned again, and what the scan finds decides.

    Raises:
        OSError: the folder cannot be read.
    """
    total = hashlib.sha256()
    for path, size, changed in _files(images):
        total.update(os.fsencode(path) + f"\0{size}\0{changed}\0".encode())
    return total.hexdigest()


def _files(images: Path) -> Iterator[tuple[str, int, int]]:
    if not images.is_dir():
        about = images.stat()
        yield images.name, about.st_size, about.st_mtime_ns
        return
    for folder, below, names in os.walk(images):
        below.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            about = os.lstat(path)
            yield os.path.relpath(path, images), about.st_size, about.st_mtime_ns
