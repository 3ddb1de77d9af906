"""The driver on the simulated lab: every kind of instruction, faults, and going on after a crash."""

from __future__ import annotations

import asyncio

import pytest

from protocols.fold import apply
from protocols.labstate import LabState
from protocols.liquids import LiquidClass
from protocols.outcomes import Outcome
from protocols.program import (
    AirGap,
    AskPerson,
    Aspirate,
    Dispense,
    DropTips,
    Mix,
    MoveLabware,
    PickUpTips,
    Program,
    ReplaceTipRack,
    Wait,
)
from protocols.specs import Fill
from robots.driver import PyLabRobotDriver, make_driver
from robots.simulator import FaultPlan, LocalWorld, Noise, PlannedFault, World
from robots.workcell import Workcell
from tests.driver.lab import program

CLASS = LiquidClass(name="water", blow_out=15.0, transport_air=5.0, film=0.2, pre_wet=1)
TWO = {"pipette": "channels", "channels": (0, 3)}
STROKE = {**TWO, "liquid_class": "w", "height": 1.0}

EVERY_KIND = (
    PickUpTips(id="pick", spots=("tips_300_1/A1", "tips_300_1/D1"), **TWO),
    Aspirate(id="draw", wells=("p/A1", "p/D1"), volumes=(60.0, 45.0), **STROKE),
    AirGap(id="gap", volumes=(5.0, 10.0), **TWO),
    Dispense(id="give", wells=("p/A2", "p/D2"), volumes=(65.0, 55.0), **STROKE),
    Mix(id="mix", wells=("p/A2", "p/D2"), volumes=(40.0, 30.0), cycles=3, **STROKE),
    DropTips(id="drop", **TWO),
    MoveLabware(id="move", labware="p", site="plates-b-5"),
    ReplaceTipRack(id="rack", rack="tips_300_1"),
    Wait(id="wait", seconds=30.0),
    AskPerson(id="ask", message="Is the plate sealed?"),
    PickUpTips(id="again", spots=("tips_300_1/A1", "tips_300_1/D1"), **TWO),
    Aspirate(id="moved", wells=("p/A2", "p/D2"), volumes=(20.0, 20.0), **STROKE),
    DropTips(id="back", spots=("tips_300_1/A1", "tips_300_1/D1"), **TWO),
)


class Lab:
    """A simulated lab and the driver of one run on it."""

    def __init__(self, workcell: Workcell, wanted: Program, *faults: PlannedFault) -> None:
        self.workcell, self.program = workcell, wanted
        self.world = World(workcell.spec, noise=Noise.off(), faults=FaultPlan(faults=faults))
        self.port = LocalWorld(self.world)
        self.state = LabState.start(workcell.spec, wanted)
        self.driver = self.connect()

    def connect(self) -> PyLabRobotDriver:
        return make_driver(self.workcell, self.program, self.state, "run", world=self.port)

    async def set_up(self) -> None:
        await self.port.prepare(self.program.labware, self.program.contents, self.program.liquids)
        await self.driver.setup()

    async def run(self) -> dict[str, Outcome]:
        await self.set_up()
        outcomes = {}
        for instruction in self.program.instructions:
            outcomes[instruction.id] = await self.driver.execute(instruction)
            apply(self.state, self.program, instruction, outcomes[instruction.id])
        return outcomes

    def truth(self) -> LabState:
        return LabState.restore(self.workcell.spec, self.world.snapshot()["state"])


def test_every_kind_of_instruction_happens_once_and_as_expected(starlet: Workcell) -> None:
    lab = Lab(starlet, program(*EVERY_KIND, own=CLASS))
    outcomes = asyncio.run(lab.run())
    assert {name: outcome.status for name, outcome in outcomes.items()} == dict.fromkeys(outcomes, "done"), outcomes
    acts = [record.id for record in lab.world.log() if record.id.startswith("run:")]
    expected = [
        f"run:{instruction.id}#{act}" for instruction in EVERY_KIND for act in range(lab.driver.acts(instruction))
    ]
    assert acts == expected
    assert all(outcomes[instruction.id].seconds > 0 for instruction in EVERY_KIND)


def test_the_world_is_told_what_the_program_says(starlet: Workcell) -> None:
    lab = Lab(starlet, program(*EVERY_KIND, own=CLASS))
    asyncio.run(lab.run())
    told = {record.id.removeprefix("run:").partition("#")[0]: record.command for record in lab.world.log()}
    for instruction in EVERY_KIND:
        for name in ("channels", "wells", "volumes", "spots", "cycles", "height", "pipette", "labware", "rack"):
            wanted = getattr(instruction, name, None)
            if wanted is not None and name in told[instruction.id]:
                heard = told[instruction.id][name]
                assert (tuple(heard) if isinstance(wanted, tuple) else heard) == wanted, f"{instruction.id}.{name}"
    truth = lab.truth()
    assert {well: truth.volume(well) for well in lab.state.wells} == pytest.approx(
        {well: lab.state.volume(well) for well in lab.state.wells}, abs=1e-9
    )
    assert truth.site_of("p") == "plates-b-5"


