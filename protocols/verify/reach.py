"""Whether the channels of one pipette can be at these wells at the same moment, or one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple

from protocols.labstate import LabState
from protocols.specs import PipetteSpec, WellSite

TOLERANCE = 0.6
"""mm by which a well may lie off a channel's line and still be entered; assumption: half a 384-well's clear width
less a tip's, (3.6 - 2.4) / 2."""

ROUNDING = 0.05
"""mm by which drawings of one column of wells differ; a STAR is told positions in tenths of a mm."""

TIP_WIDTH = 2.0
"""mm of a tip's end, as pylabrobot reckons where it asks whether a 96 head fits into a trough."""


class Reach(NamedTuple):
    """Why channels cannot be at their places, ``None`` if they can; and to how many lines of them they go in turn."""

    problem: str | None = None
    lines: int = 1


_AT_ONCE = Reach()


def reach(state: LabState, pipette: PipetteSpec, channels: Sequence[int], places: Sequence[str]) -> Reach:
    """Whether ``channels`` can be at ``places`` (wells or spots).

    Independent channels go to one line of wells across the deck after the other; those on one line stand in order from
    the back, at least a pitch apart, and several fit into one trough that is long enough. The nozzles of a head that
    moves as one stand on its own grid.
    """
    positions = _positions(state, places) if len(channels) > 1 else None
    if positions is None:  # unknown places are reported as such
        return _AT_ONCE
    if not pipette.independent:
        return Reach(_grid_problem(pipette, channels, places, positions, state))
    lines = _lines(positions)
    for line in lines:
        problem = _line_problem(pipette, [(channels[at], places[at], positions[at][1]) for at in line], state)
        if problem:
            return Reach(problem, len(lines))
    return _AT_ONCE if len(lines) == 1 else Reach(None, len(lines))


def _positions(state: LabState, places: Sequence[str]) -> list[tuple[float, float]] | None:
    """Where places are, mm, (x, y) in the deck's frame; ``None`` if one of them does not exist."""
    found: list[tuple[float, float]] = []
    standing, x, y = "", 0.0, 0.0
    wells: Mapping[str, WellSite] = {}
    for place in places:
        labware, _, well = place.rpartition("/")
        if labware != standing:
            instance = state.labware.get(labware)
            if instance is None:
                return None
            site = state.workcell.sites.get(instance.site)
            standing, wells = labware, instance.spec.wells
            x, y = (site.x, site.y) if site else (0.0, 0.0)
        position = wells.get(well)
        if position is None:
            return None
        found.append((x + position.x, y + position.y))
    return found


def place_on_deck(state: LabState, place: str) -> tuple[float, float, float] | None:
    """Where a well or spot is, mm in the deck's frame; ``None`` for one that does not exist."""
    labware, _, well = place.rpartition("/")
    instance = state.labware.get(labware)
    if instance is None or well not in instance.spec.wells:
        return None
    site = state.workcell.sites.get(instance.site)
    position = instance.spec.wells[well]
    origin = (site.x, site.y, site.z) if site else (0.0, 0.0, 0.0)
    return origin[0] + position.x, origin[1] + position.y, origin[2] + position.z


def rows_of(pipette: PipetteSpec) -> int:
    """How many rows of nozzles a head that moves as one has."""
    return 8 if pipette.channels % 8 == 0 else pipette.channels


def nozzle(pipette: PipetteSpec, channel: int) -> tuple[int, int]:
    """The column and row of a channel's nozzle, from 0: channels run down the columns."""
    return divmod(channel, rows_of(pipette))


def _lines(positions: Sequence[tuple[float, float]]) -> list[Sequence[int]]:
    """Indices of the positions that lie on one line across the deck, line by line."""
    across = [x for x, _ in positions]
    every = range(len(across))
    if max(across) - min(across) <= ROUNDING:
        return [every]
    lines: list[list[int]] = []
    last = 0.0
    for index in sorted(every, key=across.__getitem__):
        if lines and across[index] - last <= ROUNDING:
            lines[-1].append(index)
        else:
            lines.append([index])
        last = across[index]
    return [*lines]


def _line_problem(pipette: PipetteSpec, line: list[tuple[int, str, float]], state: LabState) -> str | None:
    """What is wrong with channels, places and where those are along one line."""
    line.sort()
    for (left, place, y0), (right, other, y1) in pairwise(line):
        needed = (right - left) * pipette.pitch
        if place == other:
            if not _fits(state, place, [channel for channel, at, _ in line if at == place], pipette.pitch):
                return f"the channels do not fit into {place} side by side"
        elif y0 - y1 < needed - ROUNDING:
            apart = f"{place} and {other} are {y0 - y1:.3g} mm apart"
            return f"channels {left} and {right} need {needed:g} mm between them, {apart}"
    return None


def _fits(state: LabState, place: str, channels: Sequence[int], pitch: float) -> bool:
    """Whether these channels and those between them go into one well: each takes up its pitch, as pylabrobot has it."""
    opening = _opening(state, place)
    return opening is not None and opening[1] >= (max(channels) - min(channels) + 1) * pitch


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
    """Whether there is one place for the head at which each nozzle is inside its well.

    Each well says where the head may be, an interval across the deck and one along it; all of them must meet. Nozzles
    that share a well need as much of its opening as they stand apart.
    """
    groups: dict[str, list[int]] = {}
    for channel, place in zip(channels, places, strict=True):
        groups.setdefault(place, []).append(channel)
    centres = dict(zip(places, positions, strict=True))
    meets = [(-inf, inf), (-inf, inf)]
    for place, together in groups.items():
        grid = [nozzle(pipette, channel) for channel in together]
        free = _free_play(state, place, len(together))
        for axis, sign in ((0, 1.0), (1, -1.0)):
            offsets = [sign * pipette.pitch * at[axis] for at in grid]
            apart = max(offsets) - min(offsets)
            play = (free[axis] - apart) / 2
            if play < 0.0:
                return f"{len(together)} nozzles, {apart:g} mm apart, do not fit into {place} side by side"
            middle = centres[place][axis] - (max(offsets) + min(offsets)) / 2
            low, high = meets[axis]
            meets[axis] = (max(low, middle - play), min(high, middle + play))
            if meets[axis][0] > meets[axis][1]:
                return f"{place} does not lie under channel {together[0]} of a head that moves as one"
    return None


def _free_play(state: LabState, place: str, count: int) -> tuple[float, float]:
    """mm, across and along the deck, in which the nozzles that go into one well may stand."""
    if count == 1:
        return TOLERANCE, TOLERANCE
    opening = _opening(state, place)
    if opening is None and place.rpartition("/")[0] == state.workcell.trash:
        return inf, inf  # a chute, over which every head has its own place
    return (-1.0, -1.0) if opening is None else (opening[0] - TIP_WIDTH, opening[1] - TIP_WIDTH)
