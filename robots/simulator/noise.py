"""How far a simulated device strays from what it was asked, as a function of the seed and the act alone.

Pipetting. ISO 8655-2:2002, table 1, gives for single-channel air-displacement pipettes the largest systematic
error that is permitted and the largest random error (a standard deviation of repeated strokes), each by nominal volume.
For channels that share one piston drive it doubles both. The nominal volume is taken to be the tip's capacity.

The standard applies one absolute limit to every volume of a pipette. Liquid handlers do better at small
strokes; their makers' figures for 10 µL in 300 µL tips lie near a fifth of the limit at the nominal volume.
Assumption: the limit falls linearly from its full size at the nominal volume to a fifth of that at none.

The systematic error belongs to a channel with a kind of tip and never changes; it is drawn evenly from within
the limit. The random error is drawn for each stroke from a normal distribution with the limit as its standard
deviation, cut off at :data:`CUT_OFF` of them, so that what a stroke can stray has a bound. Both strokes of a
transfer stray: a piston that is off by one per cent is so in both directions.

Time. Assumption: durations stray normally by 2 %, cut off likewise.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from statistics import NormalDist
from typing import Annotated

from pydantic import Field

from protocols.liquids import Record

CUT_OFF = 4.0
"""Standard deviations beyond which nothing strays."""

SHARE_AT_NOTHING = 0.2
"""Of the limit at the nominal volume, what remains of it for the smallest strokes (an assumption, see above)."""

PERMISSIBLE = (
    (1.0, 0.05, 0.05),
    (2.0, 0.08, 0.04),
    (5.0, 0.125, 0.075),
    (10.0, 0.12, 0.08),
    (20.0, 0.2, 0.1),
    (50.0, 0.5, 0.2),
    (100.0, 0.8, 0.3),
    (200.0, 1.6, 0.6),
    (500.0, 4.0, 1.5),
    (1000.0, 8.0, 3.0),
    (2000.0, 16.0, 6.0),
    (5000.0, 40.0, 15.0),
    (10000.0, 60.0, 30.0),
)
"""ISO 8655-2:2002, table 1: nominal volume, systematic and random error, all µL."""


class Noise(Record):
    """How much of the permissible errors a simulated device shows.

    Attributes:
        pipetting: multiple of the errors that ISO 8655-2 permits; 0 is exact.
        timing: standard deviation of durations, relative; 0 is exact.
    """

    pipetting: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 1.0
    timing: Annotated[float, Field(ge=0, le=0.2, allow_inf_nan=False)] = 0.02

    @classmethod
    def off(cls) -> Noise:
        """No noise at all."""
        return cls(pipetting=0.0, timing=0.0)


def permissible_errors(nominal: float, volume: float, *, shared_drive: bool = False) -> tuple[float, float]:
    """The systematic and the random error, µL, that a stroke of ``volume`` µL with a tip of ``nominal`` µL may have.

    Linear between the nominal volumes of the table, in proportion beyond its ends.
    """
    systematic, random = _at_nominal(nominal)
    share = SHARE_AT_NOTHING + (1.0 - SHARE_AT_NOTHING) * min(1.0, volume / nominal)
    factor = 2.0 * share if shared_drive else share
    return systematic * factor, random * factor


def _at_nominal(nominal: float) -> tuple[float, float]:
    first, last = PERMISSIBLE[0], PERMISSIBLE[-1]
    for end in (first, last):
        if (end is first and nominal <= first[0]) or (end is last and nominal >= last[0]):
            return end[1] * nominal / end[0], end[2] * nominal / end[0]
    for (low, *at_low), (high, *at_high) in pairwise(PERMISSIBLE):
        if nominal <= high:
            share = (nominal - low) / (high - low)
            systematic, random = (a + share * (b - a) for a, b in zip(at_low, at_high, strict=True))
            return systematic, random
    raise AssertionError("the table covers every nominal volume")


def largest_error(noise: Noise, nominal: float, volume: float, *, shared_drive: bool = False) -> float:
    """The most, µL, by which a stroke can stray under ``noise``."""
    systematic, random = permissible_errors(nominal, volume, shared_drive=shared_drive)
    return noise.pipetting * (systematic + CUT_OFF * random)


def margin_for(
    noise: Noise, nominal: float, least: float, *, rate: float = 0.0, strokes: int = 1, shared_drive: bool = False
) -> float:
    """The margin, a fraction of each stroke, with which verification covers what strokes stray under ``noise``.

    The systematic error is the whole limit of ISO 8655-2 for every stroke. The random error is the limit times the
    quantile of the normal distribution that all of the ``strokes`` together exceed with the probability ``rate``
    (each is granted its share of it). Both are greatest, as a fraction, for the smallest stroke. Errors that add up
    over several strokes stay below the sum of what is granted to each.

    Args:
        nominal: µL, the capacity of the tip.
        least: µL, the smallest stroke.
        rate: how often a run may stray beyond the margin; 0 covers the farthest that a stroke can stray.
        strokes: how many strokes a run has, each channel counted.
        shared_drive: the channels share one drive.
    """
    systematic, random = permissible_errors(nominal, least, shared_drive=shared_drive)
    quantile = min(CUT_OFF, NormalDist().inv_cdf(1.0 - rate / strokes)) if rate > 0.0 else CUT_OFF
    return noise.pipetting * (systematic + quantile * random) / least


def moved_volume(
    noise: Noise,
    seed: int,
    act_id: str,
    pipette: str,
    channel: int,
    tip_kind: str,
    nominal: float,
    volume: float,
    *,
    shared_drive: bool = False,
) -> float:
    """What the piston really moves, µL, where ``volume`` was asked; never negative."""
    if noise.pipetting == 0.0 or volume <= 0.0:
        return volume
    systematic, random = permissible_errors(nominal, volume, shared_drive=shared_drive)
    bias = Random(f"{seed}|bias|{pipette}|{channel}|{tip_kind}").uniform(-1.0, 1.0)
    stray = _normal(Random(f"{seed}|stroke|{act_id}|{channel}"))
    return max(0.0, volume + noise.pipetting * (bias * systematic + stray * random))


def taken_time(noise: Noise, seed: int, act_id: str, seconds: float) -> float:
    """What an act really takes, s, where ``seconds`` are expected."""
    if noise.timing == 0.0:
        return seconds
    return seconds * (1.0 + noise.timing * _normal(Random(f"{seed}|time|{act_id}")))


def _normal(random: Random) -> float:
    return min(CUT_OFF, max(-CUT_OFF, random.gauss(0.0, 1.0)))
