"""Tips that are used twice, one tip on eight nozzles, and analyses that Opentrons did not finish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protocols.errors import InputError
from protocols.program import PickUpTips, ReplaceTipRack
from tests.opentrons import corpus
from tests.opentrons.bench import carried_through, imported

SIMPLE = "OT2_S_v2_20_P300M_Simple"
Json = dict[str, Any]


def with_pauses(message: str, spots: list[str], before: int) -> Json:
    """The simple protocol, whose pick-ups go to ``spots``; a person is asked before pick-up ``before``."""
    data = corpus.analysis(SIMPLE)
    picks = [index for index, command in enumerate(data["commands"]) if command["commandType"] == "pickUpTip"]
    for index, spot in zip(picks, spots, strict=False):
        data["commands"][index]["params"]["wellName"] = spot
    data["commands"].insert(picks[before], {"commandType": "waitForResume", "params": {"message": message}})
    return data


def racks_replaced(data: Json, folder: Path) -> int:
    return sum(isinstance(item, ReplaceTipRack) for item in imported(data, folder).program.instructions)


@pytest.mark.parametrize(
    ("message", "spots", "replaced"),
    [
        ("Please replace the tip racks", ["A1", "A2", "A1", "A2", "A3"], 1),
        ("Shake the plate", ["A1", "A2", "A1", "A2", "A3"], 0),
        ("New tips, please", ["A1", "A2", "A3", "A1", "A4"], 0),
    ],
    ids=["tips are asked for", "something else is asked for", "the rack was begun after the pause"],
)
def test_when_a_rack_is_taken_to_be_replaced(message: str, spots: list[str], replaced: int, tmp_path: Path) -> None:
    data = with_pauses(message, spots, 2)
    assert racks_replaced(data, tmp_path) == replaced
    assert ("T02" in carried_through(data, tmp_path).errors) == (not replaced)


def test_one_tip_after_the_other_from_the_last_row_upwards(tmp_path: Path) -> None:
    data = corpus.analysis(SIMPLE)
    picks = [command for command in data["commands"] if command["commandType"] == "pickUpTip"]
    for command, spot in zip(picks, ["H12", "G12", "F12", "E12", "D12"], strict=False):
        command["params"]["wellName"] = spot
    result = imported(data, tmp_path)
    taken = [item for item in result.program.instructions if isinstance(item, PickUpTips)]
    assert [item.channels for item in taken] == [(0,)] * len(picks)
    assert [item.spots[0].rpartition("/")[2] for item in taken] == ["H12", "G12", "F12", "E12", "D12"][: len(picks)]
    assert any("picks up 1 of" in note for note in result.notes)


@pytest.mark.parametrize("emptied", ["A1", "D1"], ids=["where the leading nozzle goes", "in the middle"])
def test_a_tip_that_lacks_elsewhere_is_found(emptied: str, tmp_path: Path) -> None:
    data = corpus.analysis("OT2_S_v2_20_8_None_PARTIAL_COLUMN_HappyPathMixedTipRacks")
    single = next(
        command["result"]["pipetteId"]
        for command in data["commands"]
        if command["commandType"] == "loadPipette" and "single" in command["params"]["pipetteName"]
    )
    multi = corpus.analysis(SIMPLE)
    rack = next(c["params"]["labwareId"] for c in multi["commands"] if c["commandType"] == "pickUpTip")
    first = next(i for i, c in enumerate(multi["commands"]) if c["commandType"] == "pickUpTip")
    assert multi["commands"][first]["params"]["wellName"] == "A1"
    load = {
        "commandType": "loadPipette",
        "params": {"pipetteName": "p300_single_gen2", "mount": "right"},
        "result": {"pipetteId": single},
    }
    pick = {"commandType": "pickUpTip", "params": {"pipetteId": single, "labwareId": rack, "wellName": emptied}}
    away = {"commandType": "dropTip", "params": {"pipetteId": single, "labwareId": "fixedTrash", "wellName": "A1"}}
    multi["commands"][first:first] = [load, pick, away]
    assert "T02" in carried_through(multi, tmp_path).errors


def test_that_opentrons_gave_up_is_said_and_nothing_concluded(tmp_path: Path) -> None:
    name = "OT2_X_v6_P20S_None_SimpleTransfer"
    data = corpus.analysis(name)
    said = imported(data, tmp_path).notes[0]
    assert "ended after command 9" in said
    assert "InvalidAspirateVolumeError" in said
    data["errors"] = "nonsense"
    assert not any("ended after" in note for note in imported(data, tmp_path).notes)


def test_a_pipette_of_the_other_robot_is_refused_by_its_command(tmp_path: Path) -> None:
    data = corpus.analysis(SIMPLE)
    data["robotType"] = "OT-3 Standard"
    with pytest.raises(InputError, match="p300_multi_gen2, which no Flex has") as caught:
        imported(data, tmp_path)
    assert caught.value.where.startswith("command ")
