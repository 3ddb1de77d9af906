"""Writing a workcell from what somebody else's file asks for: whole or not at all, and loadable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opentrons_shared_data.load import load_shared_data

from protocols.errors import FileProblemsError, InputError
from robots.workcell import load_workcell
from robots.workcell.equipment import Equipment, Module, write_workcell


def definition(name: str, version: int = 1) -> dict[str, Any]:
    text = load_shared_data(f"labware/definitions/2/{name}/{version}.json")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


FLEX = Equipment(
    name="imported",
    robot="Flex",
    pipettes={"left": "p1000_multi_flex", "right": "p50_single_flex"},
    modules=(
        Module("heater_shaker_D1", "heaterShakerModuleV1", "D1"),
        Module("magnetic_block_C1", "magneticBlockV1", "C1"),
        Module("thermocycler_B1", "thermocyclerModuleV2", "B1"),
    ),
    adapters={"D1": "opentrons_96_deep_well_adapter"},
    kinds={
        "opentrons_96_deep_well_adapter": definition("opentrons_96_deep_well_adapter"),
        "nest_96_wellplate_2ml_deep": definition("nest_96_wellplate_2ml_deep", 5),
        "opentrons_flex_96_tiprack_200ul": definition("opentrons_flex_96_tiprack_200ul"),
    },
    gripper=True,
    staging=True,
)


def test_a_flex_is_written_and_loads(tmp_path: Path) -> None:
    spec = load_workcell(write_workcell(FLEX, tmp_path / "lab")).spec
    assert spec.robot == "Flex"
    assert spec.arm == "gripper"
    assert spec.sites["D1"].device == "heater_shaker_D1"
    assert spec.sites["D1"].adapter == "opentrons_96_deep_well_adapter"
    assert spec.sites["C1"].adapter == "magnetic_block_C1"
    assert "A1" not in spec.sites
    assert "A3" not in spec.sites
    assert set(spec.labware) == {"trash"}
    assert spec.pipettes["left"].channels == 8
    assert spec.kinds["opentrons_flex_96_tiprack_200ul"].tip is not None
    assert spec.pipettes["left"].fits == {spec.kinds["opentrons_flex_96_tiprack_200ul"].tip.fits}


def test_an_ot2_with_tips_of_another_maker(tmp_path: Path) -> None:
    rack = definition("opentrons_96_tiprack_300ul")
    rack["parameters"]["loadName"] = "lab_96_tiprack_250ul"
    equipment = Equipment(
        name="ours",
        robot="OT-2",
        pipettes={"right": "p300_multi_gen2"},
        kinds={"rack": rack},
        fits={"rack": "p300_multi_gen2"},
    )
    spec = load_workcell(write_workcell(equipment, tmp_path)).spec
    assert spec.kinds["rack"].tip is not None
    assert spec.kinds["rack"].tip.fits in spec.pipettes["right"].fits
    assert spec.kinds["rack"].opentrons == "opentrons/lab_96_tiprack_250ul/1"


@pytest.mark.parametrize(
    "name", ["../evil", "a/b", "a\\b", "", ".hidden", "con", "NUL.x", "a b", "x" * 200, "é", "a\n"]
)
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    rack = definition("opentrons_96_tiprack_300ul")
    equipment = Equipment(name="x", robot="OT-2", pipettes={}, kinds={name: rack})
    with pytest.raises(InputError, match="cannot be a file's name"):
        write_workcell(equipment, tmp_path / "lab")
    assert not (tmp_path / "lab").exists()


def test_names_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    rack = definition("opentrons_96_tiprack_300ul")
    with pytest.raises(InputError, match="one on some computers"):
        write_workcell(Equipment(name="x", robot="OT-2", pipettes={}, kinds={"a": rack, "A": rack}), tmp_path)


def test_what_makes_no_workcell_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    broken = definition("nest_96_wellplate_2ml_deep", 5)
    del broken["wells"]["A1"]
    equipment = Equipment(
        name="x",
        robot="Flex",
        pipettes={"left": "p1000_96"},
        kinds={"plate": broken},
        modules=(Module("tm", "temperatureModuleV2", "D2"),),
    )
    with pytest.raises(FileProblemsError) as error:
        write_workcell(equipment, tmp_path)
    assert "each of the wells once" in str(error.value)
    assert "cannot stand on D2" in str(error.value)
    assert str(tmp_path / "workcell.yaml") in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_workcell_that_is_there_stays(tmp_path: Path) -> None:
    write_workcell(FLEX, tmp_path)
    before = (tmp_path / "workcell.yaml").read_bytes()
    with pytest.raises(InputError, match="there is one already"):
        write_workcell(FLEX, tmp_path)
    assert (tmp_path / "workcell.yaml").read_bytes() == before


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        write_workcell(FLEX, file)
