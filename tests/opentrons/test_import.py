"""Every real analysis becomes a program whose liquid moves are those of the analysis, one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.formats.documents import load_document
from protocols.opentrons import Imported, import_analysis
from protocols.program import Aspirate, Dispense
from tests.opentrons import corpus
from tests.opentrons.reader import Move, liquid_moves


def imported(name: str, folder: Path) -> Imported:
    return import_analysis(load_document(corpus.write(name, folder)))


def moves_of(result: Imported, loaded: dict[str, str]) -> list[Move]:
    found = []
    for item in result.program.instructions:
        if isinstance(item, Aspirate | Dispense):
            labware, _, _ = item.wells[0].rpartition("/")
            wells = tuple(well.rpartition("/")[2] for well in item.wells) if labware != "trash" else ()
            assert len(set(item.volumes)) == 1
            kind = "aspirate" if isinstance(item, Aspirate) else "dispense"
            at = int(item.id.removeprefix("c").split(".")[0])
            found.append(Move(at, kind, loaded.get(labware, labware), wells, item.volumes[0]))
    return found


def instance_names(name: str, result: Imported) -> dict[str, str]:
    """Opentrons' ids by the importer's names: labware is in the order of its loading on both sides."""
    loads = [
        command["result"]
        for command in corpus.analysis(name)["commands"]
        if command["commandType"] == "loadLabware"
        and "adapter" not in command["result"]["definition"]["allowedRoles"]
        and command["result"]["definition"]["metadata"]["displayCategory"] != "trash"
    ]
    assert len(loads) == len(result.program.labware)
    for load, (instance, placed) in zip(loads, result.program.labware.items(), strict=True):
        assert load["definition"]["parameters"]["loadName"] in placed.kind
        assert instance.startswith(placed.kind)
    return dict(zip(result.program.labware, (load["labwareId"] for load in loads), strict=True))


@pytest.mark.parametrize("name", corpus.NAMES)
def test_liquid_moves_are_those_of_the_analysis(name: str, tmp_path: Path) -> None:
    result = imported(name, tmp_path)
    assert moves_of(result, instance_names(name, result)) == liquid_moves(corpus.analysis(name))


@pytest.mark.parametrize("name", corpus.NAMES)
def test_every_command_is_carried_over_or_listed(name: str, tmp_path: Path) -> None:
    result = imported(name, tmp_path)
    made = {int(item.id.removeprefix("c").split(".")[0]) for item in result.program.instructions}
    lost: dict[str, int] = {}
    for item in result.lost:
        if ":" not in item.kind:  # a part of a command
            kind = item.kind.split(" ")[0]
            lost[kind] = lost.get(kind, 0) + item.count
    silent = {"loadPipette", "loadModule", "loadLabware", "loadLiquid", "comment", "configureNozzleLayout"}
    unmade: dict[str, int] = {}
    for index, command in enumerate(corpus.analysis(name)["commands"]):
        if index not in made and command["commandType"] not in silent:
            unmade[command["commandType"]] = unmade.get(command["commandType"], 0) + 1
    assert unmade == lost


@pytest.mark.parametrize("name", corpus.NAMES)
def test_nothing_is_wrong_with_the_file_itself(name: str, tmp_path: Path) -> None:
    assert imported(name, tmp_path).findings == ()