def test_the_head_draws_an_air_gap_over_the_plate_it_drew_from(starlet: Workcell) -> None:
    names = [f"{row}{column}" for column in range(1, 13) for row in "ABCDEFGH"]
    head = {"pipette": "head96", "channels": tuple(range(96))}
    wells = tuple(f"p/{name}" for name in names)
    lab = Lab(
        starlet,
        program(
            PickUpTips(id="pick", spots=tuple(f"tips_300_2/{name}" for name in names), **head),
            Aspirate(id="draw", wells=wells, volumes=(50.0,) * 96, liquid_class="w", height=1.0, **head),
            AirGap(id="gap", volumes=(10.0,) * 96, **head),
            Dispense(id="give", wells=wells, volumes=(60.0,) * 96, liquid_class="w", height=1.0, **head),
            DropTips(id="drop", **head),
            contents=tuple(Fill(well=well, liquid="sample", volume=100.0) for well in wells),
            own=LiquidClass(name="bare"),
        ),
    )
    outcomes = asyncio.run(lab.run())
    assert {outcome.status for outcome in outcomes.values()} == {"done"}, outcomes
    assert {round(lab.truth().volume(well), 9) for well in wells} == {100.0}


@pytest.mark.parametrize("kind", ["short aspirate", "clog"])
def test_a_fault_of_one_channel_is_an_outcome_and_the_next_instruction_goes_on(starlet: Workcell, kind: str) -> None:
    wanted = program(*EVERY_KIND[:2], DropTips(id="drop", **TWO), own=CLASS)
    lab = Lab(starlet, wanted, PlannedFault(instruction="draw", kind=kind, channels=(3,)))
    outcomes = asyncio.run(lab.run())
    assert outcomes["draw"].status in ("failed", "partial")
    assert [(fault.kind, fault.channel) for fault in outcomes["draw"].faults] == [(kind, 3)]
    assert outcomes["drop"].status == "done"


def test_a_missing_tip_is_an_outcome(starlet: Workcell) -> None:
    wanted = program(EVERY_KIND[0], DropTips(id="drop", pipette="channels", channels=(0,)), own=CLASS)
    lab = Lab(starlet, wanted, PlannedFault(instruction="pick", kind="missing tip", channels=(3,)))
    outcomes = asyncio.run(lab.run())
    assert [(fault.kind, fault.channel) for fault in outcomes["pick"].faults] == [("missing tip", 3)]
    assert not lab.state.has_tip("channels", 3)
    assert outcomes["drop"].status == "done"


def test_a_refusal_of_the_guard_is_an_outcome_and_reaches_no_device(starlet: Workcell) -> None:
    lab = Lab(starlet, program(EVERY_KIND[1], own=CLASS))
    outcomes = asyncio.run(lab.run())
    assert outcomes["draw"].status == "failed"
    assert outcomes["draw"].faults[0].kind == "refused"
    assert not [record for record in lab.world.log() if record.id.startswith("run:")]


@pytest.mark.slow
@pytest.mark.parametrize("crash_after", range(len(EVERY_KIND)))
def test_9_a_new_driver_goes_on_where_the_record_stands(starlet: Workcell, crash_after: int) -> None:
    """What pylabrobot's own saved state loses: liquid and origin of mounted tips, and where plates were moved."""
    lab = Lab(starlet, program(*EVERY_KIND, own=CLASS))

    async def story() -> None:
        await lab.set_up()
        for number, instruction in enumerate(lab.program.instructions):
            outcome = await lab.driver.execute(instruction)
            assert outcome.status == "done", outcome
            apply(lab.state, lab.program, instruction, outcome)
            if number == crash_after:
                lab.state = LabState.restore(starlet.spec, lab.state.snapshot())
                lab.driver = lab.connect()
                await lab.driver.setup()

    asyncio.run(story())


def test_a_plate_gripped_before_a_crash_is_put_down_after_it(starlet: Workcell) -> None:
    lab = Lab(starlet, program(EVERY_KIND[6], own=CLASS))

    async def story() -> Outcome:
        await lab.set_up()
        await lab.port.act("run:move#0", {"kind": "grip", "labware": "p"})
        lab.driver = lab.connect()
        await lab.driver.setup()
        done = await lab.driver.acts_done(EVERY_KIND[6])
        assert done == 1
        return await lab.driver.execute(EVERY_KIND[6], acts_done=done)

    assert asyncio.run(story()).status == "done"
    assert [record.id for record in lab.world.log() if record.id.startswith("run:")] == ["run:move#0", "run:move#1"]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(EVERY_KIND)))
def test_an_instruction_that_happened_is_told_again_and_not_done_again(starlet: Workcell, number: int) -> None:
    lab = Lab(starlet, program(*EVERY_KIND[: number + 1], own=CLASS))

    async def story() -> None:
        await lab.set_up()
        *before, last = lab.program.instructions
        for instruction in before:
            apply(lab.state, lab.program, instruction, await lab.driver.execute(instruction))
        first = await lab.driver.execute(last)
        acts = len(lab.world.log())
        lab.driver = lab.connect()
        await lab.driver.setup()
        done = await lab.driver.acts_done(last)
        assert done == lab.driver.acts(last)
        again = await lab.driver.execute(last, acts_done=done)
        assert again.status == first.status
        assert len(lab.world.log()) == acts

    asyncio.run(story())
