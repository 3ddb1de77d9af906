"""Agreement between several answers to the same questions, beyond what chance gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence


def alpha(units: Iterable[Sequence[str | None]]) -> float | None:
    """Krippendorff's alpha for nominal data, with missing answers.

    1 is full agreement, 0 what chance gives, below 0 less than that. Source: K. Krippendorff, "Computing Krippendorff's
    Alpha-Reliability" (2011), https://repository.upenn.edu/handle/20.500.14332/2089, section D.

    Args:
        units: for each question its answers, ``None`` where one is missing; questions with fewer than two answers say
            nothing and are left out.

    Returns:
        ``None`` where there is no question with two answers, or all answers are the same one: chance would agree too.
    """
    counted = [Counter(answer for answer in unit if answer is not None) for unit in units]
    pairable = [unit for unit in counted if unit.total() >= 2]
    totals = sum(pairable, Counter[str]())
    answers = totals.total()
    expected = answers * answers - sum(count * count for count in totals.values())
    if expected == 0:
        return None
    differing = sum(
        (unit.total() ** 2 - sum(count * count for count in unit.values())) / (unit.total() - 1) for unit in pairable
    )
    return 1 - (answers - 1) * differing / expected


def agreement(units: Iterable[Sequence[str | None]]) -> float | None:
    """Share of pairs of answers to the same question that agree; ``None`` where there is no pair."""
    same = pairs = 0
    for unit in units:
        counts = Counter(answer for answer in unit if answer is not None)
        pairs += counts.total() * (counts.total() - 1)
        same += sum(count * (count - 1) for count in counts.values())
    return same / pairs if pairs else None
