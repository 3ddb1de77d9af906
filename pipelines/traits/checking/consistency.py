"""Consistency: between answers to the same question, and across the images of a taxon.

Disagreement is a result and is kept. Two forms of a taxon (polymorphism), or states that go with sex or view, are no
fault of a describer; a state that hardly any specimen has, or that comes and goes between answers to one question, is
held against the statements that claim it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.traits.checking.agreement import agreement, alpha
from pipelines.traits.checking.claims import Claim, Source, claim, part_key, said, source
from pipelines.traits.checking.doubts import DIFFERS_ACROSS_IMAGES, DIFFERS_ACROSS_REPEATS, doubted
from pipelines.traits.statements import Dictionary, Statement

CONDITIONS = ("view", "sex", "life stage", "caste", "damage")
"""Conditions that may explain why specimens of a taxon differ."""
UNKNOWN = ("", "unknown")
"""Values of a condition that say nothing."""
SUPPORT = 2 / 3
"""Share of the answers to one question that must claim the same."""


@dataclass(frozen=True, slots=True)
class Forms:
    """When differing specimens are two forms of a taxon.

    Attributes:
        share: of the specimens whose state is known, that each form must have.
        specimens: that each form must have.
        fewest: specimens with a known state below which nothing is said of a taxon.
    """

    share: float = 0.2
    specimens: int = 2
    fewest: int = 3


class Group(NamedTuple):
    """A character of a part, in the specimens of a taxon, as one source describes it."""

    taxon: str
    part: str
    character: str
    source: Source


@dataclass(frozen=True, slots=True)
class Tally:
    """How the specimens of a taxon differ in a character; each image counts once.

    Attributes:
        group: which taxon, part, character and source.
        counts: specimens by state, the most frequent first.
        undecided: specimens of which two states are said equally often.
        unseen: specimens of which no state is known, by standing.
        agreement: share of pairs of specimens with a known state that agree; ``None`` for fewer than two.
        polymorphic: states of which each is a form of its own, not explained by a condition.
        explained_by: the condition with which the states go; empty where none explains them.
    """

    group: Group
    counts: Mapping[str, int]
    undecided: int
    unseen: Mapping[str, int]
    agreement: float | None
    polymorphic: tuple[str, ...] = ()
    explained_by: str = ""

    @property
    def decided(self) -> int:
        """Specimens with a known state."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Repeats:
    """How far several answers to the same questions agree on a character.

    Attributes:
        source: whose answers.
        character: which; each has states of its own, so that chance is not the same for all.
        questions: parts of regions on which more than one answer says something.
        agreement: share of pairs of answers that agree.
        alpha: Krippendorff's; ``None`` where all answers are the same one, so that it is not defined.
    """

    source: Source
    character: str
    questions: int
    agreement: float | None
    alpha: float | None


@dataclass(frozen=True, slots=True)
class _Members:
    """Statements of a group: their places, and by image what is said, seen and under which conditions."""

    places: list[int] = field(default_factory=list)
    said: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    standings: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, dict[str, str]] = field(default_factory=dict)


def check_repeats(
    statements: Sequence[Statement], dictionary: Dictionary | None = None
) -> tuple[list[Statement], list[Repeats]]:
    """Doubt what too few answers to the same question claim, and tell how far answers agree.

    An answer that says nothing of a character does not support a claim about it; for the agreement it is missing.

    Args:
        statements: of any describers.
        dictionary: whose measures are left out: two of them are hardly ever the same.
    """
    found = list(statements)
    asked: dict[Hashable, set[int]] = defaultdict(set)
    units: dict[tuple[Source, str, int, str, str], dict[int, str]] = defaultdict(dict)
    claimed: dict[Hashable, set[int]] = defaultdict(set)
    for one in statements:
        region = (source(one.describer), one.image, one.latent)
        asked[region].add(one.describer.sample)
        if (what := _compared(one, dictionary)) is not None:
            units[*region, what.part, what.character][one.describer.sample] = what.said
            claimed[*region, what].add(one.describer.sample)
    for place, one in enumerate(statements):
        region = (source(one.describer), one.image, one.latent)
        what, samples = _compared(one, dictionary), len(asked[region])
        if what is not None and samples > 1 and len(claimed[*region, what]) < SUPPORT * samples:
            found[place] = doubted(found[place], DIFFERS_ACROSS_REPEATS)
    return found, _repeats(units)


def _compared(statement: Statement, dictionary: Dictionary | None) -> Claim | None:
    """What is claimed, where it can be the same in two answers."""
    return None if _is_measure(statement, dictionary) else claim(statement)


