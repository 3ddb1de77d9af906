"""Consistency between answers to the same question, as when it was asked several times."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from pipelines.traits.checking.agreement import agreement, alpha
from pipelines.traits.checking.claims import Claim, Source, claim, is_measure, source
from pipelines.traits.checking.doubts import DIFFERS_ACROSS_REPEATS, doubted
from pipelines.traits.statements import Dictionary, Statement

SUPPORT = 2 / 3
"""Share of the answers to one question that must claim the same."""


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
class Repeated:
    """Answers to the same questions, counted: by source and character, how many questions got which answers.

    Memory grows with the different answers, not with the questions.
    """

    counts: dict[tuple[Source, str], Counter[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(Counter))

    def merge(self, other: Repeated) -> None:
        """Count what another counted, of other images."""
        for key, answers in other.counts.items():
            self.counts[key].update(answers)

    def repeats(self) -> list[Repeats]:
        """How far they agree."""
        return [
            Repeats(*key, answers.total(), agreement(_each(answers)), alpha(_each(answers)))
            for key, answers in sorted(self.counts.items())
        ]


def _each(answers: Counter[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(repeat(unit, count) for unit, count in sorted(answers.items()))


def check_repeats(
    statements: Sequence[Statement], dictionary: Dictionary | None = None
) -> tuple[list[Statement], Repeated]:
    """Doubt what too few answers to the same question claim, and count how answers agree.

    An answer that says nothing of a character does not support a claim about it; for the agreement it is missing.

    Args:
        statements: of any describers; all on one region must be here.
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
    counted = Repeated()
    for (whose, _, _, _, character), answers in units.items():
        if len(answers) > 1:
            counted.counts[whose, character][tuple(sorted(answers.values()))] += 1
    return found, counted


def _compared(statement: Statement, dictionary: Dictionary | None) -> Claim | None:
    """What is claimed, where it can be the same in two answers."""
    return None if is_measure(statement, dictionary) else claim(statement)
