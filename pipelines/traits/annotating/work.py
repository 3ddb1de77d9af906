"""The stages after the regions: measuring them, asking a model, checking what was said, and writing the dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pipelines.traits.annotating import answering, holding, places
from pipelines.traits.annotating.asking import Questions
from pipelines.traits.annotating.checks import are_insects
from pipelines.traits.annotating.earlier import Earlier, bounds_name, forget, put_aside, write_bounds
from pipelines.traits.annotating.foreseeing import Asking
from pipelines.traits.annotating.measuring import measure_shard
from pipelines.traits.annotating.pictures import Shard, Shown, regions_by_image, sized
from pipelines.traits.annotating.progress import ANSWERS, CHECKS, DATASET, DESCRIPTIONS
from pipelines.traits.annotating.settings import CONTROLS, AnnotationSettings
from pipelines.traits.annotating.stored import (
    controls_name,
    counts_of,
    read_statements,
    statements_name,
    write_controls,
    write_statements,
)
from pipelines.traits.annotating.subjects import Arrangement, wrong_names
from pipelines.traits.collections import load_scan
from pipelines.traits.dataset import (
    DatasetSettings,
    Review,
    apply_reviews,
    bar_of,
    kept_reviews,
    read_gold,
    write_dataset,
)
from pipelines.traits.describing import MEASURED, Scale
from pipelines.traits.finding import looking
from pipelines.traits.finding.progress import Event, Report
from pipelines.traits.finding.stage import Step, Steps
from pipelines.traits.prompting import Prompt
from pipelines.traits.specimens import Specimen, Taxon
from pipelines.traits.statements import Dictionary
from pipelines.traits.vocabulary import digest
from protocols.errors import InputError
from robots.execution.home import write_json

RELEASE = "release"
"""Where in its stage the dataset is: what is published."""
DICTIONARY = "dictionary.json"
"""The dictionary that was used, as it was."""
REVIEWS = "reviews.jsonl"
"""What people decided about statements, in the job's folder; it only grows."""


