"""Steps that throw liquid away, concern devices, or carry a robot's own instructions."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from protocols.compiler import Compilation, compile_protocol
from protocols.device_instructions import (
    AwaitTemperature,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.errors import CompileError, LabwrightError, UnknownNameError
from protocols.program import Aspirate, Dispense, DropTips, MoveLabware, PickUpTips
from protocols.protocol import Protocol
from protocols.specs import DeviceKind, DeviceSpec, WorkcellSpec
from protocols.verify import verify
from tests.compiler.bench import spec_of

OT2 = spec_of("ot2")
KINDS: tuple[DeviceKind, ...] = ("temperature module", "heater-shaker", "thermocycler", "magnetic module")
EQUIPPED = OT2.model_copy(
    update={"devices": {**OT2.devices, **{kind: DeviceSpec(id=kind, kind=kind) for kind in KINDS}}}
)


def protocol(*steps: dict[str, Any], **more: Any) -> Protocol:
    fields: dict[str, Any] = {
        "title": "t",
        "labware": {"plate": {}},
        "liquids": {"dye": {"name": "dye"}},
        "materials": [{"liquid": "dye", "wells": "plate/A1:B1", "volume": "100 uL"}],
    }
    return Protocol.model_validate(
        {**fields, **more, "steps": [{"id": f"step {n}", **step} for n, step in enumerate(steps, 1)]}
    )


def refused(asked: Protocol, spec: WorkcellSpec, kind: type[LabwrightError]) -> str:
    with pytest.raises(kind) as caught:
        compile_protocol(asked, spec)
    return str(caught.value)


@pytest.mark.parametrize("lab", ["ot2", "starlet"])
def test_what_is_removed_leaves_with_its_tip(lab: str) -> None:
    spec = spec_of(lab)
    made = compile_protocol(protocol({"do": "remove", "wells": "plate/A1:B1", "volume": "60 uL"}), spec)
    found = verify(made.program, spec)
    assert {finding.code for finding in found.findings if finding.severity != "note"} == set()
    assert found.state.volume("plate/A1") == pytest.approx(40, abs=0.5)
    assert sum(found.state.wasted().values()) == pytest.approx(120, abs=1)
    assert made.tallies.tips_in_all == 2


def test_more_than_a_well_holds_is_removed_only_where_the_rest_is_meant() -> None:
    step = {"do": "remove", "wells": "plate/A1", "volume": "150 uL"}
    assert "does not hold enough" in refused(protocol(step), OT2, CompileError)
    made = compile_protocol(protocol({**step, "handling": {"rest": True}}), OT2)
    assert all(said.takes_rest for said in made.program.instructions if isinstance(said, Aspirate))
    assert verify(made.program, OT2).ok


def test_a_well_that_was_emptied_can_be_filled_again() -> None:
    """The plate need not hold all that was ever in it."""
    steps = [
        {"do": "remove", "wells": "plate/A1", "volume": "250 uL"},
        {"do": "transfer", "source": "bath/A1", "destination": "plate/A1", "volume": "250 uL"},
    ]
    fills = {"plate/A1": "300 uL", "bath/A1": "9 mL"}
    stands = [{"liquid": "dye", "wells": well, "volume": fill} for well, fill in fills.items()]
    labware = {"plate": {"positions": 96}, "bath": {"category": "trough"}}
    made = compile_protocol(protocol(*steps, *steps, labware=labware, materials=stands), OT2)
    assert made.program.labware["plate"].kind == "corning_96_wellplate_360ul_flat"


def test_steps_for_devices_become_their_instructions() -> None:
    asked = protocol(
        {"do": "set_temperature", "device": "temperature module", "temperature": "4 degC", "wait": True},
        {"do": "set_temperature", "device": "thermocycler", "part": "lid"},
        {"do": "await_temperature", "device": "heater-shaker"},
        {"do": "set_latch", "device": "heater-shaker", "open": False},
        {"do": "shake", "device": "heater-shaker", "speed": "500 rpm"},
        {"do": "shake", "device": "heater-shaker"},
        {"do": "set_lid", "device": "thermocycler", "open": True},
        {"do": "set_magnet", "device": "magnetic module", "raised": True, "height": "-1 mm"},
        {
            "do": "thermocycle",
            "device": "thermocycler",
            "profile": [{"temperature": "95 degC", "duration": "1 min"}],
            "cycles": 3,
        },
    )
    said = compile_protocol(asked, EQUIPPED).program.instructions
    kinds = [SetTemperature, AwaitTemperature, SetTemperature, AwaitTemperature, SetLatch, Shake, Shake, SetLid]
    assert [type(one) for one in said] == [*kinds, SetMagnet, RunProfile]
    assert (said[0].celsius, said[2].part, said[5].rpm, said[6].rpm) == (4, "lid", 500, None)  # type: ignore[union-attr]
    assert said[8].height == -1  # type: ignore[union-attr]
    assert said[9].steps[0].seconds == 60  # type: ignore[union-attr]
    assert "no device" in refused(asked, OT2, UnknownNameError)


def test_a_device_does_only_what_its_kind_can() -> None:
    asked = protocol({"do": "shake", "device": "thermocycler", "speed": "500 rpm"})
    assert "needs a heater-shaker" in refused(asked, EQUIPPED, CompileError)


def test_a_person_carries_what_no_arm_can() -> None:
    made = compile_protocol(protocol({"do": "move", "labware": "plate", "site": "off-deck", "by": "person"}), OT2)
    assert made.program.instructions == (
        MoveLabware(id="i1", step="step 1", labware="plate", site="off-deck", by="person"),
    )
    assert "by: person" in refused(protocol({"do": "move", "labware": "plate", "site": "slot-5"}), OT2, CompileError)


# -- a robot's own instructions ----------------------------------------------------------------------------


def kept(made: Compilation, spec: WorkcellSpec) -> Protocol:
    """What was compiled, as one step of instructions, between two transfers of the compiler's own."""
    plain = {"do": "transfer", "source": "plate/A1", "destination": "plate/C1", "volume": "20 uL"}
    step = {
        "do": "instructions",
        "instructions": [{"kind": said.kind, **_fields(said)} for said in made.program.instructions],
        "liquid_classes": {name: style.model_dump() for name, style in made.program.liquid_classes.items()},
        "why": "a test wants it",
    }
    placed = made.program.labware["plate"]
    return protocol(plain, step, plain, labware={"plate": {"kind": placed.kind, "site": placed.site}})


