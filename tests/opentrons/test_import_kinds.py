"""Commands of every kind become what they mean; what has no instruction is listed with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protocols.device_instructions import AwaitTemperature, ProfileStep, RunProfile, SetMagnet, SetTemperature
from protocols.opentrons import left_out, parameters
from protocols.opentrons.lowering import _HANDLERS, _WITH_RESULTS
from protocols.program import (
    AirGap,
    AnyInstruction,
    AskPerson,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    MoveLabware,
    PickUpTips,
    ReplaceTipRack,
    Wait,
)
from protocols.specs import OFF_DECK
from tests.opentrons import corpus
from tests.opentrons.bench import carried_through, imported

KNOWN = json.loads((Path(__file__).parent / "command_types.json").read_text())
"""Every ``commandType`` of opentrons 9.0.0, from its ``protocol_engine/commands/command_unions.py``."""


def of(name: str, folder: Path, *kinds: type) -> list[AnyInstruction]:
    """The instructions of some kinds that a protocol becomes."""
    program = imported(corpus.analysis(name), folder).program
    return [item for item in program.instructions if isinstance(item, kinds)]


@pytest.mark.parametrize("name", corpus.OWN)
def test_no_written_protocol_has_an_error(name: str, tmp_path: Path) -> None:
    bench = carried_through(corpus.analysis(name), tmp_path)
    assert bench.errors == set(), bench.findings[:3]


@pytest.mark.parametrize("kind", KNOWN)
def test_every_command_of_opentrons_is_lowered_or_has_a_reason_of_its_own(kind: str) -> None:
    made = kind in _HANDLERS or kind in _WITH_RESULTS or kind in parameters.OF_COMMAND
    assert made or "not known" not in left_out.reason(kind)


def test_an_unknown_command_is_listed_and_not_passed_over(tmp_path: Path) -> None:
    data = corpus.analysis("ot2_api_2_13")
    data["commands"].append({"commandType": "thermocycler/brandNew", "params": {}})
    (lost,) = [item for item in imported(data, tmp_path).lost if item.kind == "thermocycler/brandNew"]
    assert (lost.count, lost.first, "not known" in lost.reason) == (1, len(data["commands"]) - 1, True)


def test_air_drawn_above_a_well_is_an_air_gap(tmp_path: Path) -> None:
    gaps = of("ot2_tips_replaced", tmp_path, AirGap)
    assert [gap.volumes for gap in gaps if isinstance(gap, AirGap)] == [(20.0,)]


def test_a_rack_that_is_used_again_after_a_person_was_asked_is_replaced(tmp_path: Path) -> None:
    acts = of("ot2_tips_replaced", tmp_path, AskPerson, ReplaceTipRack)
    assert [act.kind for act in acts] == ["ask_person", "replace_tip_rack"]
    assert any("guessed" in note for note in imported(corpus.analysis("ot2_tips_replaced"), tmp_path).notes)


def test_tips_that_are_put_back_go_into_their_spots(tmp_path: Path) -> None:
    drops = of("ot2_tips_replaced", tmp_path, DropTips)
    assert [drop.spots for drop in drops if isinstance(drop, DropTips) and drop.spots] == [
        tuple(f"opentrons_96_tiprack_300ul_1/{row}6" for row in "ABCDEFGH")
    ]


def test_old_protocols_speak_in_sentences(tmp_path: Path) -> None:
    devices = of("ot2_api_2_9", tmp_path, SetTemperature, AwaitTemperature, SetMagnet, RunProfile, Wait, AskPerson)
    thermocycler, block = "thermocycler_slot-7", "temperature_module_slot-6"
    said = [(item.kind, getattr(item, "device", ""), getattr(item, "celsius", None)) for item in devices]
    assert ("set_temperature", thermocycler, 100.0) in said
    assert ("set_temperature", block, 4.0) in said
    (profile,) = [item for item in devices if isinstance(item, RunProfile)]
    assert (profile.steps, profile.cycles) == ((ProfileStep(celsius=90.0, seconds=10.0),), 5)
    assert [item.raised for item in devices if isinstance(item, SetMagnet)] == [True, False, True]
    assert [item.seconds for item in devices if isinstance(item, Wait)] == [120.0]
    assert [item.message for item in devices if isinstance(item, AskPerson)] == ["replace tips"]


def test_strokes_of_old_protocols_have_no_height(tmp_path: Path) -> None:
    strokes = of("ot2_api_2_9", tmp_path, Aspirate, Dispense)
    assert strokes
    assert all(getattr(stroke, "height", 0) is None for stroke in strokes)


def test_a_profile_is_written_as_few_holds_repeated(tmp_path: Path) -> None:
    (profile,) = of("flex_modules", tmp_path, RunProfile)
    steps = (ProfileStep(celsius=95.0, seconds=10.0), ProfileStep(celsius=60.0, seconds=60.0))
    assert isinstance(profile, RunProfile)
    assert (profile.steps, profile.cycles) == (steps, 3)


def test_a_hold_is_waited_for_where_the_temperature_is(tmp_path: Path) -> None:
    items = of("flex_modules", tmp_path, SetTemperature, AwaitTemperature, Wait)
    at = next(number for number, item in enumerate(items) if getattr(item, "celsius", None) == 95.0)
    assert [item.kind for item in items[at : at + 3]] == ["set_temperature", "await_temperature", "wait"]
    assert getattr(items[at + 2], "seconds", None) == 30.0


def test_a_plate_reader_is_listed_and_its_slot_still_holds_plates(tmp_path: Path) -> None:
    bench = carried_through(corpus.analysis("flex_modules"), tmp_path)
    assert "absorbanceReader/read" in {item.kind for item in bench.imported.lost}
    assert [finding.place for finding in bench.findings if finding.code == "P10"] == ["absorbanceReader_D3"]


def test_what_a_stacker_gives_is_brought_by_a_person(tmp_path: Path) -> None:
    moves = [
        (move.site, move.by) for move in of("flex_stacker", tmp_path, MoveLabware) if isinstance(move, MoveLabware)
    ]
    assert moves == [("D4", "person"), ("D2", "arm"), ("D4", "arm"), (OFF_DECK, "person")]


def test_lids_are_listed(tmp_path: Path) -> None:
    lost = {item.kind: item.count for item in imported(corpus.analysis("flex_lids"), tmp_path).lost}
    assert (lost["loadLid"], lost["loadLidStack"], lost["moveLabware: a lid"]) == (1, 2, 3)


def test_labware_goes_into_the_waste_chute_by_the_gripper(tmp_path: Path) -> None:
    result = imported(corpus.analysis("flex_96_partial"), tmp_path)
    gone = [item for item in result.program.instructions if isinstance(item, MoveLabware) and item.site == OFF_DECK]
    assert [item.by for item in gone] == ["arm", "person", "arm"]
    assert result.rig.trash == ("waste chute",)


def test_nozzle_layouts_of_a_96_channel_head(tmp_path: Path) -> None:
    picked = [item.channels for item in of("flex_96_partial", tmp_path, PickUpTips) if isinstance(item, PickUpTips)]
    assert picked == [tuple(range(96)), tuple(range(88, 96)), (95,)]


def test_a_384_well_plate_takes_every_second_row(tmp_path: Path) -> None:
    wells = [item.wells for item in of("ot2_api_2_22", tmp_path, Dispense) if isinstance(item, Dispense)]
    plate = "corning_384_wellplate_112ul_flat_9"
    assert tuple(f"{plate}/{row}1" for row in "ACEGIKMO") in wells
    assert tuple(f"{plate}/{row}1" for row in "BDFHJLNP") in wells


def test_liquid_that_is_thrown_away_goes_into_the_trash(tmp_path: Path) -> None:
    into = [
        item for item in of("ot2_api_2_22", tmp_path, Dispense, BlowOut) if "trash/A1" in getattr(item, "wells", ())
    ]
    assert [item.kind for item in into] == ["dispense", "blow_out"]


def _with(kind: str, params: dict[str, Any], *before: str) -> dict[str, Any]:
    data = corpus.analysis("flex_modules")
    model = before[0] if before else "thermocyclerModuleV2"
    module = next(c["result"]["moduleId"] for c in data["commands"] if c["params"].get("model") == model)
    data["commands"].append({"commandType": kind, "params": {"moduleId": module, **params}})
    return data


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("thermocycler/setTargetBlockTemperature", {"celsius": 900.0}),
        ("thermocycler/setTargetBlockTemperature", {"celsius": 120.0}),
        ("thermocycler/setTargetLidTemperature", {"celsius": 20.0}),
        ("thermocycler/runProfile", {"profile": [{"celsius": -400.0, "holdSeconds": 1}]}),
    ],
)
def test_a_set_point_that_no_device_takes_is_an_error(kind: str, params: dict[str, Any], tmp_path: Path) -> None:
    assert carried_through(_with(kind, params), tmp_path).errors == {"D14"}


def test_extended_profiles(tmp_path: Path) -> None:
    hold = {"celsius": 37.0, "holdSeconds": 5}
    elements = [hold, {"steps": [hold, {"celsius": 50.0, "holdSeconds": 6}], "repetitions": 7}, hold]
    data = _with("thermocycler/runExtendedProfile", {"profileElements": elements})
    profiles = [item for item in imported(data, tmp_path).program.instructions if isinstance(item, RunProfile)]
    assert [(len(item.steps), item.cycles) for item in profiles[1:]] == [(1, 1), (2, 7), (1, 1)]


def test_waiting_for_tasks_waits_for_what_they_stand_for(tmp_path: Path) -> None:
    data = corpus.analysis("flex_modules")
    module = next(c["result"]["moduleId"] for c in data["commands"] if "temperature" in str(c["params"].get("model")))
    data["commands"] += [
        {"commandType": "createTimer", "params": {"time": 12.0, "task_id": "timer"}},
        {
            "commandType": "temperatureModule/setTargetTemperature",
            "params": {"moduleId": module, "celsius": 9.0, "taskId": "cold"},
        },
        {"commandType": "waitForTasks", "params": {"task_ids": ["timer", "cold", "never"]}},
    ]
    result = imported(data, tmp_path)
    assert [item.kind for item in result.program.instructions[-3:]] == ["set_temperature", "wait", "await_temperature"]
    assert {"createTimer", "waitForTasks"} <= {item.kind for item in result.lost}


def test_empty_tips_beside_a_plate_move_nothing_and_are_told(tmp_path: Path) -> None:
    """The whole pipette at the last row: seven of its tips stand in front of the plate."""
    bench = carried_through(corpus.analysis("OT2_S_v2_20_P300M_Simple"), tmp_path)
    (first, *_) = [item for item in bench.set_up.program.instructions if isinstance(item, Aspirate)]
    assert (first.channels, first.wells) == ((0,), ("nest_96_wellplate_100ul_pcr_full_skirt_2/H1",))
    assert "P13" in {finding.code for finding in bench.findings}
    assert sum("stand beside it" in note for note in bench.imported.notes) == 12


def test_names_are_never_too_long(tmp_path: Path) -> None:
    data = corpus.analysis("ot2_api_2_13")
    for command in data["commands"]:
        if command["commandType"] == "loadLabware":
            command["params"]["loadName"] = "a" * 900 + command["params"]["loadName"]
    assert carried_through(data, tmp_path).errors == set()