@dataclass
class Annotation:
    """One job at work, from the regions on; everything is read from the stages' folders.

    Attributes:
        images: the collection.
        out: the job's folder.
        settings: how regions are described.
        workers: how many images are open at a time.
        report: told of the progress.
        endpoint: which model at which endpoint, as it is written down; empty without one.
        asking: gives who is asked; called only where something is left to ask.
    """

    images: Path
    out: Path
    settings: AnnotationSettings
    workers: int
    report: Report
    endpoint: Mapping[str, Any]
    asking: Callable[[], Asking]

    @cached_property
    def steps(self) -> Steps:
        """The stages in the job's folder."""
        return Steps(self.out, self.report)

    def do(self) -> None:
        """Do all stages, or those that are not whole.

        Raises:
            RecordError: something that was written is damaged.
            InputError: a setting or an image's own scale cannot be used.
            CollectionError: an image is not there any more.
            ModelError: the model could not be asked, or its budget is spent.
        """
        asked = (ANSWERS,) if self.settings.asks else ()
        self.steps.do(Step(DESCRIPTIONS, ("scan", "regions"), self._measuring, self._measure, salvage=put_aside))
        if asked:
            self.steps.do(_step(ANSWERS, ("scan", "regions"), self, answering.settings, answering.ask))
        sources = ("scan", "regions", DESCRIPTIONS, *asked)
        self.steps.do(_step(CHECKS, sources, self, holding.settings, holding.check))
        self.steps.do(Step(DATASET, ("scan", CHECKS), self._writing, self._write))

    # -- what is known ---------------------------------------------------------------------------------

    @cached_property
    def specimens(self) -> Sequence[Specimen]:
        """All images, read from the disk when they are asked for."""
        return load_scan(self.out / "scan").specimens

    @cached_property
    def _names(self) -> tuple[tuple[Taxon, ...], tuple[str, ...]]:
        """All different taxa, by name, and all vernacular names."""
        taxa: dict[tuple[tuple[str, str], ...], Taxon] = {}
        vernacular: set[str] = set()
        for one in self.specimens:
            taxa.setdefault(tuple(sorted(one.taxon.names.items())), one.taxon)
            vernacular.add(one.terms.get("vernacularName", ""))
        return tuple(taxa[names] for names in sorted(taxa)), tuple(sorted(vernacular - {""}))

    @property
    def taxa(self) -> tuple[Taxon, ...]:
        """All different ones, by name."""
        return self._names[0]

    @cached_property
    def insects(self) -> bool:
        """Whether the collection is of insects, as far as it says."""
        return are_insects(self.taxa)

    @cached_property
    def words(self) -> Dictionary:
        """The dictionary of characters."""
        return self.settings.words()

    @cached_property
    def prompt(self) -> Prompt:
        """How a model is asked."""
        return self.settings.prompt(self.words)

    @cached_property
    def reviews(self) -> list[Review]:
        """What people decided, oldest first."""
        return kept_reviews(self.out / REVIEWS)

    @cached_property
    def questions(self) -> Questions:
        """How a model is asked about the regions."""
        chosen = self.settings
        controls = CONTROLS if chosen.controls is None else chosen.controls
        arrangement = Arrangement(
            chosen.images_per_prompt or 1, chosen.samples or 1, controls, wrong_names(self.taxa) if controls else ()
        )
        return Questions(self.prompt, arrangement, *self._names, self.insects, str(self.endpoint["model"]))

    def shards(self) -> Iterator[Shard]:
        """The images of each file of regions, with their regions."""
        scale = self._scale
        for path in sorted((self.out / "regions").glob("regions-*.jsonl")):
            number = int(path.stem.removeprefix("regions-"))
            first = number * looking.SHARD_IMAGES
            by_id = {one.id: one for one in self.specimens[first : first + looking.SHARD_IMAGES]}
            shown = []
            for id, found in regions_by_image(path).items():
                specimen = by_id[id]
                shown.append(Shown(self.images, specimen, tuple(sized(one, specimen) for one in found), scale))
            yield Shard(number, tuple(shown))

    def left(self, folder: Path) -> Iterator[Shard]:
        """The shards that are not in a stage's folder yet."""
        return (one for one in self.shards() if not (folder / statements_name(one.number)).exists())

    def tell(self, stage: str, done: int, total: int) -> None:
        """Report progress."""
        self.report(Event(stage, "going on", done, total))

    @property
    def dictionary(self) -> dict[str, str]:
        """Which dictionary it is, for the record."""
        return {"name": self.words.name, "version": self.words.version, "sha256": digest(self.words)}

    @cached_property
    def _scale(self) -> Scale | None:
        return self.settings.scale()

    # -- measuring -------------------------------------------------------------------------------------

    def _measuring(self) -> dict[str, Any]:
        scale = self._scale
        return {
            "describers": [asdict(MEASURED)],
            "dictionary": self.dictionary,
            "scale": None if scale is None else asdict(scale),
            "elsewhere": {
                "places": places.PLACES,
                "most_overlap": places.MOST_OVERLAP,
                "on_organism": places.ON_ORGANISM,
            },
        }

    def _measure(self, folder: Path) -> dict[str, Any]:
        write_json(folder / DICTIONARY, asdict(self.words))
        done = 0
        for shard in self.shards():
            if not (folder / statements_name(shard.number)).exists():
                earlier = Earlier(folder, shard.number)
                measured = measure_shard(shard.shown, self.words, self.workers, earlier)
                write_bounds(folder / bounds_name(shard.number), shard.shown)
                write_controls(folder / controls_name(shard.number), measured.controls)
                write_statements(folder / statements_name(shard.number), measured.statements)
            done += len(shard.shown)
            self.tell(DESCRIPTIONS, done, len(self.specimens))
        forget(folder)
        return counts_of(read_statements(folder))

    # -- dataset ---------------------------------------------------------------------------------------

    def _writing(self) -> dict[str, Any]:
        path = self.out / REVIEWS
        reviewed = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
        return asdict(self._release) | {"reviews": reviewed}

    @cached_property
    def _release(self) -> DatasetSettings:
        """How the dataset is written, with the bar that characters must reach."""
        bar = bar_of(read_gold(self.out), self.settings.gold_bar, self.words)
        return replace(self.settings.dataset(), bar=bar)

    def _write(self, folder: Path) -> dict[str, Any]:
        """Write the dataset, which is whole or not there, into a folder of its own."""
        written = write_dataset(
            self.specimens,
            apply_reviews(read_statements(self.out / CHECKS), self.reviews, self.words),
            self.words,
            self.images,
            folder / RELEASE,
            self._release,
        )
        told = asdict(written)
        return {name: told[name] for name in ("images", "statements", "left_out", "barred", "taxa", "files", "size")}


def _step(
    name: str,
    sources: tuple[str, ...],
    work: Annotation,
    settings: Callable[[Annotation], dict[str, Any]],
    make: Callable[[Annotation, Path], dict[str, Any]],
) -> Step:
    return Step(name, sources, partial(settings, work), partial(make, work))


def no_model() -> Asking:
    """Nobody is asked.

    Raises:
        InputError: always.
    """
    raise InputError(
        "a model was asked here, and none is configured",
        mend="Name it with --model, and its endpoint in LABWRIGHT_MODEL_URL or labwright.toml",
    )
