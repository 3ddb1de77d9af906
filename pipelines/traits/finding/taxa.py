"""The findings by taxon, as the gallery and the command show them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.traits.finding.marks import PUBLISHED
from pipelines.traits.gallery import Evidence, Taxon
from pipelines.traits.marking import Counts, Findings, Mark, Prevalence
from pipelines.traits.specimens import RANKS

MOST_OF_TAXON = 8
"""Latents of a taxon for which regions are made, the strongest: some 4 of an image were annotated in what was
published."""
MOST_PAGES = 2000
"""Latents with a page; the gallery takes some 0.3 MB for each."""
MEASURE = "difference of the shares of specimens in which it fires"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The latents of which regions are made, for which taxon."""

    rank: str
    taxon: str
    latent: int
    threshold: float


def chosen_of(findings: Findings) -> list[Chosen]:
    """The strongest latents of each taxon: those that mark it, or the candidates where nothing could be tested."""
    kept: list[Chosen] = []
    for marks in _by_taxon(findings).values():
        kept += [Chosen(mark.rank, mark.taxon, mark.latent, mark.threshold) for mark in marks[:MOST_OF_TAXON]]
    return kept


def taxa_of(findings: Findings, prevalence: Prevalence, marking: Path) -> list[Taxon]:
    """Every taxon for which something speaks, from wide to narrow, with its evidence, the strongest first."""
    published = {(taxon, latent) for taxon, latent in json.loads((marking / PUBLISHED).read_text("utf-8"))["marks"]}
    specimens = _specimens(prevalence)
    return [
        Taxon(
            taxon,
            rank,
            specimens[rank, taxon],
            [_evidence(mark, (mark.taxon, mark.latent) in published) for mark in marks],
        )
        for (rank, taxon), marks in _by_taxon(findings).items()
    ]


def _by_taxon(findings: Findings) -> Mapping[tuple[str, str], Sequence[Mark]]:
    found: dict[tuple[str, str], list[Mark]] = defaultdict(list)
    for mark in (*findings.marks, *findings.candidates):
        found[mark.rank, mark.taxon].append(mark)
    order = sorted(found, key=lambda key: (not found[key][0].tested, RANKS.index(key[0]), key[1]))
    return {key: sorted(found[key], key=lambda mark: (-mark.score, mark.latent)) for key in order}


def _specimens(prevalence: Prevalence) -> Mapping[tuple[str, str], int]:
    total: dict[tuple[str, str], int] = defaultdict(int)
    for lineage, counts in zip(prevalence.lineages, prevalence.specimens.sum(axis=1).tolist(), strict=True):
        for rank, name in zip(RANKS, lineage, strict=True):
            total[rank, name] += counts
    return total


def _evidence(mark: Mark, published: bool) -> Evidence:
    return Evidence(
        latent=mark.latent,
        rank=mark.rank,
        taxon=mark.taxon,
        specimens=mark.seen.specimens,
        firing=mark.seen.firing,
        inside=mark.seen.prevalence,
        outside=mark.seen.others_prevalence,
        effect=mark.effect,
        measure=MEASURE,
        p=mark.p,
        q=mark.q,
        held_out=_in_words(mark.held_out),
        standing="marked" if mark.tested else "not tested",
        published=published,
    )


def _in_words(counts: Counts | None) -> str:
    if counts is None:
        return ""
    return f"{counts.firing} of {counts.specimens}, others {100 * counts.others_prevalence:.0f} %"


def latents_of(chosen: Iterable[Chosen], findings: Findings) -> list[int]:
    """The latents that have a page, the strongest first; those that passed a test before the others.

    At most :data:`MOST_PAGES`, so that the gallery stays of a size that can be looked at.
    """
    best: dict[int, tuple[bool, float]] = {}
    for mark in (*findings.marks, *findings.candidates):
        best[mark.latent] = min(best.get(mark.latent, (True, 0.0)), (not mark.tested, -mark.score))
    return sorted({one.latent for one in chosen}, key=lambda latent: (best[latent], latent))[:MOST_PAGES]
