"""The real analyses that stand beside the tests."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

ANALYSES = Path(__file__).parent / "analyses"
WRITTEN = Path(__file__).parent / "written"
NAMES = tuple(sorted(file.name.removesuffix(".json.gz") for file in ANALYSES.glob("*.json.gz")))
SUCCEEDED = tuple(name for name in NAMES if "_S_" in name)
FAILED = tuple(name for name in NAMES if "_X_" in name)
OWN = tuple(sorted(file.name.removesuffix(".json.gz") for file in WRITTEN.glob("*.json.gz")))
"""Protocols that were written for the tests."""


def text(name: str) -> str:
    """The analysis called ``name`` as JSON text."""
    folder = WRITTEN if name in OWN else ANALYSES
    return gzip.decompress((folder / f"{name}.json.gz").read_bytes()).decode()


@cache
def _loaded(name: str) -> str:
    return text(name)


def analysis(name: str) -> dict[str, Any]:
    """The analysis called ``name``, a fresh copy each time."""
    data: dict[str, Any] = json.loads(_loaded(name))
    return data


def write(name: str, folder: Path) -> Path:
    """Write the analysis called ``name`` as a plain JSON file into ``folder``."""
    path = folder / f"{name}.analysis.json"
    path.write_text(text(name))
    return path
