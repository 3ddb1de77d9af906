"""Numbers with their uncertainty, and states that are claimed only where the uncertainty allows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BLOCKS = 4
"""Parts of a region across and down, over which it is told how far a number is from being the same everywhere."""


class Estimate(NamedTuple):
    """A number and one standard deviation of it."""

    value: float
    sd: float


class Blocks:
    """A region in parts, for the jackknife that leaves out one part at a time (Quenouille 1956, Tukey 1958)."""

    def __init__(self, inside: NDArray[np.bool_]) -> None:
        """Divide the box around a mask (h, w) into :data:`BLOCKS` by :data:`BLOCKS` parts."""
        ys, xs = np.nonzero(inside)
        row = (ys - ys.min()) * BLOCKS // (np.ptp(ys) + 1)
        column = (xs - xs.min()) * BLOCKS // (np.ptp(xs) + 1)
        _, self._of = np.unique(row * BLOCKS + column, return_inverse=True)
        self._number = int(self._of.max()) + 1

    def sums(self, values: NDArray[np.floating | np.bool_]) -> Floats:
        """Sums of values (pixels, k) of the mask's pixels in each part, their number appended: (parts, k + 1)."""
        columns = [np.bincount(self._of, column, self._number) for column in np.atleast_2d(values.T)]
        return np.stack([*columns, np.bincount(self._of, minlength=self._number)], axis=1)


def jackknife(sums: Floats, of: Callable[[Floats], Floats]) -> Estimate:
    """An estimate from the total of sums (parts, k), and its standard deviation by leaving out one part at a time.

    Args:
        sums: what is added up, part by part.
        of: gives the estimate (...,) for totals (..., k).
    """
    total = sums.sum(axis=0)
    value, number = float(of(total)), len(sums)
    if number < 2:
        return Estimate(value, 0.0)
    without = of(total[None] - sums)
    spread = float(np.sqrt((number - 1) / number * ((without - without.mean()) ** 2).sum()))
    return Estimate(value, spread)


def mean(sums: Floats, column: int = 0) -> Estimate:
    """The mean of one column of :meth:`Blocks.sums`."""
    return jackknife(sums, lambda total: total[..., column] / np.maximum(total[..., -1], 1e-9))


def between(lower: float, value: float, upper: float) -> Estimate:
    """A value and what it would be for a slightly smaller and a slightly larger region: half of the range."""
    every = (lower, value, upper)
    return Estimate(value, (max(every) - min(every)) / 2)


def judged(found: Estimate, edges: Sequence[float], states: Sequence[str]) -> str | None:
    """The state of a number by the edges between states; ``None`` within one standard deviation of an edge."""
    if any(abs(found.value - edge) < found.sd for edge in edges):
        return None
    return states[int(np.searchsorted(edges, found.value, side="right"))]
