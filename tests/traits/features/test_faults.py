"""Killed at any step, and a disk that is full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def _run(module: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.traits.features.{module}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.kill
def test_killed_at_every_step_on_the_disk_the_bytes_are_the_same(tmp_path: Path) -> None:
    lines = _run("dying", str(tmp_path)).splitlines()
    assert all(line.startswith("deaths ") for line in lines), lines
    assert [int(line.split()[1]) > 30 for line in lines] == [True, True]


@pytest.mark.slow
def test_a_full_disk_is_said_and_nothing_half_written_stays(tmp_path: Path) -> None:
    out = _run("full", str(tmp_path)).splitlines()
    errors = [line for line in out if line.startswith("ERROR")]
    for error, name in zip(errors, ("000000.bin", "000000.json", "activations.json"), strict=True):
        assert f"{name}: " in error
        assert "cannot be written" in error
        assert "Make room on the disk" in error
    left = [line.split()[1:] for line in out if line.startswith("LEFT")]
    assert [len(names) for names in left] == [0, 1, 40]
    assert not any(name.startswith(".") for names in left for name in names)
    assert out.count("NOT WHOLE") == 3
    assert out.count("SAME") == 3
