"""Pause finishes the move, stop makes safe, and both act within a second, whatever the run is doing."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import DeviceError
from protocols.events import Event
from protocols.outcomes import Outcome
from protocols.program import AnyInstruction, AskPerson, Wait
from robots.execution import connection, control
from robots.execution.control import send
from robots.execution.journal import read_journal
from tests.execution.lab import (
    EVERY_KIND,
    Absorbed,
    Crash,
    Machine,
    Run,
    Session,
    SimulatedLab,
    crash_at,
    failed,
    person,
    program,
    told,
    waits,
)

SECOND = 1.0


async def hang() -> Outcome:
    await asyncio.Event().wait()
    raise AssertionError


async def block() -> Outcome:
    time.sleep(1.5)  # a driver that blocks the event loop
    return Outcome(seconds=1.0)


class Gate:
    """Holds an act until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    async def __call__(self) -> Outcome:
        self.reached.set()
        await asyncio.to_thread(self.open.wait, 20.0)
        return Outcome(seconds=1.0)


def stop_quickly(session: Session, machine: Machine, address: str) -> None:
    """Stop over the control channel; the devices are safe, and that is on the disk, within a second."""
    began = time.monotonic()
    assert send(address, "stop", reason="smoke") == {"ok": True}
    assert time.monotonic() - began < SECOND
    assert machine.safe[0] - began < SECOND
    stopped = [event for event in read_journal(session.journal.path) if event.kind == "stopped"]
    assert [event.payload for event in stopped] == [{"reason": "smoke", "safe": True}]


# -- pause --------------------------------------------------------------------------------------------


def test_pause_finishes_the_move_and_starts_nothing_more_until_the_run_is_resumed(tmp_path: Path) -> None:
    gate = Gate()
    run = Run(tmp_path, program(*waits(1.0, 1.0, 1.0)), machine := Machine(script={"w1": [gate]}))
    with run.open() as session, session.served() as address:
        session.start()
        assert gate.reached.wait(10.0)
        send(address, "pause")
        assert send(address, "status")["phase"] == "running"
        gate.open.set()
        session.until(lambda: session.ledger.progress.phase == "paused")
        time.sleep(0.1)
        assert send(address, "status")["phase"] == "paused"
        assert told(session.journal.events)[-2:] == [("outcome", "w1"), ("paused", None)]
        send(address, "resume")
        session.join()
    assert session.error is None
    assert machine.acts == ["w0#0", "w2#0"]  # the gate stood in for w1
    assert told(session.journal.events)[-4:] == [
        ("resumed", None), ("intent", "w2"), ("outcome", "w2"), ("run_ended", None)
    ]  # fmt: skip


def test_nothing_begins_while_a_run_is_paused_though_a_question_is_answered(tmp_path: Path) -> None:
    """A pause asked for while a person is asked about an instruction in doubt holds the instruction."""
    run = Run(tmp_path, program(*EVERY_KIND[:2]), machine := Machine(answers=False))
    with pytest.raises(Crash), run.open(listeners=[crash_at("intent", "draw")]) as session:
        session.carry_on()
    with run.open(person=Absorbed()) as session, session.served() as address:
        session.start()
        session.until_asked()
        send(address, "pause")
        send(address, "answer", answer="it did not happen")
        session.until(lambda: session.ledger.progress.phase == "paused")
        time.sleep(0.1)
        assert machine.acts == ["pick#0"]
        send(address, "resume")
        session.join()
    assert machine.acts == ["pick#0", "draw#0"]
    assert session.kinds.count("question") == 1


@pytest.mark.parametrize("crash", [True, False])
def test_a_run_that_ended_while_paused_goes_on_when_resumed(tmp_path: Path, crash: bool) -> None:
    run = Run(tmp_path, program(*waits(1.0, 1.0)), machine := Machine())
    with run.open() as session, session.served() as address:
        session.switches.change(pausing=True)
        session.start()
        session.until(lambda: session.ledger.progress.phase == "paused")
        if not crash:
            stop_quickly(session, machine, address)
            session.join()
        else:
            session.journal.close()  # what comes after can no longer be written, as after a crash
            session.stopper._switches.change(stop="the end")
    assert run.go().ledger.progress.phase == "done"
    assert machine.acts == ["w0#0", "w1#0"]


