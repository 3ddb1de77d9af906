"""The stages of the job: what each depends on, and where its work is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.traits.collections import Scan, load_scan
from pipelines.traits.features import Activations, Backbone, load_backbone
from pipelines.traits.finding.growing import ImagesGone, drop_partial, keep_order
from pipelines.traits.finding.progress import Report
from pipelines.traits.finding.settings import Settings
from pipelines.traits.finding.stage import Step, Steps
from pipelines.traits.finding.stored_codes import StoredCodes
from pipelines.traits.gallery import Evidence
from pipelines.traits.marking import Findings, Prevalence, load_prevalence
from pipelines.traits.sae import Sae, load_sae
from pipelines.traits.specimens import Specimen

SOURCES: Mapping[str, tuple[str, ...]] = {
    "scan": (),
    "features": ("scan",),
    "sae": ("features",),
    "codes": ("scan", "features", "sae"),
    "marking": ("scan", "codes"),
    "regions": ("scan", "features", "codes", "marking"),
    "gallery": ("scan", "sae", "marking", "regions"),
}
"""What each stage reads."""
_ID = "S16"


@dataclass
class Work:
    """One job at work: where it is, what was asked, and what its whole stages hold.

    Every stage's result is read from its folder, never handed on in memory, so that a job that was interrupted goes the
    same way as one that was not.

    Attributes:
        images: the collection.
        out: the job's folder.
        grown: of a collection that grew, how many ``images`` there were, with which settings their ``features`` were
            made, and what the ``sae`` was made from.
    """

    images: Path
    out: Path
    settings: Settings
    device: str
    workers: int
    report: Report
    grown: Mapping[str, Any] | None = None

    def do(self, name: str) -> None:
        """Do a stage, or go on with it, unless it is whole; the stages it reads must be whole.

        Raises:
            RecordError: something that was written is damaged.
            InputError: the collection or a setting cannot be used.
        """
        from pipelines.traits.finding import learning, looking, marks, pages

        makers: Mapping[str, tuple[Callable[[Work], dict[str, Any]], Callable[[Work, Path], dict[str, Any]]]] = {
            "scan": (learning.scan_settings, learning.scan),
            "features": (learning.features_settings, learning.features),
            "sae": (learning.sae_settings, learning.sae),
            "codes": (learning.codes_settings, learning.codes),
            "marking": (marks.settings, marks.mark_taxa),
            "regions": (looking.settings, looking.find_regions),
            "gallery": (pages.settings, pages.write_pages),
        }
        settings, make = makers[name]
        step = Step(name, SOURCES[name], partial(settings, self), partial(make, self))
        self.steps.do(self._grown(step))

    def _grown(self, step: Step) -> Step:
        """A stage of a collection that grew: full files stay, and so does the autoencoder."""
        from pipelines.traits.finding.learning import SHARD_IMAGES, features_settings
        from pipelines.traits.finding.stored_codes import SHARD_IMAGES as CODES_IMAGES

        grown = self.grown
        if grown is None or grown["features"] != features_settings(self):
            return step
        full = {"features": SHARD_IMAGES, "codes": CODES_IMAGES}
        if step.name in full:
            salvage = partial(drop_partial, images=grown["images"], shard_images=full[step.name])
            return replace(step, salvage=salvage)
        if step.name == "sae" and grown["sae"] is not None:
            kept = replace(step, made_from=grown["sae"])
            return kept if self.steps.stage(kept).state() == "whole" else step
        return step

    @cached_property
    def steps(self) -> Steps:
        """The stages in the job's folder."""
        return Steps(self.out, self.report)

    @property
    def identities(self) -> dict[str, str]:
        """Of the stages that are whole, so far."""
        return self.steps.identities

    # -- what whole stages hold ------------------------------------------------------------------------

    @cached_property
    def scan(self) -> Scan:
        """The images and what is known of them."""
        return load_scan(self.out / "scan")

    @cached_property
    def backbone(self) -> Backbone:
        """The vision model."""
        name = self.settings.backbone or "embedded"
        return load_backbone(name, device=self.device, dtype=self.precision, layer=self.settings.layer)

    @property
    def precision(self) -> torch.dtype:
        """Of the backbone's arithmetic."""
        return torch.bfloat16 if self.device.startswith("cuda") else torch.float32

    @cached_property
    def activations(self) -> Activations:
        """Of every patch of every image."""
        return Activations.open(self.out / "features")

    @cached_property
    def given_sae(self) -> Sae:
        """The autoencoder that was named instead of training one."""
        return load_sae(Path(self.settings.sae or ""))

    @cached_property
    def sae(self) -> Sae:
        """The sparse autoencoder."""
        return load_sae(self.out / "sae")

    @cached_property
    def codes(self) -> StoredCodes:
        """Sparse codes of every image."""
        return StoredCodes(self.out / "codes", len(self.scan.specimens))

    @cached_property
    def prevalence(self) -> Prevalence:
        """How often each latent fires in each taxon."""
        from pipelines.traits.finding.marks import PREVALENCE

        return load_prevalence(self.out / "marking" / PREVALENCE)

    @cached_property
    def findings(self) -> Findings:
        """The latents that mark a taxon."""
        from pipelines.traits.finding.marks import read_findings

        return read_findings(self.out / "marking")

    @cached_property
    def evidence(self) -> dict[int, list[Evidence]]:
        """Of each latent that speaks for a taxon."""
        from pipelines.traits.finding.looks import evidence_by_latent

        return evidence_by_latent(self)

    def places_of(self, ids: Iterable[str]) -> list[int]:
        """Where specimens stand, by their ids; there must be such specimens."""
        ordered, places = self._by_id
        wanted = np.array([bytes.fromhex(name) for name in ids], _ID)
        return [int(place) for place in places[np.searchsorted(ordered, wanted)]]

    @cached_property
    def _by_id(self) -> tuple[NDArray[np.bytes_], NDArray[np.int64]]:
        """All ids in their own order, 16 bytes each, and where each specimen stands."""
        ids = np.fromiter((bytes.fromhex(specimen.id) for specimen in self.specimens), _ID, len(self.specimens))
        places = np.argsort(ids)
        return ids[places], places

    def scanned_otherwise(self, grows: bool = False) -> bool:
        """Whether the collection, looked at once more, is another than the one that was scanned.

        Args:
            grows: images may be added, and those of before come first.

        Raises:
            CollectionError: it cannot be read any more.
            ImagesGone: it grows, and an image of before is not there any more.
        """
        from pipelines.traits.finding.learning import read_scan

        if grows:
            keep_order(self.out, self.specimens)
        try:
            return read_scan(self) != self.scan
        except ImagesGone:
            if grows:
                raise
            return True

    def forget_scan(self) -> None:
        """Read the scan anew when it is asked for next."""
        vars(self).pop("scan", None)

    @property
    def specimens(self) -> Sequence[Specimen]:
        """Those that can be used, in the order in which every stage counts them."""
        return self.scan.specimens

    def check(self) -> None:
        """Refuse what cannot be meant, before anything is written.

        Raises:
            InputError: a setting names what is not there.
        """
        from pipelines.traits.finding import learning, marks

        learning.scan_settings(self)
        marks.settings(self)
        learning.features_settings(self)
        learning.sae_settings(self)
