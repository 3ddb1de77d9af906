"""The page on the blind sample: its commands are run, with two annotators who answer, and its numbers are so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pipelines.traits.dataset import read_gold
from pipelines.traits.gold.estimates import interval, items_for
from pipelines.traits.gold.key import read_key
from tests.cli.conftest import Call, call, home
from tests.docs.pages import blocks, page, sections, table_rows
from tests.docs.shell import commands
from tests.traits.annotating.collection import FEW_WORDS, draw
from tests.traits.gold.annotated import fill, truth_of

__all__ = ["call", "home"]
PAGE = page("how-to/gold.md")
QUICK = ["--steps", "40", "--expansion", "2", "--k", "4", "--licence", "CC0 1.0"]


def answer(folder: Path) -> None:
    """Both annotators send back their tables; the second one slips now and then."""
    _, key = read_key(folder / "sample")
    truth = truth_of(key, {})
    slip = {one.item for one in key.items[:9]}
    fill(folder / "sample" / "ada-byron" / "answers.csv", folder / "answers-ada-byron.csv", lambda item: truth[item])
    fill(
        folder / "sample" / "ben-kiel" / "answers.csv",
        folder / "answers-ben-kiel.csv",
        lambda item: "[background]" if item in slip and truth[item] != "[background]" else truth[item],
    )


def settle(folder: Path) -> None:
    """A third person fills in what the two differ in."""
    _, key = read_key(folder / "sample")
    truth = truth_of(key, {})
    table = folder / "sample" / "adjudication.csv"
    fill(table, table, lambda item: truth[item])


@pytest.mark.slow
def test_the_commands_lead_from_images_to_a_dataset_that_people_confirmed(call: Call, tmp_path: Path) -> None:
    """On a collection that is quicker than that of the page, with fewer words and questions."""
    (tmp_path / "few.yaml").write_text(FEW_WORDS)
    draw(tmp_path / "organisms")
    lines = [command.text for block in blocks(PAGE) if block.language == "console" for command in commands(block)]
    assert [line.split()[1:3] for line in lines].count(["traits", "gold"]) == 3
    for line in lines[1:]:
        words = shlex.split(line)[1:]
        if words[0] == "annotate":
            words += ["--dictionary", "few.yaml", *QUICK]
        if "draw" in words:
            words[words.index("160")] = "40"
        if "--bar" in words:  # twelve specimens cannot show more
            words[words.index("--bar") + 1] = "0.6"
        if "score" in words:
            settle(tmp_path) if "--adjudicated" in words else answer(tmp_path)
        said = call(*words)
        assert (said.code, said.err) == (0, ""), line
    gold = read_gold(tmp_path / "dataset")
    assert gold is not None
    assert gold.bar == 0.6
    assert gold.characters["brightness"].low >= 0.6
    assert "statements of 1 characters" in said.out
    heading = (tmp_path / "dataset" / "dataset" / "release" / "taxa.csv").read_text().splitlines()[0]
    assert "brightness" in heading
    assert "relative_area" not in heading
    free = call("annotate", "organisms", "--out", "dataset", "--gold-bar", "0")
    assert (free.code, "by the bar" in free.out) == (0, False)
    assert "relative_area" in (tmp_path / "dataset" / "dataset" / "release" / "taxa.csv").read_text()


def test_the_table_of_numbers_is_what_the_code_computes() -> None:
    rows = table_rows(sections(PAGE)["How many questions"])
    assert len(rows) == 5
    for number, *cells in rows:
        for value, cell in zip((0.95, 0.9, 0.8, 0.5), cells, strict=True):
            low, high = interval(value, int(number))
            assert cell == f"{(high - low) / 2:.2f}"
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    told = [int(number) for number in re.findall(r"needs (\d+)", text)]
    needed = [items_for(0.9, 0.05), items_for(0.9, 0.03), items_for(0.8, 0.1)]
    passing = [next(n for n in range(1, 500) if interval(value, n)[0] >= 0.8) for value in (0.9, 0.95)]
    assert told == [*needed, *passing]
