"""Folders for the examples of one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes one empty folder after another."""
    return lambda: tmp_path_factory.mktemp("example")
