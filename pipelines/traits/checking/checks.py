"""All checks, one after the other, over the statements of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.traits.checking.calibration import Calibration, calibrate, check_confidence
from pipelines.traits.checking.consistency import Forms, Tally, Tallying, Taxa
from pipelines.traits.checking.controls import Changed, check_blank, check_regions
from pipelines.traits.checking.key import Key, check_key
from pipelines.traits.checking.parts import check_parts
from pipelines.traits.checking.repeats import Repeated, Repeats, check_repeats
from pipelines.traits.checking.standings import check_standings
from pipelines.traits.checking.words import check_lengths, check_names
from pipelines.traits.specimens import Taxon
from pipelines.traits.statements import Dictionary, Statement


@dataclass(frozen=True)
class Evidence:
    """What statements are held against; what is not there is not checked.

    Attributes:
        taxa: of each image.
        dictionary: of the characters.
        key: of the orders; the one that comes with Labwright where none is given.
        rank: at which specimens are of one taxon for the consistency across images.
        known_parts: parts beside those of the ontology; ``None`` where nobody knows the organisms' parts, so that none
            is taken for made up.
        on_organism: by image and latent, the share of the region that lies on the organism.
        elsewhere: descriptions of another region that was shown instead.
        blank: descriptions of blank images.
        names_in: finds names of the collection's taxa in a text, as ``NameGuard.names_in`` does.
        decisions: of reviewers, by the statement's id.
        bar: share right that is asked for at a statement's confidence.
        forms: when two states are two forms of a taxon.
    """

    taxa: Mapping[str, Taxon]
    dictionary: Dictionary | None = None
    key: Key | None = None
    rank: str = "species"
    known_parts: Collection[str] | None = ()
    on_organism: Mapping[tuple[str, int], float] | None = None
    elsewhere: Sequence[Statement] = ()
    blank: Sequence[Statement] = ()
    names_in: Callable[[str], Collection[str]] | None = None
    decisions: Mapping[str, bool] = field(default_factory=dict)
    bar: float = 0.5
    forms: Forms = field(default_factory=Forms)


@dataclass(frozen=True)
class Alone:
    """Statements after the checks that need nothing but what is said of the same images.

    Attributes:
        statements: all that were given, in their order.
        repeated: how answers to the same questions agree.
        elsewhere, blank: how far descriptions changed when something else was shown.
    """

    statements: list[Statement]
    repeated: Repeated
    elsewhere: Changed
    blank: Changed


@dataclass(frozen=True)
class Checked:
    """Statements with their doubts, in the order they were given, and what the checks found.

    Attributes:
        statements: all that were given.
        tallies: how specimens of each taxon differ.
        repeats: how far answers to the same questions agree, by source.
        elsewhere, blank: how far descriptions changed when something else was shown.
        calibrations: of each source's confidence.
    """

    statements: list[Statement]
    tallies: list[Tally]
    repeats: list[Repeats]
    elsewhere: Changed
    blank: Changed
    calibrations: list[Calibration]


def check_alone(statements: Sequence[Statement], evidence: Evidence) -> Alone:
    """The checks that need no other images; all statements of an image must be here."""
    found = check_standings(statements, evidence.dictionary)
    found = check_parts(found, known=evidence.known_parts, on_organism=evidence.on_organism)
    found = check_key(found, evidence.taxa, evidence.key)
    found = check_lengths(found)
    if evidence.names_in is not None:
        found = check_names(found, evidence.names_in)
    found, elsewhere = check_regions(found, evidence.elsewhere)
    found, blank = check_blank(found, evidence.blank)
    found, repeated = check_repeats(found, evidence.dictionary)
    return Alone(found, repeated, elsewhere, blank)


def check_together(
    statements: Sequence[Statement],
    taxa: Taxa,
    tallying: Tallying,
    calibrations: Sequence[Calibration] = (),
    *,
    bar: float = 0.5,
) -> list[Statement]:
    """The checks against what was counted over all images.

    Args:
        statements: after :func:`check_alone`.
        taxa: of their images.
        tallying: that counted all of them.
        calibrations: of each source's confidence.
        bar: share right that is asked for at a statement's confidence.
    """
    return check_confidence(tallying.doubt(statements, taxa), calibrations, bar=bar)


def check(statements: Sequence[Statement], evidence: Evidence) -> Checked:
    """Hold statements against all evidence there is. Nothing is erased: what a check finds is a doubt."""
    alone = check_alone(statements, evidence)
    taxa = {image: (evidence.rank, taxon.at(evidence.rank) or taxon.name) for image, taxon in evidence.taxa.items()}
    tallying = Tallying(evidence.forms, evidence.dictionary)
    tallying.add(alone.statements, taxa)
    calibrations = calibrate(alone.statements, evidence.decisions)
    found = check_together(alone.statements, taxa, tallying, calibrations, bar=evidence.bar)
    return Checked(
        found, list(tallying.tallies()), alone.repeated.repeats(), alone.elsewhere, alone.blank, calibrations
    )
