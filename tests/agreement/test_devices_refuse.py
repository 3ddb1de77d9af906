"""What verification rejects of devices, of the gripper and of some nozzles fails on the World and at Opentrons.

The same mistake is written twice: as a program, which verification rejects and the World's devices do not carry out,
and in Opentrons' own language, where their own analysis stops at it. The sound twin passes all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from protocols.device_instructions import AwaitTemperature, SetLatch, SetLid, SetTemperature, Shake
from protocols.liquids import Liquid, LiquidClass
from protocols.program import AnyInstruction, Aspirate, MoveLabware, PickUpTips, Program
from protocols.specs import Fill, LabwareSpec, PlacedLabware, WorkcellSpec
from protocols.verify import verify
from protocols.wells import well_name
from tests.agreement.bench import Bench
from tests.agreement.harm import failures
from tests.agreement.programs import workcell
from tests.exporting.genuine import analyse, errors, needs_opentrons
from tests.verify.flex import of, robot

NINETY_SIX = tuple(range(96))
SPOTS = tuple(well_name(at % 8, at // 8) for at in NINETY_SIX)
CLOSE, OPEN = (
    SetLatch(id="close", device="heater_shaker", open=False),
    SetLatch(id="o", device="heater_shaker", open=True),
)
SHAKE = Shake(id="shake", device="heater_shaker", rpm=500)
TAKE = PickUpTips(id="take", pipette="p1000", channels=(0,), spots=("tips_200/A1",))
LID = SetLid(id="lid", device="thermocycler", open=True)
WHOLE = PickUpTips(id="whole", pipette="head", channels=NINETY_SIX, spots=tuple(f"tips_1000/{spot}" for spot in SPOTS))
EIGHT = PickUpTips(
    id="eight", pipette="p1000m", channels=tuple(range(8)), spots=tuple(f"tips_200/{row}1" for row in "ABCDEFGH")
)


def draw(place: str) -> Aspirate:
    return Aspirate(
        id="draw",
        pipette="p1000",
        channels=(0,),
        wells=(f"{place}/A1",),
        volumes=(50.0,),
        liquid_class="water",
        height=2.0,
    )


def move(labware: str, site: str, by: Any = "arm") -> MoveLabware:
    return MoveLabware(id=f"move {labware} {site}", labware=labware, site=site, by=by)


@dataclass(frozen=True)
class Mistake:
    """A program that deserves ``code``, its sound twin, and both in Opentrons' language after the head of a protocol.

    Attributes:
        says: words of Opentrons' own error.
    """

    code: str
    wanted: Sequence[AnyInstruction]
    sound: Sequence[AnyInstruction]
    theirs: str
    twin: str
    says: str = ""


HEAD = """
from opentrons import protocol_api
requirements = {"robotType": "Flex", "apiLevel": "2.20"}
def run(protocol):
    shaker = protocol.load_module("heaterShakerModuleV1", "D1")
    cycler = protocol.load_module("thermocyclerModuleV2")
    block = protocol.load_module("temperatureModuleV2", "D3")
    protocol.load_trash_bin("A3")
    tips = protocol.load_labware("opentrons_flex_96_filtertiprack_200ul", "B2")
    adapter = protocol.load_adapter("opentrons_flex_96_tiprack_adapter", "A2")
    rack = adapter.load_labware("opentrons_flex_96_filtertiprack_1000ul")
    deep = shaker.load_adapter("opentrons_96_deep_well_adapter").load_labware("nest_96_wellplate_2ml_deep")
    pcr = cycler.load_labware("opentrons_96_wellplate_200ul_pcr_full_skirt")
    plate = protocol.load_labware("corning_96_wellplate_360ul_flat", "C2")
