"""The published rule, as it was published: to measure against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pipelines.traits.marking.marks import PUBLISHED, Counts, Mark
from pipelines.traits.marking.prevalence import Prevalence
from pipelines.traits.specimens import RANKS

SPECIES_RATIO = GENUS_RATIO = 3e-3
"""What both shares of firings must exceed: arXiv 2604.01619 and its code."""

_SPECIES, _GENUS = RANKS.index("species"), RANKS.index("genus")


def published_rule(
    prevalence: Prevalence, *, species_ratio: float = SPECIES_RATIO, genus_ratio: float = GENUS_RATIO
) -> list[Mark]:
    """Latents of each species by the published rule, over all specimens, held out or not.

    A latent's firing patches (above the counted absolute threshold, 0.9 as published) in a species are divided by
    the firings of all latents in that species, and the same for its genus. A latent is kept where the species' share is
    above ``species_ratio``, the genus' above ``genus_ratio``, and the species' above the genus'. So patches count, not
    specimens; there is no test and no least number of specimens; a genus with one species here keeps nothing, its two
    shares being the same number.

    Returns:
        Marks by species, then by the species' share; ``effect`` is the difference of the two shares, ``score`` the
        species' share.
    """
    lineage, latent, fired, _ = prevalence.patches()
    shape = (len(prevalence.lineages), prevalence.counting.latents)
    patches = csr_array((fired, (lineage, latent)), shape=shape)
    species = np.array([line[_SPECIES] for line in prevalence.lineages])
    genera = np.array([line[_GENUS] for line in prevalence.lineages])
    counted = _Counted(prevalence)
    marks: list[Mark] = []
    for name in np.unique(species[species != ""]):
        here = np.flatnonzero(species == name)
        kin = np.flatnonzero(genera == genera[here[0]]) if genera[here[0]] else here
        ours, theirs = (np.asarray(patches[rows].sum(axis=0), np.float64) for rows in (here, kin))
        if not ours.any():
            continue
        ours, theirs = ours / ours.sum(), theirs / theirs.sum()
        kept = np.flatnonzero((ours > species_ratio) & (theirs > genus_ratio) & (ours > theirs))
        ranked = kept[np.argsort(-ours[kept], kind="stable")]
        seen = counted.seen(here, ranked)
        marks += [
            Mark(
                latent=int(one),
                rank="species",
                taxon=str(name),
                rule=PUBLISHED,
                effect=float(ours[one] - theirs[one]),
                p=None,
                q=None,
                seen=counts,
                score=float(ours[one]),
                threshold=prevalence.counting.absolute.above,
                note=f"{ours[one]:.2%} of the firings in the species, {theirs[one]:.2%} of those in its genus",
            )
            for one, counts in zip(ranked, seen, strict=True)
        ]
    return marks


class _Counted:
    """In how many specimens a latent fires: told beside the rule, which does not look at it."""

    def __init__(self, prevalence: Prevalence) -> None:
        shape = (len(prevalence.lineages), prevalence.counting.latents)
        above = prevalence.above_absolute()
        self._images = csr_array((above.images, (above.lineage, above.latent)), shape=shape)
        self._all = np.asarray(self._images.sum(axis=0))
        self._sizes = prevalence.specimens.sum(axis=1)

    def seen(self, here: NDArray[np.intp], latents: NDArray[np.intp]) -> list[Counts]:
        """Of each latent: specimens in the lineages ``here`` and in the others."""
        firing = np.asarray(self._images[here].sum(axis=0))
        inside = int(self._sizes[here].sum())
        outside = int(self._sizes.sum()) - inside
        return [Counts(inside, int(firing[one]), outside, int(self._all[one] - firing[one])) for one in latents]
