"""Which nozzles of an 8- or 96-channel pipette take part, in Opentrons' words.

Channels are numbered as everywhere in Labwright: down the columns, 8-channel A to H, 96-channel A1 to H1, A2 to H2 ….
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.specs import LabwareSpec, WellSite
from protocols.wells import well_name

ROWS = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """One configuration of nozzles.

    Attributes:
        style: ``ALL``, ``COLUMN``, ``PARTIAL_COLUMN``, ``ROW`` or ``SINGLE``.
        primary: the channel that goes to the well that a command names.
        start, end: nozzles, as the API wants them.
    """

    style: str
    primary: int = 0
    start: str | None = None
    end: str | None = None

    @property
    def api_level(self) -> tuple[int, int]:
        """The first API level that knows it (``InstrumentContext.configure_nozzle_layout``)."""
        return {"ALL": (2, 15), "COLUMN": (2, 16)}.get(self.style, (2, 20))


def nozzle(channel: int) -> str:
    """The nozzle of ``channel``: "A1", "B1", …."""
    return well_name(channel % ROWS, channel // ROWS)


def layout_of(channels: tuple[int, ...], total: int) -> Layout | None:
    """The layout in which exactly ``channels`` of a pipette of ``total`` take part; ``None`` if the API has none."""
    used = frozenset(channels)
    if len(used) == total:
        return Layout("ALL")
    corners = {0, ROWS - 1, total - ROWS, total - 1}
    if len(used) == 1:
        (only,) = used
        return Layout("SINGLE", only, nozzle(only)) if only in corners else None
    if total == ROWS:
        return _part_of_column(min(used), max(used), len(used))
    for first in (0, total - ROWS):
        if used == frozenset(range(first, first + ROWS)):
            return Layout("COLUMN", first, nozzle(first))
    for first in (0, ROWS - 1):
        if used == frozenset(range(first, total, ROWS)):
            return Layout("ROW", first, nozzle(first))
    return None


def _part_of_column(low: int, high: int, count: int) -> Layout | None:
    if high - low + 1 != count:
        return None
    if high == ROWS - 1:
        return Layout("PARTIAL_COLUMN", high, nozzle(high), nozzle(low))
    return Layout("PARTIAL_COLUMN", low, nozzle(low), nozzle(high)) if low == 0 else None


def reaches(kind: LabwareSpec, primary: tuple[int, str], other: tuple[int, str], pitch: float) -> bool:
    """Whether the nozzle of a channel stands over its well when the primary one stands over its own.

    Args:
        primary: the layout's primary channel and its well's name.
        other: the other channel and the name of the well that it is meant to reach.
    """
    if primary[1] == other[1]:
        return True
    here, there = kind.wells.get(primary[1]), kind.wells.get(other[1])
    return here is not None and there is not None and _is_over(kind, here, primary[0], there, other[0], pitch)


def well_under(kind: LabwareSpec, primary: tuple[int, str], channel: int, pitch: float) -> str | None:
    """The well over which the nozzle of ``channel`` stands when the primary one stands over its own; ``None``: none."""
    here = kind.wells.get(primary[1])
    if here is None:
        return None
    wells = kind.wells.items()
    return next((name for name, there in wells if _is_over(kind, here, primary[0], there, channel, pitch)), None)


def _is_over(kind: LabwareSpec, here: WellSite, primary: int, there: WellSite, channel: int, pitch: float) -> bool:
    x = here.x + (channel // ROWS - primary // ROWS) * pitch
    y = here.y - (channel % ROWS - primary % ROWS) * pitch
    across, along = _opening(kind, there, pitch)
    return abs(x - there.x) <= across / 2 and abs(y - there.y) <= along / 2


def _opening(kind: LabwareSpec, well: WellSite, pitch: float) -> tuple[float, float]:
    shape = kind.shapes.get(well.shape)
    return shape.opening if shape is not None and shape.opening is not None else (pitch, pitch)
