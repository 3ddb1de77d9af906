"""How much true a fixed budget of looking finds, and how much of it chance would have found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def yield_at(order: NDArray[np.floating], right: NDArray[np.bool_], budget: int) -> float:
    """Share of a budget of candidates that turn out right, taken from the highest ``order`` (n,) down.

    Candidates that aren't there count as wrong, so that proposing little doesn't look good.

    Raises:
        ValueError: for a budget below 1.
    """
    if budget < 1:
        raise ValueError(f"a budget of {budget} finds nothing")
    first = np.argsort(-order, kind="stable")[:budget]
    return int(np.count_nonzero(right[first])) / budget


@dataclass(frozen=True)
class Against:
    """A statistic beside what it is when the labels mean nothing.

    Attributes:
        observed: with the labels as they are.
        null: with labels permuted, one each.
    """

    observed: float
    null: tuple[float, ...]

    @property
    def p(self) -> float:
        """Share of permutations at least as high, the observed one included.

        Source: B. Phipson and G. K. Smyth, "Permutation p-values should never be zero", 2010.
        """
        return (1 + sum(value >= self.observed for value in self.null)) / (1 + len(self.null))

    @property
    def expected(self) -> float:
        """Mean over permutations."""
        return float(np.mean(self.null))


def against_permutations(
    statistic: Callable[[NDArray[np.int64]], float], rows: int, *, permutations: int = 99, seed: int = 0
) -> Against:
    """A statistic of the labels' order against the same with rows in random order.

    Args:
        statistic: given which row's labels each row bears (rows,), the statistic.
        rows: how many there are.
        permutations, seed: how many random orders, and from where.
    """
    rng = np.random.default_rng(seed)
    null = tuple(float(statistic(rng.permutation(rows))) for _ in range(permutations))
    return Against(float(statistic(np.arange(rows))), null)
