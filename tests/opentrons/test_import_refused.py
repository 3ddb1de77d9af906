"""Files that are no analysis, or not a whole one, are refused in words that say what they are and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import InputError
from protocols.formats import load_document
from protocols.formats.protocol_file import read_input
from protocols.opentrons import import_analysis
from tests.opentrons import corpus
from tests.opentrons.bench import carried_through

SMALL = "ot2_api_2_13"


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        import_analysis(load_document(path))
    return str(caught.value)


def write(folder: Path, data: Any) -> Path:
    path = folder / "it.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"$otSharedSchema": "#/protocol/schemas/8", "schemaVersion": 8, "commands": []}, "Protocol Designer"),
        ({"schemaVersion": 6, "designerApplication": {}, "labwareDefinitions": {}, "commands": []}, "(schema 6)"),
        ({"data": {"id": "x", "status": "succeeded", "actions": []}, "commands": {"data": []}}, "run log"),
        ({"data": {"id": "x", "status": "completed", "commands": []}}, "run log"),
        ([{"commandType": "home", "params": {}}], "bare list"),
        ({"ordering": [["A1"]], "wells": {}, "parameters": {}}, "labware definition"),
        ({"refs": {}, "instructions": []}, "Autoprotocol"),
        ({"name": "deck", "type": "OTDeck", "category": "deck", "children": []}, "pylabrobot"),
    ],
)
def test_its_relatives_are_named(data: Any, said: str, tmp_path: Path) -> None:
    path = write(tmp_path, data)
    assert said in refused(path)
    with pytest.raises(InputError, match=said.replace("(", r"\(").replace(")", r"\)")):
        read_input(path)


def test_a_file_that_ends_too_soon_is_refused_with_its_line(tmp_path: Path) -> None:
    text = corpus.text(SMALL)
    assert "is not JSON" in refused(write(tmp_path, text[: len(text) // 2]))


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "NaN" in refused(
        write(tmp_path, json.dumps(corpus.analysis(SMALL)).replace('"volume": 500.0', '"volume": NaN', 1))
    )


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    assert "100.0 MB" in refused(path)


def _first(data: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in data["commands"] if c["commandType"] == kind)
    return found


def _change(kind: str, **params: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        _first(data, kind)["params"].update(params)

    return change


def _definition_without_depth(data: dict[str, Any]) -> None:
    wells = _first(data, "loadLabware")["result"]["definition"]["wells"]
    del next(iter(wells.values()))["depth"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.pop("config"), "'config' is missing"),
        (lambda data: data.update(robotType="OT-4"), "robotType"),
        (lambda data: data.update(commands={}), "commands"),
        (lambda data: data.update(commands=[]), "commands"),
        (lambda data: data["commands"].append({"params": {}}), "'commandType' is missing"),
        (lambda data: data["commands"].append("home"), "commands"),
        (_change("aspirate", volume="much"), "volume"),
        (_change("aspirate", volume=-5.0), "volume"),
        (_change("aspirate", volume=1e300), "volume"),
        (_change("aspirate", flowRate=0.0), "flowRate"),
        (_change("aspirate", wellLocation={"origin": "elsewhere"}), "wellLocation.origin"),
        (_change("loadPipette", mount="middle"), "mount"),
        (_change("aspirate", labwareId=""), "labwareId"),
        (_definition_without_depth, "depth"),
    ],
)
def test_what_is_used_must_be_right(change: Callable[[dict[str, Any]], Any], said: str, tmp_path: Path) -> None:
    data = corpus.analysis(SMALL)
    change(data)
    assert said in refused(write(tmp_path, data))


def test_what_is_not_used_may_be_anything(tmp_path: Path) -> None:
    data = corpus.analysis(SMALL)
    data |= {"errors": "none", "labware": 3, "pipettes": None, "modules": "x", "runTimeParameters": {}, "new": [1]}
    before = import_analysis(load_document(write(tmp_path, corpus.analysis(SMALL))))
    for command in data["commands"]:
        command |= {"id": 7, "status": "?", "notes": None, "startedAt": 0}
    assert import_analysis(load_document(write(tmp_path, data))) == before


def test_labware_that_was_never_loaded_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    data = corpus.analysis(SMALL)
    _first(data, "aspirate")["params"]["labwareId"] = "labware/99"
    [*_, last] = [c for c in data["commands"] if c["commandType"] == "pickUpTip"]
    last["params"]["pipetteId"] = "pipette-99"
    data["commands"].append(
        {
            "commandType": "moveLabware",
            "params": {"labwareId": "nothing", "newLocation": {"labwareId": "nowhere"}, "strategy": "usingGripper"},
        }
    )
    data["commands"].append({"commandType": "thermocycler/openLid", "params": {"moduleId": "none"}})
    assert {"P01", "D01", "D10", "P02"} <= carried_through(data, tmp_path).errors
