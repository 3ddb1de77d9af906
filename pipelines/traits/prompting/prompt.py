"""The prompt: what a model is told, what it is shown, and under which name and version that is known afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import rfc8785
from numpy.typing import NDArray

from agents.models import Example, Image, Request
from agents.models.requests import Part
from pipelines.traits.prompting.examples import GivenExample
from pipelines.traits.prompting.labels import GREY, without_labels
from pipelines.traits.prompting.looks import Look, Overlay
from pipelines.traits.prompting.subjects import Blank, Elsewhere, Subject, Told
from pipelines.traits.statements import Character, Dictionary

NAME, SHARED = "describe-region", "describe-shared"
"""Names of the prompt about one region, and of the one about what several share."""
VERSION = "1"
"""Of the words below; goes up when they change."""
SYSTEM = """\
You describe what a picture shows in one region, for a data set of the morphology of organisms.
Say only what can be seen there. Do not say what such organisms usually look like, and neither name nor guess which \
organism it is.
First decide what the region shows: an organism, the background, or a label, scale or pin. On background and labels \
there is nothing to describe: leave the part and the list of characters empty.
Name the part of the organism in the region, as narrowly as the picture allows. Then list what can be told of that \
part, one entry for each character, at most {most}. Use the ids of the characters and states below where one fits, and \
your own words where none does. Give no measurements in millimetres and no colour names other than what you see.
The standing of each entry says whether it was seen:
observed: the state is seen. Give it.
absent: the feature was looked for where it would be, and is not there. Leave the state empty.
not visible: hidden, cut off, out of focus or too small here. Leave the state empty.
inapplicable: such a part has no such character. Leave the state empty.
unknown: you looked and cannot tell. Leave the state empty.
An entry that you are unsure of is welcome with a low confidence, and better than a guess with a high one.

Characters:
{characters}"""
ONE = "Describe the region of this picture. {look}"
MANY = (
    "These are {count} pictures of {count} specimens of the same kind, with the same region in each. {look} Describe "
    "only what all of them share; leave out whatever differs or cannot be seen in one of them."
)
TELL = "The organism was identified as {taxon}."


@dataclass(frozen=True)
class Prompt:
    """How regions are asked about.

    Attributes:
        dictionary: characters that may be spoken of; those that are measured are not asked for.
        look: how a region is shown.
        examples: shown before, with the answers they should have.
        hide_labels: whether labels that are found beside the organism are painted over: a name may stand on one.
        most: entries of an answer at most.
        max_tokens: of an answer.
        seed: for endpoints that take one.
    """

    dictionary: Dictionary
    look: Look = field(default_factory=Overlay)
    examples: tuple[GivenExample, ...] = ()
    hide_labels: bool = True
    most: int = 12
    max_tokens: int = 1024
    seed: int | None = None

    @cached_property
    def system(self) -> str:
        """What a model is told about its task."""
        lines = [_told(one) for one in self.dictionary.characters.values() if one.kind != "continuous"]
        return SYSTEM.format(most=self.most, characters="\n".join(lines))

    @cached_property
    def version(self) -> str:
        """The version of the words, then 8 digits of the SHA-256 of all else that is said and how it is shown."""
        shown = [{"picture": each.shown.digest, "answer": each.answer} for each in self._shown_examples]
        look = {"kind": type(self.look).__name__, **asdict(self.look)}
        told: dict[str, Any] = {"system": self.system, "one": ONE, "many": MANY, "look": look, "examples": shown}
        told["hide_labels"] = self.hide_labels
        return f"{VERSION}-{hashlib.sha256(rfc8785.dumps(told)).hexdigest()[:8]}"

    def request(self, subject: Subject) -> Request:
        """The request about a subject, at temperature 0. Its pictures are read now."""
        count = len(subject.shown)
        ask = (ONE if count == 1 else MANY).format(count=count, look=self.look.told)
        control = subject.control
        if isinstance(control, Told):
            ask = f"{TELL.format(taxon=control.taxon)} {ask}"
        return Request(
            prompt=prompt_name(subject),
            version=self.version,
            system=self.system,
            parts=(ask, *self._pictures(subject)),
            examples=tuple(self._example(each) for each in self._shown_examples),
            temperature=0.0,
            max_tokens=self.max_tokens,
            seed=self.seed,
            sample=subject.sample,
        )

    def _pictures(self, subject: Subject) -> Iterator[Part]:
        control = subject.control
        for number, shown in enumerate(subject.shown):
            pixels, place = shown.pixels(), shown.place
            if isinstance(control, Blank):
                pixels = np.full_like(pixels, GREY)
            elif not shown.bare:
                pixels = self._cleared(pixels)
            if isinstance(control, Elsewhere):
                place = control.places[number]
            yield self.look.picture(pixels, place)

    def _cleared(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return without_labels(pixels) if self.hide_labels else pixels

    @cached_property
    def _shown_examples(self) -> tuple[_ShownExample, ...]:
        return tuple(
            _ShownExample(self.look.picture(self._cleared(each.pixels), each.place), each.answer.model_dump_json())
            for each in self.examples
        )

    def _example(self, each: _ShownExample) -> Example:
        return Example((ONE.format(look=self.look.told), each.shown), each.answer)


@dataclass(frozen=True)
class _ShownExample:
    shown: Image
    answer: str


def prompt_name(subject: Subject) -> str:
    """The name of the prompt that a subject gets; controls have names of their own."""
    name = NAME if len(subject.shown) == 1 else SHARED
    return name if subject.control is None else f"{name}, {subject.control.name}"


def _told(character: Character) -> str:
    """A character in one line."""
    states = "a number" if character.kind == "count" else ", ".join(state.id for state in character.states)
    definition = f" {character.definition}" if character.definition else ""
    return f"{character.id}: {states}.{definition}"


def resampled(subject: Subject, samples: int) -> Iterator[Subject]:
    """The same subject, asked about several times."""
    return (replace(subject, sample=number) for number in range(samples))