# -- stop ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [hang, block], ids=["hangs", "blocks the event loop"])
def test_stop_acts_within_a_second_while_an_instruction(tmp_path: Path, trouble: Any) -> None:
    reached = threading.Event()

    async def step() -> Outcome:
        reached.set()
        return await trouble()

    run = Run(tmp_path, program(*EVERY_KIND[:2]), machine := Machine(script={"pick": [step]}))
    with run.open() as session, session.served() as address:
        session.start()
        assert reached.wait(10.0)
        stop_quickly(session, machine, address)
        session.join()
        assert session.error is None
    assert session.ledger.progress.phase == "stopped"
    assert machine.acts == []
    assert run.go().ledger.progress.phase == "done"


@pytest.mark.slow
def test_a_driver_that_does_not_heed_its_cancellation_does_not_hold_the_run_up(tmp_path: Path) -> None:
    async def stubborn() -> Outcome:
        for _ in range(30):
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                continue
        return Outcome(seconds=1.0)

    run = Run(tmp_path, program(*waits(1.0)), machine := Machine(script={"w0": [stubborn]}))
    with run.open() as session:
        session.start()
        session.until(lambda: session.ledger.progress.doubt is not None)
        assert session.stopper.stop("smoke") is None
        session.join()
    assert session.error is None
    assert session.kinds[-1] == "stopped"
    assert machine.acts == []


def test_stop_acts_while_a_person_is_asked_and_while_the_run_is_paused(tmp_path: Path) -> None:
    run = Run(tmp_path, program(AskPerson(id="ask", message="Ready?")), machine := Machine())
    with run.open(person=Absorbed()) as session, session.served() as address:
        session.start()
        session.until_asked()
        stop_quickly(session, machine, address)
        session.join()
    assert run.go(person=person("done")).kinds[-1] == "run_ended"


@pytest.mark.slow
@pytest.mark.parametrize("hanging", [hang, block], ids=["hangs", "blocks"])
def test_stop_acts_while_the_devices_are_being_connected(
    tmp_path: Path, hanging: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, program(*waits(1.0)), machine := Machine())
    reached = threading.Event()

    async def connect(state: object) -> Any:
        reached.set()
        return await hanging()

    monkeypatch.setattr(machine, "connect", connect)
    with run.open() as session, session.served() as address:
        session.start()
        assert reached.wait(10.0)
        stop_quickly(session, machine, address)
        session.join()
    assert session.error is None


def test_stop_before_the_first_instruction_starts_none(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*waits(1.0)), machine := Machine())
    with run.open() as session:
        assert session.stopper.stop("smoke") is None
        session.carry_on()
    assert machine.acts == []
    assert session.ledger.progress.phase == "stopped"


def test_nothing_begins_after_a_stop_that_came_while_the_checkpoint_looked(tmp_path: Path) -> None:
    def look(instruction: AnyInstruction, outcome: Outcome | None) -> None:
        thread = threading.Thread(target=session.stopper.stop, args=("smoke",))
        thread.start()
        thread.join()

    run = Run(tmp_path, program(*EVERY_KIND[:1]), machine := Machine())
    with run.open(checkpoint=look) as session:
        session.carry_on()
    assert machine.told == []
    assert "intent" not in session.kinds
    assert session.ledger.progress.phase == "stopped"


def test_devices_are_made_safe_again_after_an_act_that_crossed_the_stop(tmp_path: Path) -> None:
    """An act may reach the device just after it was made safe: the last word to the device is "be safe"."""
    story: list[str] = []

    async def made_safe() -> None:
        story.append("safe")

    async def crossing() -> Outcome:
        await asyncio.to_thread(session.stopper.stop, "smoke")
        story.append("act")
        return await hang()

    machine = Machine(script={"w0": [crossing]}, make_safe_does=made_safe)
    with Run(tmp_path, program(*waits(1.0)), machine).open() as session:
        session.carry_on()
    assert story == ["safe", "act", "safe"]
    assert session.kinds.count("stopped") == 1


def test_an_instruction_that_ends_within_the_grace_after_a_stop_has_its_outcome(tmp_path: Path) -> None:
    gate = Gate()
    run = Run(tmp_path, program(*waits(1.0, 1.0)), machine := Machine(script={"w0": [gate]}))
    with run.open() as session:
        session.start()
        assert gate.reached.wait(10.0)
        session.stopper.stop("smoke")
        gate.open.set()
        session.join()
    assert told(session.journal.events)[-2:] == [("stopped", None), ("outcome", "w0")]
    assert session.ledger.progress.phase == "stopped"
    run.go()
    assert machine.acts == ["w1#0"]


