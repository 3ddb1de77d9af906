"""Stand-ins for a vision-language model, of which it is known how they answer.

They get requests as a model does. Those that look find the picture they were sent by its hash, and with it the drawn
organism and the place that is shown; what they may say follows from how far the truth's masks lie in that place, never
from a taxon's name. Only the textbook knows the taxon, as a model does that recognises an organism.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from agents.models import Answer, ModelError, Request
from pipelines.traits.organisms import Drawing, Species
from pipelines.traits.organisms.taxonomy import INSECT_TRAITS
from pipelines.traits.prompting import Description
from pipelines.traits.statements import Character, Dictionary, Place, State

T = TypeVar("T")
Bools = NDArray[np.bool_]
Claims = dict[str, str]
"""What is said of each character: a state, or ``absent``."""
BEARER = {
    "wing_spots": "forewings",
    "wing_band": "forewings",
    "abdomen_bands": "abdomen",
    "thorax_stripes": "thorax",
    "wing_tails": "hindwings",
}
"""The part that bears a mark; other characters are of the part that shows them."""
PARTS = ("forewings", "hindwings", "thorax", "abdomen", "antennae", "legs")
DICTIONARY = Dictionary(
    "drawn insects",
    "1",
    {
        name: Character(
            name,
            name.replace("_", " "),
            "categorical",
            tuple(State(one, one) for one in trait.states if one != "absent"),
        )
        for name, trait in INSECT_TRAITS.items()
    },
)


def bearer(character: str) -> str:
    """The part of which a character is told."""
    return BEARER.get(character, INSECT_TRAITS[character].part)


@dataclass(eq=False)
class Sight:
    """What is in a picture that was sent: a drawn organism, and the place that was shown.

    Attributes:
        species: what it is; for the textbook alone.
        drawing: with the truth.
        place: that was shown; ``None`` for the whole image.
        scale: pixels that were sent for a pixel of the drawing.
    """

    species: Species
    drawing: Drawing
    place: Place | None
    scale: float

    def inside(self) -> Bools:
        """The pixels of the place (H, W)."""
        shape = self.drawing.organism.shape
        if self.place is None:
            return np.ones(shape, bool)
        mask = np.zeros(shape, np.uint8)
        rings = [np.round(ring).astype(np.int32) for polygon in self.place.polygons for ring in polygon]
        return cv2.fillPoly(mask, rings, 1) > 0

    @cached_property
    def parts(self) -> list[str]:
        """The parts that the place shows: the one it lies on most, or, for the whole image, all there are."""
        masks = {part: self.drawing.parts[part] for part in PARTS if part in self.drawing.parts}
        if self.place is None:
            return list(masks)
        inside = self.inside()
        on = {part: np.count_nonzero(mask & inside) / np.count_nonzero(inside) for part, mask in masks.items()}
        best = max(on, key=lambda part: on[part], default="")
        return [best] if best and on[best] >= 0.4 else []

    def truth(self) -> Claims:
        """What is true of the parts that the place shows."""
        parts = self.parts
        return {name: self.drawing.states[name] for name in INSECT_TRAITS if bearer(name) in parts}

    def pixels(self, part: str) -> float:
        """How many pixels of a part were sent."""
        return float(np.count_nonzero(self.drawing.parts[part])) * self.scale**2


@dataclass
class Sights:
    """The pictures that were sent, by the hash of their bytes."""

    known: dict[str, Sight] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """An answer before it has its form.

    Attributes:
        part: that is named.
        claims: what is said of it.
        confidence: by character; 0.9 where none is given.
    """

    part: str
    claims: Claims
    confidence: Mapping[str, float] = field(default_factory=dict)


Answering = Callable[[list[Sight | None], str, np.random.Generator], Said | None]
"""From what the pictures show (``None``: nothing that is known) and the name that was told to an answer; ``None``:
background."""


class StandIn:
    """Answers requests like a model, by itself and at once.

    Attributes:
        name: as which it answers.
        asked: how many requests it got.
    """

    def __init__(self, name: str, sights: Sights, answering: Answering) -> None:
        self.name = name
        self.asked = 0
        self._sights = sights
        self._answering = answering

    def ask_all(
        self, requests: Iterable[Request], answer_type: type[T]
    ) -> Iterator[tuple[int, Answer[T] | ModelError]]:
        """An answer to each request."""
        for number, request in enumerate(requests):
            self.asked += 1
            value = cast(T, self._describe(request))
            yield (
                number,
                Answer(
                    value,
                    self.name,
                    request.prompt,
                    request.version,
                    0,
                    0,
                    True,
                    Decimal(0),
                    False,
                    1,
                    number,
                    str(number),
                ),
            )

    def _describe(self, request: Request) -> Description:
        images = [part.digest for part in request.parts if not isinstance(part, str)]
        words = " ".join(part for part in request.parts if isinstance(part, str))
        told = re.search(r"identified as ([A-Z][a-z]+ [a-z]+)", words)
        seed = hashlib.sha256(f"{self.name} {images} {words} {request.sample}".encode()).digest()
        shown = [self._sights.known.get(digest) for digest in images]
        said = self._answering(shown, told[1] if told else "", np.random.default_rng(list(seed)))
        return _description(said)


def _description(said: Said | None) -> Description:
    empty: dict[str, Any] = {"view": "dorsal", "sex": "unknown", "life_stage": "adult", "caste": "unknown"}
    empty |= {"damage": "none", "text": "As seen."}
    if said is None:
        return Description.model_validate(empty | {"shows": "background", "part": "", "characters": []})
    characters = [
        {
            "character": name,
            "state": "" if state == "absent" else state,
            "standing": "absent" if state == "absent" else "observed",
            "confidence": said.confidence.get(name, 0.9),
        }
        for name, state in said.claims.items()
    ]
    return Description.model_validate(empty | {"shows": "organism", "part": said.part, "characters": characters})


# -- how they answer -----------------------------------------------------------------------------------


def truthful(shown: list[Sight | None], told: str, rng: np.random.Generator) -> Said | None:
    """What is true of what is shown; of several pictures what all share."""
    seen = [sight for sight in shown if sight is not None]
    parts = seen[0].parts if seen else []
    if not parts:
        return None
    shared = seen[0].truth()
    for sight in seen[1:]:
        truth = sight.truth()
        shared = {name: state for name, state in shared.items() if truth.get(name) == state}
    return Said(parts[0], shared)


def wrong(shown: list[Sight | None], told: str, rng: np.random.Generator) -> Said | None:
    """Of each character a state that is not true, drawn for each picture and kept through repeats."""
    said = truthful(shown, told, rng)
    fixed = np.random.default_rng(len(repr(said)) + int(shown[0].drawing.image.sum()) if shown[0] else 0)
    return said and Said(said.part, {name: _other(name, state, fixed) for name, state in said.claims.items()})


def wrong_alike(shown: list[Sight | None], told: str, rng: np.random.Generator) -> Said | None:
    """Of each character always the state after the true one: wrong, and in full agreement with itself."""
    said = truthful(shown, told, rng)
    return said and Said(said.part, {name: _next(name, state) for name, state in said.claims.items()})


def random(shown: list[Sight | None], told: str, rng: np.random.Generator) -> Said | None:
    """A part and states drawn anew at each question, of whatever is shown."""
    part = str(rng.choice(PARTS))
    names = [name for name in INSECT_TRAITS if bearer(name) == part]
    return Said(part, {name: str(rng.choice(INSECT_TRAITS[name].states)) for name in names})


def unsure(shown: list[Sight | None], told: str, rng: np.random.Generator) -> Said | None:
    """Right in seven cases of ten and the same through repeats; more confident, by and large, where it is right."""
    said = truthful(shown, told, rng)
    if said is None or shown[0] is None:
        return said
    fixed = np.random.default_rng(int(shown[0].drawing.image.sum()))
    claims, confidence = {}, {}
    for name, state in said.claims.items():
        right = fixed.random() < 0.7
        claims[name] = state if right else _other(name, state, fixed)
        confidence[name] = round(float(fixed.beta(5, 1.5) if right else fixed.beta(3, 3)), 2)
    return Said(said.part, claims, confidence)


def inventing(shown: list[Sight | None], told: str, rng: np.random.Generator) -> Said | None:
    """True of most regions; of one in three, and of background, it tells of a part that is not there."""
    said = truthful(shown, told, rng)
    if said is not None and rng.random() < 2 / 3:
        return said
    part = str(rng.choice(["hindwings", "tail fin", "flux organ"]))
    return Said(part, {"wing_tails": "present", "wing_colour": str(rng.choice(INSECT_TRAITS["wing_colour"].states))})


@dataclass
class Textbook:
    """Knows the taxon, by recognising it or being told, and recites all that is known of it, whatever is shown."""

    books: Mapping[str, Claims]

    def __call__(self, shown: list[Sight | None], told: str, rng: np.random.Generator) -> Said | None:
        """The textbook of the taxon that was told, else of the one that is shown."""
        if told in self.books:
            return Said("body", self.books[told])
        return Said("body", self.books[shown[0].species.taxon.name]) if shown[0] is not None else None


@dataclass
class ShortSighted:
    """True of what it sees well; else it says the plainest state. One in seven of its statements is a slip.

    Attributes:
        least: pixels of a part that must be sent.
    """

    least: float = 4000.0
    slips: float = 1 / 7

    def __call__(self, shown: list[Sight | None], told: str, rng: np.random.Generator) -> Said | None:
        """What it makes of each picture; of several what all share."""
        found: list[Claims] = []
        for sight in shown:
            if sight is None or not sight.parts:
                return None
            clear = {part for part in sight.parts if sight.pixels(part) >= self.least}
            truth = sight.truth()
            claims = {n: s if bearer(n) in clear else INSECT_TRAITS[n].states[0] for n, s in truth.items()}
            found.append({n: _other(n, s, rng) if rng.random() < self.slips else s for n, s in claims.items()})
        shared = {n: s for n, s in found[0].items() if all(other.get(n) == s for other in found)}
        return Said(shown[0].parts[0], shared) if shown[0] is not None else None


def _other(name: str, state: str, rng: np.random.Generator) -> str:
    return str(rng.choice([one for one in INSECT_TRAITS[name].states if one != state]))


def _next(name: str, state: str) -> str:
    states = INSECT_TRAITS[name].states
    return states[(states.index(state) + 1) % len(states)]
