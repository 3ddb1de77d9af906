"""The stages after the regions: measuring them, asking a model, checking what was said, and writing the dataset."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import rfc8785

from agents.models import BudgetSpent, Model
from pipelines.traits.annotating import places
from pipelines.traits.annotating.asking import Questions, describe_shards
from pipelines.traits.annotating.checks import (
    BAR,
    Counted,
    Held,
    Rules,
    Said,
    are_insects,
    decisions_of,
    figures,
    hold,
    hold_together,
    leak_of,
)
from pipelines.traits.annotating.earlier import Earlier, bounds_name, forget, put_aside, write_bounds
from pipelines.traits.annotating.foreseeing import Asking, answer_in_batches, foresee
from pipelines.traits.annotating.measuring import measure_shard
from pipelines.traits.annotating.pictures import Shard, Shown, regions_by_image, sized
from pipelines.traits.annotating.progress import ANSWERS, CHECKS, DATASET, DESCRIPTIONS
from pipelines.traits.annotating.settings import CONTROLS, AnnotationSettings
from pipelines.traits.annotating.stored import (
    AGREEMENT,
    controls_name,
    read_statements,
    statements_name,
    write_agreements,
    write_controls,
    write_statements,
)
from pipelines.traits.annotating.subjects import Arrangement, wrong_names
from pipelines.traits.checking import NO_ANSWER, Leak, Tallying, kind_of, shipped_key
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
from pipelines.traits.statements import Dictionary, Statement
from pipelines.traits.vocabulary import digest
from protocols.errors import ApprovalError, InputError
from robots.execution.home import write_json

RELEASE = "release"
"""Where in its stage the dataset is: what is published."""
DICTIONARY = "dictionary.json"
"""The dictionary that was used, as it was."""
REVIEWS = "reviews.jsonl"
"""What people decided about statements, in the job's folder; it only grows."""
TRANSCRIPTS = "transcripts"
CALLS = "calls.sqlite"
"""Every call to a model, in the job's folder under :data:`TRANSCRIPTS`."""


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
        asked = (ANSWERS,) if self.settings.model else ()
        self.steps.do(Step(DESCRIPTIONS, ("scan", "regions"), self._measuring, self._measure, salvage=put_aside))
        if asked:
            self.steps.do(Step(ANSWERS, ("scan", "regions"), self._asking, self._ask))
        self.steps.do(Step(CHECKS, ("scan", "regions", DESCRIPTIONS, *asked), self._checking, self._check))
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

    @cached_property
    def _scale(self) -> Scale | None:
        return self.settings.scale()

    # -- measuring -------------------------------------------------------------------------------------

    def _measuring(self) -> dict[str, Any]:
        scale = self._scale
        return {
            "describers": [asdict(MEASURED)],
            "dictionary": _named(self.words),
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
            self._tell(DESCRIPTIONS, done, len(self.specimens))
        forget(folder)
        return counts_of(read_statements(folder))

    # -- asking a model --------------------------------------------------------------------------------

    def _asking(self) -> dict[str, Any]:
        arrangement = self.questions.arrangement
        return {
            "endpoint": dict(self.endpoint),
            "dictionary": _named(self.words),
            "prompt": self.prompt.version,
            "look": self.settings.look or "overlay",
            "max_tokens": self.prompt.max_tokens,
            "images_per_prompt": arrangement.together,
            "samples": arrangement.samples,
            "controls": arrangement.controls,
            "insects": self.insects,
        }

    def _ask(self, folder: Path) -> dict[str, Any]:
        if next(self._left(folder), None) is not None:
            try:
                self._ask_about(folder)
            except BudgetSpent as error:
                mend = "Give the same command with more --budget: it goes on from there, and asks nothing twice"
                raise BudgetSpent(error.what, where=error.where, mend=mend, call=error.call) from None
        return counts_of(read_statements(folder)) | {"unanswered": _unanswered(read_statements(folder))}

    def _left(self, folder: Path) -> Iterator[Shard]:
        """The shards that are not in a stage's folder yet."""
        return (one for one in self.shards() if not (folder / statements_name(one.number)).exists())

    def _ask_about(self, folder: Path) -> None:
        asking = self.asking()
        transcripts = self.out / TRANSCRIPTS
        transcripts.mkdir(exist_ok=True)
        with Model(asking.config, cache=asking.cache, transcript=transcripts / CALLS) as model:
            foreseen = foresee(model, self._left(folder), self.questions, batch=asking.batch)
            if foreseen.to_ask and not asking.consent(foreseen):
                raise ApprovalError(
                    "the model was not asked",
                    where=str(self.out),
                    mend="Give the command again, or leave --model out: what was measured is kept",
                )
            total = foreseen.estimate.requests

            def told(done: int) -> None:
                self._tell(ANSWERS, done, total)

            if asking.batch and foreseen.to_ask:
                answer_in_batches(
                    model,
                    lambda: self._left(folder),
                    self.questions,
                    poll=asking.poll,
                    told=lambda waiting: told(max(total - waiting, 0)),
                )
            for answered in describe_shards(model, self._left(folder), self.questions, workers=self.workers, told=told):
                write_controls(folder / controls_name(answered.shard.number), answered.controls)
                write_statements(folder / statements_name(answered.shard.number), answered.statements)

    # -- checks ----------------------------------------------------------------------------------------

    def _checking(self) -> dict[str, Any]:
        key = shipped_key()
        reviewed = sorted(decisions_of(self.reviews).items())
        return {
            "dictionary": _named(self.words),
            "key": {"name": key.name, "version": key.version},
            "insects": self.insects,
            "bar": BAR,
            "decisions": hashlib.sha256(rfc8785.dumps(reviewed)).hexdigest() if reviewed else None,
            "version": 2,
        }

    def _check(self, folder: Path) -> dict[str, Any]:
        rules = Rules(self.words, self.insects, decisions_of(self.reviews))
        counted = Counted(Tallying(dictionary=self.words))
        total, done = 2 * len(self.specimens), 0
        for _, held in self._held(rules):
            counted.add(held, rules.decisions)
            done += len(held.taxa)
            self._tell(CHECKS, done, total)
        calibrations = counted.calibrations(rules.decisions)
        for shard, held in self._held(rules, without=folder):
            write_statements(folder / statements_name(shard.number), hold_together(held, counted, calibrations))
            self._tell(CHECKS, min(done + 64 * (shard.number + 1), total), total)
        tallies = list(counted.tallying.tallies())
        write_agreements(folder / AGREEMENT, tallies)
        found = counts_of(read_statements(folder))
        found["agreement"] = dict(sorted(Counter(one.verdict for one in tallies).items()))
        if self.settings.model:
            found["model"] = figures(counted, self._leak(counted), calibrations)
        return found

    def _held(self, rules: Rules, without: Path | None = None) -> Iterator[tuple[Shard, Held]]:
        """Every shard after the checks by itself; ``without`` those whose file is in a folder already."""
        names_in = self.questions.guard().names_in if self.settings.model else None
        for shard in self.shards() if without is None else self._left(without):
            measured = Said.read(self.out / DESCRIPTIONS, shard.number)
            answered = Said.read(self.out / ANSWERS, shard.number) if self.settings.model else None
            yield shard, hold(shard, measured, answered, rules, names_in)

    def _leak(self, counted: Counted) -> Leak:
        leak = Leak.of()
        for shard in self.shards():
            said = Said.read(self.out / ANSWERS, shard.number)
            for name in sorted({one.describer.name for one in said.statements}):
                of_model = Said(
                    [one for one in said.statements if one.describer.name == name],
                    [one for one in said.controls if one.statement.describer.name == name],
                )
                leak += leak_of(of_model, counted.tallying.textbooks("model", name))
        return leak

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

    def _tell(self, stage: str, done: int, total: int) -> None:
        self.report(Event(stage, "going on", done, total))


def _named(words: Dictionary) -> dict[str, str]:
    return {"name": words.name, "version": words.version, "sha256": digest(words)}


def counts_of(statements: Iterable[Statement]) -> dict[str, Any]:
    """How many statements there are, by what they say and by what speaks against them."""
    standings: Counter[str] = Counter()
    doubts: Counter[str] = Counter()
    for one in statements:
        standings[one.standing] += 1
        doubts.update(kind_of(doubt) or doubt for doubt in one.doubts)
    total = sum(standings.values())
    return {"statements": total, "standings": dict(sorted(standings.items())), "doubts": dict(sorted(doubts.items()))}


def _unanswered(statements: Iterable[Statement]) -> dict[str, int]:
    """Rows without an answer, by reason."""
    reasons = Counter(
        doubt.removeprefix(f"{NO_ANSWER}: ")
        for one in statements
        for doubt in one.doubts
        if kind_of(doubt) == NO_ANSWER
    )
    return dict(sorted(reasons.items()))


def no_model() -> Asking:
    """Nobody is asked.

    Raises:
        InputError: always.
    """
    raise InputError(
        "a model was asked here, and none is configured",
        mend="Name it with --model, and its endpoint in LABWRIGHT_MODEL_URL or labwright.toml",
    )
