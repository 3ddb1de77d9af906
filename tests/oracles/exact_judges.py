"""What the exact oracle has to say of a channel that acts: the effects that are judged and change nothing.

Written from docs/explanations/semantics.md alone; no code is shared with LabState. Volumes µL, heights mm.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from protocols.liquids import LiquidClass
from tests.oracles.exact_parts import NOTHING, Amounts, ExactEffect, Tip, Use, foreign


def judge_given(use: Use, part: Amounts, volume: Fraction) -> Iterator[ExactEffect]:
    """``volume`` of a mixture like ``part`` comes to the well: what of it was the tip never given?"""
    names = tuple(name for name in foreign(part, use.well.holds) if name not in use.tip.given)
    if names and volume > NOTHING and not use.well.is_trash:
        yield ExactEffect("foreign liquid", use.place, use.channel, Fraction(0), names)


def judge_stirring(use: Use, *, reached: bool) -> Iterator[ExactEffect]:
    parts = [segment.liquid for segment in use.tip.column if segment.liquid and segment.volume > NOTHING]
    names = sorted({name for part in parts for name in foreign(part, use.well.holds)})
    if names:
        yield ExactEffect("foreign liquid", use.place, use.channel, Fraction(0), tuple(names))
    elif reached and (names := list(foreign(use.tip.wet or {}, use.well.holds))):
        yield ExactEffect("used tip", use.place, use.channel, Fraction(0), tuple(names))


def judge_room(tip: Tip, place: str, channel: int, extra: Fraction = Fraction(0)) -> Iterator[ExactEffect]:
    if (missing := tip.overfill(extra)) > NOTHING:
        yield ExactEffect("tip overfilled", place, channel, missing)


def judge_immersion(use: Use, height: Fraction | None, surface: Fraction | None) -> Iterator[ExactEffect]:
    if height is None or surface is None:
        return
    if use.well.shape.depth is not None:
        surface = min(surface, Fraction(use.well.shape.depth))
    too_deep = surface - height - Fraction(use.tip.spec.length)
    if too_deep > NOTHING:
        yield ExactEffect("immersed too deep", use.place, use.channel, too_deep)


def judge_settled(
    use: Use, height: Fraction | None, kind: LiquidClass, surface: Fraction | None
) -> Iterator[ExactEffect]:
    end = height
    if kind.level_detection and surface is not None:
        end = max(surface - Fraction(kind.immersion), Fraction(0))
    if use.well.settled_height is not None and end is not None and use.well.settled_height - end > NOTHING:
        yield ExactEffect("settled layer touched", use.place, use.channel)
