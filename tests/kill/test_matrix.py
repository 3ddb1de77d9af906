"""Runs and labs killed with SIGKILL at every point of their journals in turn, and at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from benchmarks.every_device import every_device
from benchmarks.every_kind import compare, every_kind, expected_acts
from benchmarks.killing import Killer, lab_that, make_run, modules_that, world_log
from protocols.events import Event
from protocols.program import AnyInstruction, AskPerson, Program, Wait
from robots.execution.home import Home
from robots.execution.run_folder import RunFolder
from robots.workcell import Workcell, load_workcell

pytestmark = pytest.mark.kill
PARTS = 5
Made = tuple[Program, Workcell]
LABS = {"pipettes": (every_kind, lab_that), "modules": (every_device, modules_that)}


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.close()


@pytest.fixture(scope="module", params=[f"{name} that {can} answer" for name in LABS for can in ("can", "cannot")])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A program, and a lab that can say what it did, or cannot."""
    name, _, answers = str(request.param).partition(" that ")
    program, lab = LABS[name]
    return program(), load_workcell(lab(tmp_path_factory.mktemp("lab"), answers=answers.startswith("can ")))


@pytest.fixture(scope="module")
def program(made: Made) -> Program:
    return made[0]


@pytest.fixture(scope="module")
def workcell(made: Made) -> Workcell:
    return made[1]


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


def begun_at(events: tuple[Event, ...], program: Program, point: int) -> AnyInstruction | None:
    """The instruction that a kill at ``point`` leaves begun; at an even point it has been done."""
    stored = events[: max(0, point - 1) // 2]
    if not stored or stored[-1].kind != "intent":
        return None
    return next(item for item in program.instructions if item.id == stored[-1].instruction)


def left_in_doubt(events: tuple[Event, ...], program: Program, point: int) -> bool:
    """Whether a kill at ``point`` leaves an instruction begun that must not simply be begun again."""
    begun = begun_at(events, program, point)
    return begun is not None and not begun.repeatable


def answers(workcell: Workcell) -> bool:
    return workcell.spec.devices["handler"].answers


def confirmations(program: Program) -> int:
    """How often a person is asked to do something, or whether it is done."""
    by_hand = sum(item.kind == "move_labware" and item.by == "person" for item in program.instructions)
    return by_hand + sum(item.kind in ("ask_person", "replace_tip_rack") for item in program.instructions)


def done_again(of: AnyInstruction) -> bool:
    """Whether a device that cannot say what it did is told to do it again, which does no harm."""
    return of.repeatable and not isinstance(of, Wait | AskPerson)


def check(
    home: Home, workcell: Workcell, run: RunFolder, program: Program, doubts: int, again: int | None = None
) -> None:
    found = compare(program, world_log(home, workcell))
    assert found.equal, found
    if again is not None:
        assert found.again == (0 if answers(workcell) else again)
    assert asked(run, "doubt") == (0 if answers(workcell) else doubts)
    assert asked(run, "confirm") == confirmations(program)


def test_the_programs_have_every_kind_of_instruction(killer: Killer) -> None:
    pipettes, devices = every_kind(), every_device()
    kinds = {item.kind for item in (*pipettes.instructions, *devices.instructions)}
    assert kinds == {get_args(kind)[0] for kind in _kinds_of_instructions()}
    assert {len(item.channels) for item in pipettes.instructions if hasattr(item, "channels")} == {1, 8, 96}
    assert all(35 <= len(program.instructions) <= 50 for program in (pipettes, devices))


def _kinds_of_instructions() -> list[Any]:
    return [get_type_hints(kind)["kind"] for kind in get_args(AnyInstruction)]


def struck_here(workcell: Workcell, point: int) -> bool:
    """Whether a point is struck in this lab: by turns, in one that can say what it did and in one that cannot."""
    return (point // 2 % 2 == 0) == answers(workcell)


def kill_run_at(
    killer: Killer, tmp_path: Path, workcell: Workcell, program: Program, events: tuple[Event, ...], point: int
) -> None:
    home = Home(tmp_path / str(point))
    run = make_run(home, workcell, program)
    assert killer.attempt(home, run, kill_at=point)["killed"]
    assert killer.attempt(home, run)["code"] == 0
    interrupted = begun_at(events, program, point)
    again = interrupted is not None and done_again(interrupted) and point % 2 == 0
    check(home, workcell, run, program, left_in_doubt(events, program, point), again)


def test_a_run_is_killed_at_some_points(killer, tmp_path, workcell, program, undisturbed):
    for point in (6, points(undisturbed) - 1):
        kill_run_at(killer, tmp_path, workcell, program, undisturbed, point)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_is_killed_at_every_point(killer, tmp_path, workcell, program, undisturbed, part):
    for point in range(part, points(undisturbed), PARTS):
        if struck_here(workcell, point):
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
    again = hit in of and done_again(of[hit]) and point % 2 == 1
    check(home, workcell, run, program, hit in of and not of[hit].repeatable, again)


@pytest.mark.slow
def test_the_lab_is_killed_at_some_points(killer, tmp_path, workcell, program, undisturbed):
    for point in (1, 2):
        kill_lab_at(killer, tmp_path, workcell, program, point)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_lab_is_killed_at_every_point(killer, tmp_path, workcell, program, undisturbed, part):
    acts = 1 + len(expected_acts(program))
    for point in range(part, 2 * acts, PARTS):
        if struck_here(workcell, point):
            kill_lab_at(killer, tmp_path, workcell, program, point)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_run_and_lab_are_killed_at_random_again_and_again(killer, tmp_path, workcell, program, seed):
    chance = random.Random(seed)
    home = Home(tmp_path)
    run = make_run(home, workcell, program, seed=seed)
    kills = 0
    for attempt in range(40):
        kill = {} if attempt == 39 else {"kill_after": chance.uniform(0.02, 0.3)}
        if chance.random() < 0.3:
            kill = {"lab_kill_after": chance.uniform(0.02, 0.3)}
        ended = killer.attempt(home, run, **kill)
        kills += ended["killed"]
        if not ended["killed"]:
            assert ended["code"] == 0
            break
    assert compare(program, world_log(home, workcell)).equal
    assert asked(run, "confirm") == confirmations(program)
    if answers(workcell):
        assert asked(run, "doubt") == 0
