"""Dictionaries of characters and their states, read from YAML: the one that comes with Labwright, or a person's own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

import rfc8785

from pipelines.traits.statements import Character, Dictionary, State
from pipelines.traits.vocabulary.ontology import replacement, resolve
from protocols.errors import FileProblemsError, InputError, Problem
from protocols.formats.markup import FieldPath, find_lines, parse_yaml

_KINDS = ("categorical", "continuous", "count")
_ROOT = ("dictionary", "version", "characters")
_CHARACTER = ("label", "kind", "states", "unit", "term", "definition")
_STATE = ("label", "term", "definition")
_ID = re.compile(r"[a-z][a-z0-9_]*")
_BUNDLED_PREFIXES = ("AISM:", "PATO:")
_LARGEST = 10_000_000
_Fault = tuple[FieldPath, str, str]
"""Where, what, and what to do about it."""


@cache
def shipped_dictionary() -> Dictionary:
    """The dictionary that comes with Labwright: ``characters``, version 1."""
    path = files("pipelines.traits.vocabulary") / "data" / "characters.yaml"
    return parsed_dictionary(path.read_text(encoding="utf-8"), str(path))


def read_dictionary(path: Path) -> Dictionary:
    """A person's own dictionary.

    Raises:
        InputError: it cannot be read.
        FileProblemsError: something in it cannot be used; each problem names its line and field.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError("is far too large for a dictionary of characters", where=str(path))
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", where=str(path), mend="Check the path of the dictionary"
        ) from None
    except UnicodeDecodeError:
        raise InputError("is no text in UTF-8", where=str(path), mend="Save it as UTF-8") from None
    return parsed_dictionary(text, str(path))


def parsed_dictionary(text: str, file: str) -> Dictionary:
    """A dictionary from YAML text; ``file`` is named in errors.

    Raises:
        InputError: as for :func:`read_dictionary`.
    """
    data = parse_yaml(text, file)
    faults = list(_faults(data))
    if faults:
        lines = find_lines(text, file, {at[:end] for at, _, _ in faults for end in range(len(at) + 1)}, is_json=False)
        raise FileProblemsError(file, [_problem(file, lines, fault) for fault in faults])
    characters = {id: _character(id, fields) for id, fields in data["characters"].items()}
    return Dictionary(data["dictionary"], str(data["version"]), characters)


def digest(dictionary: Dictionary) -> str:
    """SHA-256, 64 hexadecimal digits, of everything that a dictionary says."""
    return hashlib.sha256(rfc8785.dumps(asdict(dictionary))).hexdigest()


def _character(id: str, fields: Mapping[str, Any]) -> Character:
    states = fields.get("states") or {}
    return Character(
        id,
        fields.get("label", id),
        cast(Literal["categorical", "continuous", "count"], fields["kind"]),
        tuple(
            State(name, told.get("label", name), told.get("term", ""), told.get("definition", ""))
            for name, told in ((name, told or {}) for name, told in states.items())
        ),
        fields.get("unit", "1" if fields["kind"] == "count" else ""),
        fields.get("term", ""),
        fields.get("definition", ""),
    )


def _problem(file: str, lines: Mapping[FieldPath, int], fault: _Fault) -> Problem:
    at, what, mend = fault
    line = next((lines[at[:end]] for end in range(len(at), -1, -1) if at[:end] in lines), None)
    field = ".".join(map(str, at))
    place = f"{file}:{line}" if line else file
    return Problem(f"{place} ({field})" if field else place, what, mend)


def _faults(data: Any) -> Iterator[_Fault]:
    """Everything that is wrong with a dictionary."""
    if not isinstance(data, dict):
        yield (), "is no dictionary of characters", "Write dictionary:, version: and characters:"
        return
    yield from _unknown((), data, _ROOT)
    for name in ("dictionary", "version"):
        if not isinstance(data.get(name), str | int) or isinstance(data.get(name), bool) or not str(data[name]).strip():
            yield (name,), f"{name} is missing or no text", f"Write {name}: and a few letters or digits"
    characters = data.get("characters")
    if not isinstance(characters, dict) or not characters:
        yield ("characters",), "holds no characters", "Write characters: and below it one name for each"
        return
    for id, fields in characters.items():
        yield from _character_faults(("characters", id), id, fields)


def _character_faults(at: FieldPath, id: str, fields: Any) -> Iterator[_Fault]:
    yield from _id_faults(at, id)
    if not isinstance(fields, dict):
        yield at, "is no character", "Write its kind: below it, and its states: where it has some"
        return
    yield from _unknown(at, fields, _CHARACTER)
    yield from _text_faults(at, fields, ("label", "unit", "term", "definition"))
    kind, states = fields.get("kind"), fields.get("states")
    if kind not in _KINDS:
        yield (*at, "kind"), "kind is missing or none that is known", f"Write one of {', '.join(_KINDS)}"
    elif kind == "categorical" and (not isinstance(states, dict) or not states):
        yield (*at, "states"), "a categorical character needs states", "Write states: and below it one name for each"
    elif kind != "categorical" and states:
        yield (*at, "states"), f"a {kind} character has no states", "Leave them out, or make it categorical"
    elif kind == "continuous" and not fields.get("unit"):
        yield (*at, "unit"), "a number needs a unit", 'Write unit: "1" for a ratio, mm for millimetres'
    yield from _term_faults(at, fields)
    for name, told in states.items() if isinstance(states, dict) else ():
        yield from _state_faults((*at, "states", name), name, told)


def _state_faults(at: FieldPath, id: str, fields: Any) -> Iterator[_Fault]:
    yield from _id_faults(at, id)
    if fields is None:
        return
    if not isinstance(fields, dict):
        yield at, "is no state", "Write {label: …, term: …} or nothing"
        return
    yield from _unknown(at, fields, _STATE)
    yield from _text_faults(at, fields, _STATE)
    yield from _term_faults(at, fields)


def _id_faults(at: FieldPath, id: Any) -> Iterator[_Fault]:
    if not isinstance(id, str) or not _ID.fullmatch(id):
        yield (
            at,
            f"'{id}' cannot be a name here",
            "Use small letters, digits and _, a letter first; label: says it freely",
        )


def _unknown(at: FieldPath, fields: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[_Fault]:
    for name in fields:
        if name not in known:
            yield (*at, name), f"there is no field '{name}' here", f"Use {', '.join(known)}"


def _text_faults(at: FieldPath, fields: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[_Fault]:
    for name in names:
        if name in fields and not isinstance(fields[name], str):
            yield (*at, name), f"{name} is no text", "Put it into quotes"


def _term_faults(at: FieldPath, fields: Mapping[str, Any]) -> Iterator[_Fault]:
    """Identifiers of the bundled ontologies must be in use; of others they are taken as they are."""
    term = fields.get("term")
    if not isinstance(term, str) or not term.startswith(_BUNDLED_PREFIXES) or resolve(term):
        return
    instead = replacement(term)
    mend = f"{instead} replaced it" if instead else "Look it up, or leave the term out"
    yield (*at, "term"), f"{term} is not in use in the version that comes with Labwright", mend