def _is_measure(statement: Statement, dictionary: Dictionary | None) -> bool:
    character = None if dictionary is None else dictionary.characters.get(statement.character)
    return character is not None and character.kind == "continuous"


def _repeats(units: Mapping[tuple[Source, str, int, str, str], Mapping[int, str]]) -> list[Repeats]:
    by_character: dict[tuple[Source, str], list[list[str]]] = defaultdict(list)
    for (whose, _, _, _, character), answers in units.items():
        if len(answers) > 1:
            by_character[whose, character].append(list(answers.values()))
    return [
        Repeats(*key, len(answers), agreement(answers), alpha(answers)) for key, answers in sorted(by_character.items())
    ]


def check_images(
    statements: Sequence[Statement],
    taxa: Mapping[str, str],
    forms: Forms = Forms(),
    dictionary: Dictionary | None = None,
) -> tuple[list[Statement], list[Tally]]:
    """Doubt states that few specimens of a taxon have, and tell how its specimens differ.

    Args:
        statements: of any describers; those with doubts are counted with the others.
        taxa: name of the taxon of each image; images that are not here are left out.
        forms: when two states are two forms.
        dictionary: whose measures are left out: they have no states.
    """
    members: dict[Group, _Members] = defaultdict(_Members)
    for place, one in enumerate(statements):
        if one.character and one.image in taxa and not _is_measure(one, dictionary):
            _add(members[Group(taxa[one.image], part_key(one), one.character, source(one.describer))], place, one)
    found, tallies = list(statements), []
    for group in sorted(members):
        tally = _tally(group, members[group], forms)
        tallies.append(tally)
        allowed = _allowed(tally, forms)
        for place in members[group].places:
            if allowed is not None and said(statements[place]) not in (None, *allowed):
                found[place] = doubted(found[place], DIFFERS_ACROSS_IMAGES)
    return found, tallies


def _add(members: _Members, place: int, statement: Statement) -> None:
    members.places.append(place)
    what = said(statement)
    if what is not None:
        members.said[statement.image][what] += 1
    members.standings.setdefault(statement.image, statement.standing)
    members.conditions.setdefault(statement.image, {}).update(statement.conditions)


def _tally(group: Group, members: _Members, forms: Forms) -> Tally:
    states = {image: _most(counts) for image, counts in members.said.items()}
    known = {image: state for image, state in states.items() if state is not None}
    counts = dict(sorted(Counter(known.values()).items(), key=lambda pair: (-pair[1], pair[0])))
    unseen = Counter(standing for image, standing in members.standings.items() if image not in states)
    every = _forms(counts, forms)
    by = _explaining(known, members.conditions, forms) if len(every) > 1 else ""
    return Tally(
        group,
        counts,
        len(states) - len(known),
        dict(sorted(unseen.items())),
        agreement([list(known.values())]),
        every if len(every) > 1 and not by else (),
        by,
    )


def _most(counts: Counter[str]) -> str | None:
    """The state that is said most often, ``None`` where two are."""
    first, *others = counts.most_common(2)
    return None if others and others[0][1] == first[1] else first[0]


def _forms(counts: Mapping[str, int], forms: Forms) -> tuple[str, ...]:
    total = sum(counts.values())
    return tuple(
        state for state, count in counts.items() if count >= forms.specimens and count >= forms.share * total > 0
    )


def _explaining(states: Mapping[str, str], conditions: Mapping[str, Mapping[str, str]], forms: Forms) -> str:
    """The first condition within each of whose values the specimens agree, as far as forms would be told apart."""
    for name in CONDITIONS:
        by_value: dict[str, Counter[str]] = defaultdict(Counter)
        for image, state in states.items():
            value = conditions[image].get(name, "")
            if value.casefold() not in UNKNOWN:
                by_value[value][state] += 1
        known = sum(counts.total() for counts in by_value.values())
        leading = {counts.most_common(1)[0][0] for counts in by_value.values()}
        apart = all(len(_forms(counts, forms)) < 2 for counts in by_value.values())
        if apart and len(leading) > 1 and known >= len(states) * (1 - forms.share):
            return name
    return ""


def _allowed(tally: Tally, forms: Forms) -> tuple[str, ...] | None:
    """States that are not held against a statement; ``None`` where too few specimens say anything."""
    if tally.decided < forms.fewest:
        return None
    if tally.polymorphic or tally.explained_by:
        return _forms(tally.counts, forms)
    state, count = next(iter(tally.counts.items()))
    return (state,) if 2 * count > tally.decided else ()
