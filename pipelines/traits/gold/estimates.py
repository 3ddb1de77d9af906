"""Shares estimated from a sample that was drawn with unequal chances, several questions from one specimen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """A share of a population, as a sample shows it.

    Attributes:
        value: each item weighted by one over its chance to be drawn.
        low, high: the 95 % interval.
        right, items: in the sample, without weights.
        specimens: from how many they are.
        worth: how many items drawn by simple chance would show it as exactly.
    """

    value: float
    low: float
    high: float
    right: int
    items: int
    specimens: int
    worth: float


def share(
    right: Sequence[bool], chances: Sequence[float], specimens: Sequence[str], level: float = 0.95
) -> Share | None:
    """The share that is right, with its interval; ``None`` of nothing.

    The estimate is that of Hájek. The interval is Wilson's, with the number of items that a simple sample of the same
    variance would have (E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998), 193; with Wilson's interval: C.
    Franco and others, Journal of Survey Statistics and Methodology 7 (2019), 334): its variance by linearisation, with
    specimens as clusters, and with the quantile of Student's t for as many clusters. It is never narrower than that of
    a simple sample. Where all or none are right no variance is seen, and Kish's number, by weights summed over
    specimens, stands for it. That the population is finite is not made use of.

    Args:
        right: item by item.
        chances: of each item to be drawn, above 0.
        specimens: whose each is.
        level: of the interval.
    """
    if not right:
        return None
    hits, weights = np.asarray(right, float), 1 / np.asarray(chances, float)
    names, cluster = np.unique(np.asarray(specimens, str), return_inverse=True)
    value = 1.0 if hits.all() else float(weights @ hits / weights.sum())
    worth = _worth(hits, weights, cluster, len(names), value, level)
    return Share(value, *interval(value, worth, level), int(hits.sum()), len(hits), len(names), worth)


def _worth(
    hits: Floats, weights: Floats, cluster: NDArray[np.intp], clusters: int, value: float, level: float
) -> float:
    items = len(hits)
    by_cluster = np.bincount(cluster, weights, clusters)
    kish = float(by_cluster.sum() ** 2 / (by_cluster**2).sum())
    if clusters < 2:
        return kish
    off = np.bincount(cluster, weights * (hits - value), clusters) / weights.sum()
    variance = float((off**2).sum() * clusters / (clusters - 1))
    simple = value * (1 - value)
    effective = kish if simple <= 1e-12 or variance <= 1e-15 else simple / variance
    tails = (1 + level) / 2
    from scipy.stats import t

    stretch = (float(t.ppf(tails, max(items - 1, 1))) / float(t.ppf(tails, clusters - 1))) ** 2
    return float(min(effective * stretch, items))


def interval(value: float, number: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share seen in a number of items that need not be whole.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (value + z * z / (2 * number)) / (1 + z * z / number)
    half = z * (value * (1 - value) / number + z * z / (4 * number * number)) ** 0.5 / (1 + z * z / number)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def items_for(value: float, half_width: float, level: float = 0.95) -> int:
    """How many items, drawn by simple chance, give an interval that reaches at most this far from its middle."""
    number = 1
    while _half(value, number, level) > half_width:
        number *= 2
    low = number // 2
    while number - low > 1:
        middle = (low + number) // 2
        low, number = (low, middle) if _half(value, middle, level) <= half_width else (middle, number)
    return number


def _half(value: float, number: int, level: float) -> float:
    low, high = interval(value, number, level)
    return (high - low) / 2
