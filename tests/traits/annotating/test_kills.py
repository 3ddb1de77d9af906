"""Killed with SIGKILL while it describes or checks, the job goes on and ends with the same bytes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.traits.finding import find_traits
from tests.traits.annotating.collection import FEW_WORDS, FINDING, draw
from tests.traits.finding.test_kills import contents


class Jobs:
    """Attempts at the job over the same images; see :mod:`tests.traits.annotating.killed`."""

    def __init__(self, images: Path, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.traits.annotating.killed", str(images), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, out: Path, kill_at: int = -1) -> tuple[int, int]:
        """How an attempt ended, and how many places it passed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{out} {kill_at}\n")
        self._process.stdin.flush()
        code, passed = self._process.stdout.readline().split()
        return int(code), int(passed)

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images, and in ``found`` a job whose regions are found and not described."""
    home = tmp_path_factory.mktemp("killed")
    (home / "few.yaml").write_text(FEW_WORDS)
    find_traits(draw(home / "images"), home / "found", FINDING, workers=1)
    return home


@pytest.fixture(scope="module")
def jobs(home: Path) -> Iterator[Jobs]:
    found = Jobs(home / "images", home)
    yield found
    found.close()


@pytest.mark.slow
@pytest.mark.kill
def test_a_kill_anywhere_leaves_nothing_behind(jobs: Jobs, home: Path, tmp_path: Path) -> None:
    """At some seven places: before or after a file gets its name, a stage begins, a stage ends."""
    shutil.copytree(home / "found", tmp_path / "whole")
    code, places = jobs.run(tmp_path / "whole")
    assert code == 0
    assert places > 20
    wanted = contents(tmp_path / "whole")
    assert {
        "descriptions/statements-000000.jsonl",
        "checks/agreement.jsonl",
        "annotation.json",
        "dataset/release/README.md",
    } <= set(wanted)
    out = tmp_path / "out"
    for kill_at in range(1, places, max(places // 7, 1)):
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(home / "found", out)
        assert jobs.run(out, kill_at)[0] == -9
        assert jobs.run(out)[0] == 0
        assert contents(out) == wanted, kill_at


@pytest.mark.slow
@pytest.mark.kill
def test_a_job_killed_again_and_again_ends_all_the_same(jobs: Jobs, home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "found", tmp_path / "whole")
    _, places = jobs.run(tmp_path / "whole")
    shutil.copytree(home / "found", tmp_path / "out")
    for kill_at in (4, 9, 2):
        jobs.run(tmp_path / "out", min(kill_at, places - 1))
    assert jobs.run(tmp_path / "out")[0] == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
