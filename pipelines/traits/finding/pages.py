"""The gallery of a job, and its summary: everything is read from the stages before, no image is opened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.traits.finding.learning import read_metrics
from pipelines.traits.finding.looks import read_look
from pipelines.traits.finding.marks import MAP
from pipelines.traits.finding.progress import counted
from pipelines.traits.finding.stage import read_record
from pipelines.traits.finding.summary import SUMMARY, Line
from pipelines.traits.finding.taxa import chosen_of, latents_of, taxa_of
from pipelines.traits.gallery import Curve, Overview, Point, Taxon, write_gallery
from robots.execution.home import write_json

if TYPE_CHECKING:
    from pipelines.traits.finding.stages import Work

_WEAK = (
    "Made with the embedded backbone, which needs no weights and knows parts by their looks only. The latent that fits "
    "a part best reaches an average precision of 0.19 on drawn organisms and 0.31 on pictures of flies (latents at "
    "random: 0.10 and 0.25), mean over parts. With the foundation model DINOv3, 0.61 was published for fish "
    "(arXiv 2511.17735): other pictures, so no measured ratio, but the size of what is missing. Give --backbone a "
    "checkpoint of DINOv2, DINOv3 or BioCLIP 2 for more, and more exact, marks."
)
"""Figures of ``benchmarks/traits.py`` with the defaults, in docs/benchmarks.md."""


def settings(work: Work) -> dict[str, Any]:
    """What the pages depend on beside what they show."""
    return {"labwright": version("labwright"), "title": work.images.name}


def write_pages(work: Work, folder: Path) -> dict[str, Any]:
    """Write the gallery and the summary."""
    taxa = taxa_of(work.findings, work.prevalence, work.out / "marking")
    latents = latents_of(chosen_of(work.findings), work.findings)
    notes = _notes(work)
    overview = Overview(
        title=work.images.name,
        images=len(work.specimens),
        notes=notes,
        cards=_cards(work),
        quarantined=[(item.source, item.reason.value, item.detail) for item in work.scan.quarantined],
        licences=dict(Counter(specimen.licence for specimen in work.specimens).most_common()),
        facts=_facts(work),
        curves=list(_curves(work.out / "sae")),
        points=list(_points(work)),
        map_words=_map_words(work),
        version=version("labwright"),
    )
    write_gallery(
        folder,
        overview,
        taxa,
        latents,
        lambda latent: read_look(work.out / "regions", latent),
        progress=counted(work.report, "gallery"),
    )
    lines = [asdict(_line(taxon)) for taxon in taxa]
    regions = (read_record(work.out / "regions") or {})["found"]["regions"]
    write_json(
        folder / SUMMARY,
        {
            "images": len(work.specimens),
            "taxa": _named(work),
            "quarantined": len(work.scan.quarantined),
            "reasons": work.scan.reasons(),
            "notes": notes,
            "heading": _heading(work),
            "lines": lines,
            "regions": regions,
        },
    )
    return {"taxa": len(taxa), "latents": len(latents), "marks": len(work.findings.marks)}


def _line(taxon: Taxon) -> Line:
    first = taxon.evidence[0]
    marking = sum(line.standing == "marked" for line in taxon.evidence)
    return Line(
        taxon.name, taxon.rank, taxon.specimens, marking, first.latent, round(first.effect, 6), first.q, first.standing
    )


def _heading(work: Work) -> str:
    marks = work.findings.marks
    if not marks:
        return "Latents that stand out most in each taxon: candidates, not evidence"
    taxa, latents = len({(mark.rank, mark.taxon) for mark in marks}), len({mark.latent for mark in marks})
    return f"{latents:,} latents mark {taxa:,} taxa:"


def _notes(work: Work) -> list[str]:
    """What a reader must know before reading on."""
    found = work.findings
    notes = []
    if not found.tests:
        notes.append(
            "Nothing could be tested: "
            + _few(work)
            + ". Shown is what stands out most in each taxon: candidates to look at, and no evidence that they mark it."
        )
    elif not found.marks:
        notes.append(
            f"Of {found.tests:,} tests none passed with at most 5 % of false findings: no latent marks a taxon."
        )
    if found.tests and found.untestable:
        notes.append(
            f"{len(found.untestable):,} taxa have too few specimens to test; what stands out in them is shown as such."
        )
    if found.on_background:
        notes.append(
            f"{found.on_background:,} times a latent was left out of a taxon because it fires on background or labels."
        )
    if work.scan.alike:
        notes.append(f"{len(work.scan.alike):,} pairs of images look alike and bear different names: see DIR/scan.")
    if (work.settings.backbone or "embedded") == "embedded":
        notes.append(_WEAK)
    return notes


def _few(work: Work) -> str:
    sizes = {taxon.specimens for taxon in work.findings.untestable}
    if not work.findings.untestable:
        of_rank = f"the rank {work.settings.rank}" if work.settings.rank else "taxa"
        return f"the images bear no names of {of_rank}, or all the same"
    if sizes == {1} or max(sizes, default=0) <= 1:
        return "there is one specimen of each taxon"
    return "no taxon has enough specimens, with enough of others beside it"


def _cards(work: Work) -> list[tuple[str, str]]:
    marks = work.findings.marks
    cards = [
        (f"{len(work.specimens):,}", "images"),
        (f"{_named(work):,}", "taxa"),
        (f"{len({mark.latent for mark in marks}):,}", "latents that mark a taxon"),
        (f"{len({(mark.rank, mark.taxon) for mark in marks}):,}", "taxa that are marked, of all ranks"),
        (f"{work.findings.tests:,}", "tests made"),
    ]
    if work.scan.quarantined:
        cards.append((f"{len(work.scan.quarantined):,}", "files quarantined"))
    return cards


def _named(work: Work) -> int:
    """How many different names of taxa the images bear, each at its narrowest."""
    return len({specimen.taxon.name for specimen in work.specimens if specimen.taxon.names})


def _facts(work: Work) -> Mapping[str, Mapping[str, str]]:
    headings = {
        "scan": "Collection",
        "features": "Activations",
        "sae": "Sparse autoencoder",
        "marking": "Marks",
        "regions": "Regions",
    }
    facts: dict[str, dict[str, str]] = {}
    for stage, heading in headings.items():
        record = read_record(work.out / stage) or {}
        told = {**_flat(record.get("settings", {})), **_flat(record.get("found", {}))}
        facts[heading] = {name: value for name, value in told.items() if value}
    facts["Identities"] = {stage: found for stage, found in work.identities.items() if stage != "gallery"}
    return facts


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in values.items():
        words = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{words}: ")
        else:
            flat[words] = (
                "" if value is None else f"{value:,}" if type(value) is int and value >= 10_000 else str(value)
            )
    return flat


_CURVES = {
    "fvu": ("Unexplained variance", "share of the activations' variance that the autoencoder does not reproduce"),
    "l0": ("Active latents", "of a patch, on average"),
    "dead_fraction": ("Dead latents", "share that has not fired for long"),
    "dense_fraction": ("Dense latents", "share that fires in more than a tenth of all patches"),
    "loss": ("Loss", "what the training makes smaller"),
}


def _curves(folder: Path) -> Iterator[Curve]:
    lines = read_metrics(folder)
    for name, (title, meaning) in _CURVES.items():
        told = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
        if told:
            steps, values = zip(*told, strict=True)
            yield Curve(title, meaning, steps, values)


def _points(work: Work) -> Iterator[Point]:
    found = json.loads((work.out / "marking" / MAP).read_text(encoding="utf-8"))
    for image, (x, y) in zip(found["images"], found["places"], strict=True):
        specimen = work.specimens[image]
        yield Point(x, y, _group(specimen.taxon.names), f"{specimen.taxon.name}: {specimen.source}")


def _group(names: Mapping[str, str]) -> str:
    """The taxon by which an image is coloured: wide enough that there are few."""
    return next((names[rank] for rank in ("order", "family", "genus", "species") if rank in names), "unknown")


def _map_words(work: Work) -> str:
    found = json.loads((work.out / "marking" / MAP).read_text(encoding="utf-8"))
    part = f" {len(found['images']):,} of {len(work.specimens):,} images are drawn."
    share = f" They hold {100 * sum(found['explained']):.0f} % of the variance." if found["explained"] else ""
    return (
        "Images whose latents fire alike lie together. Axes are the first two principal components of each image's "
        f"strongest activations.{share}{part if len(found['images']) < len(work.specimens) else ''}"
    )