def test_an_act_that_the_stop_made_the_device_refuse_is_in_doubt_and_no_error(tmp_path: Path) -> None:
    async def refused() -> Outcome:
        await asyncio.to_thread(session.stopper.stop, "smoke")
        raise DeviceError("stopped before anything moved")

    run = Run(tmp_path, program(*EVERY_KIND[:1]), machine := Machine(script={"pick": [refused]}))
    with run.open() as session:
        session.carry_on()
    assert session.ledger.progress.doubt is not None
    assert run.go().kinds[-1] == "run_ended"
    assert machine.acts == ["pick#0"]


def test_stop_ends_a_long_wait_of_the_simulated_lab_at_its_pace(tmp_path: Path) -> None:
    wanted = program(*waits(3600.0))
    lab = SimulatedLab(wanted)
    lab.world.pace = 1.0
    with Run(tmp_path, wanted, lab).open() as session, session.served() as address:
        session.start()
        session.until(lambda: session.ledger.progress.doubt is not None)
        time.sleep(0.1)
        began = time.monotonic()
        send(address, "stop")
        session.join()
        assert time.monotonic() - began < 2.0
    assert lab.acts == []
    lab.world.pace = 0.0
    assert Run(tmp_path, wanted, lab).go().kinds[-1] == "run_ended"
    assert lab.acts == ["w0#0"]


# -- several stops, and the end -----------------------------------------------------------------------


def test_two_stops_at_once_are_both_answered_and_written_down_once(tmp_path: Path) -> None:
    async def slowly() -> None:
        await asyncio.sleep(0.2)

    machine = Machine(script={"w0": [hang]}, make_safe_does=slowly)
    with Run(tmp_path, program(*waits(1.0)), machine).open() as session:
        session.start()
        session.until(lambda: session.ledger.progress.doubt is not None)
        replies: list[str | None] = []
        threads = [threading.Thread(target=lambda: replies.append(session.stopper.stop("smoke"))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10.0)
        session.join()
    assert replies == [None] * 3
    assert session.kinds.count("stopped") == 1


def test_a_stop_that_meets_a_run_that_stops_by_itself_writes_one_word(tmp_path: Path) -> None:
    machine = Machine(script={"w0": [DeviceError("the door is open")]})
    threads: list[threading.Thread] = []

    async def stop_too() -> None:
        if not threads:
            threads.append(threading.Thread(target=session.stopper.stop, args=("smoke",)))
            threads[0].start()
            session.until(session.switches.stopped.is_set)

    machine.make_safe_does = stop_too
    with Run(tmp_path, program(*waits(1.0)), machine).open() as session:
        with pytest.raises(DeviceError, match="the door is open"):
            session.carry_on()
        threads[0].join()
    assert session.kinds.count("stopped") == 1


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    def stop_at_the_end(event: Event) -> None:
        if event.kind == "run_ended":
            thread = threading.Thread(target=session.stopper.stop, args=("too late",))
            thread.start()
            threads.append(thread)

    threads: list[threading.Thread] = []
    with Run(tmp_path, program(*waits(1.0)), machine := Machine()).open(listeners=[stop_at_the_end]) as session:
        session.carry_on()
        threads[0].join()
        assert session.stopper.stop("much too late") is None
    assert session.kinds[-1] == "run_ended"
    assert session.ledger.progress.phase == "done"
    assert len(machine.safe) == 2


def test_a_stop_just_before_the_end_leaves_a_run_that_ended_or_stopped_and_can_go_on(tmp_path: Path) -> None:
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        run = Run(folder, program(*waits(1.0)), machine := Machine())
        with run.open() as session:
            session.start()
            time.sleep(number * 0.0005)
            session.stopper.stop("smoke")
            session.join()
        assert session.error is None
        assert session.kinds[-1] in ("run_ended", "stopped", "outcome")
        if session.ledger.progress.phase != "done":
            assert run.go().kinds[-1] == "run_ended"
        assert machine.acts == ["w0#0"]


def test_stop_may_be_called_from_the_event_loop_itself(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if event.kind == "intent" and not machine.safe:
            replies.append(session.stopper.stop("smoke"))

    replies: list[str | None] = []
    with Run(tmp_path, program(*waits(1.0)), machine := Machine()).open(listeners=[stop]) as session:
        session.carry_on()
    assert replies == [None]
    assert machine.acts == []
    assert session.ledger.progress.phase == "stopped"


# -- devices that cannot be made safe -----------------------------------------------------------------


async def sleep_blocking() -> None:
    time.sleep(1.0)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (hang, "did not confirm within 0.2 s"),
        (sleep_blocking, "did not confirm within 0.2 s"),
        (DeviceError("no answer"), "no answer"),
        (RuntimeError("a bug"), "a bug"),
        (KeyError(), "KeyError"),
    ],
    ids=["hangs", "blocks", "DeviceError", "RuntimeError", "without words"],
)
def test_devices_that_do_not_confirm_are_told_and_written_down(
    tmp_path: Path, trouble: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(trouble, Exception):
        monkeypatch.setattr(control, "SAFE_SECONDS", 0.2)

    async def make_safe() -> None:
        if isinstance(trouble, Exception):
            raise trouble
        await trouble()

    run = Run(tmp_path, program(*waits(1.0)), Machine(make_safe_does=make_safe, script={"w0": [hang]}))
    with run.open() as session:
        session.start()
        session.until(lambda: session.ledger.progress.doubt is not None)
        assert words in str(session.stopper.stop("smoke"))
        session.join()
    assert session.journal.events[-1].payload == {"reason": "smoke", "safe": False}


def test_a_run_that_stops_by_itself_says_that_the_devices_were_not_safe(tmp_path: Path) -> None:
    async def make_safe() -> None:
        raise RuntimeError("no answer")

    session = Run(tmp_path, program(AskPerson(id="ask", message="?")), Machine(make_safe_does=make_safe)).go()
    assert session.journal.events[-1].payload == {"reason": "nobody answered: ?", "safe": False}


# -- what nobody foresaw ------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyError("a bug"), ValueError("bad"), OSError("gone"), DeviceError("door open")])
def test_whatever_a_driver_raises_the_run_is_safe_written_down_and_can_go_on(tmp_path: Path, error: Exception) -> None:
    run = Run(tmp_path, program(*waits(1.0)), machine := Machine(script={"w0": [error]}))
    with pytest.raises(type(error)):
        run.go()
    last = read_journal(run.path)[-1]
    assert last.kind == "stopped"
    assert str(error) in last.payload["reason"]
    assert len(machine.safe) == 1
    assert run.go().kinds[-1] == "run_ended"
    assert machine.acts == ["w0#0"]


def test_an_interrupted_run_is_safe_written_down_and_can_go_on(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*waits(1.0)), machine := Machine(script={"w0": [hang]}))

    async def interrupted(session: Session) -> None:
        task = asyncio.ensure_future(session.runner.run())
        while session.ledger.progress.doubt is None:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with run.open() as session:
        session.ledger.append("run_started")
        asyncio.run(interrupted(session))
    assert session.journal.events[-1].payload == {"reason": "interrupted", "safe": True}
    assert len(machine.safe) == 1
    assert run.go().kinds[-1] == "run_ended"


