"""Folders in memory: a run waits for the disk at every event, and hundreds of runs for a busy one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def new_folder() -> Iterator[Callable[[], Path]]:
    """Makes one empty folder after another."""
    with tempfile.TemporaryDirectory(prefix="labwright-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield lambda: Path(tempfile.mkdtemp(dir=folder))


@pytest.fixture
def tmp_path(new_folder: Callable[[], Path]) -> Path:
    return new_folder()
