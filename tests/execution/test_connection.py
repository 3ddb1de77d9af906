"""Connections that are lost: tried again a bounded number of times, and nothing done twice meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import DeviceError
from protocols.outcomes import Outcome
from protocols.program import AnyInstruction
from robots.execution import connection
from robots.ports import ConnectionLost
from robots.simulator import PlannedFault
from tests.execution.lab import EVERY_KIND, Machine, Run, SimulatedLab, person, program, waits

LOST = ConnectionLost("the cable is out")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "RECONNECT_PAUSES", (0.0,) * 7)


@pytest.mark.slow
@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("item", EVERY_KIND, ids=lambda item: item.id)
def test_a_lost_connection_costs_a_device_that_answers_nothing(tmp_path: Path, item: object, happened: bool) -> None:
    wanted = program(*EVERY_KIND)
    fault = PlannedFault(kind="connection lost", instruction=item.id, happened=happened)
    lab = SimulatedLab(wanted, fault)
    session = Run(tmp_path, wanted, lab).go(person=person("done", "done"))
    assert session.kinds[-1] == "run_ended"
    assert lab.acts == [f"{item.id}#{act}" for item in EVERY_KIND for act in range(1 + (item.id == "move"))]
    assert "stopped" not in session.kinds
    assert session.ledger.progress.state.volume("p/A2") == pytest.approx(lab.world.state.volume("p/A2"))


def test_a_device_that_cannot_say_makes_one_question_of_a_lost_connection(tmp_path: Path) -> None:
    wanted = program(*EVERY_KIND)
    lab = SimulatedLab(wanted, PlannedFault(kind="connection lost", instruction="draw", happened=True), answers=False)
    someone = person("it happened", "done", "done")
    session = Run(tmp_path, wanted, lab).go(person=someone)
    assert session.kinds[-1] == "run_ended"
    assert len(someone.heard) == 3
    assert lab.acts.count("draw#0") == 1


def test_an_instruction_may_lose_its_connection_so_often_and_no_more(tmp_path: Path) -> None:
    run = Run(tmp_path, program(*waits(1.0)), machine := Machine(script={"w0": [LOST] * connection.MOST_LOSSES}))
    assert run.go().kinds[-1] == "run_ended"
    assert machine.connected == machine.closed == 1 + connection.MOST_LOSSES

    folder = tmp_path / "more"
    folder.mkdir()
    run = Run(folder, program(*waits(1.0)), machine := Machine(script={"w0": [LOST] * (connection.MOST_LOSSES + 1)}))
    with run.open() as session, pytest.raises(ConnectionLost, match="the cable is out"):
        session.carry_on()
    assert session.ledger.progress.phase == "stopped"
    assert session.ledger.progress.stop_reason == "Wait 1 s (w0) lost the connection 6 times"
    assert len(machine.safe) == 1
    assert run.go().kinds[-1] == "run_ended"
    assert machine.acts == ["w0#0"]


def test_losses_are_counted_for_each_instruction_by_itself(tmp_path: Path) -> None:
    script: dict[str, list[Outcome | BaseException]] = {f"w{n}": [LOST] * connection.MOST_LOSSES for n in range(3)}
    run = Run(tmp_path, program(*waits(1.0, 1.0, 1.0)), Machine(script=script))
    assert run.go().kinds[-1] == "run_ended"


def test_devices_that_do_not_answer_are_tried_some_times_and_then_the_run_stops(tmp_path: Path) -> None:
    tries = len(connection.RECONNECT_PAUSES)
    assert Run(tmp_path, program(), Machine(connections=[LOST] * (tries - 1))).go().kinds[-1] == "run_ended"

    folder = tmp_path / "more"
    folder.mkdir()
    run = Run(folder, program(*waits(1.0)), machine := Machine(connections=[LOST] * tries))
    with run.open() as session, pytest.raises(ConnectionLost):
        session.carry_on()
    assert session.ledger.progress.stop_reason == "the devices do not answer: the cable is out"
    assert machine.acts == []
    assert run.go().kinds[-1] == "run_ended"


@pytest.mark.parametrize("error", [DeviceError("the door is open"), RuntimeError("a bug")])
def test_devices_that_refuse_are_not_tried_again(tmp_path: Path, error: Exception) -> None:
    run = Run(tmp_path, program(*waits(1.0)), machine := Machine(connections=[error]))
    with run.open() as session, pytest.raises(type(error)):
        session.carry_on()
    assert str(error) in session.ledger.progress.stop_reason
    assert machine.connected == 0


def test_a_connection_that_is_lost_while_the_device_is_asked_is_made_again(tmp_path: Path) -> None:
    machine = Machine(script={"pick": [LOST]})
    asked: list[str] = []
    connect = machine.connect

    async def once_deaf(state: object) -> object:
        driver = await connect(state)
        answer = driver.acts_done

        async def acts_done(instruction: AnyInstruction) -> int | None:
            asked.append(instruction.id)
            if len(asked) == 1:
                raise LOST
            return await answer(instruction)

        driver.acts_done = acts_done
        return driver

    machine.connect = once_deaf  # type: ignore[method-assign]
    assert Run(tmp_path, program(EVERY_KIND[0]), machine).go().kinds[-1] == "run_ended"
    assert asked == ["pick", "pick"]
    assert machine.acts == ["pick#0"]
    assert machine.connected == 3
