"""One stroke of a pipette as the driver sees it: an instruction with its liquid class, wells and tips at hand."""

from __future__ import annotations

from dataclasses import dataclass

from pylabrobot.liquid_handling.channel_positioning import compute_channel_offsets
from pylabrobot.resources import Container, Coordinate, Tip

from protocols.liquids import LiquidClass
from protocols.tips import Tip as Column

HEIGHT_UNKNOWN = 1.0
"""mm above the cavity bottom where a real tip goes if an instruction's height is unknown: the clearance that
Opentrons' API keeps by default (``well_bottom_clearance``); pylabrobot would go to the bottom itself."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A stroke of the channels of one pipette, in the instruction's order.

    Attributes:
        pipette: its name.
        channels: the pipette's own channel numbers.
        numbers: pylabrobot's numbers for them.
        wells: the well under each channel; for an air gap, over which it is drawn.
        volumes: µL; 0 for a mix.
        mixes: µL of each mixing stroke and how often; of pre-wetting, for an aspirate.
        tips: pylabrobot's tips.
        columns: what is in them, as LabState has it.
        height: mm above the cavity bottom; ``None`` is unknown.
        air: draw air above the wells.
    """

    pipette: str
    channels: tuple[int, ...]
    numbers: tuple[int, ...]
    wells: tuple[Container, ...]
    volumes: tuple[float, ...]
    liquid_class: LiquidClass
    tips: tuple[Tip, ...]
    columns: tuple[Column, ...]
    height: float | None
    mixes: tuple[tuple[float, int], ...] = ()
    air: bool = False


def spread(stroke: Stroke) -> list[Coordinate] | None:
    """Where in its well each channel goes, where several share one; ``None``: pylabrobot's own spreading does it.

    pylabrobot spreads channels only if all of them go to one and the same container.
    """
    if len({id(well) for well in stroke.wells}) in (1, len(stroke.wells)):
        return None
    offsets = [Coordinate.zero()] * len(stroke.wells)
    for well in {id(well): well for well in stroke.wells}.values():
        shared = [index for index, other in enumerate(stroke.wells) if other is well]
        if len(shared) > 1:
            for index, offset in zip(shared, compute_channel_offsets(well, len(shared), spread="wide"), strict=True):
                offsets[index] = offset
    return offsets
