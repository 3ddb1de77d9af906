"""Killed with SIGKILL anywhere, the job goes on when it is asked again, and ends with the same bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.traits.killing import Jobs, contents

PARTS = 3


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    home = tmp_path_factory.mktemp("killed")
    images, rng = home / "images", np.random.default_rng(3)
    for number in range(6):
        folder = images / f"Genus_species{'ab'[number % 2]}"
        folder.mkdir(parents=True, exist_ok=True)
        image = rng.integers(190, 210, (64, 80, 3)).astype(np.uint8)
        cv2.circle(image, (30 + number, 34), 12, (20, 90 * (number % 2), 40), -1)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    found = Jobs("tests.traits.finding.killed", images, home)
    yield found
    found.close()


@pytest.fixture(scope="module")
def whole(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, str]]:
    """How many places an uninterrupted job passes, and what it leaves."""
    out = tmp_path_factory.mktemp("whole") / "out"
    code, places = jobs.run(out)
    assert code == 0
    return places, contents(out)


def check(jobs: Jobs, out: Path, kill_at: int, wanted: dict[str, str]) -> None:
    assert jobs.run(out, kill_at)[0] == -9
    assert jobs.run(out)[0] == 0
    left = contents(out)
    assert sorted(name for name in left.keys() | wanted.keys() if left.get(name) != wanted.get(name)) == [], kill_at


@pytest.mark.slow
@pytest.mark.kill
def test_places_of_all_stages_are_passed(whole: tuple[int, dict[str, str]]) -> None:
    places, files = whole
    assert places > 100
    assert {name.split("/")[0] for name in files if "/" in name} == {
        *("scan", "features", "sae", "codes", "marking", "regions", "gallery")
    }


@pytest.mark.slow
@pytest.mark.kill
@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_anywhere_leaves_nothing_behind(
    jobs: Jobs, whole: tuple[int, dict[str, str]], tmp_path: Path, part: int
) -> None:
    """One place out of each part of the job, by chance."""
    places, wanted = whole
    kill_at = random.Random(part).randrange(places * part // PARTS, places * (part + 1) // PARTS)
    check(jobs, tmp_path / "out", kill_at, wanted)


@pytest.mark.slow
@pytest.mark.kill
def test_a_job_killed_again_and_again_ends_all_the_same(
    jobs: Jobs, whole: tuple[int, dict[str, str]], tmp_path: Path
) -> None:
    _, wanted = whole
    out = tmp_path / "out"
    rng = random.Random(0)
    for _ in range(20):
        if jobs.run(out, rng.randrange(150))[0] == 0:
            break
    else:
        assert jobs.run(out)[0] == 0
    assert contents(out) == wanted
