"""A program from its first instruction to its last: order, dependencies, windows, people, checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import InputError
from protocols.fold import apply
from protocols.instruction import TimeWindow
from protocols.labstate import LabState
from protocols.outcomes import Outcome
from protocols.program import AnyInstruction, AskPerson, MoveLabware, Wait
from protocols.specs import OFF_DECK
from robots.execution.journal import read_journal
from robots.execution.ledger import WallClock
from tests.execution.lab import EVERY_KIND, Machine, Run, SimulatedLab, person, program, starlet, told, waits


def test_every_kind_runs_to_the_end_with_intent_on_the_disk_before_each_act(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*EVERY_KIND), machine := Machine())

    def look(act: str) -> None:
        last = read_journal(run.path)[-1]
        assert (last.kind, last.instruction) == ("intent", act.partition("#")[0])

    machine.before = machine.after = look
    session = run.go(person=person("done", "done"))
    assert machine.acts == [f"{item.id}#{act}" for item in EVERY_KIND for act in range(1 + (item.id == "move"))]
    expected = [("run_started", None)]
    for item in EVERY_KIND:
        asked = item.id in ("rack", "ask")
        expected += [(kind, item.id) for kind in ("question", "answer")] if asked else []
        expected += [("intent", item.id), ("outcome", item.id)]
    assert told(session.journal.events) == [*expected, ("run_ended", None)]
    assert read_journal(run.path) == session.journal.events
    assert session.ledger.progress.phase == "done"
    assert machine.safe == []
    assert machine.closed == 1


def test_the_simulated_lab_ends_as_the_program_means(tmp_path: Path) -> None:
    wanted = program(*EVERY_KIND)
    lab = SimulatedLab(wanted)
    session = Run(tmp_path, wanted, lab).go(person=person("done", "done"))
    assert session.kinds[-1] == "run_ended"
    meant = LabState.start(starlet().spec, wanted)
    for instruction in wanted.instructions:
        apply(meant, wanted, instruction)
    assert lab.volumes() == pytest.approx({well: meant.volume(well) for well in lab.volumes()}, abs=1e-9)
    assert lab.world.state.site_of("p") == "plates-b-5"
    assert session.ledger.progress.state.clock == pytest.approx(lab.world.state.clock)
    assert session.ledger.progress.skipped == set()


def test_an_empty_program_ends(tmp_path: Path) -> None:
    assert Run(tmp_path, program(), Machine()).go().kinds == ["run_started", "run_ended"]


def test_each_instruction_over_is_told(tmp_path: Path) -> None:
    heard: list[tuple[int, int, str]] = []
    Run(tmp_path, program(*waits(1.0, 2.0, 3.0)), Machine()).go(
        progressed=lambda over, total, item: heard.append((over, total, item.id))
    )
    assert heard == [(1, 3, "w0"), (2, 3, "w1"), (3, 3, "w2")]


# -- order --------------------------------------------------------------------------------------------


def test_what_waits_for_others_comes_after_them(tmp_path: Path) -> None:
    wanted = program(
        Wait(id="last", seconds=1.0, after=("first", "second")),
        Wait(id="second", seconds=1.0, after=("first",)),
        Wait(id="first", seconds=1.0, after=()),
        Wait(id="free", seconds=1.0, after=()),
    )
    Run(tmp_path, wanted, machine := Machine()).go()
    assert machine.acts == ["first#0", "second#0", "last#0", "free#0"]


@pytest.mark.parametrize("waits_for", [("b",), ("nobody",), ("a",)])
def test_instructions_that_wait_for_each_other_stop_the_run(tmp_path: Path, waits_for: tuple[str, ...]) -> None:
    wanted = program(Wait(id="a", seconds=1.0, after=waits_for), Wait(id="b", seconds=1.0, after=("a",)))
    run = Run(tmp_path, wanted, machine := Machine())
    with pytest.raises(InputError, match="waits for one that never ends"):
        run.go()
    assert machine.acts == []
    assert [event.kind for event in read_journal(run.path)] == ["run_started", "stopped"]
    assert len(machine.safe) == 1


def test_what_may_not_start_yet_lets_others_go_first_and_then_waits(tmp_path: Path) -> None:
    late = Wait(id="late", seconds=1.0, after=(), window=TimeWindow(earliest=100.0))
    wanted = program(late, *(Wait(id=name, seconds=10.0, after=()) for name in ("x", "y")))
    session = Run(tmp_path, wanted, machine := Machine()).go()
    assert machine.acts == ["x#0", "y#0", "late~1#0", "late#0"]
    started = [event.virtual_time for event in session.journal.events if event.kind == "intent"]
    assert started == [0.0, 10.0, 20.0, 100.0]
    assert session.ledger.progress.finished == {"late", "x", "y"}


@pytest.mark.parametrize("passed", [0.1, 12.3, 1 / 3, 29.999999999])
def test_waiting_for_a_window_takes_one_wait_whatever_the_fractions(tmp_path: Path, passed: float) -> None:
    wanted = program(
        Wait(id="x", seconds=passed), Wait(id="late", seconds=1.0, window=TimeWindow(earliest=30.1 + passed / 7))
    )
    Run(tmp_path, wanted, machine := Machine()).go()
    assert machine.acts == ["x#0", "late~1#0", "late#0"]


def too_late() -> tuple[AnyInstruction, ...]:
    return (*waits(50.0), Wait(id="late", seconds=1.0, window=TimeWindow(latest=20.0)), Wait(id="then", seconds=1.0))


@pytest.mark.parametrize(("answer", "acts"), [("go on", ["w0#0", "late#0", "then#0"]), ("skip", ["w0#0", "then#0"])])
def test_what_is_too_late_is_asked_about(tmp_path: Path, answer: str, acts: list[str]) -> None:
    someone = person(answer)
    session = Run(tmp_path, program(*too_late()), machine := Machine()).go(person=someone)
    assert machine.acts == acts
    ((question, choices),) = someone.heard
    assert "to start by 20 s; it is 50.0 s" in question
    assert choices == ("go on", "skip", "stop")
    assert session.ledger.progress.skipped == ({"late"} if answer == "skip" else set())


def test_what_is_in_time_is_not_asked_about(tmp_path: Path) -> None:
    wanted = program(*waits(50.0), Wait(id="late", seconds=1.0, window=TimeWindow(latest=50.0)))
    session = Run(tmp_path, wanted, Machine()).go()
    assert "question" not in session.kinds


def test_on_the_wall_clock_time_passed_before_an_instruction_counts(tmp_path: Path) -> None:
    clock = WallClock("2026-01-01T00:00:00+00:00")
    session = Run(tmp_path, program(*waits(5.0)), Machine(), clock).go()
    state = session.ledger.progress.state
    assert state.clock == pytest.approx(clock.now(0.0) + 5.0, abs=1.0)
    times = [event.virtual_time for event in session.journal.events]
    assert times == sorted(times)


# -- people -------------------------------------------------------------------------------------------

ASKING = (*waits(1.0), AskPerson(id="ask", message="Is the plate sealed?"), Wait(id="then", seconds=1.0))


def test_what_a_person_confirms_is_in_the_record(tmp_path: Path) -> None:
    someone = person("done")
    session = Run(tmp_path, program(*ASKING), Machine()).go(person=someone)
    assert someone.heard == [("Is the plate sealed?", ("done", "stop"))]
    outcome = next(event for event in session.journal.events if told([event]) == [("outcome", "ask")])
    assert outcome.payload["outcome"]["answer"] == "done"


def test_labware_that_a_person_carries_is_asked_for_and_then_known_to_be_there(tmp_path: Path) -> None:
    away = MoveLabware(id="away", labware="p", site=OFF_DECK, by="person")
    back = MoveLabware(id="back", labware="p", site="plates-b-2", by="person")
    over = MoveLabware(id="over", labware="p", site="plates-b-3", by="person")
    someone = person("done", "done", "done")
    session = Run(tmp_path, program(away, back, over), Machine()).go(person=someone)
    assert [question for question, _ in someone.heard] == [
        "Take p off the deck: it stands on plates-a-1.",
        "Put p, which stands beside the deck, on plates-b-2.",
        "Carry p from plates-b-2 to plates-b-3.",
    ]
    assert session.ledger.progress.state.site_of("p") == "plates-b-3"


@pytest.mark.parametrize("nobody", [None, person(), person("whatever")])
def test_with_nobody_there_the_run_stops_and_goes_on_when_someone_answers(tmp_path: Path, nobody: object) -> None:
    run = Run(tmp_path, program(*ASKING), machine := Machine())
    session = run.go(person=nobody)
    assert session.kinds[-2:] == ["question", "stopped"]
    assert "nobody answered: Is the plate sealed?" in session.ledger.progress.stop_reason
    assert len(machine.safe) == 1
    someone = person("done")
    session = run.go(person=someone)
    assert len(someone.heard) == 1
    assert session.kinds.count("question") == 1
    assert machine.acts == ["w0#0", "ask#0", "then#0"]


def test_a_person_who_stops_the_run_is_asked_again_when_it_goes_on(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*ASKING), machine := Machine())
    session = run.go(person=person("stop"))
    assert session.ledger.progress.stop_reason == "a person stopped the run"
    assert machine.acts == ["w0#0"]
    run.go(person=person("done"))
    assert machine.acts == ["w0#0", "ask#0", "then#0"]


# -- checkpoints --------------------------------------------------------------------------------------


class Inspector:
    """Sees what it is told to see, once each, and keeps where it looked."""

    def __init__(self, **sees: str) -> None:
        self.sees = sees
        self.looked: list[tuple[str, str]] = []

    def __call__(self, instruction: AnyInstruction, outcome: Outcome | None) -> str | None:
        when = "before" if outcome is None else "after"
        self.looked.append((when, instruction.id))
        return self.sees.pop(f"{when}_{instruction.id}", None)


EVERY_LOOK = [(when, f"w{number}") for number in range(2) for when in ("before", "after")]


def test_the_checkpoint_looks_before_and_after_each_instruction(tmp_path: Path) -> None:
    inspector = Inspector()
    session = Run(tmp_path, program(*waits(1.0, 1.0)), Machine()).go(checkpoint=inspector)
    assert inspector.looked == EVERY_LOOK
    assert "inspection" not in session.kinds


@pytest.mark.parametrize("look", ["before_w0", "after_w0", "before_w1", "after_w1"])
def test_what_the_checkpoint_sees_is_put_to_a_person_and_then_the_run_goes_on(tmp_path: Path, look: str) -> None:
    inspector, someone = Inspector(**{look: "the lid is open"}), person("go on")
    session = Run(tmp_path, program(*waits(1.0, 1.0)), machine := Machine()).go(checkpoint=inspector, person=someone)
    assert someone.heard == [("the lid is open", ("go on", "stop"))]
    assert inspector.looked == EVERY_LOOK
    assert machine.acts == ["w0#0", "w1#0"]
    seen = next(event for event in session.journal.events if event.kind == "inspection")
    assert seen.payload == {"when": look.partition("_")[0], "text": "the lid is open"}


@pytest.mark.parametrize("look", ["before_w0", "after_w0", "after_w1"])
def test_what_the_checkpoint_saw_is_asked_again_when_the_run_goes_on(tmp_path: Path, look: str) -> None:
    run = Run(tmp_path, program(*waits(1.0, 1.0)), machine := Machine())
    run.go(checkpoint=Inspector(**{look: "the lid is open"}))
    someone = person("go on")
    session = run.go(checkpoint=Inspector(), person=someone)
    assert [question for question, _ in someone.heard] == ["the lid is open"]
    assert session.kinds[-1] == "run_ended"
    assert machine.acts == ["w0#0", "w1#0"]


def test_a_checkpoint_that_breaks_stops_the_run(tmp_path: Path) -> None:
    def broken(instruction: AnyInstruction, outcome: Outcome | None) -> str | None:
        if outcome is not None:
            raise RuntimeError("no camera")
        return None

    run = Run(tmp_path, program(*waits(1.0, 1.0)), machine := Machine())
    with pytest.raises(RuntimeError, match="no camera"):
        run.go(checkpoint=broken)
    assert read_journal(run.path)[-1].payload == {"reason": "RuntimeError: no camera", "safe": True}
    inspector = Inspector()
    run.go(checkpoint=inspector)
    assert inspector.looked == EVERY_LOOK[1:], "the look that was cut off is made up for"
    assert machine.acts == ["w0#0", "w1#0"]
