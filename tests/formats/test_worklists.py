"""Worklists: what is read, what cannot be reached and what is done then, and every mistake at its line."""

from __future__ import annotations

import csv
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import FileProblemsError, InputError
from protocols.formats.worklist import Policy, Worklist, WorklistOptions, read_worklist
from protocols.protocol import Distribute, Handling, LabwareNeed, Transfer

WORKLISTS = Path(__file__).parents[2] / "examples" / "worklists"
NORMALISATION = WORKLISTS / "dna_normalisation_96.csv"
CHERRY_PICK = WORKLISTS / "cherry_pick_4_plates.csv"
BROKEN = WORKLISTS / "broken_worklist.csv"
TOO_DILUTE = {"S002", "S009", "S012", "S014", "S035", "S048", "S083"}
TOO_LITTLE = {"S003", "S027", "S070"}

Sample = dict[str, Any]


def samples() -> dict[str, Sample]:
    """The rows of the normalisation in exact fractions, by sample; read here with nothing but the csv module."""
    with NORMALISATION.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    names = {
        "c": "concentration_ng_per_ul",
        "a": "volume_available_ul",
        "t": "target_concentration_ng_per_ul",
        "v": "target_volume_ul",
    }
    return {
        row["sample_id"]: {"well": row["source_well"], **{key: Fraction(row[name]) for key, name in names.items()}}
        for row in rows
    }


def portions(worklist: Worklist) -> dict[str, tuple[float, float]]:
    """µL of sample and of diluent that the protocol brings together, by sample."""
    moved: Transfer
    diluent, moved = worklist.protocol.steps  # type: ignore[assignment]
    assert isinstance(diluent, Distribute)
    assert isinstance(diluent.volume, tuple)
    assert isinstance(moved.volume, tuple)
    thinned = dict(zip(diluent.destination, diluent.volume, strict=True))
    rows = zip(moved.samples, moved.source, moved.destination, moved.volume, strict=True)
    found = {}
    for sample, source, destination, volume in rows:
        assert source.rpartition("/")[2] == destination.rpartition("/")[2], "a sample keeps its position"
        found[sample or ""] = (volume, thinned.pop(destination, 0.0))
    assert not thinned, "diluent without a sample"
    return found


def by_hand(sample: Sample, policy: str) -> tuple[Fraction, Fraction] | None:
    """µL of sample and diluent by C1·V1 = C2·V2, and under each policy where that cannot be."""
    c, available, t, v = sample["c"], sample["a"], sample["t"], sample["v"]
    if c >= t and v * t / c <= available:
        return v * t / c, v - v * t / c
    if policy == "neat":
        return min(available, v), Fraction(0)
    if policy == "smaller volume" and c >= t:
        return available, available * c / t - available
    return None


def test_ten_of_96_samples_cannot_reach_their_target_seven_of_them_too_dilute() -> None:
    by_file = {name for name, s in samples().items() if s["c"] < s["t"] or s["v"] * s["t"] / s["c"] > s["a"]}
    assert by_file == TOO_DILUTE | TOO_LITTLE
    worklist = read_worklist(NORMALISATION, WorklistOptions(shortfall="skip"))
    assert len(samples()) == 96
    assert {short.sample: short.reason for short in worklist.unreachable} == {
        **dict.fromkeys(TOO_DILUTE, "too dilute"),
        **dict.fromkeys(TOO_LITTLE, "too little volume"),
    }


def test_by_default_it_stops_and_lists_them_one_by_one() -> None:
    with pytest.raises(FileProblemsError) as caught:
        read_worklist(NORMALISATION)
    said = str(caught.value)
    assert len(caught.value.problems) == 10
    for number, (name, sample) in enumerate(samples().items(), start=2):
        assert (f":{number}: {name} (extraction/{sample['well']})" in said) is (name in TOO_DILUTE | TOO_LITTLE)
    assert "9.91 ng/µL is below the target of 10 ng/µL" in said
    assert "it takes 49.02 µL and 38.5 µL can be had" in said
    assert "Too dilute: 7, too little volume: 3" in said
    assert all(policy in said for policy in ("neat", "skip", "smaller volume"))


@pytest.mark.parametrize(
    ("options", "of_dilute", "of_little"),
    [
        ({"shortfall": "skip"}, "skip", "skip"),
        ({"shortfall": "neat"}, "neat", "neat"),
        ({"shortfall": "smaller volume", "too_dilute": "neat"}, "neat", "smaller volume"),
        ({"shortfall": "smaller volume", "too_dilute": "skip"}, "skip", "smaller volume"),
        ({"shortfall": "neat", "too_dilute": "skip"}, "skip", "neat"),
    ],
    ids=str,
)
def test_each_policy_does_what_it_says(options: dict[str, Any], of_dilute: str, of_little: str) -> None:
    worklist = read_worklist(NORMALISATION, WorklistOptions(**options))
    found = portions(worklist)
    for name, sample in samples().items():
        expected = by_hand(sample, of_dilute if name in TOO_DILUTE else of_little)
        if expected is None:
            assert name not in found
            continue
        assert found[name] == pytest.approx(tuple(map(float, expected)), abs=1e-9)
    for short in worklist.unreachable:
        sample = samples()[short.sample]
        expected = by_hand(sample, of_dilute if short.sample in TOO_DILUTE else of_little)
        if expected is None:
            assert (short.volume, short.final_concentration) == (0.0, None)
            assert str(short).endswith("left out")
        else:
            moved, diluent = expected
            assert short.final_concentration == pytest.approx(float(sample["c"] * moved / (moved + diluent)))
            assert (short.volume, short.diluent) == pytest.approx((float(moved), float(diluent)))
            assert short.policy in ("neat", "smaller volume")