def _fields(said: Any) -> dict[str, Any]:
    return {field.name: getattr(said, field.name) for field in dataclasses.fields(said) if field.name != "step"}


MADE = compile_protocol(
    protocol({"do": "transfer", "source": "plate/B1", "destination": "plate/D1", "volume": "30 uL"}), OT2
)


def test_instructions_are_passed_through_where_all_they_name_is_there() -> None:
    made = compile_protocol(kept(MADE, OT2), OT2)
    assert verify(made.program, OT2).ok
    passed = [said for said in made.program.instructions if said.step == "step 2"]
    passed = passed[[type(said) for said in passed].index(PickUpTips) :]  # the tip before it is put down
    assert [type(said) for said in passed] == [PickUpTips, Aspirate, Dispense, DropTips]
    spots = [said.spots for said in made.program.instructions if isinstance(said, PickUpTips)]
    assert len(set(spots)) == 3
    assert passed[0].spots == MADE.program.instructions[0].spots  # type: ignore[union-attr]


def test_instructions_are_refused_elsewhere_with_what_is_missing() -> None:
    said = refused(kept(MADE, OT2), spec_of("starlet"), CompileError)
    assert "lacks pipette" in said
    assert "a test wants it" in said


def test_instructions_that_keep_a_tip_are_refused() -> None:
    step = {
        "do": "instructions",
        "instructions": [_fields(MADE.program.instructions[0]) | {"kind": "pick_up_tips"}],
    }
    assert "do not drop" in refused(protocol(step, {"do": "wait", "duration": "1 s"}), OT2, CompileError)
    compile_protocol(protocol(step), OT2)  # at the end a tip may stay on


def test_a_tip_rack_that_the_workcell_does_not_know_is_left_to_it() -> None:
    asked = protocol(
        {"do": "transfer", "source": "plate/A1", "destination": "plate/C1", "volume": "20 uL"},
        labware={"plate": {}, "tips": {"category": "tip rack", "kind": "somebody's tips", "site": "their place"}},
    )
    made = compile_protocol(asked, OT2)
    assert "tips" not in made.program.labware
    assert any("tip rack 'tips' is left out" in note for note in made.notes)
