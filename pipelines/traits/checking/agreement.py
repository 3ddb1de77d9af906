"""Agreement between several answers to the same questions, beyond what chance gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Metric = Literal["nominal", "interval"]
"""How far two answers differ: not at all or wholly, or by the square of their difference."""
DRAWS = 2000
"""How often questions are drawn again for an interval."""
_DEFINED = 0.9
"""Share of the draws that must have an alpha for there to be an interval: in the others all answers were the same."""


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


class Alpha(NamedTuple):
    """Krippendorff's alpha with the bounds of its interval.

    Attributes:
        value: ``None`` where nothing can be said, as by :func:`alpha`.
        low, high: ``None`` where the questions are too few, or too much alike, for an interval.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to questions of one kind, summed up so that questions can be drawn again without counting anew.

    Attributes:
        metric: how far two answers differ.
        sums: (questions, columns). First the number of answers, then the disagreement within the question (the sum over
            ordered pairs of its answers, divided by one less than their number). Then, nominal: how many gave each
            answer; interval: the sum of the answers and of their squares, both after the mean of all was taken off.
        drawn_with: (questions,) by name what is drawn together: all questions of one specimen.
    """

    metric: Metric
    sums: Floats
    drawn_with: NDArray[np.str_]

    @classmethod
    def of(cls, units: Sequence[Sequence[str | float | None]], clusters: Sequence[str], metric: Metric) -> Answers:
        """Answers by question.

        Args:
            units: for each question its answers, ``None`` where one is missing.
            clusters: (questions,) what each question is drawn together with.
            metric: ``interval`` wants numbers.
        """
        kept = [
            ([answer for answer in unit if answer is not None], cluster)
            for unit, cluster in zip(units, clusters, strict=True)
        ]
        pairable = [(unit, cluster) for unit, cluster in kept if len(unit) >= 2]
        rows = _nominal([unit for unit, _ in pairable]) if metric == "nominal" else _interval(pairable)
        return cls(metric, rows, np.array([cluster for _, cluster in pairable], str))

    def disagreement(self, sums: Floats) -> tuple[Floats, Floats]:
        """Within questions, and expected by chance, both times the number of answers.

        Args:
            sums: (draws, columns), summed over questions.
        """
        number, within, rest = sums[:, 0], sums[:, 1], sums[:, 2:]
        if self.metric == "nominal":
            apart = number**2 - (rest**2).sum(1)
        else:
            apart = 2 * (number * rest[:, 1] - rest[:, 0] ** 2)
        return within, apart / np.maximum(number - 1, 1)


def _nominal(units: Sequence[Sequence[str | float]]) -> Floats:
    answers = sorted({str(answer) for unit in units for answer in unit})
    place = {answer: column for column, answer in enumerate(answers, start=2)}
    rows = np.zeros((len(units), 2 + len(answers)))
    for row, unit in zip(rows, units, strict=True):
        for answer in unit:
            row[place[str(answer)]] += 1
        row[0] = len(unit)
        row[1] = (len(unit) ** 2 - (row[2:] ** 2).sum()) / (len(unit) - 1)
    return rows


def _interval(pairable: Sequence[tuple[Sequence[str | float], str]]) -> Floats:
    rows = np.zeros((len(pairable), 4))
    everything = [float(answer) for unit, _ in pairable for answer in unit]
    middle = float(np.mean(everything)) if everything else 0.0
    for row, (unit, _) in zip(rows, pairable, strict=True):
        numbers = np.array(unit, float) - middle
        number, total, squares = len(numbers), numbers.sum(), (numbers**2).sum()
        row[:] = number, 2 * (number * squares - total**2) / (number - 1), total, squares
    return rows


def alpha_of(groups: Sequence[Answers], *, draws: int = DRAWS, seed: int = 0, level: float = 0.95) -> Alpha:
    """Krippendorff's alpha with its interval, of one group of questions, or of several together.

    Of several groups, the disagreement within questions and that expected by chance are each summed over the groups, so
    that an answer to one character is never held against one to another; of one group this is alpha itself.

    The interval is the percentile bootstrap over questions, which A. Zapf and others found to keep its level (BMC
    Medical Research Methodology 16 (2016), 93); here all questions of a specimen are drawn together. K. Krippendorff's
    own algorithm draws pairs and holds the disagreement by chance fixed.

    Args:
        groups: of one metric or of several.
        draws: how often questions are drawn again.
        seed: of the draws.
        level: of the interval.
    """
    found = _alphas(groups, [one.sums.sum(0, keepdims=True) for one in groups])
    value = float(found[0]) if len(found) and np.isfinite(found[0]) else None
    clusters = np.unique(np.concatenate([one.drawn_with for one in groups])) if groups else np.empty(0, str)
    if value is None or len(clusters) < 2:
        return Alpha(value)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(clusters), np.full(len(clusters), 1 / len(clusters)), size=draws).astype(float)
    again = _alphas(groups, [times @ _by_cluster(one, clusters) for one in groups])
    defined = again[np.isfinite(again)]
    if len(defined) < _DEFINED * draws:
        return Alpha(value)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Alpha(value, float(low), float(high))


def _by_cluster(answers: Answers, clusters: NDArray[np.str_]) -> Floats:
    summed = np.zeros((len(clusters), answers.sums.shape[1]))
    np.add.at(summed, np.searchsorted(clusters, answers.drawn_with), answers.sums)
    return summed


def _alphas(groups: Sequence[Answers], sums: Sequence[Floats]) -> Floats:
    """One alpha a draw, not a number where chance would agree too."""
    both = [one.disagreement(of_draws) for one, of_draws in zip(groups, sums, strict=True)]
    within = np.sum([one for one, _ in both], axis=0)
    expected = np.sum([one for _, one in both], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.atleast_1d(np.where(expected > 1e-12, 1 - within / expected, np.nan))
