"""The page on annotation: its dictionary can be read, and what it says of characters is so."""

from __future__ import annotations

import re

from pipelines.traits.describing import APPEARANCE, FORM
from pipelines.traits.vocabulary import load_ontology, parsed_dictionary, shipped_dictionary
from pipelines.traits.vocabulary.ontology import NAMES
from tests.docs.pages import blocks, page, sections, table_rows

PAGE = page("how-to/annotate.md")


def test_the_dictionary_on_the_page_can_be_read() -> None:
    (block,) = (block for block in blocks(PAGE) if block.language == "yaml")
    own = parsed_dictionary(block.text, "beetles.yaml")
    assert set(own.characters) == {"colour", "elytra_length"}


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
