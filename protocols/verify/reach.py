"""Whether the channels of one pipette can be at these wells at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from protocols.labstate import LabState
from protocols.specs import PipetteSpec

TOLERANCE = 0.6
"""mm by which a well may lie off a channel's line and still be entered; assumption: half a 384-well's clear width
less a tip's, (3.6 - 2.4) / 2."""

TIP_WIDTH = 2.0
"""mm of a tip's end, as pylabrobot reckons where it asks whether a 96 head fits into a trough."""


def reach_problem(state: LabState, pipette: PipetteSpec, channels: Sequence[int], places: Sequence[str]) -> str | None:
    """Why ``channels`` cannot be at ``places`` (wells or spots) at once; ``None`` if they can.

    Independent channels stand on one line across the deck, in order from the back, at least a pitch
    apart; several fit into one trough that is long enough. The nozzles of a head that moves as one stand on its
    own grid.
    """
    if len(channels) < 2:
        return None
    positions = [_position(state, place) for place in places]
    if any(position is None for position in positions):
        return None  # reported as an unknown well
    found = [position for position in positions if position is not None]
    if pipette.independent:
        return _line_problem(pipette, channels, places, found, state)
    return _grid_problem(pipette, channels, places, found, state)


def _position(state: LabState, place: str) -> tuple[float, float] | None:
    labware, _, well = place.rpartition("/")
    instance = state.labware.get(labware)
    if instance is None or well not in instance.spec.wells:
        return None
    site = state.workcell.sites.get(instance.site)
    position = instance.spec.wells[well]
    origin = (site.x, site.y) if site else (0.0, 0.0)
    return origin[0] + position.x, origin[1] + position.y


def _line_problem(
    pipette: PipetteSpec,
    channels: Sequence[int],
    places: Sequence[str],
    positions: Sequence[tuple[float, float]],
    state: LabState,
) -> str | None:
    if max(x for x, _ in positions) - min(x for x, _ in positions) > TOLERANCE:
        return "they do not lie on one line across the deck"
    ordered = sorted(zip(channels, places, positions, strict=True))
    for (left, place, (_, y0)), (right, other, (_, y1)) in pairwise(ordered):
        needed = (right - left) * pipette.pitch
        if place == other:
            if not _fits(state, place, sum(item == place for item in places), pipette.pitch):
                return f"the channels do not fit into {place} side by side"
        elif y0 - y1 < needed - TOLERANCE:
            apart = f"{place} and {other} are {y0 - y1:.3g} mm apart"
            return f"channels {left} and {right} need {needed:g} mm between them, {apart}"
    return None


def _fits(state: LabState, place: str, count: int, pitch: float) -> bool:
    opening = _opening(state, place)
    return opening is not None and opening[1] >= (count - 1) * pitch


def _opening(state: LabState, place: str) -> tuple[float, float] | None:
    """The clear width of a well's rim; ``None`` if it is unknown, or a tip spot."""
    well = state.wells.get(place)
    return None if well is None else well.cavity.shape.opening


def _grid_problem(
    pipette: PipetteSpec,
    channels: Sequence[int],
    places: Sequence[str],
    positions: Sequence[tuple[float, float]],
    state: LabState,
) -> str | None:
    rows = 8 if pipette.channels % 8 == 0 else pipette.channels
    if len(set(places)) == 1:
        return _trough_problem(state, places[0], pipette, rows)
    x0, y0 = positions[0]
    column0, row0 = divmod(channels[0], rows)
    for channel, place, (x, y) in zip(channels, places, positions, strict=True):
        column, row = divmod(channel, rows)
        off_x = x - x0 - (column - column0) * pipette.pitch
        off_y = y0 - y - (row - row0) * pipette.pitch
        if abs(off_x) > TOLERANCE or abs(off_y) > TOLERANCE:
            return f"{place} does not lie under channel {channel} of a head that moves as one"
    return None


def _trough_problem(state: LabState, place: str, pipette: PipetteSpec, rows: int) -> str | None:
    """A trough takes a whole head if its opening holds the grid of its nozzles."""
    opening = _opening(state, place)
    wide, long = (pipette.channels // rows - 1) * pipette.pitch, (rows - 1) * pipette.pitch
    if opening is not None and opening[0] >= wide + TIP_WIDTH and opening[1] >= long + TIP_WIDTH:
        return None
    return f"the head is {wide:g} by {long:g} mm from nozzle to nozzle and does not fit into {place}"
