"""Normalisation worklists: which samples cannot reach their target, what is done then, and every volume exactly."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import FileProblemsError
from protocols.formats.worklist import Policy, Worklist, WorklistOptions, read_worklist
from protocols.protocol import Distribute, Handling, Transfer
from tests.formats.test_worklists import WORKLISTS, problems

NORMALISATION = WORKLISTS / "dna_normalisation_96.csv"
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
