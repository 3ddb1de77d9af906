"""What Opentrons' API cannot say is refused, naming instruction and field, before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.device_instructions import Shake
from protocols.errors import ExportError
from protocols.exporting import export_opentrons
from protocols.instruction import TimeWindow
from protocols.liquids import Liquid, LiquidClass
from protocols.program import AirGap, Aspirate, DropTips, MoveLabware, PickUpTips, Program, ReplaceTipRack
from protocols.specs import Fill, PlacedLabware
from tests.exporting.lab import PLAIN, TEACHING, program, spec, with_tip
from tests.exporting.recording import perform

COLUMN = tuple(f"plate_1/{row}1" for row in "ABCDEFGH")
TIPS = tuple(f"tips_300_1/{row}1" for row in "ABCDEFGH")
ALL = tuple(range(8))


def refused(given: Program, workcell: str = "ot2") -> str:
    with pytest.raises(ExportError) as error:
        export_opentrons(given, spec(workcell))
    return str(error.value)


def draw(**fields: Any) -> Aspirate:
    usual: dict[str, Any] = {"pipette": "p300", "channels": (0,), "wells": ("reservoir/A1",), "volumes": (50,)}
    return Aspirate(**{"id": "x", "liquid_class": "plain", **usual, **fields})


def eight(*, channels: tuple[int, ...] = ALL, wells: tuple[str, ...] = COLUMN, **fields: Any) -> Program:
    pick = PickUpTips(id="p", pipette="p300m", channels=ALL, spots=TIPS)
    stroke = Aspirate(
        id="a",
        pipette="p300m",
        channels=channels,
        wells=wells,
        liquid_class="plain",
        **{"volumes": (40.0,) * len(channels), **fields},
    )
    return program(pick, stroke)


def test_another_robot() -> None:
    assert "its robot is STARlet" in refused(program(ReplaceTipRack(id="x", rack="tips_300_1")), "starlet")


def test_a_class_that_follows_the_surface() -> None:
    follows = LiquidClass(name="plain", level_detection=True)
    said = refused(with_tip(draw(), classes=(follows,)))
    assert "instruction i2, liquid_class" in said
    assert "level_detection" in said


def test_a_correction() -> None:
    corrected = LiquidClass(name="plain", correction=((50, 52),))
    assert "has a correction of its own" in refused(with_tip(draw(), classes=(corrected,)))


def test_a_class_that_is_not_there() -> None:
    assert "no liquid class 'other'" in refused(with_tip(draw(liquid_class="other")))


def test_volumes_that_differ_between_channels_that_move_together() -> None:
    assert "instruction i2, volumes" in refused(eight(volumes=(40, 40, 40, 40, 40, 40, 40, 41)), TEACHING)


def test_channels_that_do_not_all_take_part_over_wells() -> None:
    assert "instruction i2, channels" in refused(eight(channels=(0, 1), wells=COLUMN[:2]), TEACHING)


def test_channels_that_do_not_reach_their_wells() -> None:
    crossed = (*COLUMN[:7], "plate_1/H2")
    assert "channel 7 does not reach plate_1/H2" in refused(eight(wells=crossed), TEACHING)


def test_nozzles_that_no_layout_is_made_of() -> None:
    pick = PickUpTips(id="p", pipette="p300m", channels=(2, 3), spots=TIPS[2:4])
    assert "no nozzle layout" in refused(program(pick), TEACHING)


def test_a_gripper_that_an_ot2_does_not_have() -> None:
    assert "instruction i1, by" in refused(program(MoveLabware(id="x", labware="reservoir", site="slot-1")))


def test_a_site_that_is_no_slot() -> None:
    assert "'trash' is no place" in refused(
        program(MoveLabware(id="x", labware="reservoir", site="trash", by="person"))
    )


def test_a_device_that_is_none_of_its_modules() -> None:
    assert "'shaker' is no module" in refused(program(Shake(id="x", device="shaker", rpm=300)))


def test_a_time_window() -> None:
    assert "instruction i2, window" in refused(with_tip(draw(window=TimeWindow(earliest=5))))


def test_a_well_that_is_not_there() -> None:
    assert "there is no 'reservoir/Z9'" in refused(with_tip(draw(wells=("reservoir/Z9",))))


def test_a_stroke_without_a_tip() -> None:
    assert "not those that carry tips" in refused(program(draw()))


def test_air_that_is_drawn_over_no_well() -> None:
    assert "air is drawn over a well" in refused(with_tip(AirGap(id="x", pipette="p300", channels=(0,), volumes=(5,))))


def test_a_lid_and_a_kind_that_opentrons_does_not_know() -> None:
    lidded = PlacedLabware(kind="corning_96_wellplate_360ul_flat", site="slot-1", lid=True)
    assert "labware.covered, lid" in refused(program(labware={"covered": lidded}))
    workcell = spec()
    kind = workcell.kinds["corning_96_wellplate_360ul_flat"].model_copy(update={"opentrons": None})
    own = workcell.model_copy(update={"kinds": {**workcell.kinds, "own": kind}})
    with pytest.raises(ExportError, match="'own' has no Opentrons labware definition"):
        export_opentrons(program(labware={"p": PlacedLabware(kind="own", site="slot-1")}), own)


def test_every_reason_is_given_at_once() -> None:
    said = refused(with_tip(draw(liquid_class="other"), draw(window=TimeWindow()), draw(wells=("reservoir/Z9",))))
    assert "3 problems" in said


def test_hostile_names_stay_texts() -> None:
    evil = 'x"""\n    raise SystemExit("got you")\n#\\'
    named = PlacedLabware(kind="corning_96_wellplate_360ul_flat", site="slot-1")
    given = Program(
        title=evil,
        liquids={evil: Liquid(name=evil, lot=evil)},
        liquid_classes={"plain": PLAIN},
        labware={evil: named, "import": named.model_copy(update={"site": "slot-2"})},
        contents=(Fill(well=f"{evil}/A1", liquid=evil, volume=100),),
        steps={"s": {"text": evil}},  # type: ignore[dict-item]
        instructions=(
            PickUpTips(id="a", step="s", pipette="p300", channels=(0,), spots=("tips_300_1/A1",)),
            draw(id="b", wells=(f"{evil}/A1",), volumes=(0.1 + 0.2,)),
            draw(id="c", wells=("import/A1",), volumes=(0.25,)),
            DropTips(id="e", pipette="p300", channels=(0,), spots=("tips_300_1/A1",)),
        ),
    )
    acts = perform(export_opentrons(given, spec()).text)
    assert ("comment", evil) in acts
    assert ("load_liquid", evil, "A1", evil, 100) in acts
    assert ("aspirate", evil, "A1", 0.1 + 0.2, None) in acts
    assert ("drop", "tips_300_1", "A1") in acts
