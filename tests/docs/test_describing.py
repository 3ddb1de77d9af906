"""The page on describing says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.traits.checking import DOUBTS, Forms, calibration
from pipelines.traits.checking.consistency import AGREED, MOST_VALUES
from pipelines.traits.checking.controls import LEAST_PLACES, UNCHANGED
from pipelines.traits.checking.repeats import SUPPORT
from pipelines.traits.prompting import Prompt, read_examples
from pipelines.traits.statements import STANDINGS
from pipelines.traits.vocabulary import shipped_dictionary
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "explanations" / "describing.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())
ROWS = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_doubt_and_every_standing_is_explained() -> None:
    assert {name: told for name, told in ROWS.items() if name in DOUBTS} == dict(DOUBTS)
    assert set(STANDINGS) <= ROWS.keys()


def test_the_numbers_are_those_of_the_code() -> None:
    assert Forms() == Forms(share=1 / 5, specimens=2)
    assert f"{UNCHANGED:.0%}".replace("%", " %") in TEXT
    assert f"from {calibration.FEWEST} of them" in TEXT
    assert SUPPORT == 2 / 3
    assert f"more than {MOST_VALUES} values" in TEXT
    assert AGREED == 4 / 5
    assert LEAST_PLACES == 2
    assert "held-out fifths" in TEXT
    assert calibration.FOLDS == 5


def test_the_example_can_be_used_with_the_shipped_dictionary(tmp_path: Path) -> None:
    (block,) = [one for one in blocks(PAGE) if one.language == "yaml"]
    Image.fromarray(np.zeros((80, 120, 3), np.uint8)).save(tmp_path / "wing.png")
    (tmp_path / "examples.yaml").write_text(block.text, encoding="utf-8")
    (example,) = read_examples(tmp_path / "examples.yaml")
    dictionary = shipped_dictionary()
    for seen in example.answer.characters:
        character = dictionary.characters[seen.character]
        assert not seen.state or character.state(seen.state) is not None
    assert example.answer.model_dump_json() in str(Prompt(dictionary, examples=(example,))._shown_examples)
