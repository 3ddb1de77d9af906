"""Whether there is liquid and room to spare if every stroke errs, each to its bad side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from protocols.labstate import LabState
from protocols.liquids import LiquidClass
from protocols.program import Aspirate, BlowOut, Dispense, Mix, PickUpTips
from protocols.tips import DUST, Tip
from protocols.vessels import Well


class Shortfall(NamedTuple):
    """Where the margin is not kept: in a well or in a tip; how much is to spare and how much is needed, µL."""

    place: str
    in_tip: bool
    spare: float
    needed: float


@dataclass(slots=True)
class _Doubt:
    """µL by which a well or a tip may hold less, or more, than the state says."""

    less: float = 0.0
    more: float = 0.0

    def grow(self, less: float, more: float) -> None:
        self.less += less
        self.more += more


class Margin:
    """How far the errors of all strokes so far may add up, in each well and in each tip.

    Attributes:
        fraction: of its volume, how far a stroke may err.

    A stroke of ``v`` µL errs by up to ``fraction`` times ``v``. An error stays in the tip until it is emptied, so what
    empties it carries the errors of all strokes since it was empty.
    """

    def __init__(self, fraction: float) -> None:
        self.fraction = fraction
        self._wells: defaultdict[str, _Doubt] = defaultdict(_Doubt)
        self._tips: defaultdict[tuple[str, int], _Doubt] = defaultdict(_Doubt)

    def renew(self, pick_up: PickUpTips) -> None:
        """New tips come without error."""
        for channel in pick_up.channels:
            self._tips.pop((pick_up.pipette, channel), None)

    def blow_out(self, state: LabState, blow_out: BlowOut) -> Iterator[Shortfall]:
        """A tip is emptied: its well receives all errors that were in it; ``state`` is the state after it."""
        for channel, place in zip(blow_out.channels, blow_out.wells, strict=True):
            doubt, well = self._tips.pop((blow_out.pipette, channel), None), state.wells.get(place)
            if doubt is not None and well is not None:
                self._wells[place].grow(doubt.less, doubt.more)
                yield from _short(place, False, well.max_volume - well.volume, self._wells[place].more)

    def follow(
        self, state: LabState, stroke: Aspirate | Dispense | Mix, liquid_class: LiquidClass
    ) -> Iterator[Shortfall]:
        """Take in one stroke; ``state`` is the state after it."""
        strokes = list(zip(stroke.channels, stroke.wells, stroke.volumes, strict=True))
        for channel, place, volume in strokes:
            tip = state.tip_on(stroke.pipette, channel)
            if tip is None or place not in state.wells:
                continue
            if isinstance(stroke, Aspirate):
                self._aspirate(place, (stroke.pipette, channel), volume)
            elif isinstance(stroke, Dispense):
                self._dispense(place, (stroke.pipette, channel), volume, tip, liquid_class)
        fixed = None if liquid_class.level_detection else stroke.height
        for channel, place, volume in strokes:
            tip, well = state.tip_on(stroke.pipette, channel), state.wells.get(place)
            if tip is not None and well is not None:
                yield from self._judge(stroke, well, tip, (stroke.pipette, channel), volume, fixed)

    def _aspirate(self, place: str, channel: tuple[str, int], volume: float) -> None:
        error = self.fraction * volume
        self._wells[place].grow(error, error)
        self._tips[channel].grow(error, error)

    def _dispense(
        self, place: str, channel: tuple[str, int], volume: float, tip: Tip, liquid_class: LiquidClass
    ) -> None:
        error, doubt = self.fraction * volume, self._tips[channel]
        left, blow_out = max(0.0, tip.liquid() - liquid_class.film), liquid_class.blow_out
        less = more = error
        if left <= doubt.less:  # it may run empty: the well lacks what the tip lacks
            less = max(error, doubt.less - left)
        if blow_out and left - doubt.less - error <= blow_out:  # it may be blown out: the well gets all
            more = max(error, doubt.more + left)
        self._wells[place].grow(less, more)
        doubt.grow(error, error)
        if left <= DUST:
            doubt.less = 0.0
            doubt.more = 0.0 if doubt.more <= blow_out else doubt.more

    def _judge(
        self,
        stroke: Aspirate | Dispense | Mix,
        well: Well,
        tip: Tip,
        channel: tuple[str, int],
        volume: float,
        fixed: float | None,
    ) -> Iterator[Shortfall]:
        in_well, in_tip = self._wells[well.reference], self._tips[channel]
        if isinstance(stroke, Dispense):
            yield from _short(well.reference, False, well.max_volume - well.volume, in_well.more)
            return
        mixed = volume if isinstance(stroke, Mix) else 0.0
        rest = isinstance(stroke, Aspirate) and stroke.takes_rest
        if not rest:
            yield from _short(
                well.reference, False, well.volume - well.cavity.out_of_reach(fixed) - mixed, in_well.less
            )
        yield from _short(well.reference, True, tip.capacity - tip.taken() - mixed, in_tip.more)


def _short(place: str, in_tip: bool, spare: float, needed: float) -> Iterator[Shortfall]:
    if spare < needed - DUST:
        yield Shortfall(place, in_tip, max(0.0, spare), needed)
