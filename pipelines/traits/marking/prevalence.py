"""One pass over images' sparse codes: how often each latent fires in each taxon, in whole numbers only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes
from pipelines.traits.marking.firing import BINS, Absolute, bins_of
from pipelines.traits.marking.tallies import Tally
from pipelines.traits.marking.tops import Top, Tops
from pipelines.traits.specimens import RANKS, Specimen, Taxon
from protocols.errors import InputError

Lineage = tuple[str, ...]
"""The name at each of :data:`RANKS`, empty where it is not known."""

FOREGROUND_UNITS = 255
"""Shares of foreground are counted in this many units, so that their sum does not depend on the order."""

SELECTING, HELD_OUT = 0, 1
"""The two parts of the specimens: one selects the latents, on the other their figures are reported."""

MOST_LATENTS = 1 << 24
"""Latents that a key has room for."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What one pass counts.

    Attributes:
        latents: how many the autoencoder has.
        model: identity of the autoencoder (and backbone) whose codes these are; passes over others are not merged.
        held_out: share of specimens, 0 to 1, kept out of selection.
        seed: makes another division into the two parts.
        absolute: activation above which a patch fires for the published rule.
        top: strongest images kept of each latent.
    """

    latents: int
    model: str = ""
    held_out: float = 0.5
    seed: int = 0
    absolute: Absolute = field(default_factory=Absolute)
    top: int = 16

    def __post_init__(self) -> None:
        if not 0 < self.latents <= MOST_LATENTS:
            raise ValueError(f"{self.latents} latents: 1 to {MOST_LATENTS} can be counted")
        if not 0 <= self.held_out < 1:
            raise ValueError(f"{self.held_out} is not a share of specimens that leaves some to select with")
        if self.top < 1:
            raise ValueError("at least one image of each latent is kept")


class Peaks(NamedTuple):
    """How many images of one lineage and part have their highest activation of a latent in a bin; columns of a table.

    Attributes:
        lineage, part, latent, peak: (m,) what is counted; ``lineage`` counts in :attr:`Prevalence.lineages`.
        images: (m,) how many.
    """

    lineage: NDArray[np.int64]
    part: NDArray[np.int64]
    latent: NDArray[np.int64]
    peak: NDArray[np.int64]
    images: NDArray[np.int64]


class Prevalence:
    """Counts of one streaming pass; the same counts whatever the order of images and however passes were merged.

    Memory grows with the pairs of latent and lineage that occur together (16 bytes for each bin of peaks, 24 for the
    patches) and with ``latents * top * 48`` bytes for the strongest images, not with the number of images.

    Attributes:
        counting: what is counted.
        images: images added so far.
        fingerprint: sum of the added specimens' ids, modulo 2^128: tells whether a resumed pass holds exactly those.
        lineages: each lineage met.
        specimens: (lineages, 2) images of each lineage in each part.
        tops: the strongest images of each latent.
    """

    def __init__(self, counting: Counting) -> None:
        self.counting = counting
        self.images = 0
        self.fingerprint = 0
        self.lineages: list[Lineage] = []
        self.tops = Tops(counting.latents, counting.top)
        self._place: dict[Lineage, int] = {}
        self._specimens: list[list[int]] = []
        self.peak_counts = Tally(1)  # lineage, part, latent, bin: images
        self.absolute_counts = Tally(1)  # lineage, part, latent: images above the absolute threshold
        self.patch_counts = Tally(2)  # lineage, latent: patches above the absolute threshold, patches not zero
        self.ground_counts = Tally(2)  # latent, bin: patches, units of foreground in them

    def add(
        self, specimen: Specimen, codes: Codes, patches: int, foreground: NDArray[np.floating] | None = None
    ) -> None:
        """Count one image.

        Args:
            specimen: whose image it is.
            codes: of its patches; ``codes.rows`` are patches of the image.
            patches: how many patches the image has.
            foreground: (patches,) share of each patch that is organism, 0 to 1; ``None`` where nobody looked.

        Raises:
            InputError: the codes are not of this image or this autoencoder, or hold something other than finite
                positive numbers. Nothing was counted.
        """
        self._check(specimen, codes, patches, foreground)
        lineage = self.place_of(lineage_of(specimen.taxon))
        part = self.part_of(specimen)
        self.images += 1
        self.fingerprint = (self.fingerprint + int(specimen.id, 16)) % (1 << 128)
        self._specimens[lineage][part] += 1
        if not len(codes.rows):
            return
        strength = codes.values.astype(np.float32, copy=False).view(np.uint32).astype(np.int64)
        order = np.argsort((codes.latents << 32) - strength, kind="stable")  # codes come by patch, so ties stay so
        latents, values, rows = codes.latents[order], codes.values[order], codes.rows[order]
        first = np.flatnonzero(np.r_[True, latents[1:] != latents[:-1]])
        self._count_images(lineage, part, latents[first], values[first])
        self.tops.add(specimen.id, latents[first], values[first], rows[first])
        above = np.add.reduceat((values > self.counting.absolute.above).astype(np.int64), first)
        self.patch_counts.add(
            lineage * self.counting.latents + latents[first],
            np.stack([above, np.diff(np.r_[first, len(latents)])], axis=1),
        )
        if foreground is not None:
            units = np.rint(np.clip(foreground, 0, 1) * FOREGROUND_UNITS).astype(np.int64)
            keys = latents * BINS + bins_of(values)
            runs = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
            columns = [np.diff(np.r_[runs, len(keys)]), np.add.reduceat(units[rows], runs)]
            self.ground_counts.add(keys[runs], np.stack(columns, axis=1))

    def merge(self, other: Prevalence) -> None:
        """Count all that ``other`` counted too; the two must have seen different images.

        Raises:
            InputError: ``other`` counted something else.
        """
        if other.counting != self.counting:
            raise InputError(
                "two passes that count differently, or the codes of different autoencoders, cannot be merged",
                mend="Count both again with the same settings and the same autoencoder",
            )
        places = np.array([self.place_of(lineage) for lineage in other.lineages], np.int64)
        for row, place in zip(other._specimens, places, strict=True):
            self._specimens[place] = [mine + theirs for mine, theirs in zip(self._specimens[place], row, strict=True)]
        self.images += other.images
        self.fingerprint = (self.fingerprint + other.fingerprint) % (1 << 128)
        for mine, theirs, below in self._by_lineage(other):
            keys, counts = theirs.items()
            mine.add(places[keys // below] * below + keys % below if len(keys) else keys, counts)
        self.ground_counts.merge(other.ground_counts)
        self.tops.merge(other.tops)

    def part_of(self, specimen: Specimen) -> int:
        """:data:`SELECTING` or :data:`HELD_OUT`: by a hash, so always the same one.

        Pictures of one individual (``organismID`` or ``materialSampleID`` among the terms) are in the same part.
        """
        individual = specimen.terms.get("organismID") or specimen.terms.get("materialSampleID") or specimen.id
        digest = hashlib.sha256(f"{self.counting.seed}:{individual}".encode()).digest()
        return HELD_OUT if int.from_bytes(digest[:8], "big") < self.counting.held_out * 2**64 else SELECTING

    def holds(self, specimens: list[Specimen]) -> bool:
        """Whether exactly these specimens were added: what a resumed pass asks before it goes on after them."""
        total = sum(int(specimen.id, 16) for specimen in specimens) % (1 << 128)
        return self.images == len(specimens) and self.fingerprint == total

    @property
    def specimens(self) -> NDArray[np.int64]:
        """(lineages, 2) images of each lineage, selecting and held out."""
        return np.array(self._specimens, np.int64).reshape(-1, 2)

    def peaks(self) -> Peaks:
        """All counts of image peaks."""
        keys, counts = self.peak_counts.items()
        rest, peak = np.divmod(keys, BINS)
        return Peaks(*self._split(rest), peak, counts[:, 0])

    def above_absolute(self) -> Peaks:
        """The same of images whose peak is above the absolute threshold, all bins as one (0)."""
        keys, counts = self.absolute_counts.items()
        return Peaks(*self._split(keys), np.zeros_like(keys), counts[:, 0])

    def patches(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Lineage, latent, patches above the absolute threshold, patches that are not zero; (m,) each."""
        keys, counts = self.patch_counts.items()
        lineage, latent = np.divmod(keys, self.counting.latents)
        return lineage, latent, counts[:, 0], counts[:, 1]

    def background_shares(self, threshold_bins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share of each latent's firings (latents,) that lies on background; NaN where nobody looked.

        Args:
            threshold_bins: (latents,) the lowest bin in which each fires.
        """
        keys, counts = self.ground_counts.items()
        latent, peak = np.divmod(keys, BINS)
        fires = peak >= threshold_bins[latent]
        latent, counts = latent[fires], counts[fires]
        patches = np.bincount(latent, counts[:, 0], self.counting.latents)
        units = np.bincount(latent, counts[:, 1], self.counting.latents)
        with np.errstate(invalid="ignore"):
            return np.asarray(1 - units / (patches * FOREGROUND_UNITS))

    def top(self, latent: int) -> list[Top]:
        """The strongest images of a latent, strongest first."""
        return self.tops.of(latent)

    def place_of(self, lineage: Lineage) -> int:
        """Where a lineage stands in :attr:`lineages`; it is put there if it is new."""
        if lineage not in self._place:
            self._place[lineage] = len(self.lineages)
            self.lineages.append(lineage)
            self._specimens.append([0, 0])
        return self._place[lineage]

    def restore(self, images: int, fingerprint: int, specimens: NDArray[np.int64]) -> None:
        """Set the plain numbers of an empty pass to those that were saved; the tallies are added to."""
        self.images, self.fingerprint = images, fingerprint
        self._specimens = [[int(n) for n in row] for row in specimens]

    def _count_images(self, lineage: int, part: int, latents: NDArray[np.int64], peaks: NDArray[np.float32]) -> None:
        keys = (lineage * 2 + part) * self.counting.latents + latents
        self.peak_counts.add(keys * BINS + bins_of(peaks), np.ones(len(keys), np.int64))
        above = keys[peaks > self.counting.absolute.above]
        self.absolute_counts.add(above, np.ones(len(above), np.int64))

    def _split(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        rest, latent = np.divmod(keys, self.counting.latents)
        return rest // 2, rest % 2, latent

    def _by_lineage(self, other: Prevalence) -> list[tuple[Tally, Tally, int]]:
        """Tallies whose keys begin with a lineage, mine and the other's, and what is below it in a key."""
        latents = self.counting.latents
        return [
            (self.peak_counts, other.peak_counts, 2 * latents * BINS),
            (self.absolute_counts, other.absolute_counts, 2 * latents),
            (self.patch_counts, other.patch_counts, latents),
        ]

    def _check(self, specimen: Specimen, codes: Codes, patches: int, foreground: NDArray[np.floating] | None) -> None:
        if foreground is not None and foreground.shape != (patches,):
            raise InputError(f"foreground of {foreground.shape} for {patches} patches", where=specimen.source)
        if not len(codes.rows):
            return
        if codes.rows.min() < 0 or codes.rows.max() >= patches:
            raise InputError(f"its codes are not of an image with {patches} patches", where=specimen.source)
        if codes.latents.min() < 0 or codes.latents.max() >= self.counting.latents:
            raise InputError(
                f"its codes name a latent beyond the autoencoder's {self.counting.latents}",
                where=specimen.source,
                mend="Encode it again with the autoencoder whose latents are counted",
            )
        if not (np.isfinite(codes.values).all() and (codes.values > 0).all()):
            raise InputError(
                "its codes hold a number that is not finite and positive",
                where=specimen.source,
                mend="Look at the autoencoder's training curves: it has diverged, or its file is damaged",
            )


def lineage_of(taxon: Taxon) -> Lineage:
    """The name at each rank; a genus nobody wrote is the first word of the species."""
    names = {rank: taxon.at(rank) or "" for rank in RANKS}
    if not names["genus"] and " " in names["species"]:
        names["genus"] = names["species"].split()[0]
    return tuple(names[rank] for rank in RANKS)
