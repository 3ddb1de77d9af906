"""Runs and labs killed with SIGKILL at every point of their journals in turn, and at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.every_kind import compare, every_kind
from benchmarks.killing import Killer, lab_that, make_run, world_log
from protocols.events import Event
from protocols.program import Program
from robots.execution.home import Home
from robots.execution.run_folder import RunFolder
from robots.workcell import Workcell, load_workcell

pytestmark = pytest.mark.kill
PARTS = 8
SILENT = [pytest.param(True, id="lab that answers"), pytest.param(False, id="lab that cannot answer")]


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.close()


@pytest.fixture(scope="module")
def program() -> Program:
    return every_kind()


@pytest.fixture(scope="module", params=SILENT)
def workcell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workcell:
    return load_workcell(lab_that(tmp_path_factory.mktemp("lab"), answers=request.param))


@pytest.fixture(scope="module")
def undisturbed(
    killer: Killer, program: Program, workcell: Workcell, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Event, ...]:
    """The events of a run that nobody kills, from where its process takes it up."""
    home = Home(tmp_path_factory.mktemp("home"))
    run = make_run(home, workcell, program)
    already = len(run.events())
    assert killer.attempt(home, run)["code"] == 0
    assert compare(program, world_log(home, workcell)).equal
    return run.events()[already:]


def asked(run: RunFolder, topic: str) -> int:
    return sum(event.kind == "question" and event.payload["topic"] == topic for event in run.events())


def points(events: tuple[Event, ...]) -> int:
    """Before and after each event is stored, and the record of the deck before the first and after the last of them."""
    return 2 * (1 + len(events) + 1)


def left_in_doubt(events: tuple[Event, ...], program: Program, point: int) -> bool:
    """Whether a kill at ``point`` leaves an instruction begun that must not simply be begun again."""
    stored = events[: max(0, point - 1) // 2]
    if not stored or stored[-1].kind != "intent":
        return False
    instructions = {item.id: item for item in program.instructions}
    return not instructions[str(stored[-1].instruction)].repeatable


def check(home: Home, workcell: Workcell, run: RunFolder, program: Program, doubts: int) -> None:
    assert compare(program, world_log(home, workcell)).equal
    assert asked(run, "doubt") == (0 if workcell.spec.devices["handler"].answers else doubts)
    assert asked(run, "confirm") == sum(
        item.kind in ("ask_person", "replace_tip_rack") for item in program.instructions
    )


def test_the_program_has_every_kind_of_instruction_for_1_8_and_96_channels(program):
    kinds = {item.kind for item in program.instructions}
    assert kinds == {
        *("pick_up_tips", "aspirate", "dispense", "mix", "air_gap", "drop_tips"),
        *("move_labware", "replace_tip_rack", "wait", "ask_person"),
    }
    assert {len(item.channels) for item in program.instructions if hasattr(item, "channels")} == {1, 8, 96}
    assert 36 <= len(program.instructions) <= 44


def kill_run_at(
    killer: Killer, tmp_path: Path, workcell: Workcell, program: Program, events: tuple[Event, ...], point: int
) -> None:
    home = Home(tmp_path / str(point))
    run = make_run(home, workcell, program)
    assert killer.attempt(home, run, kill_at=point)["killed"]
    assert killer.attempt(home, run)["code"] == 0
    check(home, workcell, run, program, left_in_doubt(events, program, point))


def test_a_run_is_killed_at_some_points(killer, tmp_path, workcell, program, undisturbed):
    for point in (0, 1, 5, 6, points(undisturbed) - 2, points(undisturbed) - 1):
        kill_run_at(killer, tmp_path, workcell, program, undisturbed, point)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_is_killed_at_every_point(killer, tmp_path, workcell, program, undisturbed, part):
    for point in range(part, points(undisturbed), PARTS):
        kill_run_at(killer, tmp_path, workcell, program, undisturbed, point)


def kill_lab_at(killer: Killer, tmp_path: Path, workcell: Workcell, program: Program, point: int) -> None:
    """Point 0 and 1 surround the lab's set-up; two more surround each act."""
    home = Home(tmp_path / f"lab-{point}")
    run = make_run(home, workcell, program)
    ended = killer.attempt(home, run, lab_kill_at=point)
    assert (ended["code"], ended["lab_kills"]) == (0, 1)
    told = [act.instruction.rpartition(":")[2] for act in world_log(home, workcell)]
    of = {item.id: item for item in program.instructions}
    hit = told[point // 2]
    check(home, workcell, run, program, hit in of and not of[hit].repeatable)


def test_the_lab_is_killed_at_some_points(killer, tmp_path, workcell, program, undisturbed):
    for point in (0, 1, 2, 3):
        kill_lab_at(killer, tmp_path, workcell, program, point)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_lab_is_killed_at_every_point(killer, tmp_path, workcell, program, undisturbed, part):
    acts = 1 + len(program.instructions) + sum(item.kind == "move_labware" for item in program.instructions)
    for point in range(part, 2 * acts, PARTS):
        kill_lab_at(killer, tmp_path, workcell, program, point)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_run_and_lab_are_killed_at_random_again_and_again(killer, tmp_path, workcell, program, seed):
    chance = random.Random(seed)
    home = Home(tmp_path)
    run = make_run(home, workcell, program, seed=seed)
    kills = 0
    for attempt in range(40):
        kill = {} if attempt == 39 else {"kill_after": chance.uniform(0.02, 0.5)}
        if chance.random() < 0.3:
            kill = {"lab_kill_after": chance.uniform(0.02, 0.5)}
        ended = killer.attempt(home, run, **kill)
        kills += ended["killed"]
        if not ended["killed"]:
            assert ended["code"] == 0
            break
    assert compare(program, world_log(home, workcell)).equal
    confirmed = sum(item.kind in ("ask_person", "replace_tip_rack") for item in program.instructions)
    assert asked(run, "confirm") == confirmed
    if workcell.spec.devices["handler"].answers:
        assert asked(run, "doubt") == 0
