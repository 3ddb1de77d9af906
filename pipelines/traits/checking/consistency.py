"""Consistency across the images of a taxon.

Disagreement is a result and is kept. Two forms of a taxon (polymorphism), or states that go with sex or view, are no
fault of a describer; a state that hardly any specimen has is held against the statements that claim it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pipelines.traits.checking.claims import Source, is_measure, part_key, said, source
from pipelines.traits.checking.doubts import DIFFERS_ACROSS_IMAGES, doubted
from pipelines.traits.statements import Dictionary, Statement

CONDITIONS = ("view", "sex", "life stage", "caste", "damage")
"""Conditions that may explain why specimens of a taxon differ."""
UNKNOWN = ("", "unknown")
"""Values of a condition that say nothing."""
MOST_VALUES = 32
"""Values of a condition in one group beyond which they are words of chance, and explain nothing."""
AGREED = 0.8
"""Share of specimens with the commonest state from which a taxon is said to agree."""
UNNAMED = "region"
"""The part where none was named: such regions are alike only within one latent."""
Taxa = Mapping[str, tuple[str, str]]
"""Rank and name of the taxon of each image."""
Wider = Mapping[tuple[str, int], Sequence[tuple[str, str]]]
"""By image and latent, rank and name of further taxa for which the region speaks."""
Verdict = Literal["too few", "agrees", "explained", "polymorphic", "differs"]


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
    """A character of a part, in the specimens of a taxon, as one source describes it.

    ``latent`` tells regions apart whose part nobody named; it is -1 where a part was named.
    """

    rank: str
    taxon: str
    part: str
    latent: int
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
        doubted: specimens with a known state against which some check speaks.
        verdict: in a word: ``explained`` is by a condition, ``too few`` by :class:`Forms`.
    """

    group: Group
    counts: Mapping[str, int]
    undecided: int
    unseen: Mapping[str, int]
    agreement: float | None
    polymorphic: tuple[str, ...] = ()
    explained_by: str = ""
    doubted: int = 0
    verdict: Verdict = "too few"

    @property
    def decided(self) -> int:
        """Specimens with a known state."""
        return sum(self.counts.values())

    @property
    def commonest(self) -> str:
        """The state of most specimens, the first by name among those alike; empty where none is known."""
        return next(iter(self.counts), "")

    @property
    def share(self) -> float:
        """Of the commonest state; 0 where none is known."""
        return next(iter(self.counts.values()), 0) / max(self.decided, 1)


@dataclass(slots=True)
class _Count:
    """What the specimens of a group have; by condition and its value, too, until there are too many values."""

    states: Counter[str] = field(default_factory=Counter)
    undecided: int = 0
    unseen: Counter[str] = field(default_factory=Counter)
    doubted: int = 0
    under: dict[str, dict[str, Counter[str]] | None] = field(default_factory=dict)

    def add(self, statements: Sequence[Statement]) -> None:
        """Count one specimen, of which these are all statements of the group."""
        said_here = Counter(what for one in statements if (what := said(one)) is not None)
        state = _most(said_here)
        if not said_here:
            self.unseen[statements[0].standing] += 1
        elif state is None:
            self.undecided += 1
        else:
            self.states[state] += 1
            self.doubted += all(one.doubts for one in statements if said(one) == state)
            conditions = dict(pair for one in statements for pair in one.conditions)
            for name in CONDITIONS:
                value = conditions.get(name, "").casefold()
                if value not in UNKNOWN:
                    self._add_under(name, {value: Counter({state: 1})})

    def _add_under(self, name: str, counted: Mapping[str, Counter[str]]) -> None:
        values = self.under.setdefault(name, {})
        if values is None:
            return
        for value, states in counted.items():
            values.setdefault(value, Counter()).update(states)
        if len(values) > MOST_VALUES:
            self.under[name] = None

    def merge(self, other: _Count) -> None:
        self.states.update(other.states)
        self.unseen.update(other.unseen)
        self.undecided += other.undecided
        self.doubted += other.doubted
        for name, values in other.under.items():
            if values is None:
                self.under[name] = None
            else:
                self._add_under(name, values)


