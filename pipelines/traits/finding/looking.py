"""Regions in every image, and pictures of the strongest: what the gallery shows is cut out here, image by image.

``regions-000000.jsonl`` and so on hold one region a line, 64 images a file: the image, the latent, the taxa of the
image that the latent speaks for, the strongest activation, the share of the firing patches that is organism, the box
in pixels and, as Audiovisual Core has it, in fractions of the original image, and the outlines: for each area its ring,
then its holes. ``looks/000123.json`` holds what there is to see of latent 123.
"""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes
from pipelines.traits.finding.looks import Wanted, cut_look, look_path
from pipelines.traits.finding.progress import Event
from pipelines.traits.finding.stored_codes import write_bytes
from pipelines.traits.finding.taxa import MOST_OF_TAXON, Chosen, chosen_of, latents_of
from pipelines.traits.marking.prevalence import lineage_of
from pipelines.traits.regions import region
from pipelines.traits.specimens import RANKS

if TYPE_CHECKING:
    from pipelines.traits.finding.stages import Work

SHARD_IMAGES = 64
SHOTS, SHOTS_OF_TAXON = 6, 4
"""Pictures of a latent over all images, and in each taxon for which it speaks."""


def settings(work: Work) -> dict[str, Any]:
    """What the regions depend on beside the marks and the codes."""
    return {"latents_of_a_taxon": MOST_OF_TAXON, "pictures": SHOTS, "pictures_of_a_taxon": SHOTS_OF_TAXON}


def find_regions(work: Work, folder: Path) -> dict[str, Any]:
    """Write the regions of every image, then what there is to see of each latent; what is there already stays."""
    chosen = chosen_of(work.findings)
    latents = latents_of(chosen, work.findings)
    total = len(work.specimens)
    of_taxon: dict[tuple[str, str], list[Chosen]] = defaultdict(list)
    for one in chosen:
        of_taxon[one.rank, one.taxon].append(one)
    for start in range(0, total, SHARD_IMAGES):
        path = folder / f"regions-{start // SHARD_IMAGES:06d}.jsonl"
        stop = min(start + SHARD_IMAGES, total)
        if not path.exists():
            lines = [line for place in range(start, stop) for line in _regions_of(work, place, of_taxon)]
            write_bytes(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())
        work.report(Event("regions", "going on", stop, total + len(latents)))
    (folder / "looks").mkdir(exist_ok=True)
    strongest, regions = _strongest(folder)
    thresholds = {one.latent: one.threshold for one in chosen}  # a latent has the same one for all its taxa
    for number, latent in enumerate(latents, start=1):
        path = look_path(folder, latent)
        if not path.exists():
            write_bytes(path, cut_look(work, _wanted(work, latent, thresholds[latent], strongest)))
        work.report(Event("regions", "going on", total + number, total + len(latents), "pictures"))
    return {"regions": regions, "latents": len(latents)}


def _regions_of(
    work: Work, place: int, of_taxon: Mapping[tuple[str, str], Sequence[Chosen]]
) -> Iterator[dict[str, Any]]:
    """The regions of one image: of each latent that speaks for a taxon of it and fires in it."""
    specimen = work.specimens[place]
    speaking: dict[int, list[Chosen]] = defaultdict(list)
    for key in zip(RANKS, lineage_of(specimen.taxon), strict=True):
        for one in of_taxon.get(key, ()):
            speaking[one.latent].append(one)
    codes, shares = work.codes.on_organism(place), work.codes.foreground(place)
    for latent in sorted(speaking):
        line = _line(work, place, codes, shares, speaking[latent])
        if line is not None:
            yield line


def _line(
    work: Work, place: int, codes: Codes, shares: NDArray[np.float32], speaking: Sequence[Chosen]
) -> dict[str, Any] | None:
    specimen, latent = work.specimens[place], speaking[0].latent
    shape = (specimen.height, specimen.width)
    found = region(codes, latent, work.activations.grids[place], shape, threshold=speaking[0].threshold)
    if found.box is None:
        return None
    return {
        "image": specimen.id,
        "place": place,
        "source": specimen.source,
        "latent": latent,
        "taxa": [[one.rank, one.taxon] for one in speaking],
        "activation": found.score,
        "foreground": round(float(shares[found.firing.reshape(-1)].mean()), 4),
        "box": [round(edge, 2) for edge in found.box],
        **{term: round(fraction, 6) for term, fraction in found.fractions.items()},
        "polygons": [[_rounded(ring) for ring in (polygon.outer, *polygon.holes)] for polygon in found.polygons],
        "licence": specimen.licence,
    }


def _rounded(ring: Sequence[tuple[float, float]]) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in ring]


def read_regions(folder: Path) -> Iterator[dict[str, Any]]:
    """Every region of a job, image by image."""
    for path in sorted(folder.glob("regions-*.jsonl")):
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def _strongest(folder: Path) -> tuple[Mapping[tuple[int, str], list[int]], int]:
    """Places of the images with the strongest regions of each latent in each taxon, and the number of regions."""
    heaps: dict[tuple[int, str], list[tuple[float, int]]] = defaultdict(list)
    count = 0
    for line in read_regions(folder):
        count += 1
        for rank, taxon in line["taxa"]:
            heap = heaps[line["latent"], f"{rank}:{taxon}"]
            heapq.heappush(heap, (line["activation"], -line["place"]))
            if len(heap) > SHOTS_OF_TAXON:
                heapq.heappop(heap)
    return {key: [-place for _, place in sorted(heap, reverse=True)] for key, heap in heaps.items()}, count


def _wanted(work: Work, latent: int, threshold: float, strongest: Mapping[tuple[int, str], list[int]]) -> Wanted:
    of_taxa = {taxon: places for (one, taxon), places in strongest.items() if one == latent}
    overall = work.places_of(top.specimen for top in work.prevalence.top(latent)[:SHOTS])
    return Wanted(latent, threshold, overall, dict(sorted(of_taxa.items())))
