"""Questions: one character of one region, asked of people without what the machine said of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from pipelines.traits.statements import STANDINGS, Character, Dictionary, Place, Standing, Statement

CLAIMS: tuple[Standing, ...] = ("observed", "absent")
"""Standings that claim something of the organism; the others say why nothing is claimed."""
ABSENT = "[absent]"
"""The answer that what is asked about is not there."""
UNKNOWN = "[unknown]"
"""The answer of a person who looked and could not tell: no truth is known then."""
_EDGES = (0.5, 0.8)
"""Confidences that part low from middling and middling from high."""


@dataclass(frozen=True, slots=True)
class Question:
    """One character of one part in one region of one image, and all that the machine says of it.

    Attributes:
        part: as the machine called it; ``"region"`` where it named none.
        said: the machine's statements, with and without doubts.
    """

    image: str
    latent: int
    place: Place
    part: str
    character: str
    said: tuple[Statement, ...]

    @property
    def band(self) -> str:
        """How sure the machine is: by its confidence if it claims something, else by why it claims nothing."""
        claims = [one for one in self.said if one.standing in CLAIMS]
        trusted = [one for one in claims if not one.doubts]
        if not trusted:
            return "doubted" if claims else self.said[0].standing
        stated = [one.confidence for one in trusted if one.confidence is not None]
        if not stated:
            return "claimed"
        return ("unsure", "fairly sure", "sure")[sum(max(stated) >= edge for edge in _EDGES)]


def questions(statements: Iterable[Statement], characters: Iterable[str]) -> Iterator[Question]:
    """The questions that a machine's statements answer, image by image, in the order of the statements.

    Statements of people, and those that fit no character asked about, are passed over.

    Args:
        statements: those of one image together.
        characters: ids of those that are asked about.
    """
    wanted = set(characters)
    for image, of_image in groupby(statements, lambda one: one.image):
        found: dict[tuple[int, tuple[float, ...], str, str], list[Statement]] = {}
        for one in of_image:
            if one.character in wanted and one.describer.kind != "person":
                part = " ".join(one.part.casefold().split()) or "region"
                found.setdefault((one.latent, one.place.box, part, one.character), []).append(one)
        for (latent, _, part, character), said in found.items():
            yield Question(image, latent, said[0].place, part, character, tuple(said))


def code(said: Statement, character: Character) -> str:
    """What a statement says, as it stands in a form: a state's id, a number, or a standing in brackets."""
    if said.standing != "observed":
        return f"[{said.standing}]"
    return said.state if said.value is None else _number_code(said.value, character)


def _number_code(value: float, character: Character) -> str:
    """A number; of what is counted, none is the same as absent."""
    return ABSENT if character.kind == "count" and value == 0 else f"{value:.12g}"


def choices(character: Character) -> list[tuple[str, str, str]]:
    """What can be answered: code, label and definition. A number is written, not chosen."""
    states = [(state.id, state.label or state.id.replace("_", " "), state.definition) for state in character.states]
    return [*states, *((f"[{standing}]", standing, _MEANINGS[standing]) for standing in STANDINGS[1:])]


_MEANINGS = {
    "absent": "Looked for where it would be, and not there.",
    "not visible": "Hidden, cut off, out of focus or too small in this picture.",
    "inapplicable": "Such an organism has no such character.",
    "unknown": "It can be seen, and still not be told.",
    "background": "The outlined region shows no organism.",
}


def read_answer(text: str, character: Character) -> str:
    """A person's answer as its code; labels, and standings without brackets, are understood too.

    Raises:
        ValueError: it is none; the message says what is wanted.
    """
    plain = " ".join(text.split())
    known = {name.casefold(): code for code, label, _ in reversed(choices(character)) for name in (label, code)}
    known |= {name.casefold(): state.id for state in character.states for name in (state.label, state.id) if name}
    if plain.casefold() in known:
        return known[plain.casefold()]
    if character.kind == "categorical":
        raise ValueError(f"write one of {', '.join(code for code, _, _ in choices(character))}")
    return _number_code(_number(plain, whole=character.kind == "count"), character)


def _number(text: str, *, whole: bool) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (whole and (value < 0 or not value.is_integer())):
        kind = "a whole number" if whole else "a number, with a point before decimals"
        raise ValueError(f"write {kind}, or one of {', '.join(f'[{name}]' for name in STANDINGS[1:])}")
    return value


def is_claim(code: str) -> bool:
    """Whether an answer says what is there, or that it is absent, rather than why nothing can be said."""
    return code == ABSENT or not code.startswith("[")


def same(one: str, other: str, character: Character, tolerance: float) -> bool:
    """Whether two answers say the same: measured numbers within ``tolerance`` of the larger, all else exactly."""
    if character.kind != "continuous" or one.startswith("[") or other.startswith("["):
        return one == other
    first, second = float(one), float(other)
    return abs(first - second) <= tolerance * max(abs(first), abs(second))


def asked_about(dictionary: Dictionary, only: Iterable[str] = (), *, measured: bool = False) -> list[str]:
    """Ids of the characters that people are asked about: those named, else all with states and counts.

    Args:
        measured: numbers that need measuring, too.
    """
    named = list(only)
    if named:
        return named
    return [one.id for one in dictionary.characters.values() if measured or one.kind != "continuous"]
