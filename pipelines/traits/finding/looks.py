"""What there is to see of one latent: its strongest images, cut small, with heat and outline; and its histogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import TypeAdapter

from pipelines.traits.codes import Codes
from pipelines.traits.collections import open_image
from pipelines.traits.finding.taxa import taxa_of
from pipelines.traits.gallery import Evidence, LatentView, Row, Shot
from pipelines.traits.gallery.pictures import close_up, heat_layer, heat_size, outline, whole_picture
from pipelines.traits.marking.firing import edges_of
from pipelines.traits.regions import Box, Region, region
from pipelines.traits.specimens import RANKS
from protocols.errors import RecordError

if TYPE_CHECKING:
    from pipelines.traits.finding.stages import Work

BINS = 16
"""Of a histogram, from nothing to the strongest activation of the latent."""
_CREDITS = ("rightsHolder", "dcterms:rightsHolder", "dcterms:creator", "xmpRights:Owner", "photoshop:Credit")
_LOOK = TypeAdapter(LatentView)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The images that are shown of a latent, by their places: over all, and in each taxon for which it speaks.

    Attributes:
        threshold: activation from which a patch fires, as in the regions.
    """

    latent: int
    threshold: float
    overall: Sequence[int]
    of_taxa: Mapping[str, Sequence[int]]


def look_path(folder: Path, latent: int) -> Path:
    """Where in the stage's folder the look of a latent is."""
    return folder / "looks" / f"{latent:06d}.json"


def read_look(folder: Path, latent: int) -> LatentView:
    """What there is to see of a latent.

    Raises:
        RecordError: the file is missing or damaged.
    """
    path = look_path(folder, latent)
    try:
        return _LOOK.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RecordError("cannot be read", where=str(path), mend=f"Delete {folder}: it is then made again") from error


def cut_look(work: Work, wanted: Wanted) -> bytes:
    """Open the images, cut the pictures, count the histogram; as JSON."""
    places = sorted({*wanted.overall, *(place for of_taxon in wanted.of_taxa.values() for place in of_taxon)})
    codes = [work.codes.on_organism(place) for place in places]
    with ThreadPoolExecutor(work.workers) as pool:
        cut = pool.map(partial(_shot, work, wanted), places, codes)
        shots = dict(zip(places, cut, strict=True))
    evidence = work.evidence.get(wanted.latent, [])
    rows, edges, images = _histogram(work, wanted.latent, evidence)
    look = LatentView(
        latent=wanted.latent,
        images=images,
        evidence=evidence,
        shots=[shots[place] for place in wanted.overall],
        of_taxa={taxon: [shots[place] for place in places] for taxon, places in wanted.of_taxa.items()},
        rows=rows,
        edges=edges,
    )
    return _LOOK.dump_json(look)


def evidence_by_latent(work: Work) -> dict[int, list[Evidence]]:
    """All evidence of each latent, what was tested first."""
    found: dict[int, list[Evidence]] = {}
    for taxon in taxa_of(work.findings, work.prevalence, work.out / "marking"):
        for line in taxon.evidence:
            found.setdefault(line.latent, []).append(line)
    return {
        latent: sorted(lines, key=lambda line: (line.standing != "marked", -line.effect, line.taxon))
        for latent, lines in found.items()
    }


def _shot(work: Work, wanted: Wanted, place: int, codes: Codes) -> Shot:
    specimen = work.specimens[place]
    image = open_image(work.images, specimen)
    found = region(codes, wanted.latent, work.activations.grids[place], image.shape[:2], threshold=wanted.threshold)
    whole = (0, 0, specimen.width, specimen.height)
    return Shot(
        id=specimen.id,
        source=specimen.source,
        taxon=specimen.taxon.name,
        licence=specimen.licence,
        credit=next((specimen.terms[term] for term in _CREDITS if specimen.terms.get(term)), ""),
        width=specimen.width,
        height=specimen.height,
        activation=found.score,
        outline=_edge(found),
        whole=whole_picture(image),
        heat=heat_layer(
            found.heat_in(whole, heat_size(specimen.height, specimen.width)), specimen.height, specimen.width
        ),
        close=close_up(image, _strongest_area(found)),
    )


def _edge(found: Region) -> str:
    """The region's outline, smooth; empty where the latent does not fire."""
    if found.box is None:
        return ""
    return outline(
        [ring for area in found.outline(found.threshold / found.score) for ring in (area.outer, *area.holes)]
    )


def _strongest_area(found: Region) -> Box:
    """The box of the area in which the latent fires most strongly; the whole image where it fires nowhere."""
    row, column = np.unravel_index(int(found.values.argmax()), found.values.shape)
    left, top, right, bottom = found.grid.box(int(row) * found.grid.columns + int(column))
    x, y = (left + right) / 2, (top + bottom) / 2
    holding = [box for box in found.boxes if box[0] <= x <= box[2] and box[1] <= y <= box[3]]
    smallest = min(holding, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]), default=None)
    return smallest or (0.0, 0.0, float(found.image_shape[1]), float(found.image_shape[0]))


def _histogram(work: Work, latent: int, evidence: Sequence[Evidence]) -> tuple[list[Row], list[float], int]:
    """Images of each taxon by their strongest activation, at the rank of the strongest evidence."""
    peaks = work.prevalence.peaks()
    here = np.flatnonzero(peaks.latent == latent)
    values = edges_of(peaks.peak[here])
    top = float(values.max(initial=0)) * 1.19 or 1.0  # a bin of peaks is a quarter of a doubling wide
    edges = np.linspace(0, top, BINS + 1)
    rank = evidence[0].rank if evidence else "species"
    column = RANKS.index(rank)
    names = [line[column] or "unknown" for line in work.prevalence.lineages]
    sizes = work.prevalence.specimens.sum(axis=1)
    speaks = {line.taxon for line in evidence if line.rank == rank}
    rows = []
    for name in sorted(set(names)):
        lineages = [number for number, other in enumerate(names) if other == name]
        of = here[np.isin(peaks.lineage[here], lineages)]
        counts, _ = np.histogram(edges_of(peaks.peak[of]), edges, weights=peaks.images[of])
        firing = int(peaks.images[of].sum())
        rows.append(Row(name, int(sizes[lineages].sum()) - firing, counts.astype(int).tolist(), name in speaks))
    rows.sort(key=lambda row: (not row.marked, -row.specimens, row.name))
    return rows[:40], edges.round(4).tolist(), int(peaks.images[here].sum())
