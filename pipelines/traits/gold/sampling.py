"""Drawing a sample from strata: in proportion, with a least number from each, and with known chances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def expected(sizes: Sequence[int], size: int, least: int) -> Floats:
    """How many to draw from each stratum, not yet whole numbers: ``max(least, share * its size)``, all in all ``size``.

    Divided by the stratum's size it is the chance of each of its members to be drawn.

    Args:
        sizes: of the strata.
        size: of the sample; at most the sum of ``sizes``.
        least: from each stratum, or the whole of it where it is smaller; 0 is wholly in proportion.

    Returns:
        (strata,)

    Raises:
        ValueError: the least numbers together are more than ``size``, or all strata together are less.
    """
    whole = np.asarray(sizes, float)
    floor = np.minimum(whole, least)
    if floor.sum() > size or whole.sum() < size:
        raise ValueError(f"{size} cannot be drawn: from {floor.sum():.0f} to {whole.sum():.0f} can")
    # The share rises from stratum to stratum as those leave whose least number is more than their share.
    order = np.argsort(floor / whole)
    in_share, fixed = whole[order].cumsum(), floor.sum() - floor[order].cumsum()
    shares = (size - fixed) / in_share
    fits = shares >= (floor / whole)[order] - 1e-12
    share = shares[fits.nonzero()[0][-1]]
    return np.asarray(np.maximum(floor, share * whole))


def rounded(wanted: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Whole numbers beside the wanted ones, with these as their means, and the same sum; systematic sampling.

    Source: W. G. Madow, Annals of Mathematical Statistics 20 (1949), 333.

    Args:
        wanted: (strata,) with a whole sum.
        rng: of the one number by chance.
    """
    base = np.floor(wanted + 1e-9)
    part = np.clip(wanted - base, 0, None)
    total = round(float(part.sum()))
    if not total:
        return base.astype(np.int64)
    steps = part.cumsum() * (total / part.sum())
    steps[-1] = total
    marks = np.floor(steps + rng.uniform(1e-9, 1 - 1e-9))
    return np.asarray(base + np.diff(marks, prepend=0), np.int64)


def drawn(sizes: Sequence[int], counts: Sequence[int], rng: np.random.Generator) -> list[set[int]]:
    """For each stratum which of its members are drawn, by their places, without replacement."""
    return [
        set(rng.choice(size, int(count), replace=False).tolist()) for size, count in zip(sizes, counts, strict=True)
    ]
