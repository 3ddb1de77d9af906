"""Holding what was said against everything else that is known: shard by shard, and over all of them by tallies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.traits.annotating.pictures import Shard
from pipelines.traits.annotating.stored import Control, controls_name, read_controls, read_shard, statements_name
from pipelines.traits.checking import (
    Alone,
    Calibration,
    Changed,
    Evidence,
    Leak,
    Repeated,
    Tallying,
    calibrate,
    check_alone,
    check_together,
    name_leak,
    shipped_key,
)
from pipelines.traits.checking.consistency import Taxa, Wider
from pipelines.traits.dataset import Review
from pipelines.traits.specimens import RANKS, Taxon
from pipelines.traits.statements import Dictionary, Statement

BAR = 0.5
"""Share right, by review, that is asked for at a statement's confidence."""


@dataclass(frozen=True)
class Rules:
    """What statements are held against, beside each other. It can be sent to another process.

    Attributes:
        words: the dictionary.
        insects: whether the collection is of insects, whose parts are known.
        decisions: of reviewers, by the statement's id.
    """

    words: Dictionary
    insects: bool = False
    decisions: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """What was said of a shard by one kind of describer, and of its controls."""

    statements: list[Statement]
    controls: list[Control]

    @classmethod
    def read(cls, folder: Path, number: int) -> Said:
        """From a stage's folder.

        Raises:
            RecordError: a file is missing or damaged.
        """
        return cls(list(read_shard(folder / statements_name(number))), read_controls(folder / controls_name(number)))

    def of(self, kind: str) -> list[Statement]:
        """What was said of the controls of one kind."""
        return [one.statement for one in self.controls if one.kind == kind]


@dataclass(frozen=True)
class Held:
    """A shard after the checks that need no other.

    Attributes:
        statements: image by image, of each what was measured before what a model said.
        taxa, wider: of its images and regions.
        answered: what the checks found of the model's statements.
    """

    statements: list[Statement]
    taxa: Taxa
    wider: Wider
    answered: Alone | None


def hold(
    shard: Shard,
    measured: Said,
    answered: Said | None,
    rules: Rules,
    names_in: Callable[[str], Collection[str]] | None = None,
) -> Held:
    """Check a shard's statements by themselves: what was measured, and what a model said, if one was asked."""
    regions = [(one.specimen.id, found) for one in shard.shown for found in one.regions]
    common: dict[str, Any] = {
        "taxa": {one.specimen.id: one.specimen.taxon for one in shard.shown},
        "dictionary": rules.words,
        "known_parts": _known_parts() if rules.insects else None,
        "on_organism": {(image, found.latent): found.on_organism for image, found in regions},
    }
    every = [_checked(measured, common)]
    if answered is not None:
        every.append(_checked(answered, common | {"names_in": names_in}))
    by_image: dict[str, list[Statement]] = defaultdict(list)
    for alone in every:
        for one in alone.statements:
            by_image[one.image].append(one)
    return Held(
        [one for shown in shard.shown for one in by_image[shown.specimen.id]],
        {one.specimen.id: narrowest(one.specimen.taxon) for one in shard.shown},
        {(image, found.latent): found.taxa for image, found in regions},
        None if answered is None else every[-1],
    )


@cache
def _known_parts() -> frozenset[str]:
    """Words for parts that the key of orders has, beside those of the ontology, which lacks elytra and halteres."""
    return frozenset(name for part in shipped_key().parts.values() for name in part.names)


def _checked(said: Said, common: Mapping[str, Any]) -> Alone:
    evidence = Evidence(**common, elsewhere=said.of("another region"), blank=said.of("blank image"))
    return check_alone(said.statements, evidence)


def narrowest(taxon: Taxon) -> tuple[str, str]:
    """Rank and name of the narrowest taxon that is known; of none, ``("", "unknown")``."""
    return next(((rank, taxon.names[rank]) for rank in reversed(RANKS) if rank in taxon.names), ("", taxon.name))


