"""A process that dies at any point of a run: nothing is silently repeated and nothing silently skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocols import timing
from protocols.program import AnyInstruction, MoveLabware, Wait
from tests.execution.lab import (
    EVERY_KIND,
    RUN,
    Crash,
    Machine,
    Run,
    SimulatedLab,
    crash_at,
    person,
    program,
    starlet,
    told,
)

ACTS = [f"{item.id}#{act}" for item in EVERY_KIND for act in range(1 + isinstance(item, MoveLabware))]
KINDS = pytest.mark.parametrize("item", EVERY_KIND, ids=lambda item: item.id)


def crash(act: str) -> Callable[[str], None]:
    def happens(happened: str) -> None:
        if happened == act:
            raise Crash

    return happens


def dies(run: Run, **options: Any) -> None:
    """Carry the run on until its process dies."""
    with pytest.raises(Crash):
        run.go(person=person("done", "done"), **options)


def confirmations(item: AnyInstruction) -> tuple[str, ...]:
    """What is still to be confirmed from ``item`` on, once ``item`` was begun."""
    left = EVERY_KIND[EVERY_KIND.index(item) + 1 :]
    return tuple("done" for later in left if later.id in ("rack", "ask"))


def outcomes(run: Run) -> list[str | None]:
    with run.open() as session:
        return [name for _, name in told(session.journal.events, "outcome")]


# -- a device that can say what it did ----------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("point", ["intent written", "act done", "outcome written"])
def test_with_a_device_that_answers_nobody_is_asked_and_nothing_is_repeated(
    tmp_path: Path, item: AnyInstruction, point: str
) -> None:
    run = Run(tmp_path, program(*EVERY_KIND), machine := Machine())
    if point == "act done":
        machine.after = crash(f"{item.id}#{1 if isinstance(item, MoveLabware) else 0}")
        dies(run)
        machine.after = lambda act: None
    else:
        dies(run, listeners=[crash_at("intent" if point == "intent written" else "outcome", item.id)])
    session = run.go(person=(someone := person(*confirmations(item))))
    assert session.kinds[-1] == "run_ended"
    assert machine.acts == ACTS
    assert [choices for _, choices in someone.heard] == [("done", "stop")] * len(confirmations(item))
    assert outcomes(run) == [item.id for item in EVERY_KIND]


def test_a_move_that_was_cut_off_in_the_middle_goes_on_from_there(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*EVERY_KIND), machine := Machine())
    machine.after = crash("move#0")
    dies(run)
    machine.after = lambda act: None
    session = run.go(person=person("done", "done"))
    assert session.kinds[-1] == "run_ended"
    assert machine.acts == ACTS
    begun = [event.payload["acts_done"] for event in session.journal.events if told([event]) == [("intent", "move")]]
    assert begun == [0, 1]


@pytest.mark.parametrize("crashes", range(2, 5))
def test_a_run_whose_process_dies_again_and_again_still_does_everything_once(tmp_path: Path, crashes: int) -> None:
    """It dies after so many events, each time: "resumed" and an intent alone would never get anywhere."""
    run = Run(tmp_path, program(*EVERY_KIND), machine := Machine())
    for _ in range(200):
        left = [crashes]

        def listen(event: object, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Crash

        try:
            run.go(person=person("done", "done"), listeners=[listen])
        except Crash:
            continue
        break
    assert machine.acts == ACTS
    assert outcomes(run) == [item.id for item in EVERY_KIND]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(ACTS)))
@pytest.mark.parametrize("after", [True, False], ids=["after the act", "before the act"])
def test_the_simulated_lab_ends_alike_wherever_the_process_dies(tmp_path: Path, number: int, after: bool) -> None:
    wanted = program(*EVERY_KIND)
    lab = SimulatedLab(wanted)
    act, done = lab.world.act, f"{RUN}:{ACTS[number]}"

    def cut(act_id: str, command: Any) -> Any:
        if act_id == done and not after:
            raise Crash
        outcome = act(act_id, command)
        if act_id == done:
            raise Crash
        return outcome

    lab.world.act = cut  # type: ignore[method-assign]
    run = Run(tmp_path, wanted, lab)
    dies(run)
    lab.world.act = act  # type: ignore[method-assign]
    session = run.go(person=person("done", "done"))
    assert session.kinds[-1] == "run_ended"
    assert lab.acts == ACTS
    truth = lab.world.state
    assert session.ledger.progress.state.volume("p/A2") == pytest.approx(truth.volume("p/A2"))
    half = timing.seconds(EVERY_KIND[6], wanted, starlet().spec) / 2  # an answer about a move is about its last act
    missing = half if ACTS[number] == "move#1" or (ACTS[number], after) == ("move#0", True) else 0.0
    assert session.ledger.progress.state.clock == pytest.approx(truth.clock - missing)
    assert not any("doubt" in str(event.payload) for event in session.journal.events)


# -- a device that cannot -----------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("happened", [True, False], ids=["it happened", "it did not happen"])
def test_with_a_device_that_cannot_say_a_person_is_asked_once(
    tmp_path: Path, item: AnyInstruction, happened: bool
) -> None:
    run = Run(tmp_path, program(*EVERY_KIND), machine := Machine(answers=False))
    if happened:
        machine.after = crash(f"{item.id}#{1 if isinstance(item, MoveLabware) else 0}")
        dies(run)
        machine.after = lambda act: None
    else:
        dies(run, listeners=[crash_at("intent", item.id)])
    answers = () if item.repeatable else ("it happened" if happened else "it did not happen",)
    session = run.go(person=(someone := person(*answers, *confirmations(item))))
    assert session.kinds[-1] == "run_ended"
    asked = [choices for question, choices in someone.heard if question.endswith("Did it happen?")]
    half = ("the arm holds it",) if isinstance(item, MoveLabware) else ()
    assert asked == [] if item.repeatable else [("it happened", "it did not happen", *half, "stop")]
    again = [f"{item.id}#0"] if item.repeatable and happened else []
    at = ACTS.index(f"{item.id}#0")
    assert machine.acts == [*ACTS[:at], *again, *ACTS[at:]]
    assert outcomes(run) == [item.id for item in EVERY_KIND]


def test_labware_that_the_arm_holds_is_only_put_down(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*EVERY_KIND), machine := Machine(answers=False))
    machine.after = crash("move#0")
    dies(run)
    machine.after = lambda act: None
    run.go(person=person("the arm holds it", "done", "done"))
    assert machine.acts == ACTS


def test_the_doubt_is_not_over_before_it_is_answered(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*EVERY_KIND[:2]), machine := Machine(answers=False))
    dies(run, listeners=[crash_at("intent", "draw")])
    for _ in range(3):
        session = run.go()
        assert session.kinds[-1] == "stopped"
    assert session.kinds.count("question") == 1
    assert machine.acts == ["pick#0"]
    assert run.go(person=person("it did not happen")).kinds[-1] == "run_ended"
    assert machine.acts == ["pick#0", "draw#0"]


@pytest.mark.parametrize("event", ["question", "answer"])
def test_a_process_that_dies_while_asking_does_not_ask_twice(tmp_path: Path, event: str) -> None:
    run = Run(tmp_path, program(*EVERY_KIND[:2]), machine := Machine(answers=False))
    dies(run, listeners=[crash_at("intent", "draw")])
    with pytest.raises(Crash):
        run.go(person=person("it did not happen"), listeners=[crash_at(event)])
    someone = person(*([] if event == "answer" else ["it did not happen"]))
    session = run.go(person=someone)
    assert session.kinds.count("question") == session.kinds.count("answer") == 1
    assert machine.acts == ["pick#0", "draw#0"]


def test_an_answer_serves_one_doubt_only(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*EVERY_KIND[:2]), machine := Machine(answers=False))
    dies(run, listeners=[crash_at("intent", "draw")])
    with pytest.raises(Crash):
        run.go(person=person("it did not happen"), listeners=[crash_at("intent", "draw")])
    someone = person("it happened")
    run.go(person=someone)
    assert len(someone.heard) == 1
    assert machine.acts == ["pick#0"]


def test_what_a_person_said_happened_takes_the_time_it_should_have_taken(tmp_path: Path) -> None:
    wait = Wait(id="then", seconds=1.0)
    run = Run(tmp_path, program(EVERY_KIND[0], wait), Machine(answers=False))
    dies(run, listeners=[crash_at("intent", "pick")])
    session = run.go(person=person("it happened"))
    outcome = next(event for event in session.journal.events if told([event]) == [("outcome", "pick")])
    assert outcome.payload == {"outcome": {"seconds": 4.0}, "source": "person"}
    assert session.ledger.progress.state.has_tip("channels", 3)


def test_an_answer_to_the_programs_own_question_survives_a_crash(tmp_path: Path) -> None:
    ask = EVERY_KIND[-1]
    run = Run(tmp_path, program(ask), machine := Machine(answers=False))
    dies(run, listeners=[crash_at("intent", "ask")])
    session = run.go()
    outcome = next(event for event in session.journal.events if event.kind == "outcome")
    assert outcome.payload["outcome"]["answer"] == "done"
    assert machine.acts == ["ask#0"]