"""
SINGLE = '    p = protocol.load_instrument("flex_1channel_1000", "left", tip_racks=[tips])\n'
EVERY = '    p = protocol.load_instrument("flex_96channel_1000", "left")\n'
WITH_TIP = SINGLE + "    p.pick_up_tip()\n"

MISTAKES = (
    Mistake(
        "D11",
        (TAKE, OPEN, draw("deep")),
        (TAKE, CLOSE, draw("deep")),
        WITH_TIP + "    shaker.open_labware_latch(); p.aspirate(50, deep['A1'])",
        WITH_TIP + "    shaker.close_labware_latch(); p.aspirate(50, deep['A1'])",
        "labware latch",
    ),
    Mistake(
        "D11",
        (SHAKE,),
        (CLOSE, SHAKE),
        "    shaker.set_and_wait_for_shake_speed(500)",
        "    shaker.close_labware_latch(); shaker.set_and_wait_for_shake_speed(500)",
        "latch",
    ),
    Mistake(
        "D11",
        (CLOSE, move("deep", "C2")),
        (OPEN, move("deep", "C2")),
        "    shaker.close_labware_latch(); protocol.move_labware(deep, 'B3', use_gripper=True)",
        "    shaker.open_labware_latch(); protocol.move_labware(deep, 'B3', use_gripper=True)",
        "latch",
    ),
    Mistake(
        "D12",
        (CLOSE, SHAKE, OPEN),
        (CLOSE, SHAKE, Shake(id="stop", device="heater_shaker", rpm=None), OPEN),
        "    shaker.close_labware_latch(); shaker.set_and_wait_for_shake_speed(500); shaker.open_labware_latch()",
        "    shaker.close_labware_latch(); shaker.set_and_wait_for_shake_speed(500)\n"
        "    shaker.deactivate_shaker(); shaker.open_labware_latch()",
        "shaking",
    ),
    Mistake(
        "D13",
        (LID, TAKE, replace(LID, id="shut", open=False), draw("pcr")),
        (LID, TAKE, draw("pcr")),
        WITH_TIP + "    cycler.open_lid(); cycler.close_lid(); p.aspirate(50, pcr['A1'])",
        WITH_TIP + "    cycler.open_lid(); p.aspirate(50, pcr['A1'])",
        "must be open",
    ),
    Mistake(
        "D14",
        (SetTemperature(id="t", device="heater_shaker", celsius=96.0),),
        (SetTemperature(id="t", device="heater_shaker", celsius=95.0),),
        "    shaker.set_target_temperature(96)",
        "    shaker.set_target_temperature(95)",
        "96",
    ),
    Mistake(
        "D15",
        (AwaitTemperature(id="a", device="heater_shaker"),),
        (
            SetTemperature(id="t", device="heater_shaker", celsius=50.0),
            AwaitTemperature(id="a", device="heater_shaker"),
        ),
        "    shaker.wait_for_temperature()",
        "    shaker.set_target_temperature(50); shaker.wait_for_temperature()",
        "target temperature",
    ),
    Mistake(
        "D10",
        (Shake(id="shake", device="temperature_module", rpm=500),),
        (CLOSE, SHAKE),
        "    block.set_and_wait_for_shake_speed(500)",
        "    shaker.close_labware_latch(); shaker.set_and_wait_for_shake_speed(500)",
        "set_and_wait_for_shake_speed",
    ),
    Mistake(
        "P04",
        (move("flat", "D2"),),
        (move("flat", "C2"),),
        "    protocol.move_labware(plate, 'C2', use_gripper=True)",
        "    protocol.move_labware(plate, 'C3', use_gripper=True)",
        "already present",
    ),
    Mistake(
        "P04",
        (move("flat", "D2", "person"),),
        (move("flat", "C2", "person"),),
        "    protocol.move_labware(plate, 'C2')",
        "    protocol.move_labware(plate, 'C3')",
        "already present",
    ),
    Mistake(
        "P11",
        (WHOLE, move("tips_50", "C2")),
        (WHOLE, move("flat", "C2", "person")),
        EVERY + "    p.pick_up_tip(rack['A1']); protocol.move_labware(tips, 'C3', use_gripper=True)",
        EVERY + "    p.pick_up_tip(rack['A1']); protocol.move_labware(plate, 'C3')",
        "tips are attached",
    ),
    Mistake(
        "P12",
        (TAKE, move("flat", "off-deck", "person"), draw("flat")),
        (TAKE, move("flat", "C2", "person"), draw("flat")),
        WITH_TIP + "    protocol.move_labware(plate, protocol_api.OFF_DECK); p.aspirate(50, plate['A1'])",
        WITH_TIP + "    protocol.move_labware(plate, 'C3'); p.aspirate(50, plate['A1'])",
        "offDeck",
    ),
)


def lab() -> WorkcellSpec:
    """The shipped Flex, with a head of 96 in a third hand and its adapter, so that one workcell does for all."""
    spec = workcell("flex").spec
    head = spec.pipettes["p1000m"].model_copy(update={"id": "head", "channels": 96})
    pins = LabwareSpec(kind="pins", category="adapter", size=(156.5, 93.0, 132.0))
    sites = {**spec.sites, "A2": spec.sites["A2"].model_copy(update={"adapter": "pins"})}
    kinds = {**spec.kinds, "pins": pins}
    return spec.model_copy(update={"pipettes": {**spec.pipettes, "head": head}, "sites": sites, "kinds": kinds})


def made(instructions: Sequence[AnyInstruction]) -> Program:
    placed = {
        "deep": ("nest_96_wellplate_2ml_deep", "D1"),
        "pcr": ("opentrons_96_wellplate_200ul_pcr_full_skirt", "B1"),
        "flat": ("corning_96_wellplate_360ul_flat", "D2"),
    }
    return Program(
        title="a mistake",
        liquids={"water": Liquid(name="water")},
        liquid_classes={"water": LiquidClass(name="water")},
        labware={name: PlacedLabware(kind=kind, site=site) for name, (kind, site) in placed.items()},
        contents=tuple(Fill(well=f"{name}/A1", liquid="water", volume=180.0) for name in placed),
        instructions=tuple(instructions),
    )


def error_codes(program: Program) -> set[str]:
    return {finding.code for finding in verify(program, lab()).findings if finding.severity == "error"}


def failed(program: Program) -> bool:
    """Whether some device of the World did not do what it was told."""
    bench = Bench(program, lab()).tell()
    found = failures(bench)
    bench.world.close()
    return bool(found)


each_mistake = pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.code)


@each_mistake
def test_what_is_rejected_fails_and_the_sound_twin_does_not(mistake: Mistake) -> None:
    assert error_codes(made(mistake.wanted)) == {mistake.code}
    assert failed(made(mistake.wanted))
    assert error_codes(made(mistake.sound)) == set()
    assert not failed(made(mistake.sound))


@pytest.mark.slow
@needs_opentrons
@each_mistake
def test_opentrons_stops_at_the_same_mistake(mistake: Mistake, tmp_path: Path) -> None:
    assert mistake.says in " ".join(errors(analyse(HEAD + mistake.theirs, tmp_path)))
    assert errors(analyse(HEAD + mistake.twin, tmp_path)) == []


def test_a_nozzle_that_is_to_take_no_tip_stands_over_one() -> None:
    """Three of eight nozzles at A1 to C1: the tip at D1 stands exactly under the fourth."""
    three = replace(EIGHT, channels=(0, 1, 2), spots=EIGHT.spots[:3])
    spec = lab()
    spots = spec.kinds[spec.labware["tips_200"].kind].wells
    fourth = spots["A1"].y - 3 * spec.pipettes["p1000m"].pitch
    assert fourth == pytest.approx(spots["D1"].y)
    assert error_codes(made([three])) == {"T09"}
    last = replace(EIGHT, channels=(0, 1, 2), spots=("tips_200/F1", "tips_200/G1", "tips_200/H1"))
    assert error_codes(made([last])) == set()


@pytest.mark.slow
@needs_opentrons
@pytest.mark.parametrize(("slot", "in_the_way"), [("4", True), ("7", False)])
def test_a_module_beside_a_heater_shaker_is_in_its_way_on_an_ot2(slot: str, in_the_way: bool, tmp_path: Path) -> None:
    theirs = f"""
requirements = {{"robotType": "OT-2", "apiLevel": "2.20"}}
def run(protocol):
    protocol.load_module("heaterShakerModuleV1", "5")
    protocol.load_module("magneticModuleV2", "{slot}")
"""
    assert bool(errors(analyse(theirs, tmp_path))) is in_the_way
    plain = robot("OT-2", left=8, right=1, shaker=5)
    device = {"slot-3": None, f"slot-{slot}": "magnet"}
    sites = {
        name: site.model_copy(update={"device": device.get(name, site.device)}) for name, site in plain.sites.items()
    }
    found = verify(of(), plain.model_copy(update={"sites": sites})).findings
    assert ("P14" in {finding.code for finding in found}) is in_the_way