def are_insects(taxa: Iterable[Taxon]) -> bool:
    """Whether most of the taxa of which that is known are insects, by the key's groups; not where nothing is known."""
    key = shipped_key()
    known = [bool(next(key.groups_of(one), None)) for one in taxa if one.at("class") or one.at("order")]
    return 2 * sum(known) > len(known)


@dataclass
class Counted:
    """What is counted over all shards. Those of other shards can be added.

    Attributes:
        tallying: how specimens of each taxon differ.
        repeated: how a model's answers to the same questions agree.
        elsewhere, blank: how far its descriptions changed.
        reviewed: statements that people decided about.
    """

    tallying: Tallying
    repeated: Repeated = field(default_factory=Repeated)
    elsewhere: Changed = field(default_factory=Changed)
    blank: Changed = field(default_factory=Changed)
    reviewed: list[Statement] = field(default_factory=list)

    def add(self, held: Held, decisions: Mapping[str, bool]) -> None:
        """Count a shard."""
        self.tallying.add(held.statements, held.taxa, held.wider)
        self.reviewed += [one for one in held.statements if one.id in decisions] if decisions else []
        if held.answered is not None:
            self.repeated.merge(held.answered.repeated)
            self.elsewhere += held.answered.elsewhere
            self.blank += held.answered.blank

    def merge(self, other: Counted) -> None:
        """Count what another counted, of other shards."""
        self.tallying.merge(other.tallying)
        self.repeated.merge(other.repeated)
        self.elsewhere += other.elsewhere
        self.blank += other.blank
        self.reviewed += other.reviewed

    def calibrations(self, decisions: Mapping[str, bool]) -> list[Calibration]:
        """Of each source's confidence, by what people decided."""
        return calibrate(self.reviewed, decisions) if self.reviewed else []


def hold_together(held: Held, counted: Counted, calibrations: Sequence[Calibration]) -> list[Statement]:
    """Check a shard's statements against what was counted over all."""
    return check_together(held.statements, held.taxa, counted.tallying, calibrations, bar=BAR)


def leak_of(answered: Said, books: Mapping[str, Mapping[tuple[str, str], str]]) -> Leak:
    """How far wrong names that were told in a shard move what a model says towards these names' textbooks."""
    told = [one for one in answered.controls if one.kind == "wrong name told"]
    if not told:
        return Leak.of()
    names = {one.statement.image: one.told for one in told}
    regions = {(one.statement.image, one.statement.latent) for one in told}
    untold = [one for one in answered.statements if (one.image, one.latent) in regions and not one.describer.sample]
    leak = Leak.of()
    for name in sorted(set(names.values())):
        images = {image for image, its in names.items() if its == name}
        leak += name_leak(
            [one for one in untold if one.image in images],
            [one.statement for one in told if one.told == name],
            [one for one in answered.of("again") if one.image in images],
            dict.fromkeys(images, name),
            books,
        )
    return leak


def figures(counted: Counted, leak: Leak, calibrations: Sequence[Calibration]) -> dict[str, Any]:
    """What is worth knowing of a model as a describer, for the record and for people."""
    return {
        "repeats": [
            {
                "describer": one.source.name,
                "prompt": one.source.prompt,
                "character": one.character,
                "questions": one.questions,
                "agreement": _rounded(one.agreement),
                "alpha": _rounded(one.alpha),
            }
            for one in counted.repeated.repeats()
        ],
        "another_region": asdict(counted.elsewhere),
        "blank_image": asdict(counted.blank),
        "name_leak": {name: _rounded(value) for name, value in asdict(leak).items()},
        "calibration": [str(one) for one in calibrations],
    }


def _rounded(value: float | None) -> float | None:
    return value if value is None else round(value, 4)


def decisions_of(reviews: Iterable[Review]) -> dict[str, bool]:
    """By statement, whether people found it right; those on which they disagree are left out."""
    by_statement: dict[str, dict[str, bool]] = defaultdict(dict)
    for one in reviews:
        by_statement[one.statement.partition("-")[0]][one.reviewer] = one.decision == "accept"
    return {
        statement: next(iter(decided.values()))
        for statement, decided in sorted(by_statement.items())
        if len(set(decided.values())) == 1
    }
