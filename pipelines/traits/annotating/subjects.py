"""What a model is asked about the regions of some images: descriptions, repeats, and controls on a share of them."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from pipelines.traits.annotating.bare import read_bare
from pipelines.traits.annotating.pictures import Found, Shown
from pipelines.traits.annotating.places import elsewhere
from pipelines.traits.annotating.stored import Kind
from pipelines.traits.prompting import Blank, Elsewhere, Subject, Told, another_place
from pipelines.traits.prompting import Shown as OneShown
from pipelines.traits.specimens import Taxon
from pipelines.traits.statements import Place

_Region = tuple[Shown, Found]
_Group = tuple[_Region, ...]


@dataclass(frozen=True)
class Question:
    """One question: a description, or a control of one."""

    subject: Subject
    kind: Kind | None = None


@dataclass(frozen=True)
class Arrangement:
    """How the questions on some images are put together.

    Attributes:
        together: specimens of a taxon that are shown at once.
        samples: how often the same is asked.
        controls: share of the questions that are asked again: with another region, with a blank image, with a wrong
            name told, and as they are.
        names: of the collection's taxa, of which wrong ones are told.
    """

    together: int = 1
    samples: int = 1
    controls: float = 0.0
    names: tuple[str, ...] = ()

    def questions(self, shown: Sequence[Shown]) -> list[Question]:
        """All questions on some images: the descriptions, then the controls. The same images give the same ones."""
        groups = list(self._groups(shown))
        asked = [Question(_subject(group, sample)) for group in groups for sample in range(self.samples)]
        return asked + [one for group in self._chosen(groups) for one in self._controls(group)]

    def _groups(self, shown: Sequence[Shown]) -> Iterator[_Group]:
        """Regions that are asked about at once: of one latent in specimens of one taxon, in the order of the images."""
        alike: dict[tuple[int, str], list[_Region]] = defaultdict(list)
        for one in shown:
            for found in one.regions:
                if self.together == 1:
                    yield ((one, found),)
                alike[found.latent, one.specimen.taxon.name].append((one, found))
        if self.together > 1:
            for regions in alike.values():
                for start in range(0, len(regions), self.together):
                    yield tuple(regions[start : start + self.together])

    def _chosen(self, groups: Sequence[_Group]) -> list[_Group]:
        """The share of which controls are made, chosen by their content, so that more images change no choice."""
        count = math.ceil(self.controls * len(groups) - 1e-9)
        chosen = sorted(range(len(groups)), key=lambda place: _digest(*_names_of(groups[place])))[:count]
        return [groups[place] for place in sorted(chosen)]

    def _controls(self, group: _Group) -> Iterator[Question]:
        yield Question(_subject(group, self.samples), "again")
        yield Question(_subject(group, control=Blank()), "blank image")
        if len(others := [place for region in group if (place := _another(*region)) is not None]) == len(group):
            yield Question(_subject(group, control=Elsewhere(tuple(others))), "another region")
        if name := self._wrong_name(group):
            yield Question(_subject(group, control=Told(name)), "wrong name told")

    def _wrong_name(self, group: _Group) -> str:
        """The name of another taxon; empty where there is none. Few choices change where the collection grows."""
        digests, names = self._ring
        own = {name for shown, _ in group for name in shown.specimen.taxon.names.values()}
        own.add(group[0][0].specimen.taxon.name)
        start = bisect_right(digests, _digest(*_names_of(group)))
        around = (*names[start:], *names[:start])
        return next((name for name in around if name not in own), "")

    @cached_property
    def _ring(self) -> tuple[list[str], list[str]]:
        """The names in the order of their digests."""
        pairs = sorted((_digest(name), name) for name in self.names)
        return [digest for digest, _ in pairs], [name for _, name in pairs]


def wrong_names(taxa: Iterable[Taxon]) -> tuple[str, ...]:
    """Names that can be told: the narrowest known one of each taxon."""
    return tuple(sorted({taxon.name for taxon in taxa if taxon.names}))


def _subject(group: _Group, sample: int = 0, control: Elsewhere | Blank | Told | None = None) -> Subject:
    shown = tuple(
        OneShown(one.specimen.id, found.latent, found.place, partial(read_bare, one.images, one.specimen), bare=True)
        for one, found in group
    )
    return Subject(shown, sample, control)


def _another(shown: Shown, found: Found) -> Place | None:
    """Another region of the image, or this one elsewhere on the organism; ``None`` where neither can be."""
    place = another_place(found.place, [one.place for one in shown.regions if one.latent != found.latent])
    if place is not None:
        return place
    picture = shown.open()
    moved = elsewhere(picture.organism, found.place, picture.id, found.latent) if picture.organism else []
    return moved[0] if moved else None


def _names_of(group: _Group) -> Iterator[str]:
    return (f"{one.specimen.id} {found.latent}" for one, found in group)


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()
