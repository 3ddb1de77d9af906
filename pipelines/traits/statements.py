"""Statements: what one describer says of one region of one specimen, and the words it may use.

A statement is one character with its state (or its measured value) of one part, seen in one region. It says who said
so and how, what spoke against it, and whether a person agreed; it never says more than was seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Standing = Literal["observed", "absent", "not visible", "inapplicable", "unknown", "background"]
"""``observed``: the state was seen. ``absent``: the part was looked for where it would be, and is not there. ``not
visible``: hidden, cut off or too small here. ``inapplicable``: such an organism has no such character. ``unknown``: it
was looked at and could not be told. ``background``: the region shows no organism."""
STANDINGS: tuple[Standing, ...] = ("observed", "absent", "not visible", "inapplicable", "unknown", "background")
MACHINE = "machine-proposed"
"""The review of a statement that no person has looked at."""


@dataclass(frozen=True, slots=True)
class State:
    """A state of a character.

    Attributes:
        id: within the character, as ``"reddish_brown"``.
        label: in words.
        term: identifier in an ontology, as ``"PATO:0000322"``; empty where none fits.
        definition: in a sentence.
    """

    id: str
    label: str
    term: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Character:
    """What can differ between organisms, and how it is told.

    Attributes:
        id: within the dictionary, as ``"colour"``.
        label: in words.
        kind: ``categorical`` (one of ``states``), ``continuous`` (a number with ``unit``) or ``count``.
        states: of a categorical character.
        unit: of a number: ``"1"`` for ratios, ``"mm"``, ``"degree"``.
        term: identifier in an ontology, as ``"PATO:0000014"``; empty where none fits.
        definition: in a sentence.
    """

    id: str
    label: str
    kind: Literal["categorical", "continuous", "count"]
    states: tuple[State, ...] = ()
    unit: str = ""
    term: str = ""
    definition: str = ""

    def state(self, id: str) -> State | None:
        """A state by its id, ``None`` where there is no such state."""
        return next((state for state in self.states if state.id == id), None)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The characters that a dataset may speak of.

    Attributes:
        name, version: which one; any change of a character is another version.
        characters: by their ids.
    """

    name: str
    version: str
    characters: Mapping[str, Character]


@dataclass(frozen=True, slots=True)
class Describer:
    """Who says something, and by which means.

    Attributes:
        kind: ``measured``, ``model`` or ``person``.
        name: of the method or the model, with its version.
        prompt: name and version of the prompt; empty for measurements.
        sample: which of several answers to the same prompt.
    """

    kind: Literal["measured", "model", "person"]
    name: str
    prompt: str = ""
    sample: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """A region in an image's own pixels, upright.

    Attributes:
        box: left, top, right, bottom in pixels.
        polygons: for each area its ring, then its holes; each ring a sequence of (x, y) in pixels.
        image_size: width and height of the image.
    """

    box: tuple[float, float, float, float]
    polygons: tuple[tuple[tuple[tuple[float, float], ...], ...], ...]
    image_size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Statement:
    """One character of one part, as one describer sees it in one region.

    Attributes:
        image: id of the specimen's image.
        latent: whose region this is.
        place: where.
        part: in the describer's words; ``"region"`` where no part was named.
        part_term: identifier in an ontology; empty where none was matched.
        character: id in the dictionary; empty where what was said fits none of its characters.
        state: id of the state in the dictionary, or the describer's own words where it has none; empty for numbers.
        state_term: identifier in an ontology; empty where none was matched.
        standing: whether it was seen at all.
        value, uncertainty, unit: of a number, the uncertainty as one standard deviation; ``None`` where there is none.
        confidence: 0 to 1 as the describer says; ``None`` where it says nothing.
        text: free words.
        describer: who says so.
        conditions: view, sex, life stage, caste, damage, and whatever else bounds what is said, by name.
        doubts: names of checks that spoke against it; a statement with doubts is kept and marked.
        review: :data:`MACHINE`, or the name of the person who agreed with it.
    """

    image: str
    latent: int
    place: Place
    part: str
    character: str
    standing: Standing
    describer: Describer
    part_term: str = ""
    state: str = ""
    state_term: str = ""
    value: float | None = None
    uncertainty: float | None = None
    unit: str = ""
    confidence: float | None = None
    text: str = ""
    conditions: tuple[tuple[str, str], ...] = ()
    doubts: tuple[str, ...] = ()
    review: str = MACHINE

    @property
    def id(self) -> str:
        """32 hexadecimal digits that stay the same through checks and review.

        Whatever a person looks at and agrees with is in it: another text, another number after another calibration, or
        a region elsewhere is another statement, of which nobody has decided anything. Of numbers six digits count, of
        the region's box whole pixels.
        """
        numbers = [None if number is None else f"{number:.6g}" for number in (self.value, self.uncertainty)]
        told = [self.image, self.latent, [round(edge) for edge in self.place.box], self.part, self.character]
        told += [self.state, self.standing, *numbers, self.unit, self.text, asdict(self.describer)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON values; outlines are shared with the statement, not copied."""
        place, describer = self.place, self.describer
        fields = {name: getattr(self, name) for name in self.__slots__}
        fields["place"] = {"box": place.box, "polygons": place.polygons, "image_size": place.image_size}
        fields["describer"] = asdict(describer)
        return {"id": self.id, **fields}

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Statement:
        """A statement from what :meth:`as_json` gave, before or after it was JSON text.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        fields = {name: item for name, item in value.items() if name != "id"}
        left, top, right, bottom = fields["place"]["box"]
        width, height = fields["place"]["image_size"]
        polygons = tuple(
            tuple(tuple((x, y) for x, y in ring) for ring in polygon) for polygon in fields["place"]["polygons"]
        )
        fields["place"] = Place((left, top, right, bottom), polygons, (width, height))
        fields["describer"] = Describer(**fields["describer"])
        fields["conditions"] = tuple((name, said) for name, said in fields["conditions"])
        fields["doubts"] = tuple(fields["doubts"])
        return cls(**fields)
