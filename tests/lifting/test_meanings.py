"""What each pattern of strokes is lifted to, and what stays as it is."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.device_instructions import (
    AwaitTemperature,
    ProfileStep,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.formats.protocol_file import dump_protocol, read_protocol
from protocols.instruction import TimeWindow
from protocols.lifting import Lifted, lift
from protocols.program import AskPerson, MoveLabware, PickUpTips, ReplaceTipRack
from protocols.protocol import Instructions
from protocols.specs import Fill
from tests.lifting.by_hand import differences, of_program, of_protocol
from tests.lifting.programs import FILLS, SPEC, Script


def lifted(script: Script) -> Lifted:
    """``script`` lifted; what it leaves in the wells is checked wherever all of it was."""
    program = script.program()
    found = lift(program, SPEC)
    if not found.kept:
        assert (
            differences(of_program(program, SPEC), of_protocol(found.protocol, (*SPEC.contents, *program.contents)))
            == []
        )
    return found


def steps(script: Script) -> list[dict[str, Any]]:
    """The steps without their ids, as they are written down."""
    said = lifted(script).protocol.model_dump(mode="json", exclude_defaults=True)["steps"]
    kinds = [step.do for step in lifted(script).protocol.steps]
    return [{"do": do, **{k: v for k, v in step.items() if k != "id"}} for do, step in zip(kinds, said, strict=True)]


def transfer(source: str, destination: str, volume: float, **handling: Any) -> dict[str, Any]:
    step: dict[str, Any] = {"do": "transfer", "source": [source], "destination": [destination]}
    return {**step, "volume": f"{volume} uL", **({"handling": handling} if handling else {})}


def _mixing_by_hand(before: float) -> Script:
    script = Script().tip().by_hand("plate/A1", before, 2).draw("plate/A1", 20).put("plate/B1", 20)
    return script.by_hand("plate/B1", 20, 4).drop()


PATTERNS = {
    "a transfer": (
        Script().tip().draw("plate/A1", 20).put("plate/B1", 20).drop(),
        [transfer("plate/A1", "plate/B1", 20.0)],
    ),
    "a large volume in strokes": (
        Script().tip().draw("bath/A1", 150).put("plate/B1", 150).draw("bath/A1", 150).put("plate/B1", 150).drop(),
        [transfer("bath/A1", "plate/B1", 300.0)],
    ),
    "two draws for one dispense": (
        Script().tip().draw("plate/A1", 20).draw("plate/A1", 30).put("plate/B1", 50).drop(),
        [transfer("plate/A1", "plate/B1", 50.0)],
    ),
    "with an air gap": (
        Script().tip().draw("plate/A1", 20).air(5).put("plate/B1", 25).drop(),
        [transfer("plate/A1", "plate/B1", 20.0, air_gap="5.0 uL")],
    ),
    "blown out": (
        Script().tip().draw("plate/A1", 20).put("plate/B1", 15).blow("plate/B1").touch("plate/B1").drop(),
        [transfer("plate/A1", "plate/B1", 20.0)],
    ),
    "mixed before and after": (
        Script().tip().mix("plate/A1", 15, 3).draw("plate/A1", 20).put("plate/B1", 20).mix("plate/B1", 15, 2).drop(),
        [transfer("plate/A1", "plate/B1", 20.0, mix_before=3, mix_after=2, mix_volume="15.0 uL")],
    ),
    "mixed stroke by stroke": (
        Script()
        .tip()
        .by_hand("plate/A1", 20, 2)
        .draw("plate/A1", 20)
        .put("plate/B1", 20)
        .by_hand("plate/B1", 20, 4)
        .drop(),
        [transfer("plate/A1", "plate/B1", 20.0, mix_before=2, mix_after=4)],
    ),
    "mixed with other volumes before and after": (
        Script()
        .tip()
        .by_hand("plate/A1", 50, 2)
        .draw("plate/A1", 20)
        .put("plate/B1", 20)
        .by_hand("plate/B1", 20, 4)
        .drop(),
        [
            {"do": "mix", "wells": ["plate/A1"], "volume": "50.0 uL", "cycles": 2},
            transfer("plate/A1", "plate/B1", 20.0, mix_after=4),
        ],
    ),
    "mixed in two parts, low and high": (
        Script()
        .tip()
        .draw("plate/A1", 40)
        .draw("plate/A1", 20)
        .put("plate/A1", 20)
        .put("plate/A1", 40)
        .draw("plate/A1", 40)
        .draw("plate/A1", 20)
        .put("plate/A1", 20)
        .put("plate/A1", 40)
        .drop(),
        [{"do": "mix", "wells": ["plate/A1"], "volume": "60.0 uL", "cycles": 2}],
    ),
    "some of it returned first": (
        Script().tip().draw("plate/A1", 25).put("plate/A1", 5).put("plate/B1", 20).drop(),
        [transfer("plate/A1", "plate/B1", 20.0)],
    ),
    "one to many": (
        Script().tip().draw("bath/A1", 90).put("plate/B1", 30).put("plate/B2", 40).put("bath/A1", 20).drop(),
        [
            {
                "do": "distribute",
                "source": "bath/A1",
                "destination": ["plate/B1", "plate/B2"],
                "volume": ["30.0 uL", "40.0 uL"],
            }
        ],
    ),
    "one to many, the excess thrown away": (
        Script()
        .tip()
        .draw("bath/A1", 70)
        .put("plate/B1", 30)
        .put("plate/B2", 30)
        .blow("trash/A1")
        .draw("bath/A1", 40)
        .put("plate/B3", 30)
        .drop(),
        [
            {
                "do": "distribute",
                "source": "bath/A1",
                "destination": ["plate/B1", "plate/B2", "plate/B3"],
                "volume": "30.0 uL",
            },
            {"do": "remove", "wells": ["bath/A1"], "volume": "20.0 uL"},
        ],
    ),
    "many to one": (
        Script().tip().draw("plate/A1", 10).air(2).draw("plate/A2", 20).put("plate/B1", 32).drop(),
        [
            {
                "do": "consolidate",
                "source": ["plate/A1", "plate/A2"],
                "destination": "plate/B1",
                "volume": ["10.0 uL", "20.0 uL"],
                "handling": {"tips": "one", "air_gap": "2.0 uL"},
            }
        ],
    ),
    "a new tip each": (
        Script()
        .tip()
        .draw("plate/A1", 10)
        .put("plate/B1", 10)
        .drop()
        .tip()
        .draw("plate/A2", 10)
        .put("plate/B2", 10)
        .drop(),
        [
            {
                "do": "transfer",
                "source": ["plate/A1", "plate/A2"],
                "destination": ["plate/B1", "plate/B2"],
                "volume": "10.0 uL",
                "handling": {"tips": "each transfer"},
            }
        ],
    ),
    "one tip for different liquids": (
        Script().tip().draw("plate/A1", 10).put("plate/B1", 10).draw("plate/A2", 10).put("plate/B2", 10).drop(),
        [
            {
                "do": "transfer",
                "source": ["plate/A1", "plate/A2"],
                "destination": ["plate/B1", "plate/B2"],
                "volume": "10.0 uL",
                "handling": {"tips": "one"},
            }
        ],
    ),
    "into the trash": (
        Script().tip().draw("plate/A1", 60).put("trash/A1", 60).drop(),
        [{"do": "remove", "wells": ["plate/A1"], "volume": "60.0 uL"}],
    ),
    "thrown away with its tip": (
        Script().tip().draw("plate/A1", 60).drop(),
        [{"do": "remove", "wells": ["plate/A1"], "volume": "60.0 uL"}],
    ),
    "all that is left": (
        Script().tip().draw("plate/A1", 130, takes_rest=True).drop(),
        [{"do": "remove", "wells": ["plate/A1"], "volume": "130.0 uL", "handling": {"rest": True}}],
    ),
    "the rest was not meant where much is left": (
        Script().tip().draw("bath/A1", 130, takes_rest=True).put("plate/B1", 130).drop(),
        [transfer("bath/A1", "plate/B1", 130.0)],
    ),
    "a tip that stays on": (
        Script().tip().draw("plate/A1", 20).put("plate/B1", 20),
        [transfer("plate/A1", "plate/B1", 20.0)],
    ),
    "a tip put back with liquid in it": (
        Script().tip().draw("plate/A1", 20).put("plate/B1", 15).drop("tips_300_1/A1"),
        [
            transfer("plate/A1", "plate/B1", 15.0),
            {"do": "remove", "wells": ["plate/A1"], "volume": "5.0 uL"},
        ],
    ),
    "a short wait for drops": (
        Script().tip().draw("plate/A1", 20).wait(2).put("plate/B1", 20).drop().wait(60),
        [transfer("plate/A1", "plate/B1", 20.0), {"do": "wait", "duration": "60.0 s"}],
    ),
    "a wait while the tip is empty": (
        Script().tip().draw("plate/A1", 20).put("plate/B1", 20).wait(60).draw("plate/A1", 9).put("plate/B2", 9).drop(),
        [
            transfer("plate/A1", "plate/B1", 20.0),
            {"do": "wait", "duration": "60.0 s"},
            transfer("plate/A1", "plate/B2", 9.0),
        ],
    ),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_has_its_step(name: str) -> None:
    script, wanted = PATTERNS[name]
    assert steps(script) == wanted


def test_a_dilution_from_well_to_well_is_a_serial_dilution() -> None:
    script = Script().tip()
    for column in (4, 5, 6):
        script.draw("bath/A1", 90).put(f"plate/A{column}", 90)
    script.drop().tip()
    for column in (3, 4, 5):
        script.draw(f"plate/A{column}", 10).put(f"plate/A{column + 1}", 10).mix(f"plate/A{column + 1}", 50, 5)
    script.draw("plate/A6", 10).drop()
    assert steps(script) == [
        {
            "do": "serial_dilution",
            "wells": ["plate/A3", "plate/A4", "plate/A5", "plate/A6"],
            "diluent": "bath/A1",
            "factor": 10.0,
            "volume": "100.0 uL",
        }
    ]


def test_a_chain_into_wells_that_held_something_is_no_dilution() -> None:
    script = Script().tip()
    for column in (2, 4):
        script.draw("bath/A1", 90).put(f"plate/A{column}", 90)
    script.drop().tip()
    for source, destination in ((1, 2), (2, 4)):
        script.draw(f"plate/A{source}", 10).put(f"plate/A{destination}", 10).mix(f"plate/A{destination}", 50, 5)
    assert [step["do"] for step in steps(script.drop())] == ["distribute", "transfer"]


KEPT = {
    "two wells' liquids meet and go to two wells": (
        Script().tip().draw("plate/A1", 10).draw("plate/A2", 10).put("plate/B1", 10).put("plate/B2", 10).drop(),
        "meet in a tip",
    ),
    "what is drawn depends on what was put in between": (
        Script().tip().draw("plate/A1", 10).other(PickUpTips, pipette="p20", channels=(0,), spots=("tips_20_1/A1",)),
        "",
    ),
    "a draw that gets less than it asks, for several wells": (
        Script().tip().draw("plate/A1", 130, takes_rest=True).put("plate/B1", 60).put("plate/B2", 60).drop(),
        "plate/A1 gives less",
    ),
    "a tip with liquid is taken again": (
        Script()
        .tip()
        .draw("plate/A1", 20)
        .drop("tips_300_1/A1")
        ._on(PickUpTips, spots=("tips_300_1/A1",))
        .put("plate/B1", 20)
        .drop(),
        "taken again",
    ),
    "a long wait with liquid in the tip": (
        Script().tip().draw("plate/A1", 20).wait(600).put("plate/B1", 20).drop(),
        "something else happens (wait)",
    ),
    "liquid in a tip at the end": (Script().tip().draw("plate/A1", 20), "still on at the end"),
    "mixing with a loaded tip": (
        Script().tip().draw("plate/A1", 20).mix("plate/A2", 30, 2).put("plate/A2", 20).drop(),
        "mixes with a tip that holds liquid",
    ),
    "a stroke without a tip": (Script().draw("plate/A1", 20), "without a tip"),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_has_no_plain_meaning_stays_with_its_reason(name: str) -> None:
    script, reason = KEPT[name]
    found = lifted(script)
    assert [type(step) for step in found.protocol.steps if isinstance(step, Instructions)] != []
    assert all(reason in kept.reason for kept in found.kept)
    assert found.lifted == 0
    assert found.strokes == sum(kept.strokes for kept in found.kept)
    said = tuple(one.id for step in found.protocol.steps for one in getattr(step, "instructions", ()))
    assert said == tuple(one.id for one in script.program().instructions)
    assert found.reasons[0].startswith("step 'step 1' (")


def test_strokes_that_overlap_stay_only_where_it_matters() -> None:
    """A well that is drawn from, then filled, before what was drawn goes on, gives something else than it seems."""

    def crossed(second: str) -> Lifted:
        script = Script().tip().draw("plate/A1", 10)
        other = Script().tip()
        script.other(PickUpTips, pipette="p20", channels=(0,), spots=("tips_20_1/A1",))
        for one in other.draw(second, 10).put("plate/A1", 10).said[1:]:
            fields = {"channels": (0,), "wells": one.wells, "volumes": one.volumes, "liquid_class": "water"}
            script.other(type(one), pipette="p20", **fields)
        script.other(type(Script().tip().drop().said[-1]), pipette="p20", channels=(0,))
        return lifted(script.put("plate/B1", 10).drop())

    assert crossed("plate/A2").kept[0].reason.startswith("draws and dispenses that overlap")
    assert crossed("plate/A1").kept == ()


# -- what pipettes do not do ----------------------------------------------------------------------------------


def test_devices_people_and_the_arm_have_steps_of_their_own() -> None:
    script = (
        Script()
        .other(SetTemperature, device="t", celsius=37.0)
        .other(AwaitTemperature, device="t")
        .other(SetTemperature, device="t", celsius=None)
        .other(AwaitTemperature, device="t", celsius=4.0, part="lid")
        .other(Shake, device="h", rpm=500)
        .other(Shake, device="h", rpm=None)
        .other(SetLatch, device="h", open=True)
        .other(SetLid, device="c", open=False)
        .other(SetMagnet, device="m", raised=True, height=-1.5)
        .other(RunProfile, device="c", steps=(ProfileStep(celsius=95, seconds=30),), cycles=2, volume=25)
        .other(AskPerson, message="Ready?")
        .other(MoveLabware, labware="plate", site="off-deck", by="person")
        .other(MoveLabware, labware="bath", site="slot-6")
    )
    assert steps(script) == [
        {"do": "set_temperature", "device": "t", "temperature": "37.0 degC", "wait": True},
        {"do": "set_temperature", "device": "t"},
        {"do": "await_temperature", "device": "t", "temperature": "4.0 degC", "part": "lid"},
        {"do": "shake", "device": "h", "speed": "500.0 rpm"},
        {"do": "shake", "device": "h"},
        {"do": "set_latch", "device": "h", "open": True},
        {"do": "set_lid", "device": "c", "open": False},
        {"do": "set_magnet", "device": "m", "raised": True, "height": "-1.5 mm"},
        {
            "do": "thermocycle",
            "device": "c",
            "profile": [{"temperature": "95.0 degC", "duration": "30.0 s"}],
            "cycles": 2,
            "volume": "25.0 uL",
        },
        {"do": "ask", "message": "Ready?"},
        {"do": "move", "labware": "plate", "site": "off-deck", "by": "person"},
        {"do": "move", "labware": "bath", "site": "slot-6"},
    ]


def test_racks_are_the_compilers_business_unless_instructions_that_stay_need_them() -> None:
    plain = Script().tip().draw("plate/A1", 20).put("plate/B1", 20).drop()
    exchanged = plain.other(ReplaceTipRack, rack="tips_300_1").other(MoveLabware, labware="tips_300_1", site="slot-6")
    found = lifted(exchanged)
    assert len(found.protocol.steps) == 1
    assert "exchanging or carrying a tip rack is left to the compiler, 2 times" in found.notes
    exchanged.tip().draw("plate/A1", 20).wait(600).put("plate/B1", 20).drop()
    found = lifted(exchanged)
    assert [step.do for step in found.protocol.steps] == ["transfer", "instructions", "instructions"]


def test_a_schedule_stays_a_schedule() -> None:
    program = Script().tip().draw("plate/A1", 20).put("plate/B1", 20).drop().program()
    first = type(program.instructions[0])
    windowed = first(id="n1", pipette="p300", channels=(0,), spots=("tips_300_1/A1",), window=TimeWindow(earliest=60.0))
    found = lift(program.model_copy(update={"instructions": (windowed, *program.instructions[1:])}), SPEC)
    assert [kept.count for kept in found.kept] == [4]
    assert "a time" in found.kept[0].reason


# -- what it needs ------------------------------------------------------------------------------------------


def test_labware_is_described_so_that_another_lab_has_its_like() -> None:
    found = lifted(Script().tip().draw("bath/A1", 250).put("plate/A1", 250).drop()).protocol
    assert found.labware["plate"].kind is None
    assert (found.labware["plate"].positions, found.labware["plate"].holds) == (96, 350)
    assert found.labware["bath"].category == "trough"
    assert {need.site for need in found.labware.values()} == {None}


def test_sites_and_kinds_are_named_where_they_matter() -> None:
    moved = lifted(Script().other(MoveLabware, labware="bath", site="slot-6")).protocol
    assert moved.labware["plate"].site == "slot-1"
    assert moved.labware["plate"].kind is None
    kept = lifted(Script().tip().draw("plate/A1", 20).wait(600).put("plate/B1", 20).drop()).protocol
    assert kept.labware["plate"].kind == "corning_96_wellplate_360ul_flat"


def test_materials_are_what_stands_there() -> None:
    script = Script().tip().draw("plate/A1", 20).put("plate/B1", 20).draw("reservoir/A1", 9).put("plate/B1", 9).drop()
    found = lift(script.program(), SPEC).protocol
    said = {(material.liquid, material.wells, material.volume, material.reachable) for material in found.materials}
    assert ("sample 1", ("plate/A1",), 100.0, False) in said
    assert ("buffer", ("bath/A1",), 10_000.0, False) in said
    workcells = [fill for fill in SPEC.contents if fill.well == "reservoir/A1"]
    assert all((fill.liquid, (fill.well,), 9.0, True) in said for fill in workcells)


def test_of_what_is_drawn_to_the_last_drop_it_is_said_how_much_can_be_drawn() -> None:
    script = Script().tip().draw("plate/A1", 100).put("plate/B1", 100).drop()
    program = script.program(Fill(well="plate/A1", liquid="dye", volume=100.0))
    (material,) = lift(program, SPEC).protocol.materials
    assert (material.volume, material.reachable) == (101.0, True)
    generous = script.program(Fill(well="plate/A1", liquid="dye", volume=130.0))
    assert lift(generous, SPEC).protocol.materials[0].volume == 130.0
    assert lift(generous, SPEC, inferred=["plate/A1"]).protocol.materials[0].volume == 101.0


@pytest.mark.parametrize("name", [*PATTERNS, *KEPT])
def test_what_is_lifted_reads_back_equal(name: str, tmp_path: Any) -> None:
    script = (PATTERNS | KEPT)[name][0]
    found = lift(script.program(), SPEC).protocol
    (tmp_path / "it.yaml").write_text(dump_protocol(found))
    assert read_protocol(tmp_path / "it.yaml") == found


def test_nothing_is_lifted_from_nothing() -> None:
    empty = lift(Script().program(*FILLS), SPEC)
    assert (empty.protocol.steps, empty.kept, empty.strokes) == ((), (), 0)
