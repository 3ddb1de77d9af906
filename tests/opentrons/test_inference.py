"""What must stand in the wells: the least with which no draw takes air, and not a grain more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from protocols.opentrons.inference import Source, emptied_source
from protocols.specs import Fill
from protocols.verify import verify
from tests.opentrons import corpus
from tests.opentrons.bench import Bench, carried_through

UNDECLARED = [
    "Flex_S_v2_15_P1000_96_GRIP_HS_TM_QuickZymoMagbeadRNAExtractionCellsOrBacteria",
    "OT2_S_v2_11_P10S_P300M_MM_TC1_TM_Swift",
    "OT2_S_v2_20_P300M_Simple",
    "OT2_S_v2_4_P300M_None_MM_TM_Zymo",
    "OT2_S_v2_7_P20S_None_Walkthrough",
    "OT2_S_v4_P300M_P20S_MM_TM_TC1_PD40",
]


def air_drawn(bench: Bench, contents: tuple[Fill, ...]) -> set[str]:
    """The wells that a draw, of any sort, finds short."""
    program = bench.set_up.program.model_copy(update={"contents": contents})
    found = verify(program, bench.workcell.spec).findings
    return {finding.place for finding in found if finding.code in ("L01", "L14")}


@pytest.mark.parametrize("name", UNDECLARED)
def test_it_is_enough_and_no_more_than_that(name: str, tmp_path: Path) -> None:
    bench = carried_through(corpus.analysis(name), tmp_path)
    contents = bench.set_up.program.contents
    inferred = set(bench.set_up.inferred)
    assert inferred == {fill.well for fill in contents}
    assert air_drawn(bench, contents).isdisjoint(inferred)
    for fill in contents[:: max(1, len(contents) // 8)]:
        less = tuple(
            other if other.well != fill.well else replace(other, volume=other.volume - 0.01) for other in contents
        )
        assert fill.well in air_drawn(bench, less)


def _simple(**change: Any) -> dict[str, Any]:
    """Two draws from a reservoir of known geometry, at a height, with something put back between them."""
    data = corpus.analysis("ot2_tips_replaced")
    data["commands"] = [
        command
        for command in data["commands"]
        if command["commandType"] in ("loadLabware", "loadPipette") or command["commandType"] == "pickUpTip"
    ]
    picks = [c for c in data["commands"] if c["commandType"] == "pickUpTip"]
    data["commands"] = [c for c in data["commands"] if c["commandType"] != "pickUpTip"] + picks[:1]
    names = {
        c["result"]["definition"]["parameters"]["loadName"]: c["result"]["labwareId"]
        for c in data["commands"]
        if c["commandType"] == "loadLabware"
    }
    for kind, volume in (("aspirate", 100.0), ("dispense", 60.0), ("aspirate", 120.0)):
        params = {
            "pipetteId": picks[0]["params"]["pipetteId"],
            "labwareId": names["corning_96_wellplate_360ul_flat"],
            "wellName": "A1",
            "wellLocation": {"origin": "bottom", "offset": {"z": 2.0}},
            "volume": volume,
            "flowRate": 50.0,
        }
        data["commands"].append({"commandType": kind, "params": {**params, **change}})
    return data


def test_what_stands_below_the_tip_is_counted_in(tmp_path: Path) -> None:
    """100, then 60 back, then 120: 160 net, and what stands below 2 mm in a well 6.86 mm wide, 73.92 µL."""
    bench = carried_through(_simple(), tmp_path)
    assert {round(fill.volume, 2) for fill in bench.set_up.program.contents} == {233.92}


def test_without_a_height_it_is_what_is_drawn(tmp_path: Path) -> None:
    data = _simple()
    data["config"]["apiVersion"] = [2, 13]
    assert {fill.volume for fill in carried_through(data, tmp_path).set_up.program.contents} == {160.0}


def test_more_than_fits_in_has_to_be_filled_up_on_the_way(tmp_path: Path) -> None:
    data = _simple()
    again = data["commands"][-1]
    empty = {**again, "commandType": "dispense", "params": {**again["params"], "wellName": "A5"}}
    data["commands"] += [empty, again, empty, again, empty]
    bench = carried_through(data, tmp_path)
    assert bench.errors == set()
    assert {fill.volume for fill in bench.set_up.program.contents} == {360.0}
    assert any("filled up during the run" in note for note in bench.set_up.notes)


def test_more_than_a_well_holds_cannot_be_declared(tmp_path: Path) -> None:
    bench = carried_through(corpus.analysis("Flex_S_v2_18_KAPA_Library_Quant"), tmp_path)
    assert any("120 mL of 'DIL' are declared" in note and "taken to be full" in note for note in bench.set_up.notes)
    assert bench.errors == set()


def test_a_well_that_first_receives_is_no_source(tmp_path: Path) -> None:
    bench = carried_through(corpus.analysis("OT2_S_v2_11_P10S_P300M_MM_TC1_TM_Swift"), tmp_path)
    assert not any(well.startswith("nest_96_wellplate_2ml_deep_1/") for well in bench.set_up.inferred)
    assert "L14" in {finding.code for finding in bench.findings}


COLUMN = frozenset(f"plate/{row}1" for row in "ABCDEFGH")


def column(declared: float | None, drawn: float, liquid: str | None = "buffer") -> dict[str, Source]:
    return {well: Source(COLUMN, liquid, declared, drawn=drawn) for well in COLUMN}


def single(well: str, declared: float | None, drawn: float) -> dict[str, Source]:
    return {well: Source(frozenset({well}), f"in {well}", declared, drawn=drawn)}


def test_the_one_source_that_holds_nothing_is_empty() -> None:
    sound = single("tubes/A1", 1000.0, 400.0)
    assert emptied_source({**sound, **single("tubes/A2", 0.0, 50.0)}, unplaced=False) == {"tubes/A2"}
    assert emptied_source({**sound, **column(0.0, 50.0)}, unplaced=False) == COLUMN


def test_a_source_that_holds_half_of_what_is_drawn_is_not_empty() -> None:
    assert emptied_source(single("tubes/A1", 25.0, 50.0), unplaced=False) == frozenset()
    assert emptied_source(single("tubes/A1", 24.9, 50.0), unplaced=False) == {"tubes/A1"}


def test_where_several_fall_short_the_amounts_are_not_those_in_the_wells() -> None:
    several = {**single("tubes/A1", 1.0, 50.0), **single("tubes/A2", 1.0, 50.0)}
    assert emptied_source(several, unplaced=False) == frozenset()


def test_all_wells_of_one_liquid_that_hold_nothing_are_one_place() -> None:
    liquid = {f"plate/A{n}": Source(frozenset({f"plate/A{n}"}), "L2", 0.0, drawn=9.0) for n in range(1, 13)}
    assert emptied_source(liquid, unplaced=False) == liquid.keys()


def test_a_source_of_which_nothing_is_said_is_not_empty_for_that() -> None:
    assert emptied_source(single("tubes/A1", None, 50.0), unplaced=False) == frozenset()


def test_it_is_where_a_described_liquid_stands_nowhere() -> None:
    assert emptied_source(single("tubes/A1", None, 50.0), unplaced=True) == {"tubes/A1"}


def test_it_is_where_its_neighbours_are_declared() -> None:
    sources = column(100.0, 50.0)
    sources["plate/C1"] = Source(COLUMN, None, None, drawn=50.0)
    assert emptied_source(sources, unplaced=False) == {"plate/C1"}


def test_it_is_not_where_only_the_first_of_a_column_is_declared() -> None:
    sources = column(None, 50.0, None)
    sources["plate/A1"] = Source(COLUMN, "buffer", 400.0, drawn=50.0)
    assert emptied_source(sources, unplaced=False) == frozenset()
