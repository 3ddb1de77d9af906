"""The genuine opentrons package, where this computer has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from robots.sources.environment import PYTHON_VARIABLE

_NAMED = os.environ.get(PYTHON_VARIABLE)
PYTHON = Path(_NAMED) if _NAMED else Path(__file__).resolve().parents[2] / ".peers" / "opentrons" / "bin" / "python"
"""Its interpreter: the one that the environment names, else that of `make peers`."""
needs_opentrons = pytest.mark.skipif(not PYTHON.is_file(), reason="opentrons is not installed: `make peers` does it")
