"""Which colours a region has, how light it is, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.traits.describing.cutting import Cut
from pipelines.traits.describing.estimates import Blocks, Estimate, Floats, jackknife, judged, mean
from pipelines.traits.describing.fields import smoothed
from pipelines.traits.describing.naming import STATES, named, names

SECOND = 0.15
"""Share of the area that a second colour needs."""
APART = 15.0
"""Difference in CIE L*a*b* (1976) below which two names are told of one colour; ten or so is seen at a glance."""
DARK, LIGHT = 40.0, 65.0
"""Edges of L* between dark, medium and light."""


@dataclass(frozen=True)
class Colours:
    """What is measured of a region's colours.

    Attributes:
        first: state of the largest share; ``None`` where two are alike in size.
        first_words: its ISCC-NBS name, of the mean colour of what has that state.
        share: of the largest.
        second: state of the second largest; ``""`` where there is none, ``None`` where it cannot be told.
        second_words, second_share: as of the first.
        lightness: mean L*.
        brightness: ``dark``, ``medium``, ``light``; ``None`` too near an edge.
    """

    first: str | None
    first_words: str
    share: Estimate
    second: str | None
    second_words: str
    second_share: Estimate
    lightness: Estimate
    brightness: str | None


def colours(cut: Cut) -> Colours:
    """The colours of what is inside a region; something must be."""
    lab = smoothed(cut.lab, cut.inside, 1.0)[cut.inside]
    states = names().states[named(lab)]
    blocks = Blocks(cut.inside)
    sums = blocks.sums(states[:, None] == np.arange(len(STATES)))
    order = np.argsort(-sums[:, :-1].sum(axis=0), kind="stable")
    first, second, third = (int(place) for place in order[:3])
    share, second_share = mean(sums, first), mean(sums, second)
    lightness = mean(blocks.sums(lab[:, :1]))
    centres = [np.asarray(lab[states == state].mean(axis=0)) if (states == state).any() else None
               for state in (first, second)]  # fmt: skip
    led = _ahead(sums, first, second)
    other = _second(sums, second, third, second_share, centres)
    return Colours(
        STATES[first] if led else None,
        _words(centres[0]),
        share,
        other if led or other == "" else None,
        _words(centres[1]),
        second_share,
        lightness,
        judged(lightness, (DARK, LIGHT), ("dark", "medium", "light")),
    )


def _second(sums: Floats, second: int, third: int, share: Estimate, centres: list[np.ndarray | None]) -> str | None:
    one, other = centres
    if other is None or one is None or float(np.linalg.norm(one - other)) < APART:
        return ""
    enough = judged(share, (SECOND,), ("", STATES[second]))
    return enough if enough is None or enough == "" or _ahead(sums, second, third) else None


def _ahead(sums: Floats, one: int, other: int) -> bool:
    """Whether one share is larger than another by more than a standard deviation of the difference."""

    def difference(total: Floats) -> Floats:
        return (total[..., one] - total[..., other]) / np.maximum(total[..., -1], 1e-9)

    lead = jackknife(sums, difference)
    return lead.value > lead.sd


def _words(centre: np.ndarray | None) -> str:
    return "" if centre is None else names().words[int(named(np.asarray(centre, np.float32)[None])[0])]
