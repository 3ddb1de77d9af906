"""A stage's folder is whole, begun, absent or of something else, and damage to it is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.traits.finding.stage import RECORD, Stage, read_record, remove
from protocols.errors import RecordError


def stage(folder: Path, *, k: int = 1, source: str = "a") -> Stage:
    return Stage(folder / "codes", {"k": k, "layer": None}, {"scan": source})


def finished(folder: Path) -> Stage:
    made = stage(folder)
    (made.begin() / "part").write_bytes(b"codes")
    (made.folder / "below").mkdir()
    (made.folder / "below" / "more").write_bytes(b"x")
    made.finish({"images": 3})
    return made


def test_a_stage_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    made = stage(tmp_path)
    assert made.state() == "absent"
    made.begin()
    assert made.state() == "begun"
    (made.folder / "part").write_bytes(b"codes")
    name = made.finish({"images": 3})
    assert made.state() == "whole"
    assert made.whole() == name
    assert made.found() == {"images": 3}


def test_the_same_work_has_the_same_identity_and_other_work_another(tmp_path: Path) -> None:
    one, other = finished(tmp_path / "1"), finished(tmp_path / "2")
    assert one.whole() == other.whole()
    third = stage(tmp_path / "3")
    (third.begin() / "part").write_bytes(b"other")
    assert third.finish({"images": 3}) != one.whole()


@pytest.mark.parametrize("other", [{"k": 2}, {"source": "b"}])
def test_what_was_made_otherwise_is_told_apart_and_made_anew(tmp_path: Path, other: dict[str, object]) -> None:
    finished(tmp_path)
    changed = stage(tmp_path, **other)  # type: ignore[arg-type]
    assert changed.state() == "other"
    changed.begin()
    assert [path.name for path in changed.folder.iterdir()] == [RECORD]
    assert changed.state() == "begun"


def test_what_was_begun_stays_but_for_what_a_killed_write_left(tmp_path: Path) -> None:
    made = stage(tmp_path)
    (made.begin() / "part").write_bytes(b"codes")
    (made.folder / ".part.123.abcd").write_bytes(b"half")
    made.begin()
    assert sorted(path.name for path in made.folder.iterdir()) == ["part", RECORD]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "part").unlink(), "missing"),
        (lambda folder: (folder / "part").write_bytes(b"code"), "not as it was written"),
        (lambda folder: (folder / "part").write_bytes(b"Codes"), "not as it was written"),
        (lambda folder: (folder / RECORD).write_text("{"), "cannot be read"),
        (lambda folder: (folder / RECORD).write_text("[]"), "cannot be read"),
        (lambda folder: (folder / RECORD).write_text('{"schema_version": 1}'), "cannot be read"),
        (lambda folder: (folder / RECORD).write_text('{"schema_version": 99}'), "schema version 99"),
    ],
)
def test_damage_is_said_with_what_to_do(tmp_path: Path, spoil: object, says: str) -> None:
    made = finished(tmp_path)
    spoil(made.folder)  # type: ignore[operator]
    with pytest.raises(RecordError) as refused:
        made.whole()
    assert says in str(refused.value)
    assert refused.value.mend


def test_a_kill_while_a_stage_is_removed_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = finished(tmp_path)

    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.traits.finding.stage.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        remove(made.folder)
    assert read_record(made.folder) is None
    assert made.state() == "absent"


def test_the_record_says_what_was_made_of_what(tmp_path: Path) -> None:
    made = finished(tmp_path)
    record = json.loads((made.folder / RECORD).read_text())
    assert record["made_from"] == {"scan": "a"}
    assert set(record["files"]) == {"part", "below/more"}
    assert record["files"]["part"]["bytes"] == 5
