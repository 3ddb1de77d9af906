"""Worklists: how they may be spelled, and every mistake with its line and column."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import FileProblemsError, InputError
from protocols.formats.worklist import WorklistOptions, read_worklist
from protocols.protocol import LabwareNeed, Transfer

WORKLISTS = Path(__file__).parents[2] / "examples" / "worklists"
CHERRY_PICK = WORKLISTS / "cherry_pick_4_plates.csv"
BROKEN = WORKLISTS / "broken_worklist.csv"


def test_cherry_picking_moves_what_each_row_says() -> None:
    with CHERRY_PICK.open(newline="", encoding="utf-8") as stream:
        rows = [tuple(row.values()) for row in csv.DictReader(stream)]
    worklist = read_worklist(CHERRY_PICK)
    (step,) = worklist.protocol.steps
    assert isinstance(step, Transfer)
    assert isinstance(step.volume, tuple)
    assert list(zip(step.source, step.destination, step.volume, strict=True)) == [
        (f"{plate}/{well}", f"{to}/{into}", float(volume)) for plate, well, to, into, volume in rows
    ]
    assert list(step.rows) == [f"line {number}" for number in range(2, len(rows) + 2)]
    held = {material.wells[0]: material.volume for material in worklist.protocol.materials}
    drawn: Counter[str] = Counter()
    for plate, well, _, _, volume in rows:
        drawn[f"{plate}/{well}"] += float(volume)  # type: ignore[assignment]
    assert held == {well: volume + 20 for well, volume in drawn.items()}
    assert "20 µL more" in worklist.assumptions[0]
    given_volume = read_worklist(CHERRY_PICK, WorklistOptions(source_volume=80.0))
    assert {material.volume for material in given_volume.protocol.materials} == {80.0}


# -- mistakes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        (3, "SourceWell", ["'H13' lies outside a plate of 96 wells", "H12"]),
        (4, "SourceWell", ["'А1'", "only looks like a letter"]),
        (5, "Volume (uL)", ["'-5' is negative"]),
        (6, "Volume (uL)", ["'1e9' is more than 100,000 uL"]),
        (7, "Volume (uL)", ["'12,5' has a comma", "Write '12.5'"]),
        (7, None, ["hits/E1 is filled by line 6 already"]),
        (8, None, ["the row is empty"]),
        (9, "SourcePlate", ["there is no plate 'lib_09'", "hits, lib_01, lib_02"]),
        (9, "Volume (uL)", ["'NaN' is not a number"]),
    ],
)
def test_the_broken_worklist_says_every_fault_with_its_line_and_column(
    line: int, column: str | None, words: list[str]
) -> None:
    with pytest.raises(FileProblemsError) as caught:
        read_worklist(BROKEN, WorklistOptions(plates=("lib_01", "lib_02", "hits")))
    assert len(caught.value.problems) == 9
    place = f"{BROKEN}:{line}" + (f", column '{column}'" if column else "")
    said = [str(problem) for problem in caught.value.problems if problem.where == place]
    assert any(all(word in one for word in words) for one in said), said
    assert all(problem.mend for problem in caught.value.problems)


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "list.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def problems(folder: Path, text: str | bytes, options: WorklistOptions | None = None) -> list[str]:
    with pytest.raises(FileProblemsError) as caught:
        read_worklist(written(folder, text), options)
    return [str(problem) for problem in caught.value.problems]


HEADER = "SourcePlate,SourceWell,DestinationPlate,DestinationWell,Volume (uL)\n"


def picks(folder: Path, text: str | bytes, options: WorklistOptions | None = None) -> list[tuple[str, str, float]]:
    (step,) = read_worklist(written(folder, text), options).protocol.steps
    assert isinstance(step, Transfer)
    assert isinstance(step.volume, tuple)
    return list(zip(step.source, step.destination, step.volume, strict=True))


ONE = [("lib/A1", "hits/B2", 12.5)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEADER + "lib,A1,hits,B2,12.5\n", id="plain"),
        pytest.param("\ufeff" + HEADER + "lib,A01,hits,b02,12.5\n", id="byte-order mark, other spellings of wells"),
        pytest.param((HEADER + "lib,A1,hits,B2,12.5\n").replace(",", ";"), id="semicolons"),
        pytest.param((HEADER + "lib,A1,hits,B2,12.5\n").replace(",", "\t"), id="tabs"),
        pytest.param("sep=;\n" + (HEADER + "lib,A1,hits,B2,12.5\n").replace(",", ";"), id="the separator is said"),
        pytest.param((HEADER + "lib,A1,hits,B2,12.5\n").replace("\n", "\r\n"), id="Windows lines"),
        pytest.param(HEADER + "  lib , A1 , hits , B2 , 12.5 \n\n,,,,\n", id="spaces, empty rows at the end"),
        pytest.param(HEADER.replace("(uL)", "[mL]") + "lib,A1,hits,B2,0.0125\n", id="the header's unit"),
        pytest.param(HEADER + "lib,A1,hits,B2,0.0125 mL\n", id="the value's own unit"),
        pytest.param("volume_nl,source plate,source well,dest plate,dest well\n12500,lib,A1,hits,B2\n", id="order"),
        pytest.param(
            'Vol ul,SrcPlate,SrcWell,To Plate,to_well,x\n"12.5",lib,A1,hits,B2,"a,b"\n', id="quoted, a column more"
        ),
    ],
)
def test_spellings_of_one_row(tmp_path: Path, text: str) -> None:
    ((source, destination, volume),) = picks(tmp_path, text)
    assert (source, destination) == ONE[0][:2]
    assert volume == pytest.approx(12.5)


def test_decimal_commas_are_read_when_said_and_never_guessed(tmp_path: Path) -> None:
    text = (HEADER + "lib,A1,hits,B2,#\n").replace(",", ";").replace("#", "12,5")
    assert picks(tmp_path, text, WorklistOptions(decimal_comma=True)) == ONE
    assert "say that the file uses decimal commas" in problems(tmp_path, text)[0]
    thousand = problems(tmp_path, text.replace("12,5", "1,250"))[0]
    assert "Write '1.250', or '1250' if thousands were meant" in thousand
    points = problems(tmp_path, text.replace("12,5", "12.5"), WorklistOptions(decimal_comma=True))[0]
    assert "'12.5' has a point where decimal commas are used" in points


@pytest.mark.parametrize(
    ("rows", "place", "words"),
    [
        ("lib,A1,hits,B2,1\nlib,A2,hits,B2,1\n", ":3", "hits/B2 is filled by line 2 already"),
        ("lib,A1,lib,A1,1\n", ":2", "lib/A1 is source and destination at once"),
        ("lib,A1,hits,B2,\n", ":2, column 'Volume (uL)'", "it is empty"),
        ("lib,A1,hits,B2,0\n", ":2, column 'Volume (uL)'", "'0' is nothing to work with"),
        ("lib,A1,hits,B2,inf\n", ":2, column 'Volume (uL)'", "'inf' is not a number"),
        ("lib,A1,hits,B2,5 ng\n", ":2, column 'Volume (uL)'", "'5 ng'"),
        ("lib,A1,hits,B2,5 min\n", ":2, column 'Volume (uL)'", "'5 min'"),
        ("lib,A1,hits,B2,9**9**9\n", ":2, column 'Volume (uL)'", "'9**9**9"),
        ("lib,A1,hits,B2,1e999\n", ":2, column 'Volume (uL)'", "'1e999'"),
        ("lib,A1,hits,B2,１２\n", ":2, column 'Volume (uL)'", "'１２'"),
        ("lib,Ａ1,hits,B2,5\n", ":2, column 'SourceWell'", "only looks like a letter"),
        ("lib,Α1,hits,B2,5\n", ":2, column 'SourceWell'", "only looks like a letter"),
        ("lib,I1,hits,B2,5\n", ":2, column 'SourceWell'", "'I1' lies outside a plate of 96 wells"),
        ("lib,A0,hits,B2,5\n", ":2, column 'SourceWell'", "'A0' is not a well name"),
        ("lіb,A1,hits,B2,5\n", ":2, column 'SourcePlate'", "mixes letters of Cyrillic and Latin"),
        ("lib,A1,hits,B2,5\nLib,A2,hits,B3,5\n", ":3, column 'SourcePlate'", "differ in case only"),
        ("lib/x,A1,hits,B2,5\n", ":2, column 'SourcePlate'", "has a slash"),
        ("lib,A1,hits,B2,5,6\n", ":2", "the row has 6 values where the header has 5"),
        ("lib,A1,hits,B2,5\n\nlib,A2,hits,B3,5\n", ":3", "the row is empty"),
        ('lib,A1,"hits,B2,5\n', ":2", "the row cannot be read"),
        ("", ":1", "there is no row below the header"),
    ],
)
def test_mistakes_in_rows_name_line_and_column(tmp_path: Path, rows: str, place: str, words: str) -> None:
    said = problems(tmp_path, HEADER + rows)
    assert any(one.startswith(f"{tmp_path / 'list.csv'}{place}: ") and words in one for one in said), said


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("SourcePlate,SourceWell,DestinationPlate,DestinationWell\n", "there is no column for the volume"),
        ("SourcePlate,SourceWell,DestinationPlate,DestinationWell,Volum\n", "Is it 'Volum'?"),
        (HEADER[:-1] + ",vol\n", "two columns give the volume: 'Volume (uL)' and 'vol'"),
    ],
)
def test_mistakes_in_the_header(tmp_path: Path, header: str, words: str) -> None:
    assert any(words in one for one in problems(tmp_path, header + "lib,A1,hits,B2,5,6\n"))


def test_a_volume_without_a_unit_is_no_volume(tmp_path: Path) -> None:
    said = problems(tmp_path, HEADER.replace(" (uL)", "") + "lib,A1,hits,B2,5\nlib,A2,hits,B3,5\n")
    assert said == [f"{tmp_path / 'list.csv'}:1, column 'Volume': 'Volume' has no unit. Write 'Volume (uL)'"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\n\n  \n", "it is empty"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (HEADER.encode() + b"lib,A1,h\xfcts,B2,5\n", ":2: byte 0xfc is not UTF-8"),
        (HEADER.encode() + b"lib,A\x001,hits,B2,5\n", "zero byte"),
        (HEADER.encode() + b"x" * 20_000, "longer than 10,000 bytes"),
    ],
)
def test_what_is_no_text(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_worklist(written(tmp_path, content))
    assert words in str(caught.value)


def test_pooling_is_allowed_when_it_is_meant(tmp_path: Path) -> None:
    text = HEADER + "lib,A1,hits,B2,5\nlib,A2,hits,B2,7\n"
    assert picks(tmp_path, text, WorklistOptions(pool=True)) == [
        ("lib/A1", "hits/B2", 5.0),
        ("lib/A2", "hits/B2", 7.0),
    ]


def test_larger_plates_and_what_they_are(tmp_path: Path) -> None:
    text = HEADER + "lib,P24,hits,B2,5\n"
    assert picks(tmp_path, text, WorklistOptions(plate_wells=384))
    assert "lies outside" in problems(tmp_path, text)[0]
    options = WorklistOptions(plate_wells=384, labware={"lib": LabwareNeed(kind="deep", barcode="X1")})
    assert read_worklist(written(tmp_path, text), options).protocol.labware["lib"].barcode == "X1"


def test_samples_are_followed_and_must_not_change(tmp_path: Path) -> None:
    header = "sample," + HEADER
    protocol = read_worklist(written(tmp_path, header + "s1,lib,A1,hits,B2,5\n")).protocol
    assert protocol.liquids["s1"].sample == "s1"
    said = problems(tmp_path, header + "s1,lib,A1,hits,B2,5\ns2,lib,A1,hits,B3,5\n")
    assert "lib/A1 holds 's1' by an earlier line and 's2' by this one" in said[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"plate_wells": 97}, "no plate of 97 wells"),
        ({"shortfall": "guess"}, "'guess' is no way"),
        ({"too_dilute": "guess"}, "'guess' is no way"),
        ({"dead_volume": float("nan")}, "dead volume"),
        ({"source_volume": -1.0}, "source volume"),
        ({"least_diluent": float("inf")}, "least diluent"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        WorklistOptions(**options)


def test_many_problems_do_not_fill_the_memory(tmp_path: Path) -> None:
    said = problems(tmp_path, HEADER + "lib,A1,hits,B2,x\n" * 30_000)
    assert len(said) <= 1002


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    row = "lib,A1,hits,B2,1\n"
    said = problems(tmp_path, HEADER + row * 100_001, WorklistOptions(pool=True))
    assert said == [f"{tmp_path / 'list.csv'}:100002: there are more than 100,000 rows. Split the worklist"]
