"""The genuine OT-2 code of pylabrobot as a witness: what our driver makes it ask the robot for."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from pathlib import Path

import pytest
from pylabrobot.liquid_handling.backends import OpentronsOT2ChatterboxBackend

from protocols.errors import DeviceError
from protocols.fold import apply
from protocols.labstate import LabState
from protocols.liquids import LiquidClass
from protocols.program import Aspirate, BlowOut, Dispense, DropTips, PickUpTips, Program, TouchTip
from protocols.specs import PlacedLabware
from robots.driver import make_driver
from robots.driver.dialects import Plain
from robots.driver.driver import PyLabRobotDriver
from robots.driver.machines import Machine
from robots.driver.opentrons import OpentronsByMount
from robots.workcell import load_workcell
from robots.workcell.workcell import SHIPPED

pytestmark = pytest.mark.robots


class RecordingOpentrons(OpentronsByMount, OpentronsOT2ChatterboxBackend):  # type: ignore[misc]
    """pylabrobot's genuine OT-2 code with nobody at the other end."""


def stroke(kind: type, name: str, pipette: str, well: str, volume: float) -> Aspirate | Dispense:
    made: Aspirate | Dispense = kind(
        id=name, pipette=pipette, channels=(0,), wells=(well,), volumes=(volume,), liquid_class="w", height=1.0
    )
    return made


WANTED = Program(
    title="two pipettes",
    liquid_classes={"w": LiquidClass(name="water", aspirate_flow_rate=7.6, dispense_flow_rate=7.6)},
    labware={"p": PlacedLabware(kind="corning_96_wellplate_360ul_flat", site="slot-1")},
    instructions=(
        PickUpTips(id="large", pipette="p300", channels=(0,), spots=("tips_300_1/A1",)),
        PickUpTips(id="small", pipette="p20", channels=(0,), spots=("tips_20_1/A1",)),
        stroke(Aspirate, "draw", "p20", "reservoir/A1", 10.0),
        stroke(Dispense, "give", "p20", "p/B2", 10.0),
        DropTips(id="off", pipette="p20", channels=(0,)),
        DropTips(id="too", pipette="p300", channels=(0,)),
    ),
)


def test_the_pipette_is_the_one_that_the_program_names() -> None:
    workcell = load_workcell("ot2")
    state = LabState.start(workcell.spec, WANTED)
    backend = RecordingOpentrons(verbose=False)
    driver = PyLabRobotDriver(workcell, WANTED, state, "run", Machine(backend, Plain(), answers=False))

    async def story() -> None:
        await driver.setup()
        for instruction in WANTED.instructions:
            outcome = await driver.execute(instruction)
            assert outcome.status == "done", outcome
            apply(state, WANTED, instruction, outcome)

    asyncio.run(story())
    asked = [(name, kwargs) for name, _, kwargs in backend.commands]
    drawn = next(kwargs for name, kwargs in asked if name == "lh.aspirate_in_place")
    given = next(kwargs for name, kwargs in asked if name == "lh.dispense_in_place")
    for moved in (drawn, given):
        assert (moved["pipette_id"], moved["volume"], moved["flow_rate"]) == ("chatterbox-right", 10.0, 7.6)
    picked = [kwargs["pipette_id"] for name, kwargs in asked if name == "lh.pick_up_tip"]
    assert picked == ["chatterbox-left", "chatterbox-right"]


@pytest.mark.parametrize("kind", [BlowOut, TouchTip])
def test_what_an_ot2_cannot_be_told_is_refused_before_anything_moves(kind: type) -> None:
    workcell = load_workcell("ot2")
    more = kind(id="more", pipette="p300", channels=(0,), wells=("p/A1",))
    program = WANTED.model_copy(update={"instructions": (*WANTED.instructions[:1], more)})
    backend = RecordingOpentrons(verbose=False)
    state = LabState.start(workcell.spec, program)
    driver = PyLabRobotDriver(workcell, program, state, "run", Machine(backend, Plain(), answers=False))
    with pytest.raises(DeviceError, match="'more': pylabrobot has no way"):
        asyncio.run(driver.setup())
    assert backend.commands == []


@pytest.mark.skipif(find_spec("ot_api") is not None, reason="the package is installed")
def test_a_real_ot2_without_its_package_is_a_plain_error(tmp_path: Path) -> None:
    text = (SHIPPED / "ot2.yaml").read_text(encoding="utf-8")
    file = tmp_path / "ot2.yaml"
    file.write_text(text.replace("driver: simulated", "driver: OT-2, host: 169.254.1.1", 1), encoding="utf-8")
    workcell = load_workcell(file)
    with pytest.raises(DeviceError, match=r"pip install 'pylabrobot\[opentrons\]"):
        make_driver(workcell, WANTED, LabState.start(workcell.spec, WANTED), "run")


def test_a_star_is_constructed_and_not_connected(tmp_path: Path) -> None:
    text = (SHIPPED / "starlet.yaml").read_text(encoding="utf-8")
    file = tmp_path / "starlet.yaml"
    file.write_text(text.replace("driver: simulated", "driver: STAR"), encoding="utf-8")
    workcell = load_workcell(file)
    empty = Program(title="nothing", instructions=())
    driver = make_driver(workcell, empty, LabState.start(workcell.spec, empty), "run")
    assert not driver.answers
    assert type(driver.handler.backend).__name__ == "STARBackend"
