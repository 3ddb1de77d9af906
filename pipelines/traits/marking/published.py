"""The published rule, as it was published: to measure against."""

from __future__ import annotations

import numpy as np
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
    above = prevalence.above_absolute()
    images = csr_array((above.images, (above.lineage, above.latent)), shape=shape)
    species = np.array([line[_SPECIES] for line in prevalence.lineages])
    genera = np.array([line[_GENUS] for line in prevalence.lineages])
    sizes = prevalence.specimens.sum(axis=1)
    marks: list[Mark] = []
    for name in np.unique(species[species != ""]):
        here = np.flatnonzero(species == name)
        kin = np.flatnonzero(genera == genera[here[0]]) if genera[here[0]] else here
        ours, theirs = (np.asarray(patches[rows].sum(axis=0), np.float64) for rows in (here, kin))
        if not ours.any():
            continue
        ours, theirs = ours / ours.sum(), theirs / theirs.sum()
        kept = np.flatnonzero((ours > species_ratio) & (theirs > genus_ratio) & (ours > theirs))
        firing, all_firing = (np.asarray(images[rows].sum(axis=0)) for rows in (here, np.arange(shape[0])))
        marks += [
            Mark(
                latent=int(one),
                rank="species",
                taxon=str(name),
                rule=PUBLISHED,
                effect=float(ours[one] - theirs[one]),
                p=None,
                q=None,
                seen=Counts(
                    int(sizes[here].sum()),
                    int(firing[one]),
                    int(sizes.sum() - sizes[here].sum()),
                    int(all_firing[one] - firing[one]),
                ),
                score=float(ours[one]),
                threshold=prevalence.counting.absolute.above,
                note=f"{ours[one]:.2%} of the firings in the species, {theirs[one]:.2%} of those in its genus",
            )
            for one in kept[np.argsort(-ours[kept], kind="stable")]
        ]
    return marks
