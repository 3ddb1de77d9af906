"""The dictionary of characters and states that goes with a dataset, as JSON and as CSV."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from pipelines.traits.dataset.rows import csv_writer
from pipelines.traits.statements import Dictionary
from pipelines.traits.vocabulary import digest


def write_characters(folder: Path, dictionary: Dictionary) -> None:
    """``characters.json`` with everything, ``characters.csv`` with a row a state, or a character without states.

    Raises:
        OSError: they cannot be written.
    """
    whole = {**asdict(dictionary), "sha256": digest(dictionary)}
    text = json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (folder / "characters.json").write_text(text, encoding="utf-8", newline="\n")
    with open(folder / "characters.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv_writer(file)
        head = ["character", "label", "kind", "unit", "term", "definition"]
        writer.writerow([*head, "state", "state_label", "state_term", "state_definition", "dictionary", "version"])
        for one in dictionary.characters.values():
            about = [one.id, one.label, one.kind, one.unit, one.term, one.definition]
            states = [(state.id, state.label, state.term, state.definition) for state in one.states] or [("",) * 4]
            for state in states:
                writer.writerow([*about, *state, dictionary.name, dictionary.version])
