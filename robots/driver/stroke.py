"""One stroke of a pipette as the driver sees it: an instruction with its liquid class, wells and tips at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from pylabrobot.liquid_handling.channel_positioning import compute_channel_offsets
from pylabrobot.resources import Container, Coordinate, Tip

from protocols.liquids import LiquidClass
from protocols.program import PipettingInstruction
from protocols.specs import PipetteSpec
from protocols.tips import Tip as Column

HEIGHT_UNKNOWN = 1.0
"""mm above the cavity bottom where a real tip goes if an instruction's height is unknown: the clearance that
Opentrons' API keeps by default (``well_bottom_clearance``); pylabrobot would go to the bottom itself."""
NOZZLE_ROWS = 8
"""Nozzles in a column of an 8- or a 96-channel pipette; the channels run down the columns."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A stroke of the channels of one pipette, in the instruction's order.

    Attributes:
        pipette: the pipette.
        channels: the pipette's own channel numbers.
        numbers: pylabrobot's numbers for them.
        wells: the well under each channel; for an air gap, over which it is drawn.
        volumes: µL; 0 for a mix and for touching a wall; all that the tip holds for a blow-out.
        mixes: µL of each mixing stroke and how often; of pre-wetting, for an aspirate.
        tips: pylabrobot's tips.
        columns: what is in them, as LabState has it.
        height: mm above the cavity bottom; ``None`` is unknown.
        sort: what it is beside a plain stroke: "air" is drawn above the wells, the tips are "blown out", or "touch" the
            walls.
    """

    pipette: PipetteSpec
    channels: tuple[int, ...]
    numbers: tuple[int, ...]
    wells: tuple[Container, ...]
    volumes: tuple[float, ...]
    liquid_class: LiquidClass
    tips: tuple[Tip, ...]
    columns: tuple[Column, ...]
    height: float | None
    mixes: tuple[tuple[float, int], ...] = ()
    sort: Literal["plain", "air", "blown out", "touch"] = "plain"

    @property
    def air(self) -> bool:
        """Air is drawn above the wells."""
        return self.sort == "air"


def spread(stroke: Stroke) -> list[Coordinate] | None:
    """Where in its well each channel goes, where several share one; ``None``: pylabrobot's own spreading does it.

    pylabrobot spreads independent channels, and only if all of them go to one and the same container. Channels that
    move together keep their grid: the middle of those over one container is over its middle.
    """
    rigid, channels = not stroke.pipette.independent, stroke.channels
    places = len({id(well) for well in stroke.wells})
    neighbours = channels == tuple(range(channels[0], channels[0] + len(channels)))
    if places == len(stroke.wells) or (places == 1 and neighbours and not rigid):
        return None
    offsets = [Coordinate.zero()] * len(stroke.wells)
    for well in {id(well): well for well in stroke.wells}.values():
        shared = [index for index, other in enumerate(stroke.wells) if other is well]
        if len(shared) > 1:
            there = [channels[index] for index in shared]
            own = _grid(there, stroke.pipette.pitch) if rigid else _apart(well, there)
            for index, offset in zip(shared, own, strict=True):
                offsets[index] = offset
    return offsets


def _apart(well: Container, channels: list[int]) -> list[Coordinate]:
    """Where independent channels go in one well, with room for those that stand between them."""
    back = min(channels)
    every = compute_channel_offsets(well, max(channels) - back + 1, spread="wide")
    return [every[channel - back] for channel in channels]


def in_channel_order(instruction: PipettingInstruction) -> PipettingInstruction:
    """The same, its channels named from the back to the front, as a STAR takes them."""
    order = sorted(range(len(instruction.channels)), key=instruction.channels.__getitem__)
    lists = {name: getattr(instruction, name, None) for name in ("channels", "wells", "spots", "volumes")}
    sorted_lists: dict[str, Any] = {
        name: tuple(values[index] for index in order) for name, values in lists.items() if values is not None
    }
    return replace(instruction, **sorted_lists)


def _grid(channels: list[int], pitch: float) -> list[Coordinate]:
    """Where each nozzle is from the middle of them all, mm."""
    columns = [channel // NOZZLE_ROWS * pitch for channel in channels]
    rows = [channel % NOZZLE_ROWS * pitch for channel in channels]
    x, y = (min(columns) + max(columns)) / 2, (min(rows) + max(rows)) / 2
    return [Coordinate(column - x, y - row, 0.0) for column, row in zip(columns, rows, strict=True)]
