"""The stages after the regions: describing them, checking what was said, and writing the dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from pipelines.traits.annotating import controls
from pipelines.traits.annotating.agreement import FILE, agreements, write_agreements
from pipelines.traits.annotating.pictures import Shown, each, regions_by_image, sized
from pipelines.traits.annotating.progress import CHECKS, DATASET, DESCRIPTIONS
from pipelines.traits.annotating.settings import AnnotationSettings
from pipelines.traits.annotating.stored import read_shard, read_statements, shard_name, write_statements
from pipelines.traits.collections import load_scan
from pipelines.traits.dataset import write_dataset
from pipelines.traits.describing import MEASURED, MeasuredDescriber, Scale
from pipelines.traits.finding.progress import Event, Report
from pipelines.traits.finding.stage import Stage
from pipelines.traits.specimens import RANKS, Specimen
from pipelines.traits.statements import Dictionary, Statement
from pipelines.traits.vocabulary import digest
from robots.execution.home import write_json

SOURCES: Mapping[str, tuple[str, ...]] = {
    DESCRIPTIONS: ("scan", "regions"),
    CHECKS: ("scan", DESCRIPTIONS),
    DATASET: ("scan", CHECKS),
}
"""What each stage reads."""
RELEASE = "release"
"""Where in its stage the dataset is: what is published."""
DICTIONARY = "dictionary.json"
"""The dictionary that was used, as it was."""


@dataclass
class Annotation:
    """One job at work, from the regions on; everything is read from the stages' folders.

    Attributes:
        images: the collection.
        out: the job's folder.
        workers: how many images are open at a time.
    """

    images: Path
    out: Path
    settings: AnnotationSettings
    workers: int
    report: Report
    identities: dict[str, str] = field(default_factory=dict)

    def do(self, name: str) -> None:
        """Do a stage, or go on with it, unless it is whole.

        Raises:
            RecordError: something that was written is damaged.
            InputError: a setting or an image's own scale cannot be used.
            CollectionError: an image is not there any more.
        """
        makers: Mapping[str, tuple[dict[str, Any], Callable[[Path], dict[str, Any]]]] = {
            DESCRIPTIONS: (self._description_settings(), self._describe),
            CHECKS: (_CHECK_SETTINGS, self._check),
            DATASET: (asdict(self.settings.dataset()), self._write),
        }
        wanted, make = makers[name]
        stage = Stage(self.out / name, wanted, {source: self._identity(source) for source in SOURCES[name]})
        if stage.state() == "whole":
            self.identities[name] = stage.whole()
            self.report(Event(name, "kept"))
            return
        self.report(Event(name, "begun"))
        found = make(stage.begin())
        self.identities[name] = stage.finish(found)
        self.report(Event(name, "done"))

    def _identity(self, source: str) -> str:
        if source not in self.identities:
            self.identities[source] = Stage(self.out / source, {}, {}).whole()
        return self.identities[source]

    # -- what is read ----------------------------------------------------------------------------------

    @cached_property
    def specimens(self) -> Mapping[str, Specimen]:
        """By id, in the order in which every stage counts them."""
        return {specimen.id: specimen for specimen in load_scan(self.out / "scan").specimens}

    @cached_property
    def words(self) -> Dictionary:
        """The dictionary of characters."""
        return self.settings.words()

    @cached_property
    def _describer(self) -> MeasuredDescriber:
        return MeasuredDescriber(self.words)

    @cached_property
    def _scale(self) -> Scale | None:
        return self.settings.scale()

    # -- descriptions ----------------------------------------------------------------------------------

    def _description_settings(self) -> dict[str, Any]:
        scale = self._scale
        return {
            "describers": [asdict(MEASURED)],
            "dictionary": {"name": self.words.name, "version": self.words.version, "sha256": digest(self.words)},
            "scale": None if scale is None else asdict(scale),
        }

    def _describe(self, folder: Path) -> dict[str, Any]:
        write_json(folder / DICTIONARY, asdict(self.words))
        done = 0
        for shown, path in self._shards(folder):
            if not path.exists():
                write_statements(path, (one for of_image in each(shown, self._said, self.workers) for one in of_image))
            done += len(shown)
            self.report(Event(DESCRIPTIONS, "going on", done, len(self.specimens)))
        return _counts(read_statements(folder))

    def _said(self, shown: Shown) -> list[Statement]:
        if not shown.regions:
            return []
        picture = shown.open()
        return [one for found in shown.regions for one in self._describer(picture, found.latent, found.place)]

    def _shards(self, folder: Path) -> Iterator[tuple[list[Shown], Path]]:
        """The images of each file of regions, with their regions, and the file of statements on them."""
        for number, path in enumerate(sorted((self.out / "regions").glob("regions-*.jsonl"))):
            regions = regions_by_image(path)
            shown = []
            for id, found in regions.items():
                specimen = self.specimens[id]
                placed = tuple(sized(one, specimen) for one in found)
                shown.append(Shown(self.images, specimen, placed, self._scale))
            yield shown, folder / shard_name(number)

    # -- checks ----------------------------------------------------------------------------------------

    def _check(self, folder: Path) -> dict[str, Any]:
        done = 0
        for shown, path in self._shards(folder):
            if not path.exists():
                before = read_shard(self.out / DESCRIPTIONS / path.name)
                said = {image: list(of_image) for image, of_image in groupby(before, lambda one: one.image)}

                def check(one: Shown, said: Mapping[str, list[Statement]] = said) -> list[Statement]:
                    return self._checked(one, said.get(one.specimen.id, []))

                write_statements(path, (one for of_image in each(shown, check, self.workers) for one in of_image))
            done += len(shown)
            self.report(Event(CHECKS, "going on", done, len(self.specimens)))
        found = list(agreements(self._with_taxa(folder), self.words))
        write_agreements(folder / FILE, found)
        verdicts = Counter(one.verdict for one in found)
        return _counts(read_statements(folder)) | {"agreement": dict(sorted(verdicts.items()))}

    def _with_taxa(self, folder: Path) -> Iterator[tuple[Statement, set[tuple[str, str]]]]:
        """Every statement, with the taxa for which its latent speaks and the narrowest of its specimen."""
        for shown, path in self._shards(folder):
            taxa = {
                (one.specimen.id, found.latent): {*found.taxa, *_narrowest(one.specimen)}
                for one in shown
                for found in one.regions
            }
            for statement in read_shard(path):
                yield statement, taxa[statement.image, statement.latent]

    def _checked(self, shown: Shown, said: list[Statement]) -> list[Statement]:
        if not said:
            return []
        picture = shown.open()
        blank = controls.blanked(picture)
        kept: list[Statement] = []
        for _, of_region in groupby(said, lambda one: one.latent):
            kept += controls.checked(picture, blank, list(of_region), self._describer.describe)
        return kept

    # -- dataset ---------------------------------------------------------------------------------------

    def _write(self, folder: Path) -> dict[str, Any]:
        """Write the dataset, which is whole or not there, into a folder of its own."""
        written = write_dataset(
            self.specimens.values(),
            read_statements(self.out / CHECKS),
            self.words,
            self.images,
            folder / RELEASE,
            self.settings.dataset(),
        )
        told = asdict(written)
        return {name: told[name] for name in ("images", "statements", "left_out", "taxa", "files", "size")}


_CHECK_SETTINGS = {
    "places": controls.PLACES,
    "most_overlap": controls.MOST_OVERLAP,
    "on_organism": controls.ON_ORGANISM,
    "version": 1,
}


def _narrowest(specimen: Specimen) -> list[tuple[str, str]]:
    """Rank and name of the narrowest taxon that is known; nothing where none is."""
    names = specimen.taxon.names
    return next(([(rank, names[rank])] for rank in reversed(RANKS) if rank in names), [])


def _counts(statements: Iterator[Statement]) -> dict[str, Any]:
    """How many statements there are, by what they say and by what speaks against them."""
    standings: Counter[str] = Counter()
    doubts: Counter[str] = Counter()
    for one in statements:
        standings[one.standing] += 1
        doubts.update(one.doubts)
    total = sum(standings.values())
    return {"statements": total, "standings": dict(sorted(standings.items())), "doubts": dict(sorted(doubts.items()))}
