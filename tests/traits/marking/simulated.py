"""Collections with known answers: which latents mark which taxon is decided here, not found."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes
from pipelines.traits.marking import Counting, Prevalence
from pipelines.traits.specimens import Specimen, Taxon


def specimen(name: str, **terms: str) -> Specimen:
    """A specimen of a species ("Apis mellifera/7": the seventh), with its genus; of an order if there is no blank."""
    taxon, _, _ = name.partition("/")
    names = {"genus": taxon.split()[0], "species": taxon} if " " in taxon else {"order": taxon}
    return Specimen(hashlib.sha256(name.encode()).hexdigest()[:32], name, Taxon(names), 100, 100, terms=terms)


def dense_codes(values: NDArray[np.float32]) -> Codes:
    """Codes of a (patches, latents) array."""
    rows, latents = np.nonzero(values > 0)
    return Codes(rows, latents, values[rows, latents].astype(np.float32))


def counted(specimens: Sequence[Specimen], peaks: NDArray[np.float32], **settings: float) -> Prevalence:
    """A pass over images of one patch whose activations are ``peaks`` (images, latents)."""
    prevalence = Prevalence(Counting(latents=peaks.shape[1], **settings))  # type: ignore[arg-type]
    for one, row in zip(specimens, peaks, strict=True):
        prevalence.add(one, dense_codes(row[None]), 1)
    return prevalence


def noise(rng: np.random.Generator, images: int, latents: int) -> NDArray[np.float32]:
    """Peaks of latents that know nothing of taxa: each with its own share of images and its own scale."""
    share = rng.uniform(0.02, 0.9, latents)
    scale = 10 ** rng.uniform(-1, 1, latents)
    fires = rng.random((images, latents)) < share
    return (fires * scale * rng.gamma(4, 0.25, (images, latents))).astype(np.float32)


def several(species: Sequence[str], each: int) -> list[Specimen]:
    """``each`` specimens of each species, species after species."""
    return [specimen(f"{name}/{number}") for name in species for number in range(each)]
