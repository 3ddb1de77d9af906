"""Killed with SIGKILL anywhere, in the middle of a model's call too, the job goes on and ends with the same bytes."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.traits.finding import find_traits
from tests.model_server import ModelServer, truthful
from tests.traits.annotating.collection import FEW_WORDS, SMALL, draw
from tests.traits.annotating.test_model import seen
from tests.traits.killing import Jobs, contents

PLACES = 4


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images, and in ``found`` a job whose regions are found and not described."""
    home = tmp_path_factory.mktemp("killed")
    (home / "few.yaml").write_text(FEW_WORDS)
    find_traits(draw(home / "images", 3), home / "found", SMALL, workers=1)
    return home


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[ModelServer]:
    with ModelServer(truthful(seen)) as server:
        (home / "url").write_text(server.url)
        yield server


@pytest.fixture(scope="module")
def jobs(home: Path, server: ModelServer) -> Iterator[Jobs]:
    found = Jobs("tests.traits.annotating.killed", home / "images", home)
    yield found
    found.close()


@pytest.fixture(scope="module")
def whole(jobs: Jobs, home: Path, server: ModelServer) -> tuple[int, int, dict[str, str]]:
    """How many places an uninterrupted job passes, how many questions it asks, and what it leaves."""
    shutil.copytree(home / "found", home / "whole")
    code, places = jobs.run(home / "whole")
    assert code == 0
    return places, len(server.asked), contents(home / "whole")


@pytest.mark.slow
@pytest.mark.kill
def test_a_kill_anywhere_leaves_nothing_behind(
    jobs: Jobs, home: Path, server: ModelServer, whole: tuple[int, int, dict[str, str]], tmp_path: Path
) -> None:
    """At a place by chance out of each part of the job; what was answered before is not asked again."""
    places, questions, wanted = whole
    assert places > 6 * questions
    assert {
        *("descriptions/statements-000000.jsonl", "answers/statements-000000.jsonl", "checks/agreement.jsonl"),
        *("annotation.json", "dataset/release/README.md"),
    } <= set(wanted)
    chance = random.Random(7)
    for part in range(PLACES):
        out, before = tmp_path / f"out{part}", len(server.asked)
        shutil.copytree(home / "found", out)
        kill_at = chance.randrange(places * part // PLACES, places * (part + 1) // PLACES)
        assert jobs.run(out, kill_at)[0] == -9
        assert jobs.run(out)[0] == 0
        assert contents(out) == wanted, kill_at
        assert len(server.asked) - before <= questions + 3, "only calls that were in flight are made again"


@pytest.mark.slow
@pytest.mark.kill
def test_a_job_killed_again_and_again_ends_all_the_same(
    jobs: Jobs, home: Path, whole: tuple[int, int, dict[str, str]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(home / "found", out)
    for kill_at in (9, 31, 60):
        jobs.run(out, kill_at)
    assert jobs.run(out)[0] == 0
    assert contents(out) == whole[2]