def test_a_smaller_volume_does_not_help_what_is_too_dilute() -> None:
    with pytest.raises(FileProblemsError) as caught:
        read_worklist(NORMALISATION, WorklistOptions(shortfall="smaller volume"))
    assert len(caught.value.problems) == len(TOO_DILUTE)
    assert all("too dilute" in problem.what for problem in caught.value.problems)


def test_what_no_tip_reaches_is_not_counted_as_available() -> None:
    dead = Fraction("2.5")
    more = {name for name, s in samples().items() if s["c"] >= s["t"] and s["v"] * s["t"] / s["c"] > s["a"] - dead}
    worklist = read_worklist(NORMALISATION, WorklistOptions(shortfall="skip", dead_volume=2.5))
    assert {short.sample for short in worklist.unreachable} == TOO_DILUTE | more
    assert len(more) == 5
    assert not any("dead volume" in said for said in worklist.assumptions)
    assert any(
        "dead volume" in said for said in read_worklist(NORMALISATION, WorklistOptions(shortfall="skip")).assumptions
    )


def test_too_little_diluent_is_left_out_where_that_is_wished_and_said() -> None:
    options = {"shortfall": "smaller volume", "too_dilute": "neat"}
    exact = read_worklist(NORMALISATION, WorklistOptions(**options))  # type: ignore[arg-type]
    rounded = read_worklist(NORMALISATION, WorklistOptions(**options, least_diluent=1))  # type: ignore[arg-type]
    little = {name for name, (_, diluent) in portions(exact).items() if 0 < diluent < 1}
    assert little == {"S003"}
    assert {name: portions(rounded)[name] for name in little} == {"S003": (38.5, 0.0)}
    assert [said for said in rounded.assumptions if said.startswith("S003: 0.77 µL of diluent")]
    (short,) = [short for short in rounded.unreachable if short.sample == "S003"]
    assert short.final_concentration == pytest.approx(10.2)


def test_what_the_protocol_says_of_each_sample() -> None:
    worklist = read_worklist(NORMALISATION, WorklistOptions(shortfall="skip"))
    protocol = worklist.protocol
    assert worklist.kind == "normalisation"
    for name, sample in samples().items():
        if name in protocol.liquids:
            assert protocol.liquids[name].solutes == {"DNA": float(sample["c"])}
            (material,) = [material for material in protocol.materials if material.liquid == name]
            assert (material.wells, material.volume) == ((f"extraction/{sample['well']}",), float(sample["a"]))
    last = protocol.steps[-1]
    assert isinstance(last, Transfer)
    assert last.rows[0] == "line 2"
    assert last.handling == Handling(touch=True, mix_after=3)
    used = sum(diluent for _, diluent in portions(worklist).values())
    (material,) = [material for material in protocol.materials if material.liquid == "TE buffer"]
    assert material.volume == pytest.approx(used + 2000)


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
    ("row", "words"),
    [
        ("S1,x,A1,30,40,10,50\nS1,x,A2,30,40,10,50\n", "the sample S1 stands on line 2 already"),
        ("S1,x,A1,30,40,10,50\nS2,x,A1,30,40,10,50\n", "the source x/A1 stands on line 2 already"),
        ("TE buffer,x,A1,30,40,10,50\n", "has the name of the diluent"),
        ("S1,x,A1,nan,40,10,50\n", "'nan' is not a number"),
        ("S1,x,A1,30,-40,10,50\n", "'-40' is negative"),
        ("S1,x,A1,30,40,0,50\n", "'0' is nothing to work with"),
        ("S1,x,A1,2e9,40,10,50\n", "more than 1,000,000,000 ng/uL"),
    ],
)
def test_mistakes_in_a_normalisation(tmp_path: Path, row: str, words: str) -> None:
    header = NORMALISATION.read_text(encoding="utf-8").splitlines()[0] + "\n"
    assert any(words in one for one in problems(tmp_path, header + row))


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


@settings(max_examples=60, deadline=None)
@given(data=st.data(), policy=st.sampled_from(get_args(Policy)))
def test_a_normalisation_of_any_samples_is_exact(
    data: st.DataObject, policy: Policy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    amounts = st.decimals("0.1", "200", places=2)
    rows = data.draw(st.lists(st.tuples(amounts, amounts, amounts, amounts), min_size=1, max_size=8))
    header = NORMALISATION.read_text(encoding="utf-8").splitlines()[0]
    lines = [f"S{n},x,{'ABCDEFGH'[n]}1,{c},{a},{t},{v}" for n, (c, a, t, v) in enumerate(rows)]
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_text("\n".join([header, *lines]), encoding="utf-8")
    wanted = {
        f"S{n}": by_hand({"c": Fraction(c), "a": Fraction(a), "t": Fraction(t), "v": Fraction(v)}, policy)
        for n, (c, a, t, v) in enumerate(rows)
    }
    try:
        worklist = read_worklist(file, WorklistOptions(shortfall=policy))
    except FileProblemsError as error:
        assert None in wanted.values(), error  # noqa: PT017
        return
    total = {step.id: step for step in worklist.protocol.steps}["samples"]
    assert isinstance(total, Transfer)
    found = dict(zip(total.samples, total.volume, strict=True))  # type: ignore[arg-type]
    expected = {name: float(parts[0]) for name, parts in wanted.items() if parts is not None}
    assert found == pytest.approx(expected, abs=1e-9)
