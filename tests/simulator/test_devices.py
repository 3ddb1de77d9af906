"""Devices on the deck of the simulated lab: what they do, what they refuse, and what they can say of it."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from pathlib import Path

import pytest

from benchmarks.every_device import every_device
from benchmarks.killing import modules_that
from protocols.devices import DeviceState
from protocols.program import Program
from robots.simulator import FaultPlan, LocalWorld, Noise, PlannedFault, RemoteWorld, World, WorldProcess
from robots.simulator.modules import SimulatedHeaterShaker, SimulatedThermocycler
from robots.workcell import Workcell, load_workcell
from tests.driver.test_simulated import Lab


@cache
def program() -> Program:
    return every_device()


@pytest.fixture(params=[True, False], ids=["answers", "silent"])
def workcell(request: pytest.FixtureRequest, tmp_path: Path) -> Workcell:
    return load_workcell(modules_that(tmp_path, answers=request.param))


@pytest.fixture
def world(tmp_path: Path) -> World:
    spec = load_workcell(modules_that(tmp_path, answers=True)).spec
    made = World(spec, noise=Noise.off(), log=tmp_path / "world.sqlite")
    made.prepare(program().labware, program().contents, program().liquids)
    return made


def tell(world: World, name: str, kind: str, **fields):
    return world.act(f"run:{name}#0", {"kind": kind, **fields})


def test_a_device_does_what_it_is_told_and_knows_it_after_a_restart(world, tmp_path):
    assert tell(world, "latch", "set_latch", device="heater_shaker", open=False).status == "done"
    assert tell(world, "heat", "set_temperature", device="heater_shaker", celsius=40.0).status == "done"
    assert tell(world, "shake", "shake", device="heater_shaker", rpm=500.0).status == "done"
    expected = DeviceState(celsius=40.0, latch_open=False, rpm=500.0)
    assert world.devices()["heater_shaker"] == expected
    world.close()
    again = World(world.workcell, noise=Noise.off(), log=tmp_path / "world.sqlite")
    assert again.devices()["heater_shaker"] == expected
    again.close()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"kind": "shake", "device": "heater_shaker", "rpm": 500.0}, "latch is not closed"),
        ({"kind": "set_temperature", "device": "heater_shaker", "celsius": 120.0}, "outside of what"),
        ({"kind": "await_temperature", "device": "temperature_module"}, "no temperature was set"),
        ({"kind": "set_lid", "device": "heater_shaker", "open": True}, "cannot do this"),
        ({"kind": "set_magnet", "device": "nobody", "raised": True}, "no such device"),
    ],
)
def test_a_device_refuses_what_it_cannot_do(world, command, words):
    before = world.devices()
    outcome = world.act("run:it#0", command)
    assert (outcome.status, [fault.kind for fault in outcome.faults]) == ("failed", ["refused"])
    assert words in outcome.faults[0].message
    assert world.devices() == before


def test_a_fault_of_a_device_is_an_outcome_and_changes_nothing(tmp_path):
    spec = load_workcell(modules_that(tmp_path, answers=True)).spec
    plan = FaultPlan(faults=(PlannedFault(kind="refused", instruction="heat"),))
    world = World(spec, noise=Noise.off(), faults=plan)
    outcome = tell(world, "heat", "set_temperature", device="temperature_module", celsius=37.0)
    assert [(fault.kind, fault.place) for fault in outcome.faults] == [("refused", "temperature_module")]
    assert world.devices()["temperature_module"].celsius is None


def test_a_profile_takes_its_holds_on_the_labs_clock(world):
    holds = [{"celsius": 95.0, "seconds": 10.0}, {"celsius": 60.0, "seconds": 30.0}]
    outcome = tell(world, "cycle", "run_profile", device="thermocycler", steps=holds, cycles=30)
    assert outcome.seconds == pytest.approx(1200.0)
    assert world.devices()["thermocycler"].celsius == 60.0


def test_a_person_carries_labware_off_the_deck_and_back(world):
    assert tell(world, "away", "carry", labware="cold", site="off-deck").status == "done"
    assert world.state.site_of("cold") == "off-deck"
    wrong = tell(world, "wrong", "carry", labware="cold", site="slot-7")
    assert [(fault.kind, fault.message) for fault in wrong.faults] == [("refused", "a person cannot put it there")]
    assert tell(world, "back", "carry", labware="cold", site="slot-2").status == "done"
    assert world.state.site_of("cold") == "slot-2"


def test_each_device_says_what_it_did_if_it_can(tmp_path):
    text = modules_that(tmp_path, answers=True).read_text()
    silent = re.sub(r"(thermocycler, driver: simulated, answers: )true", r"\1false", text)
    (tmp_path / "mixed.yaml").write_text(silent)
    lab = Lab(load_workcell(tmp_path / "mixed.yaml"), program())
    by_kind = {item.kind: item for item in program().instructions}

    async def story():
        await lab.run()
        return [await lab.driver.acts_done(by_kind[kind]) for kind in ("shake", "run_profile", "pick_up_tips")]

    assert asyncio.run(story()) == [1, None, 1]


def test_every_kind_of_device_through_driver_and_guard(workcell):
    lab = Lab(workcell, program())
    outcomes = asyncio.run(lab.run())
    assert {name: outcome.status for name, outcome in outcomes.items()} == dict.fromkeys(outcomes, "done"), outcomes
    assert lab.truth().devices == lab.state.devices
    assert {well: lab.truth().volume(well) for well in lab.state.wells} == pytest.approx(
        {well: lab.state.volume(well) for well in lab.state.wells}, abs=1e-9
    )


def test_what_a_device_says_of_itself(world):
    async def story():
        shaker = SimulatedHeaterShaker(LocalWorld(world), "heater_shaker")
        cycler = SimulatedThermocycler(LocalWorld(world), "thermocycler")
        await shaker.setup()
        await shaker.set_temperature(45.0)
        await cycler.set_block_temperature([70.0])
        await cycler.open_lid()
        with pytest.raises(RuntimeError, match="no temperature is set"):
            await cycler.get_lid_target_temperature()
        return (
            await shaker.get_current_temperature(),
            await cycler.get_block_target_temperature(),
            await cycler.get_lid_open(),
        )

    assert asyncio.run(story()) == (45.0, [70.0], True)


def test_devices_are_heard_from_another_process(tmp_path):
    spec = load_workcell(modules_that(tmp_path, answers=True)).spec
    process = WorldProcess(spec, tmp_path / "world", socket=tmp_path / "s")

    async def story():
        remote: RemoteWorld = await asyncio.to_thread(process.start)
        await remote.act("run:a#0", {"kind": "set_temperature", "device": "temperature_module", "celsius": 4.0})
        found = await remote.devices()
        await remote.close()
        return found

    try:
        assert asyncio.run(story())["temperature_module"] == DeviceState(celsius=4.0)
    finally:
        process.end()
