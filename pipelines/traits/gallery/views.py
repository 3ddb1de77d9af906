"""What the pages show, ready to be written: no image is opened and nothing is computed from here on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.traits.gallery.charts import Row
from pipelines.traits.gallery.pictures import Layer


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for it that a latent marks a taxon, counted in images.

    Attributes:
        inside, outside: share of the taxon's own specimens, and of all others, in which the latent fires.
        effect: how much more often it fires inside; see ``measure``.
        measure: what the effect is, in words.
        p, q: chance of as much by accident, and that chance after correction for all that was tested; ``None`` where
            there were too few specimens to test.
        held_out: the same on images that were kept apart, in words; empty where none were.
        standing: ``marked`` (the test passed), ``not passed``, or ``not tested``.
    """

    latent: int
    rank: str
    taxon: str
    specimens: int
    firing: int
    inside: float
    outside: float
    effect: float
    measure: str
    p: float | None
    q: float | None
    held_out: str
    standing: str
    published: bool = False


@dataclass(frozen=True, slots=True)
class Shot:
    """One specimen, and where a latent fires in it.

    Attributes:
        activation: the strongest of the latent in the image.
        outline: SVG path in pixels of the original image.
        whole, heat, close: the image, the heat over it, and a close-up of the strongest region.
    """

    id: str
    source: str
    taxon: str
    licence: str
    credit: str
    width: int
    height: int
    activation: float
    outline: str
    whole: Layer
    heat: Layer
    close: Layer


@dataclass(frozen=True, slots=True)
class LatentView:
    """One latent: for which taxa it speaks, where it fires most, and how it is spread over the taxa.

    Attributes:
        images: in how many images it fires.
        shots: strongest first; ``of_taxa`` those of each taxon for which it speaks.
    """

    latent: int
    images: int
    evidence: Sequence[Evidence]
    shots: Sequence[Shot]
    of_taxa: Mapping[str, Sequence[Shot]]
    rows: Sequence[Row]
    edges: Sequence[float]


@dataclass(frozen=True, slots=True)
class Taxon:
    """One taxon at a rank, with what speaks for it, the strongest first."""

    name: str
    rank: str
    specimens: int
    evidence: Sequence[Evidence]


@dataclass(frozen=True, slots=True)
class Point:
    """One image on the map."""

    x: float
    y: float
    group: str
    title: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure of the training over its steps."""

    name: str
    meaning: str
    steps: Sequence[float]
    values: Sequence[float]
    log: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that is not of one taxon or one latent.

    Attributes:
        notes: what a reader must know before reading on, most important first.
        facts: how it was made, by heading: settings and provenance.
        licences: how many images are under each.
        shown: how many images the map shows; ``points`` are those.
    """

    title: str
    images: int
    notes: Sequence[str]
    cards: Sequence[tuple[str, str]]
    quarantined: Sequence[tuple[str, str, str]]
    licences: Mapping[str, int]
    facts: Mapping[str, Mapping[str, str]]
    curves: Sequence[Curve] = ()
    points: Sequence[Point] = ()
    map_words: str = ""
    version: str = field(default="")