class Tallying:
    """Counts how the specimens of each taxon differ, while their statements pass by once.

    Memory grows with taxa, parts, characters and states, not with images. The order of the images changes nothing.
    """

    def __init__(self, forms: Forms = Forms(), dictionary: Dictionary | None = None) -> None:
        """Begin to count.

        Args:
            forms: when two states are two forms.
            dictionary: whose measures are left out: they have no states.
        """
        self._forms = forms
        self._dictionary = dictionary
        self._counts: dict[Group, _Count] = {}
        self._allowed: dict[Group, tuple[str, ...] | None] = {}

    def add(self, statements: Sequence[Statement], taxa: Taxa, wider: Wider | None = None) -> None:
        """Count all statements of some images; those with doubts are counted with the others.

        Args:
            statements: of any describers; all of an image must be here.
            taxa: of each image, the one whose other specimens it is held against; images that are not here are left
                out.
            wider: further taxa for which a region is counted.
        """
        members: dict[tuple[Group, str], list[Statement]] = defaultdict(list)
        for one in statements:
            if one.image not in taxa or not self._has_states(one):
                continue
            for taxon in {taxa[one.image], *(wider or {}).get((one.image, one.latent), ())}:
                members[_group(one, taxon), one.image].append(one)
        for (group, _), of_image in members.items():
            self._counts.setdefault(group, _Count()).add(of_image)
        self._allowed.clear()

    def merge(self, other: Tallying) -> None:
        """Count what another counted, of other images."""
        for group, count in other._counts.items():
            self._counts.setdefault(group, _Count()).merge(count)
        self._allowed.clear()

    def tallies(self) -> Iterator[Tally]:
        """How the specimens of each taxon differ, in order."""
        return (self._tally(group) for group in sorted(self._counts))

    def doubt(self, statements: Sequence[Statement], taxa: Taxa) -> list[Statement]:
        """Statements, doubted where few specimens of their image's taxon have the state."""
        return [self._doubted(one, taxa) for one in statements]

    def textbooks(self, kind: str, name: str) -> dict[str, dict[tuple[str, str], str]]:
        """By taxon, what one describer says of more than half of the specimens, by named part and character."""
        counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        for group, count in self._counts.items():
            if group.source[:2] == (kind, name) and group.latent < 0:
                counts[group.taxon, group.part, group.character].update(count.states)
        books: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
        for (taxon, part, character), states in counts.items():
            if states:
                state, number = _ordered(states)[0]
                if 2 * number > states.total():
                    books[taxon][part, character] = state
        return dict(books)

    def _has_states(self, one: Statement) -> bool:
        return bool(one.character) and not is_measure(one, self._dictionary)

    def _doubted(self, one: Statement, taxa: Taxa) -> Statement:
        if one.image not in taxa or not self._has_states(one):
            return one
        group = _group(one, taxa[one.image])
        if group not in self._allowed:
            self._allowed[group] = _allowed(self._tally(group), self._forms) if group in self._counts else None
        allowed = self._allowed[group]
        fine = allowed is None or said(one) in (None, *allowed)
        return one if fine else doubted(one, DIFFERS_ACROSS_IMAGES)

    def _tally(self, group: Group) -> Tally:
        count = self._counts[group]
        states = dict(_ordered(count.states))
        every = _forms(states, self._forms)
        by = _explaining(count, self._forms) if len(every) > 1 else ""
        forms = every if len(every) > 1 and not by else ()
        return Tally(
            group,
            states,
            count.undecided,
            dict(sorted(count.unseen.items())),
            _agreement(states),
            forms,
            by,
            count.doubted,
            _verdict(states, forms, by, self._forms),
        )


def check_images(
    statements: Sequence[Statement],
    taxa: Taxa,
    forms: Forms = Forms(),
    dictionary: Dictionary | None = None,
) -> tuple[list[Statement], list[Tally]]:
    """Doubt states that few specimens of a taxon have, and tell how its specimens differ: :class:`Tallying` at once."""
    tallying = Tallying(forms, dictionary)
    tallying.add(statements, taxa)
    return tallying.doubt(statements, taxa), list(tallying.tallies())


def _group(one: Statement, taxon: tuple[str, str]) -> Group:
    part = part_key(one)
    latent = one.latent if part == UNNAMED else -1
    return Group(*taxon, part, latent, one.character, source(one.describer))


def _most(counts: Counter[str]) -> str | None:
    """The state that is said most often, ``None`` where two are."""
    if not counts:
        return None
    first, *others = counts.most_common(2)
    return None if others and others[0][1] == first[1] else first[0]


def _ordered(states: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(states.items(), key=lambda pair: (-pair[1], pair[0]))


def _agreement(states: Mapping[str, int]) -> float | None:
    """Share of pairs of specimens that agree."""
    total = sum(states.values())
    return sum(count * (count - 1) for count in states.values()) / (total * (total - 1)) if total > 1 else None


def _forms(counts: Mapping[str, int], forms: Forms) -> tuple[str, ...]:
    total = sum(counts.values())
    return tuple(
        state for state, count in counts.items() if count >= forms.specimens and count >= forms.share * total > 0
    )


def _explaining(count: _Count, forms: Forms) -> str:
    """The first condition within each of whose values the specimens agree, as far as forms would be told apart.

    A value that a single specimen has says nothing: in words of its own each would agree with itself.
    """
    for name in CONDITIONS:
        by_value = [states for states in (count.under.get(name) or {}).values() if states.total() >= forms.specimens]
        known = sum(states.total() for states in by_value)
        leading = {_ordered(states)[0][0] for states in by_value}
        apart = all(len(_forms(states, forms)) < 2 for states in by_value)
        if apart and len(leading) > 1 and known >= count.states.total() * (1 - forms.share):
            return name
    return ""


def _verdict(states: Mapping[str, int], forms: tuple[str, ...], by: str, rule: Forms) -> Verdict:
    total = sum(states.values())
    if total < rule.fewest:
        return "too few"
    if by:
        return "explained"
    if forms:
        return "polymorphic"
    return "agrees" if max(states.values()) >= AGREED * total else "differs"


def _allowed(tally: Tally, forms: Forms) -> tuple[str, ...] | None:
    """States that are not held against a statement; ``None`` where too few specimens say anything."""
    if tally.decided < forms.fewest:
        return None
    if tally.polymorphic or tally.explained_by:
        return _forms(tally.counts, forms)
    return (tally.commonest,) if 2 * tally.counts[tally.commonest] > tally.decided else ()
