"""Specimens: one image each, and what is known of the organism in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
"""Ranks of the Darwin Core taxon terms, from wide to narrow."""


@dataclass(frozen=True, slots=True)
class Taxon:
    """Where an organism stands in the classification.

    Attributes:
        names: the name at each known rank, keys from :data:`RANKS`; a species is written in full ("Apis mellifera").
    """

    names: Mapping[str, str]

    def at(self, rank: str) -> str | None:
        """The name at a rank, ``None`` where it is not known."""
        return self.names.get(rank)

    @property
    def name(self) -> str:
        """The narrowest name that is known; ``"unknown"`` where none is."""
        return next((self.names[rank] for rank in reversed(RANKS) if rank in self.names), "unknown")


@dataclass(frozen=True, slots=True)
class Specimen:
    """One image of one organism.

    Attributes:
        id: the first 32 hexadecimal digits of the SHA-256 of the image file's bytes: the same image has the same id.
        source: where it was read, as a person would find it again: a path relative to the collection, with
            ``archive.tar::member`` for what lies in an archive.
        taxon: what it is, as the collection says.
        width, height: pixels, upright: after the EXIF orientation was applied.
        licence: as stated for this image or its collection; empty where nobody said.
        terms: everything else that the collection says of it, by Darwin Core or Audiovisual Core term if there is one.
    """

    id: str
    source: str
    taxon: Taxon
    width: int
    height: int
    licence: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