def test_a_keyboard_interrupt_inside_a_driver_stops_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*waits(1.0)), machine := Machine(script={"w0": [KeyboardInterrupt()]}))
    with pytest.raises(KeyboardInterrupt):
        run.go()
    assert read_journal(run.path)[-1].payload == {"reason": "interrupted", "safe": True}
    assert run.go().kinds[-1] == "run_ended"
    assert machine.acts == ["w0#0"]


@pytest.mark.parametrize("outcome", [Outcome(volumes=(1.0,)), Outcome(tips=(True,) * 3), failed("clog", 7)])
def test_an_outcome_that_cannot_be_read_again_is_refused_before_it_is_written(tmp_path: Path, outcome: Outcome) -> None:
    run = Run(tmp_path, program(*EVERY_KIND[:2]), machine := Machine(script={"draw": [outcome]}))
    with pytest.raises(DeviceError, match="the driver reported"):
        run.go()
    session = run.go()
    assert session.kinds[-1] == "run_ended"
    assert machine.acts == ["pick#0", "draw#0"]


def test_a_listener_that_breaks_stops_the_run_and_breaks_no_record(tmp_path: Path) -> None:
    def broken(event: Event) -> None:
        if event.kind == "outcome":
            raise RuntimeError("the screen is gone")

    run = Run(tmp_path, program(*waits(1.0, 1.0)), machine := Machine())
    with pytest.raises(RuntimeError, match="the screen is gone"):
        run.go(listeners=[broken])
    assert [event.kind for event in read_journal(run.path)][-2:] == ["outcome", "stopped"]
    assert run.go().kinds[-1] == "run_ended"
    assert machine.acts == ["w0#0", "w1#0"]


def test_a_driver_that_does_not_let_go_does_not_keep_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.1)
    machine = Machine()
    connect = machine.connect

    async def sticky(state: Any) -> Any:
        driver = await connect(state)
        driver.close = hang
        return driver

    monkeypatch.setattr(machine, "connect", sticky)
    assert Run(tmp_path, program(Wait(id="w", seconds=1.0)), machine).go().kinds[-1] == "run_ended"
