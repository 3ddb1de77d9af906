"""The nozzles of a pipette: which are in use, which hold tips, and over which wells they come."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from protocols.opentrons.definition import Definition
from protocols.opentrons.parameters import Layout

PITCH = 9.0
"""mm between neighbouring nozzles of every Opentrons pipette."""
TIP_WIDTH = 2.0
"""mm of a tip's end."""
_NOZZLE = re.compile(r"([A-P])([1-9][0-9]?)")


def channel_count(pipette: str) -> int:
    """How many nozzles a pipette of Opentrons' name has."""
    if "96" in pipette.split("_")[1:]:
        return 96
    return 8 if "multi" in pipette else 1


def is_of_flex(pipette: str) -> bool:
    """Whether a pipette of Opentrons' name is a Flex's."""
    return "flex" in pipette or "96" in pipette.split("_")[1:]


@dataclass(slots=True)
class Nozzles:
    """The nozzles of one pipette.

    Attributes:
        mount: the pipette's name in the workcell, "left" or "right".
        count: how many there are.
        active: channels in use.
        primary: the channel that goes to the well that a command names.
        held: channels that hold tips; empty if none does.
    """

    mount: str
    count: int
    active: tuple[int, ...] = ()
    primary: int = 0
    held: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        self.active = self.active or tuple(range(self.count))

    @property
    def working(self) -> tuple[int, ...]:
        """The channels that a stroke uses: those with tips; without any, those that are to have them."""
        return self.held or self.active

    @property
    def rows(self) -> int:
        """How many nozzles stand one behind the other."""
        return 8 if self.count % 8 == 0 else 1

    def arrange(self, layout: Layout) -> bool:
        """Use the nozzles that ``layout`` says from now on; ``False`` if it names nozzles that are not there."""
        full = range(self.count)
        rows = self.rows
        primary = self._channel(layout.primaryNozzle, 0)
        front = self._channel(layout.frontRightNozzle, primary)
        back = self._channel(layout.backLeftNozzle, primary)
        if primary is None or front is None or back is None:
            return False
        column, row = divmod(primary, rows)
        if layout.style == "ALL":
            chosen = tuple(full)
        elif layout.style == "SINGLE":
            chosen = (primary,)
        elif layout.style == "COLUMN":
            chosen = tuple(channel for channel in full if channel // rows == column)
        elif layout.style == "ROW":
            chosen = tuple(channel for channel in full if channel % rows == row)
        else:
            columns = sorted((back // rows, front // rows, column))
            across = sorted((back % rows, front % rows, row))
            chosen = tuple(
                channel
                for channel in full
                if columns[0] <= channel // rows <= columns[-1] and across[0] <= channel % rows <= across[-1]
            )
        self.active, self.primary = chosen, primary if layout.style != "ALL" else 0
        return True

    def _channel(self, nozzle: str | None, default: int | None) -> int | None:
        if nozzle is None:
            return default
        match = _NOZZLE.fullmatch(nozzle)
        if match is None:
            return None
        row, column = ord(match[1]) - ord("A"), int(match[2]) - 1
        channel = column * self.rows + row
        return channel if row < self.rows and channel < self.count else None

    def wells(self, definition: Definition, well: str, channels: tuple[int, ...]) -> tuple[str | None, ...]:
        """The well under each of ``channels`` when the pipette goes to ``well``; ``None`` where there is none."""
        return _wells_under(_Keyed(definition), well, self.active, channels, self.primary, self.rows)


class _Keyed:
    """A definition as a cache's key: by identity."""

    __slots__ = ("definition",)

    def __init__(self, definition: Definition) -> None:
        self.definition = definition

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.definition is self.definition

    def __hash__(self) -> int:
        return id(self.definition)


@lru_cache(maxsize=8192)
def _wells_under(
    keyed: _Keyed, well: str, active: tuple[int, ...], channels: tuple[int, ...], primary: int, rows: int
) -> tuple[str | None, ...]:
    definition = keyed.definition
    target = definition.wells.get(well)
    if target is None:
        return (well,) * len(channels)  # verification names it
    centre_x, centre_y = definition.centres
    columns, lines = [channel // rows for channel in active], [channel % rows for channel in active]
    column = (min(columns) + max(columns)) / 2 if centre_x else primary // rows
    line = (min(lines) + max(lines)) / 2 if centre_y else primary % rows
    found = tuple(
        definition.well_at(
            target.x + (channel // rows - column) * PITCH, target.y - (channel % rows - line) * PITCH, well
        )
        for channel in channels
    )
    wide, long = (max(columns) - min(columns)) * PITCH, (max(lines) - min(lines)) * PITCH
    half_x, half_y = target.half
    if None in found and 2 * half_x >= wide + TIP_WIDTH and 2 * half_y >= long + TIP_WIDTH:
        return (well,) * len(channels)  # a trough whose definition does not say that pipettes are centred on it
    return found
