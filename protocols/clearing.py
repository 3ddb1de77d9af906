"""Clearing a tip: blowing all out of it, and touching a wall with its end.

``docs/explanations/semantics.md`` says what each does; the arguments are those of
:class:`protocols.labstate.LabState`'s methods of the same names. Volumes µL, heights mm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from protocols.effects import Effect
from protocols.liquids import LiquidClass
from protocols.strokes import blocked, judge_given, run_over
from protocols.tips import Tip
from protocols.vessels import Well, judge_end

if TYPE_CHECKING:
    from protocols.labstate import LabState

_AT_A_HEIGHT = LiquidClass(name="at a height")
"""Neither follows the surface: the tip's end is at the height that is given."""


def blow_out(
    state: LabState, pipette: str, channels: Sequence[int], wells: Sequence[str], height: float | None
) -> Sequence[Effect]:
    """Push everything out of tips, over wells: liquid, what clings to the wall too, and air."""
    effects: list[Effect] = []
    for channel, tip, well in _able(state, pipette, channels, wells, effects):
        before = well.volume
        for volume, mixture in reversed(tip.segments()):
            if mixture is not None and volume > 0.0:
                judge_given(well, channel, tip, mixture, volume, effects)
                well.add(mixture, volume)
        tip.empty()
        if well.volume > well.max_volume:
            run_over(state, well, channel, effects)
        judge_end(well, channel, tip, _AT_A_HEIGHT, height, well.volume, before, effects)
    return effects


def touch_tip(
    state: LabState, pipette: str, channels: Sequence[int], wells: Sequence[str], height: float | None
) -> Sequence[Effect]:
    """Touch the walls of wells with the tips' ends: no liquid is counted."""
    effects: list[Effect] = []
    for channel, tip, well in _able(state, pipette, channels, wells, effects):
        judge_end(well, channel, tip, _AT_A_HEIGHT, height, well.volume, well.volume, effects)
    return effects


def _able(
    state: LabState, pipette: str, channels: Sequence[int], wells: Sequence[str], effects: list[Effect]
) -> Iterator[tuple[int, Tip, Well]]:
    """The channels that can act, in the order given; ``effects`` takes what keeps the others."""
    for channel, name in zip(channels, wells, strict=False):
        tip, well = state.tip_on(pipette, channel), state.wells.get(name)
        if tip is None or well is None or well.labware.obstacle:
            effects.append(blocked(state, pipette, channel, name))
        else:
            yield channel, tip, well
