"""Whether a pipette moves such volumes at such rates."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.liquids import LiquidClass
from protocols.quantities import show_volume
from protocols.specs import PipetteSpec
from protocols.tips import Tip
from protocols.verify.checks import Problem, Stroke


def volume_problems(
    stroke: Stroke,
    pipette: PipetteSpec,
    liquid_class: LiquidClass,
    tip: Tip | None,
    fastest: float,
) -> Iterator[Problem]:
    """What there is to say of a stroke's volumes and rate; ``fastest`` is the workcell's limit, µL/s."""
    volumes, first = stroke.volumes, stroke.wells[0]
    largest, smallest = (volumes[0], volumes[0]) if len(volumes) == 1 else (max(volumes), min(volumes))
    yield from most_problems(pipette, largest, first)
    if stroke.kind == "aspirate":
        yield from most_problems(pipette, liquid_class.blow_out, first, " of blow-out air")
    rate = liquid_class.dispense_flow_rate if stroke.kind == "dispense" else liquid_class.aspirate_flow_rate
    if rate > fastest:
        name = stroke.liquid_class
        message = f"liquid class '{name}' moves {rate:g} µL/s, the limit is {fastest:g} µL/s"
        yield "D04", message, "lower its flow rates", name
    least = pipette.min_volume if tip is None else max(pipette.min_volume, tip.spec.min_volume)
    if smallest < least:
        for place, volume in zip(stroke.wells, volumes, strict=True):
            if volume < least:
                message = f"{show_volume(volume)} is less than the {show_volume(least)} it moves accurately"
                yield "L04", message, "take a smaller tip, or dilute first and move more", place


def most_problems(pipette: PipetteSpec, volume: float, place: str, what: str = "") -> Iterator[Problem]:
    """More than the pipette moves in one stroke."""
    if volume > pipette.max_volume:
        asked, most = show_volume(volume), show_volume(pipette.max_volume)
        yield "D03", f"{asked}{what} in one stroke, '{pipette.id}' moves {most}", "split it", place
