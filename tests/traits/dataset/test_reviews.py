"""Decisions of people flow back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.traits.dataset import (
    DatasetSettings,
    Review,
    apply_reviews,
    keep_reviews,
    kept_reviews,
    read_checklist,
    read_reviews,
    write_dataset,
)
from pipelines.traits.statements import MACHINE
from protocols.errors import FileProblemsError, InputError
from tests.traits.dataset.drawn import DICTIONARY, collection, said_of, statements


def exported(task: dict[str, object], decision: str, by: object, state: str = "") -> dict[str, object]:
    result = [{"from_name": "decision", "type": "choices", "value": {"choices": [decision]}}]
    if state:
        result.append({"from_name": "state", "type": "textarea", "value": {"text": [state]}})  # type: ignore[dict-item]
    return {**task, "id": 1, "annotations": [{"completed_by": by, "result": result, "was_cancelled": False}]}


def test_from_the_tasks_and_back(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")[:1]
    said = statements(specimens)
    out = write_dataset(specimens, said, DICTIONARY, tmp_path / "in", tmp_path / "out").folder
    tasks = json.loads((out / "label_studio" / "tasks-00000.json").read_text(encoding="utf-8"))
    by_words = {task["data"]["said"]: task for task in tasks}
    export = [
        exported(by_words["head, colour: red"], "accept", {"email": "ann@example.org"}),
        exported(by_words["leg, colour: not visible"], "change", 7, "brown"),
        exported(by_words["wing: absent"], "reject", 7),
        exported(by_words["head, aspect ratio: 1.5 ± 0.25"], "change", 7, "2.5"),
    ]
    (tmp_path / "export.json").write_text(json.dumps(export), encoding="utf-8")
    with pytest.raises(FileProblemsError, match="is no name"):
        read_reviews(tmp_path / "export.json")
    reviews = read_reviews(tmp_path / "export.json", {"7": "Ben", "ann@example.org": "Ann"})
    keep_reviews(tmp_path / "kept.jsonl", reviews)
    after = list(apply_reviews(said, kept_reviews(tmp_path / "kept.jsonl"), DICTIONARY))
    assert len(after) == len(said) + 2
    (red,) = [one for one in after if one.state == "red" and not one.doubts]
    assert (red.review, red.id) == ("Ann", said[0].id)
    assert [one.doubts for one in after if one.standing == "absent"] == [("rejected by Ben",)]
    own = {one.character: one for one in after if one.describer.kind == "person"}
    assert (own["colour"].state, own["colour"].state_term, own["colour"].review) == ("brown", "PATO:0000952", "Ben")
    assert own["aspect"].value == 2.5
    assert {one.review for one in after if one.describer.kind == "model"} == {MACHINE}
    again = DatasetSettings(replace=True)
    out = write_dataset(specimens, after, DICTIONARY, tmp_path / "in", out, again).folder
    assert "2.5" in (out / "specimens.csv").read_text(encoding="utf-8")
    assert "[absent]" not in (out / "specimens.csv").read_text(encoding="utf-8")


def test_disagreement_is_told(tmp_path: Path) -> None:
    one, *_ = said_of(collection(tmp_path)[0])
    reviews = [Review(one.id, "reject", "Ann"), Review(one.id, "accept", "Ann"), Review(one.id, "reject", "Ben")]
    (after,) = apply_reviews([one], reviews, DICTIONARY)
    assert (after.review, after.doubts) == (MACHINE, ("reviewers disagree (Ann: accept, Ben: reject)",))
    (after,) = apply_reviews([one], reviews[:2], DICTIONARY)
    assert (after.review, after.doubts) == ("Ann", ())


def test_a_csv_with_faults_is_refused_whole(tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text("statement,decision,reviewer,state\nabc,accept,Ann,\n,accept,Ann,\nabc,maybe,Ann,\nabc,change,B,\n")
    with pytest.raises(FileProblemsError) as caught:
        read_reviews(file)
    assert [problem.where.rpartition(", ")[2] for problem in caught.value.problems] == ["row 3", "row 4", "row 5"]
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        read_reviews(file)


def test_a_line_cut_off_by_a_kill_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    assert kept_reviews(file) == []
    one, two = Review("a", "accept", "Ann"), Review("b", "change", "Bén", "x\u2028y")
    keep_reviews(file, [one])
    file.write_bytes(file.read_bytes() + b'{"statement": "c')
    keep_reviews(file, [two])
    assert kept_reviews(file) == [one, two]


def test_a_number_is_not_changed_into_words(tmp_path: Path) -> None:
    said = said_of(collection(tmp_path)[0])[1]
    with pytest.raises(InputError, match="is no number"):
        list(apply_reviews([said], [Review(said.id, "change", "Ann", "long")], DICTIONARY))
    after = list(apply_reviews([said], [Review(said.id, "change", "Ann", "[not visible]")], DICTIONARY))
    assert [one.standing for one in after] == ["observed", "not visible"]


def test_synonyms(tmp_path: Path) -> None:
    file = tmp_path / "checklist.csv"
    file.write_text("verbatimName,acceptedName\nApis mellifera,Megapis dorsata\n", encoding="utf-8")
    specimens = collection(tmp_path / "in")[:1]
    chosen = DatasetSettings(checklist=read_checklist(file))
    out = write_dataset(specimens, statements(specimens), DICTIONARY, tmp_path / "in", tmp_path / "out", chosen).folder
    text = (out / "specimens.csv").read_text(encoding="utf-8")
    assert ",Megapis dorsata,Apis mellifera," in text
    file.write_text("verbatim name,accepted name\na,b\na,c\nd,\n", encoding="utf-8")
    with pytest.raises(FileProblemsError) as caught:
        read_checklist(file)
    assert len(caught.value.problems) == 2
    file.write_text("x,y\n", encoding="utf-8")
    with pytest.raises(InputError, match="no columns"):
        read_checklist(file)


def test_another_text_number_or_region_is_another_statement(tmp_path: Path) -> None:
    first, measured, *_ = said_of(collection(tmp_path)[0])
    moved = replace(first.place, box=(5.0, 1.0, 9.0, 9.0))
    others = [
        replace(first, text="of another shade"),
        replace(measured, value=(measured.value or 0) * 2),
        replace(first, place=moved),
        replace(first, text="\ud800"),
    ]
    assert len({one.id for one in (first, measured, *others)}) == 6
    noisy = replace(measured, value=(measured.value or 0) * (1 + 1e-9), doubts=("x",), review="Ann", confidence=0.3)
    assert noisy.id == measured.id
