"""What a statement claims, in a form in which statements can be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from pipelines.traits.statements import Describer, Dictionary, Statement

ABSENT = "absent"
"""What is said of a character that is absent, beside its states."""


class Claim(NamedTuple):
    """A part, a character of it, and what is said of it."""

    part: str
    character: str
    said: str


class Source(NamedTuple):
    """Whose answer to which prompt, whichever sample."""

    kind: str
    name: str
    prompt: str


def part_key(statement: Statement) -> str:
    """The part by its term, else by its words in lower case."""
    return statement.part_term or " ".join(statement.part.casefold().split())


def said(statement: Statement) -> str | None:
    """The state, a whole number, or :data:`ABSENT`; ``None`` where nothing was seen or a measure cannot be compared."""
    if statement.standing == "absent":
        return ABSENT
    if statement.standing != "observed":
        return None
    if statement.state:
        return statement.state
    whole = statement.value is not None and float(statement.value).is_integer() and statement.unit in ("", "1")
    return f"{statement.value:.0f}" if whole else None


def claim(statement: Statement) -> Claim | None:
    """What is claimed, ``None`` where nothing was seen."""
    what = said(statement)
    return None if what is None else Claim(part_key(statement), statement.character, what)


def claims(statements: Iterable[Statement]) -> frozenset[Claim]:
    """All that some statements claim."""
    return frozenset(one for one in map(claim, statements) if one is not None)


def source(describer: Describer) -> Source:
    """Whose answer to which prompt."""
    return Source(describer.kind, describer.name, describer.prompt)


def answers(statements: Sequence[Statement]) -> dict[Hashable, list[int]]:
    """The places of the statements that one answer made: one image, one latent, one describer."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for place, statement in enumerate(statements):
        found[statement.image, statement.latent, statement.describer].append(place)
    return dict(found)


def is_measure(statement: Statement, dictionary: Dictionary | None) -> bool:
    """Whether a dictionary says that the character is measured: it has no states, and no two values are the same."""
    character = None if dictionary is None else dictionary.characters.get(statement.character)
    return character is not None and character.kind == "continuous"
