"""Every labware definition that Opentrons publishes, and definitions that are damaged or made to do harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentrons_shared_data.load import get_shared_data_root

from protocols.errors import InputError
from robots.workcell.catalogue import read_kind
from robots.workcell.config import FileKind

LIBRARY = get_shared_data_root() / "labware" / "definitions"
REFUSED = {
    "protocol_engine_lid_stack_object": "dimensions, xDimension",  # a stand-in for a stack of lids, without a size
}
"""What cannot be labware, and why."""


def kind_of(path: Path) -> Any:
    return read_kind("it", FileKind(file=path.name, fits="any", min_volume="1 uL"), path.parent)


@pytest.mark.slow
@pytest.mark.parametrize("schema", ["2", "3"])
def test_every_definition_of_the_library_loads_or_is_refused_by_name(schema: str) -> None:
    files = sorted((LIBRARY / schema).glob("*/*.json"))
    assert len(files) > (250 if schema == "2" else 5)
    for file in files:
        name = file.parent.name
        if name in REFUSED:
            with pytest.raises(InputError, match=REFUSED[name]):
                kind_of(file)
            continue
        spec = kind_of(file).spec
        given = json.loads(file.read_text(encoding="utf-8"))
        if spec.category in ("plate", "trough", "tube rack", "tip rack"):
            assert len(spec.wells) == len(given["wells"]), file
        for shape in spec.shapes.values():
            most = shape.profile[-1][1] if shape.profile is not None else shape.max_volume
            assert most > 0, file


PAIRS = {
    "schema3test_96_wellplate_200ul_pcr_full_skirt": "opentrons_96_wellplate_200ul_pcr_full_skirt/4",
    "schema3test_96_wellplate_360ul_flat": "corning_96_wellplate_360ul_flat/5",
    "schema3test_flex_96_tiprack_200ul": "opentrons_flex_96_tiprack_200ul/1",
}


@pytest.mark.parametrize("third", PAIRS)
def test_schema_3_measures_to_the_same_places_as_schema_2(third: str) -> None:
    new = kind_of(LIBRARY / "3" / third / "999.json").spec
    old = kind_of(LIBRARY / "2" / f"{PAIRS[third]}.json").spec
    assert new.category == old.category
    assert new.grip_height == old.grip_height
    assert new.size == pytest.approx(old.size, abs=0.05)
    for well, site in old.wells.items():
        other = new.wells[well]
        assert (other.x, other.y, other.z) == pytest.approx((site.x, site.y, site.z), abs=0.05)
    assert [shape.max_volume for shape in new.shapes.values()] == [shape.max_volume for shape in old.shapes.values()]


CATEGORIES = {
    "opentrons_96_aluminumblock_nest_wellplate_100ul/1": "plate",
    "opentrons_96_deep_well_adapter_nest_wellplate_2ml_deep/1": "plate",
    "opentrons_24_aluminumblock_nest_1.5ml_snapcap/3": "tube rack",
    "opentrons_96_aluminumblock_generic_pcr_strip_200ul/4": "tube rack",
    "opentrons_96_well_aluminum_block/1": "adapter",
    "opentrons_96_pcr_adapter/1": "adapter",
    "opentrons_calibration_adapter_heatershaker_module/1": "adapter",
    "opentrons_flex_96_tiprack_adapter/1": "adapter",
    "opentrons_tough_pcr_auto_sealing_lid/2": "lid",
    "opentrons_1_trash_3200ml_fixed/1": "trash",
    "nest_12_reservoir_15ml/3": "trough",
    "ev_resin_tips_flex_96_labware/1": "plate",
}


@pytest.mark.parametrize("definition", CATEGORIES)
def test_what_a_definition_is(definition: str) -> None:
    spec = kind_of(LIBRARY / "2" / f"{definition}.json").spec
    assert spec.category == CATEGORIES[definition]
    assert bool(spec.wells) == (spec.category not in ("adapter", "lid"))


def plate(tmp_path: Path, change: Callable[[dict[str, Any]], Any], schema: str = "2") -> Path:
    name = "corning_96_wellplate_360ul_flat/5" if schema == "2" else "schema3test_96_wellplate_360ul_flat/999"
    data = json.loads((LIBRARY / schema / f"{name}.json").read_text(encoding="utf-8"))
    change(data)
    (tmp_path / "plate.json").write_text(json.dumps(data), encoding="utf-8")
    return tmp_path / "plate.json"


def _section(data: dict[str, Any]) -> dict[str, Any]:
    section: dict[str, Any] = next(iter(data["innerLabwareGeometry"].values()))["sections"][0]
    return section


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another schema": (lambda data: data.update(schemaVersion=1), "schemaVersion"),
    "no schema": (lambda data: data.pop("schemaVersion"), "schemaVersion"),
    "a section in the air": (lambda data: _section(data).update(bottomHeight=5), "does not join"),
    "a section without height": (lambda data: _section(data).update(topHeight=0), "greater than 0"),
    "a well of another name": (
        lambda data: (data["wells"].update({"../x": data["wells"].pop("A1")}), data.update(ordering=[["../x"]])),
        "each of the wells once",
    ),
    "names that only look alike": (
        lambda data: (data["wells"].update({"a1": data["wells"].pop("A1")}), data["ordering"][0].__setitem__(0, "a1")),
        "called by its row and column",
    ),
    "a well off the plate": (lambda data: data["wells"]["A1"].update(x=-5), "x"),
    "no loadName": (lambda data: data["parameters"].pop("loadName"), "loadName"),
    "a loadName without end": (lambda data: data["parameters"].update(loadName="x" * 500), "loadName"),
    "a name too long with its namespace": (lambda data: data.update(namespace="y" * 120), "opentrons"),
    "a thousand sections": (
        lambda data: next(iter(data["innerLabwareGeometry"].values())).update(sections=[_section(data)] * 1000),
        "at most 100",
    ),
    "a volume without end": (lambda data: data["wells"]["A1"].update(totalLiquidVolume=1e999), "finite|number"),
    "wells that are a list": (lambda data: data.update(wells=[]), "wells"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_definition_is_refused(tmp_path: Path, what: str) -> None:
    change, said = BROKEN[what]
    with pytest.raises(InputError, match=said):
        kind_of(plate(tmp_path, change))


THIRD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no extents": lambda data: data.pop("extents"),
    "extents of text": lambda data: data["extents"]["total"].update(backLeftBottom="here"),
    "a well without a place": lambda data: data["wells"]["A1"].pop("y"),
    "a well that is a number": lambda data: data["wells"].update(A1=3),
}


@pytest.mark.parametrize("what", THIRD)
def test_a_broken_definition_of_schema_3_is_refused(tmp_path: Path, what: str) -> None:
    with pytest.raises(InputError, match="schema 3: 'extents' or the place of a well"):
        kind_of(plate(tmp_path, THIRD[what], "3"))
