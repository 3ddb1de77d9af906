"""The page on datasets names every file, column, standing and decision that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.traits.dataset import read_reviews, write_dataset
from pipelines.traits.dataset.reviews import DECISIONS
from pipelines.traits.dataset.rows import IMAGE_COLUMNS, STATEMENT_COLUMNS
from pipelines.traits.statements import STANDINGS
from tests.docs.pages import blocks, page
from tests.traits.dataset.drawn import DICTIONARY, collection, statements

PAGE = page("reference/dataset.md")


def words() -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", PAGE.read_text(encoding="utf-8")))


def test_every_column_and_standing_is_named() -> None:
    assert {*STATEMENT_COLUMNS, *IMAGE_COLUMNS, *STANDINGS} - words() == set()


def test_every_file_is_named_and_no_other(tmp_path: Path) -> None:
    specimens = collection(tmp_path / "in")
    out = write_dataset(specimens, statements(specimens), DICTIONARY, tmp_path / "in", tmp_path / "out").folder
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    there = {name for name in files if not re.match(r"images/../", name)}
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| `[\w/.-]+\.\w+`", line)]
    named = {name for line in rows for name in re.findall(r"`([^`]+)`", line.split("|")[1])}
    assert named == there


def test_the_example_of_reviews_is_read(tmp_path: Path) -> None:
    (example,) = [block for block in blocks(PAGE) if block.language == "csv"]
    (tmp_path / "reviews.csv").write_text(example.text, encoding="utf-8")
    assert {one.decision for one in read_reviews(tmp_path / "reviews.csv")} <= set(DECISIONS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::(?!pipelines)")
def test_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    specimens = collection(tmp_path / "in")
    write_dataset(specimens, statements(specimens), DICTIONARY, tmp_path / "in", tmp_path / "out")
    (program,) = [block for block in blocks(PAGE) if block.language == "python"]
    found: dict[str, list[object]] = {}
    exec(program.text, found)
    assert (len(found["statements"]), len(found["images"])) == (36, 4)
