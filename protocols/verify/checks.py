"""What is to be said of a stroke beside what it physically does: heights, surfaces to find, the liquid class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from protocols.labstate import LabState
from protocols.liquids import Behaviours, LiquidClass
from protocols.program import Aspirate, Dispense, Mix, TouchTip
from protocols.tips import DUST

Stroke = Aspirate | Dispense | Mix
Problem = tuple[str, str, str, str]
"""A code, what is wrong, how to mend it, and the place."""
RIM_CLEARANCE = 0.01
"""mm by which a height may lie above the rim: rounding."""


def height_problems(state: LabState, instruction: Stroke | TouchTip, height: float) -> Iterator[Problem]:
    """Heights above the rim; jets and blow-outs, which fall from wherever the rim is, are not asked for."""
    for place in instruction.wells:
        well = state.wells.get(place)
        depth = None if well is None else well.cavity.depth
        if depth is not None and height > depth + RIM_CLEARANCE:
            message = f"the tip's end is at {height:g} mm, the well is {depth:g} mm deep"
            yield "P08", message, "stay within the well", place


def surface_problems(state: LabState, instruction: Stroke) -> Iterator[Problem]:
    """A channel that feels for the surface finds none in an empty well, even to draw nothing."""
    for place, volume in zip(instruction.wells, instruction.volumes, strict=True):
        well = state.wells.get(place)
        if well is not None and volume <= DUST and well.volume <= DUST:
            yield "L01", "there is no surface to find in an empty well", "leave it out", place


def class_problems(
    state: LabState, instruction: Stroke, liquid_class: LiquidClass, odd: Mapping[str, Behaviours]
) -> Iterator[Problem]:
    """Liquids for which the class is not made; ``odd`` says how liquids depart from water, by liquid."""
    for place in instruction.wells:
        well = state.wells.get(place)
        for name in odd.keys() & (well.parts.keys() if well else ()):
            unsuited = odd[name] - liquid_class.suits
            if unsuited:
                said = " and ".join(sorted(unsuited))
                message = f"'{name}' is {said}, liquid class '{liquid_class.name}' is not made for that"
                yield "L05", message, f"use a class for {said} liquids", place
