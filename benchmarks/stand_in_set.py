"""Drawn insects with regions, and what of them stand-ins for a model may look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.stand_in_models import DICTIONARY, PARTS, Answering, Bools, Claims, Sight, Sights, StandIn, bearer
from pipelines.traits.organisms import Drawing, Species, draw, taxonomy
from pipelines.traits.prompting import (
    Blank,
    Control,
    Describing,
    Elsewhere,
    Look,
    NameGuard,
    Overlay,
    Prompt,
    Shown,
    Subject,
    Whole,
)
from pipelines.traits.statements import Place, Statement

BACKGROUND = 99
"""The latent of a region beside the organism."""


@dataclass(frozen=True, eq=False)
class Specimen:
    """A drawn specimen and its regions."""

    id: str
    species: Species
    drawing: Drawing
    places: Mapping[int, Place]


class Collection:
    """Drawn insects with regions on their parts and beside them, and all that stand-ins may look at."""

    def __init__(self, species: int, specimens: int, *, size: int = 256, seed: int = 0) -> None:
        every = taxonomy(seed, ["insect"])
        chosen = [every[int(n)] for n in np.linspace(0, len(every) - 1, species).round()]
        self.specimens: list[Specimen] = []
        for number, one in enumerate(chosen):
            for turn in range(specimens):
                drawing = draw(one, np.random.default_rng([seed, number, turn]), size=size, nuisance=0.5)
                self.specimens.append(Specimen(f"{number:02d}-{turn:02d}", one, drawing, places_of(drawing)))
        self.by_id = {one.id: one for one in self.specimens}
        self.sights = Sights()
        self._ready: set[tuple[str, Place, Look]] = set()
        self.taxa = {one.id: one.species.taxon for one in self.specimens}
        self.names = {id: taxon.name for id, taxon in self.taxa.items()}
        self.books: dict[str, Claims] = {one.taxon.name: dict(one.states) for one in chosen}
        self.guard = NameGuard(self.taxa.values())
        self.wrong_names = dict(zip(self.books, [*list(self.books)[1:], next(iter(self.books))], strict=True))

    def subject(self, specimen: Specimen, latent: int, sample: int = 0, control: Control | None = None) -> Subject:
        return Subject((self.shown(specimen, latent),), sample, control)

    def shown(self, specimen: Specimen, latent: int) -> Shown:
        return Shown(specimen.id, latent, specimen.places[latent], specimen.drawing.image)

    def describe(self, name: str, answering: Answering, subjects: Sequence[Subject], look: Look) -> list[Statement]:
        """What a stand-in says of subjects, as the pipeline asks and understands it."""
        prompt = Prompt(DICTIONARY, look, hide_labels=False)  # stand-ins read none, and know pictures by their hash
        for subject in subjects:
            self._show(subject, look)
        stand_in = StandIn(name, self.sights, answering)
        return [one for each in Describing(stand_in, subjects, prompt, self.guard) for one in each.statements]

    def _show(self, subject: Subject, look: Look) -> None:
        """Let stand-ins know the pictures that are about to be sent; blank ones show nothing."""
        if isinstance(subject.control, Blank):
            return
        for number, shown in enumerate(subject.shown):
            place = subject.control.places[number] if isinstance(subject.control, Elsewhere) else shown.place
            specimen = self.by_id[shown.image]
            if (key := (shown.image, place, look)) in self._ready:
                continue
            self._ready.add(key)
            image = look.picture(specimen.drawing.image, place)
            seen = None if isinstance(look, Whole) else place
            self.sights.known[image.digest] = Sight(
                specimen.species, specimen.drawing, seen, _scale(specimen, place, look)
            )


def _scale(specimen: Specimen, place: Place, look: Look) -> float:
    """Pixels that are sent for one of the drawing."""
    height, width = specimen.drawing.image.shape[:2]
    longest = float(max(height, width))
    if isinstance(look, Overlay):
        left, top, right, bottom = place.box
        longest = min(max(right - left, bottom - top) * (1 + 2 * look.margin), longest)
    return min(look.side / longest, 4.0)


def places_of(drawing: Drawing) -> dict[int, Place]:
    """A region on each part that can be told from its surroundings, and one beside the organism."""
    found = {n: _place(drawing.parts[part]) for n, part in enumerate(PARTS) if part in drawing.parts}
    height, width = drawing.organism.shape
    side = max(height, width) // 8
    free = cv2.boxFilter(drawing.organism.astype(np.float32), -1, (side, side))[side:-side, side:-side]
    y, x = np.unravel_index(int(free.argmin()), free.shape)
    beside = np.zeros_like(drawing.organism)
    beside[y + side // 2 : y + side + side // 2, x + side // 2 : x + side + side // 2] = True
    if not (beside & drawing.organism).any():
        found[BACKGROUND] = _place(beside)
    return {latent: place for latent, place in found.items() if place is not None}


def _place(mask: Bools) -> Place | None:
    """The outlines of a mask; nothing for specks."""
    height, width = mask.shape
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rings = [tuple((float(x), float(y)) for x, y in one[:, 0]) for one in outlines if cv2.contourArea(one) >= 12]
    if not rings:
        return None
    points = np.array([point for ring in rings for point in ring])
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return Place((left, top, right + 1, bottom + 1), tuple((ring,) for ring in rings), (width, height))


def truth_of(specimen: Specimen, latent: int) -> Claims:
    """What is true of the part that a region was drawn on."""
    if latent == BACKGROUND:
        return {}
    states = specimen.drawing.states
    return {name: states[name] for name in DICTIONARY.characters if bearer(name) == PARTS[latent]}
