"""From a model's answer, or the lack of one, to statements. Nothing is added to what was said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from agents.models import Answer, ModelAnswerUnusable, ModelError, ModelRefused, ModelRequestRefused, ModelUnavailable
from pipelines.traits.prompting.answers import CONDITIONS, Description, Seen
from pipelines.traits.prompting.prompt import prompt_name
from pipelines.traits.prompting.subjects import Shown, Subject
from pipelines.traits.statements import STANDINGS, Character, Describer, Dictionary, State, Statement

NO_ANSWER = "no answer"
"""The doubt of a region that no model described; what follows says why."""
REGION = "region"
"""The part where none was named."""
SHARED_BY = "shared by"
"""Condition of what several specimens were said to share: how many were shown."""
_WHY = (
    (ModelRefused, "the model refused"),
    (ModelAnswerUnusable, "its answers had no usable form"),
    (ModelRequestRefused, "the endpoint does not take the request"),
    (ModelUnavailable, "the endpoint could not be reached"),
)
_NOTHING = ("", "none", "n/a", "na", "-", "null")
"""What models write where there is nothing to write."""
_COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class Linker(Protocol):
    """Finds terms of ontologies for words."""

    def part(self, text: str) -> str:
        """Identifier of an anatomical term; empty where none is meant."""

    def state(self, text: str) -> str:
        """Identifier of a quality; empty where none is meant."""


class Unlinked:
    """Finds no terms."""

    def part(self, text: str) -> str:
        """Nothing."""
        return ""

    def state(self, text: str) -> str:
        """Nothing."""
        return ""


def statements(
    subject: Subject,
    outcome: Answer[Description] | ModelError,
    dictionary: Dictionary,
    *,
    linker: Linker | None = None,
    model: str = "",
    version: str = "",
) -> list[Statement]:
    """What an answer states of each region that was shown.

    A character, state or part that is not in the vocabulary is kept in the model's words, without a term.

    Args:
        subject: what was asked about.
        outcome: the answer; of an error each region gets one row of standing unknown that says why.
        dictionary: that was offered.
        linker: for terms; none are given without it.
        model, version: of the model and the prompt, for rows without an answer.
    """
    name = prompt_name(subject)
    if isinstance(outcome, ModelError):
        describer = Describer("model", model, f"{name} {version}".strip(), subject.sample)
        return [_unanswered(shown, describer, outcome) for shown in subject.shown]
    describer = Describer("model", outcome.model, f"{name} {outcome.version}", subject.sample)
    reader = _Reader(outcome.value, dictionary, linker or Unlinked(), describer, len(subject.shown))
    return [statement for shown in subject.shown for statement in reader.statements(shown)]


def _unanswered(shown: Shown, describer: Describer, error: ModelError) -> Statement:
    why = next((told for kind, told in _WHY if isinstance(error, kind)), error.what)
    return Statement(
        shown.image, shown.latent, shown.place, REGION, "", "unknown", describer, doubts=(f"{NO_ANSWER}: {why}",)
    )


class _Reader:
    """Reads one answer."""

    def __init__(
        self, answer: Description, dictionary: Dictionary, linker: Linker, describer: Describer, shown: int
    ) -> None:
        self.answer = answer
        self.dictionary = dictionary
        self.linker = linker
        self.describer = describer
        self.part = " ".join(answer.part.split()) or REGION
        self.part_term = linker.part(self.part) if self.part != REGION else ""
        self.conditions = tuple(_conditions(answer))
        if shown > 1:
            self.conditions += ((SHARED_BY, str(shown)),)

    def statements(self, shown: Shown) -> Iterator[Statement]:
        """What is stated of one of the regions."""
        if self.answer.shows != "organism":
            text = self.answer.text if self.answer.shows == "background" else f"{self.answer.shows}: {self.answer.text}"
            yield Statement(
                shown.image, shown.latent, shown.place, REGION, "", "background", self.describer, text=text.strip()
            )
        elif not self.answer.characters:
            yield self._statement(shown, Seen(character="", state="", standing="unknown", confidence=0), named=False)
        found: dict[str, Statement] = {}
        for one in (self._statement(shown, seen) for seen in self.answer.characters):
            same = replace(one, text="").id
            said = found.setdefault(same, one)
            if one.text not in said.text:
                found[same] = replace(said, text=f"{said.text} {one.text}")
        yield from found.values()

    def _statement(self, shown: Shown, seen: Seen, *, named: bool = True) -> Statement:
        words = " ".join(seen.state.split())
        standing = seen.standing
        if words.casefold() in STANDINGS and words.casefold() not in ("observed", "background"):
            standing = words.casefold() if standing == "observed" else standing  # type: ignore[assignment]
            words = ""
        if words.casefold() in _NOTHING:
            words = ""
        character = _character(seen.character, self.dictionary)
        state, term, value = self._state(character, words)
        text = self.answer.text.strip()
        if character is None and (own := " ".join(seen.character.split())):
            text = f"{own}: {words or standing}. {text}".strip()
            state = f"{own}: {state}" if state else ""
        return Statement(
            image=shown.image,
            latent=shown.latent,
            place=shown.place,
            part=self.part,
            part_term=self.part_term,
            character=character.id if character is not None else "",
            state=state,
            state_term=term,
            standing=standing,
            value=value,
            unit="1" if value is not None else "",
            confidence=seen.confidence if named else None,
            text=text,
            describer=self.describer,
            conditions=self.conditions,
        )

    def _state(self, character: Character | None, words: str) -> tuple[str, str, float | None]:
        """State, its term, or a number."""
        if not words:
            return "", "", None
        if character is not None and character.kind == "count":
            number = _number(words)
            return ("", "", number) if number is not None else (words, "", None)
        term = self.linker.state(words)
        known = None if character is None else _known_state(character, words, term)
        return (known.id, known.term, None) if known is not None else (words, term, None)


def _conditions(answer: Description) -> Iterator[tuple[str, str]]:
    for name in CONDITIONS:
        value = " ".join(str(getattr(answer, name)).split()) or "unknown"
        yield name.replace("_", " "), value


def _plain(text: str) -> str:
    return " ".join(re.split(r"[\s_-]+", text.strip().casefold()))


def _character(words: str, dictionary: Dictionary) -> Character | None:
    """The character of that id or label."""
    wanted = _plain(words)
    return next(
        (one for one in dictionary.characters.values() if wanted in (_plain(one.id), _plain(one.label))),
        None,
    )


def _known_state(character: Character, words: str, term: str) -> State | None:
    """The state of that id or label; else the one that has the term, where one alone has."""
    wanted = _plain(words)
    for state in character.states:
        if wanted in (_plain(state.id), _plain(state.label)):
            return state
    same = [state for state in character.states if term and state.term == term]
    return same[0] if len(same) == 1 else None


def _number(words: str) -> float | None:
    if words.casefold() in _COUNTED:
        return float(_COUNTED.index(words.casefold()))
    return float(words) if re.fullmatch(r"\d{1,6}", words) else None
