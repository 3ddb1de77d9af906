"""Fixtures of the driver's tests."""

from __future__ import annotations

import pytest

from robots.workcell import Workcell, load_workcell


@pytest.fixture(scope="session")
def starlet() -> Workcell:
    return load_workcell("starlet")
