"""The key to a sample: what the machine said, and how likely each item was to be drawn.

It stays in the annotation's folder, as ``gold/<sample>.json``, and is no part of what annotators get.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.traits.gold.questions import Question
from pipelines.traits.statements import Character, Dictionary, State, Statement
from protocols.errors import InputError, RecordError
from robots.execution.home import write_json

SCHEMA_VERSION = 1
FOLDER = "gold"
SAMPLE = "sample.json"
"""The file in the sample's folder that says which one it is, and where its key is; not for annotators."""


@dataclass(frozen=True, slots=True)
class Item:
    """A question that was drawn.

    Attributes:
        item: what annotators know it by.
        specimen: whose it is, for the intervals: several images may be of one.
        stratum: from which it was drawn.
        chance: of its being drawn.
    """

    item: str
    specimen: str
    stratum: tuple[str, ...]
    chance: float
    question: Question


@dataclass(frozen=True, slots=True)
class Key:
    """All that is known of a sample.

    Attributes:
        sample: its id.
        annotators: their names.
        settings: with what it was drawn.
        population: questions in each stratum, by its name.
        dictionary: the words of questions and answers.
        items: in the order of their names.
    """

    sample: str
    annotators: tuple[str, str]
    settings: Mapping[str, Any]
    population: Mapping[str, int]
    dictionary: Dictionary
    items: tuple[Item, ...]


def write_key(folder: Path, key: Key) -> Path:
    """Write the key into an annotation's folder, whole or not at all.

    Raises:
        RecordError: it cannot be written.
        OSError: its folder cannot be made.
    """
    path = folder / FOLDER / f"{key.sample}.json"
    path.parent.mkdir(exist_ok=True)
    items = [
        {
            "item": one.item,
            "specimen": one.specimen,
            "stratum": one.stratum,
            "chance": one.chance,
            "said": [said.as_json() for said in one.question.said],
        }
        for one in key.items
    ]
    plain = {"schema_version": SCHEMA_VERSION, "sample": key.sample, "annotators": key.annotators}
    plain |= {"settings": dict(key.settings), "population": dict(key.population)}
    write_json(path, plain | {"dictionary": asdict(key.dictionary), "items": items})
    return path


def read_key(sample: Path) -> tuple[Path, Key]:
    """The annotation's folder, and the key in it, of the sample in a folder.

    Raises:
        InputError: that folder holds no sample, or its annotation is not where it was.
        RecordError: the sample's file or the key is damaged, or of another version.
    """
    head = _read(sample / SAMPLE)
    if head is None:
        mend = "Name the --out of labwright traits gold draw"
        raise InputError("there is no sample here", where=str(sample), mend=mend)
    try:
        folder, id = Path(head["annotation"]), str(head["sample"])
    except (KeyError, TypeError) as error:
        raise _damaged(sample / SAMPLE, error) from None
    path = folder / FOLDER / f"{id}.json"
    plain = _read(path)
    if plain is None:
        mend = f'Put the annotation back there, or write where it is now into {sample / SAMPLE}, at "annotation"'
        raise InputError("the key to this sample is not there", where=str(path), mend=mend)
    try:
        return folder, _key(plain)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, error) from None


def dictionary_of(plain: Mapping[str, Any]) -> Dictionary:
    """A dictionary from what :func:`dataclasses.asdict` made of it.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is none.
    """
    characters = {
        name: Character(**{**one, "states": tuple(State(**state) for state in one["states"])})
        for name, one in plain["characters"].items()
    }
    return Dictionary(plain["name"], plain["version"], characters)


def _key(plain: Mapping[str, Any]) -> Key:
    first, second = plain["annotators"]
    return Key(
        plain["sample"],
        (first, second),
        plain["settings"],
        plain["population"],
        dictionary_of(plain["dictionary"]),
        tuple(_item(one) for one in plain["items"]),
    )


def _item(plain: Mapping[str, Any]) -> Item:
    said = tuple(Statement.of(one) for one in plain["said"])
    first = said[0]
    part = " ".join(first.part.casefold().split()) or "region"
    question = Question(first.image, first.latent, first.place, part, first.character, said)
    return Item(plain["item"], plain["specimen"], tuple(plain["stratum"]), float(plain["chance"]), question)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {found['schema_version']}, this Labwright reads {SCHEMA_VERSION}")
        return dict(found)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> RecordError:
    return RecordError(
        f"cannot be read ({error})", where=str(path), mend="Restore it from a copy, or draw a new sample"
    )
