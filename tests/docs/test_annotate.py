"""The page on annotation: its dictionary can be read, and what it says of characters is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from agents.models import find_config
from pipelines.traits.annotating import Agreement
from pipelines.traits.annotating.settings import CONTROLS
from pipelines.traits.checking import Forms, Verdict
from pipelines.traits.checking.calibration import FEWEST
from pipelines.traits.checking.consistency import AGREED
from pipelines.traits.describing import APPEARANCE, FORM
from pipelines.traits.vocabulary import load_ontology, parsed_dictionary, shipped_dictionary
from pipelines.traits.vocabulary.ontology import NAMES
from tests.docs.pages import blocks, page, sections, table_rows

PAGE = page("how-to/annotate.md")


def test_the_dictionary_on_the_page_can_be_read() -> None:
    (block,) = (block for block in blocks(PAGE) if block.language == "yaml")
    own = parsed_dictionary(block.text, "beetles.yaml")
    assert set(own.characters) == {"colour", "elytra_length"}


def test_the_model_on_the_page_is_found_by_its_name(tmp_path: Path) -> None:
    (block,) = (block for block in blocks(PAGE) if block.language == "toml")
    file = tmp_path / "labwright.toml"
    file.write_text(block.text, encoding="utf-8")
    config = find_config(file, {}, name="gpt-4.1-mini")
    assert config is not None
    assert config.price is not None
    assert (config.model, config.endpoint) == ("gpt-4.1-mini", "https://api.openai.com/v1")


def test_what_the_page_says_of_agreement_is_so() -> None:
    assert (CONTROLS, AGREED, Forms(), FEWEST) == (0.05, 0.8, Forms(share=0.2, specimens=2, fewest=3), 50)
    told = sections(PAGE)["What is checked"]
    assert all(f"`{verdict}`" in told for verdict in get_args(Verdict) if verdict != "too few")


def test_the_page_names_all_that_is_known_of_an_agreement() -> None:
    told = sections(PAGE)["What is in the folder"]
    assert all(f"`{item.name}`" in told for item in fields(Agreement))


def test_the_table_names_everything_that_is_measured_and_its_states() -> None:
    rows = table_rows(sections(PAGE)["What is measured"])
    named = [name for cells in rows for name in re.findall(r"`(\w+)`", cells[0])]
    assert sorted(named) == sorted((*APPEARANCE, *FORM))
    characters = shipped_dictionary().characters
    for cells in rows:
        states = set(re.findall(r"`(\w+)`", cells[1]))
        known = {state.id for name in re.findall(r"`(\w+)`", cells[0]) for state in characters[name].states}
        assert not states or states == known


def test_the_versions_are_those_that_come_with_labwright() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    for name in NAMES:
        ontology = load_ontology(name)
        assert f"{name.upper()} {ontology.version}" in text
