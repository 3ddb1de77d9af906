"""Which latents mark a taxon: one pass over the codes of all images, then the tests."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter
from scipy.linalg import eigh
from scipy.sparse import csr_array

from pipelines.traits.codes import Codes
from pipelines.traits.finding.progress import counted
from pipelines.traits.marking import (
    Absolute,
    Counting,
    Findings,
    FractionOfPeak,
    Marking,
    Prevalence,
    find_marks,
    published_rule,
    save_prevalence,
)
from pipelines.traits.specimens import RANKS
from protocols.errors import InputError, RecordError
from robots.execution.home import write_json

if TYPE_CHECKING:
    from pipelines.traits.finding.stages import Work

PREVALENCE, FINDINGS, PUBLISHED, MAP = "prevalence.npz", "findings.json", "published.json", "map.json"
MOST_ON_MAP = 1500
"""Images on the map: of more, evenly chosen ones, so that it takes the same memory for any number of images."""
_PUBLISHED_THRESHOLD = 0.9


def settings(work: Work) -> dict[str, Any]:
    """What the marks depend on beside the codes.

    Raises:
        InputError: there is no such rank.
    """
    rank = work.settings.rank
    if rank is not None and rank not in RANKS:
        raise InputError(f"'{rank}' is no rank", where="--rank", mend=f"Choose one of {', '.join(RANKS)}")
    return {"rank": rank, "threshold": work.settings.threshold, "seed": work.settings.seed or 0}


def mark_taxa(work: Work, folder: Path) -> dict[str, Any]:
    """Count in one pass, test, and lay out the map of images."""
    prevalence, peaks = _count(work)
    found = find_marks(prevalence, _marking(work))
    published = published_rule(prevalence)
    save_prevalence(prevalence, folder / PREVALENCE)
    write_json(folder / FINDINGS, asdict(found))
    write_json(folder / PUBLISHED, {"marks": [[mark.taxon, mark.latent] for mark in published]})
    write_json(folder / MAP, _map(peaks, work.sae.latents))
    return {
        "marks": len(found.marks),
        "taxa": len({(mark.rank, mark.taxon) for mark in found.marks}),
        "latents": len({mark.latent for mark in found.marks}),
        "candidates": len(found.candidates),
        "untestable": len(found.untestable),
        "tests": found.tests,
        "on_background": found.on_background,
        "published": len(published),
    }


def read_findings(folder: Path) -> Findings:
    """What :func:`mark_taxa` found.

    Raises:
        RecordError: the file is damaged.
    """
    try:
        return TypeAdapter(Findings).validate_json((folder / FINDINGS).read_bytes())
    except (OSError, ValueError) as error:
        raise RecordError("cannot be read", where=str(folder / FINDINGS), mend=f"Delete {folder}") from error


def _marking(work: Work) -> Marking:
    above, rank = work.settings.threshold, work.settings.rank
    return Marking(firing=FractionOfPeak() if above is None else Absolute(above), ranks=() if rank is None else (rank,))


def _count(work: Work) -> tuple[Prevalence, dict[int, Codes]]:
    """One pass over all codes; and the peaks of the images on the map."""
    prevalence = Prevalence(
        Counting(
            latents=work.sae.latents,
            model=work.identities["codes"],
            seed=work.settings.seed or 0,
            absolute=Absolute(_PUBLISHED_THRESHOLD),
        )
    )
    told, total = counted(work.report, "marking"), len(work.specimens)
    every = -(-total // MOST_ON_MAP)
    codes = work.codes
    peaks: dict[int, Codes] = {}
    for place, specimen in enumerate(work.specimens):
        image = codes[place]
        prevalence.add(specimen, image, work.activations.grids[place].patches, codes.foreground(place))
        if place % every == 0:
            peaks[place] = peaks_of(image)
        if place % 16 == 0 or place + 1 == total:
            told(place + 1, total)
    return prevalence, peaks


def peaks_of(codes: Codes) -> Codes:
    """The strongest activation of each latent in one image, each with the first patch that has it."""
    order = np.lexsort((codes.rows, -codes.values, codes.latents))
    latents = codes.latents[order]
    first = np.flatnonzero(np.r_[True, latents[1:] != latents[:-1]]) if len(latents) else order
    return Codes(codes.rows[order][first], latents[first], codes.values[order][first])


def _map(peaks: dict[int, Codes], latents: int) -> dict[str, Any]:
    """Images by the first two principal components of their peaks, each image's scaled to length 1.

    Through the images' inner products, so that no matrix of images by latents is ever dense.
    """
    codes = list(peaks.values())
    rows = np.repeat(np.arange(len(codes)), [len(image.latents) for image in codes])
    columns = np.concatenate([image.latents for image in codes])
    values = np.concatenate([image.values for image in codes]).astype(np.float64)
    table = csr_array((values, (rows, columns)), shape=(len(codes), latents))
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).reshape(-1))
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    products = (table @ table.T).toarray() * scale[:, None] * scale[None, :]
    centred = products - products.mean(0)[None] - products.mean(1)[:, None] + products.mean()
    if len(codes) < 3:
        return {"images": list(peaks), "places": [[float(place), 0.0] for place in range(len(codes))], "explained": []}
    share, axes = eigh(centred, subset_by_index=[len(codes) - 2, len(codes) - 1])
    share, axes = np.maximum(share[::-1], 0), axes[:, ::-1]
    strongest = np.abs(axes).argmax(0)
    axes = axes * np.where(axes[strongest, [0, 1]] < 0, -1, 1)
    total = max(float(np.trace(centred)), 1e-12)
    places = np.round(axes * np.sqrt(share), 5) + 0.0
    return {"images": list(peaks), "places": places.tolist(), "explained": np.round(share / total, 4).tolist()}
