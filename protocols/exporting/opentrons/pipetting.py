"""Strokes and tips in the words of Opentrons' API."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.exporting.opentrons.names import call, number, quoted
from protocols.exporting.opentrons.nozzles import Layout, layout_of, reaches, well_under
from protocols.exporting.opentrons.script import REFUSES_SHORT, Held, Script
from protocols.liquids import LiquidClass
from protocols.program import (
    AirGap,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    Mix,
    PickUpTips,
    PipettingInstruction,
    TouchTip,
)
from protocols.wells import split_well

ABOVE_RIM = 5.0
"""mm over a well at which the API draws an air gap."""
SAME = 1e-9
"""mm or µL that are no difference."""
WellStroke = Aspirate | Dispense | Mix | BlowOut | TouchTip
"""What happens in a well."""


def write_pipetting(script: Script, index: int, instruction: PipettingInstruction) -> None:
    """Write what a pipette does in the program's instruction number ``index``."""
    held = script.pipettes.get(instruction.pipette)
    if held is None:
        script.refuse(instruction, "pipette", f"'{instruction.pipette}' has no mount on this robot")
        return
    if isinstance(instruction, PickUpTips):
        _pick_up(script, held, instruction)
        return
    if not _moves_all_tips(script, held, instruction):
        what = "its channels are not those that carry tips, and the nozzles move together"
        script.refuse(instruction, "channels", what, "Name exactly the channels with tips")
        return
    match instruction:
        case DropTips():
            _drop(script, held, instruction)
        case AirGap():
            _air_gap(script, held, instruction, index)
        case Aspirate() | Dispense() | Mix():
            _stroke(script, held, instruction)
        case BlowOut():
            _rate(script, held, blow_out=instruction.flow_rate)
            script.write(call(f"{held.variable}.blow_out", _place(script, held, instruction)))
            held.column = 0.0
        case TouchTip():
            _touch(script, held, instruction)


def _moves_all_tips(script: Script, held: Held, instruction: PipettingInstruction) -> bool:
    """Whether it names the channels that carry tips, those that stand beside all wells left out."""
    used, tips = frozenset(instruction.channels), frozenset(held.channels)
    if used == tips:
        return True
    if not isinstance(instruction, WellStroke) or not used < tips or held.primary not in used:
        return False
    labware, well = split_well(_primary_of(held, instruction.channels, instruction.wells))
    kind = script.kind(labware)
    return kind is not None and not any(
        well_under(kind, (held.primary, well), channel, held.spec.pitch) for channel in tips - used
    )


# -- tips -------------------------------------------------------------------------------------------


def _pick_up(script: Script, held: Held, instruction: PickUpTips) -> None:
    layout = layout_of(instruction.channels, held.spec.channels)
    if layout is None:
        named = ", ".join(map(str, sorted(instruction.channels)))
        what = f"no nozzle layout of an {held.spec.channels}-channel pipette is just the channels {named}"
        script.refuse(instruction, "channels", what, "Use all, a block from either end of a column, or a corner nozzle")
        return
    _configure(script, held, layout)
    held.channels, held.column = instruction.channels, 0.0
    spot = _primary_well(script, held, instruction.channels, instruction.spots, instruction)
    script.write(call(f"{held.variable}.pick_up_tip", script.well(instruction, spot)))
    script.over = None


def _configure(script: Script, held: Held, layout: Layout) -> None:
    told = tuple(word for word in (layout.style, layout.start, layout.end) if word is not None)
    held.primary = layout.primary
    if told == held.layout:
        return
    held.layout = told
    script.imports.add(layout.style)
    start = None if layout.start is None else quoted(layout.start)
    end = None if layout.end is None else quoted(layout.end)
    script.write(call(f"{held.variable}.configure_nozzle_layout", style=layout.style, start=start, end=end))


def _drop(script: Script, held: Held, instruction: DropTips) -> None:
    if instruction.spots is None:
        script.write(f"{held.variable}.drop_tip()")
    else:
        spot = _primary_well(script, held, instruction.channels, instruction.spots, instruction)
        script.write(call(f"{held.variable}.drop_tip", script.well(instruction, spot)))
    held.channels, held.column, script.over = (), 0.0, None


# -- strokes ----------------------------------------------------------------------------------------


def _stroke(script: Script, held: Held, instruction: Aspirate | Dispense | Mix) -> None:
    volume = _volume(script, instruction, instruction.volumes)
    liquid_class = script.program.liquid_classes.get(instruction.liquid_class)
    if liquid_class is None:
        script.refuse(instruction, "liquid_class", f"the program has no liquid class '{instruction.liquid_class}'")
        return
    _check_class(script, instruction, liquid_class)
    place = _place(script, held, instruction)
    aspirates, dispenses = liquid_class.aspirate_flow_rate, liquid_class.dispense_flow_rate
    match instruction:
        case Aspirate():
            _rate(script, held, aspirate=aspirates)
            if liquid_class.pre_wet and held.column <= liquid_class.film + SAME:
                _rate(script, held, dispense=dispenses)
                script.write(call(f"{held.variable}.mix", str(liquid_class.pre_wet), number(volume), place))
            script.write(call(f"{held.variable}.aspirate", number(volume), place))
            held.column += volume
        case Dispense():
            _rate(script, held, dispense=dispenses)
            script.write(call(f"{held.variable}.dispense", number(_held_of(script, held, instruction)), place))
            held.column = max(0.0, held.column - volume)
        case Mix():
            _rate(script, held, aspirate=aspirates, dispense=dispenses)
            script.write(call(f"{held.variable}.mix", str(instruction.cycles), number(volume), place))
    if liquid_class.settle:
        script.write(call("protocol.delay", seconds=number(liquid_class.settle)))
    if isinstance(instruction, Dispense):
        _finish(script, held, liquid_class, place)


def _held_of(script: Script, held: Held, instruction: Dispense) -> float:
    """What is dispensed: newer API levels refuse more than the tip holds, older ones dispense what there is."""
    volume = instruction.volumes[0]
    if volume <= held.column + SAME or script.level < REFUSES_SHORT:
        return volume
    script.remarks.note(
        f"Instruction {instruction.id} dispenses {number(volume)} µL where the tip holds {number(held.column)} µL: "
        "the robot is told the latter"
    )
    return held.column


def _finish(script: Script, held: Held, liquid_class: LiquidClass, place: str) -> None:
    """What a class asks for after a dispense: the last of it blown out, the drop shed."""
    if liquid_class.blow_out and held.column - liquid_class.film <= liquid_class.blow_out + SAME:
        script.write(call(f"{held.variable}.blow_out", place))
        held.column = 0.0
    if liquid_class.touch_off and script.over is not None:
        script.write(call(f"{held.variable}.touch_tip", script.over))


def _check_class(script: Script, instruction: Aspirate | Dispense | Mix, liquid_class: LiquidClass) -> None:
    """Refuse what the API cannot do, and note what it does in its own way."""
    name = liquid_class.name
    if liquid_class.level_detection:
        what = f"liquid class '{name}' follows the surface (level_detection), which this export does not say"
        script.refuse(instruction, "liquid_class", what, "Give heights, and a class without level detection")
    if liquid_class.correction:
        what = f"liquid class '{name}' has a correction of its own, and the robot corrects by its own table"
        script.refuse(instruction, "liquid_class", what, "Use a class without correction")
    if liquid_class.transport_air:
        air = number(liquid_class.transport_air)
        script.remarks.note(f"No transport air is drawn: liquid class '{name}' asks for {air} µL after each aspirate")
    if liquid_class.blow_out:
        script.remarks.note(
            f"The robot blows out by its own plunger stroke: liquid class '{name}' asks for "
            f"{number(liquid_class.blow_out)} µL of air"
        )
    if liquid_class.touch_off:
        script.remarks.note(f"Touching off is a touch of the well's wall at the robot's own height (class '{name}')")


def _air_gap(script: Script, held: Held, instruction: AirGap, index: int) -> None:
    volume = _volume(script, instruction, instruction.volumes)
    if script.over is not None:
        script.write(call(f"{held.variable}.air_gap", number(volume)))
    else:
        well = _next_well(script, held, index)
        if well is None:
            script.refuse(instruction, "kind", "air is drawn over a well, and no stroke after it names one")
            return
        script.write(call(f"{held.variable}.aspirate", number(volume), f"{well}.top({number(ABOVE_RIM)})"))
        script.over = well
    held.column += volume


def _next_well(script: Script, held: Held, index: int) -> str | None:
    """The well that the pipette's next stroke goes to, with the tips it has."""
    for later in script.program.instructions[index + 1 :]:
        if getattr(later, "pipette", None) != held.spec.id:
            continue
        if isinstance(later, PickUpTips | DropTips):
            return None
        if isinstance(later, WellStroke) and not script.is_trash(later.wells[0]):
            return script.well(later, _primary_of(held, later.channels, later.wells))
    return None


def _touch(script: Script, held: Held, instruction: TouchTip) -> None:
    well = _primary_well(script, held, instruction.channels, instruction.wells, instruction)
    if script.is_trash(well):
        script.refuse(instruction, "wells", "the wall of the trash cannot be touched")
        return
    offset: str | None = None
    if instruction.height is not None:
        depth = script.depth(well)
        if depth is None:
            script.refuse(instruction, "height", f"the depth of {well} is not known, and the API counts from the rim")
            return
        offset = number(round(instruction.height - depth, 9))
    script.over = script.well(instruction, well)
    script.write(call(f"{held.variable}.touch_tip", script.over, v_offset=offset))


# -- what they share --------------------------------------------------------------------------------


def _rate(script: Script, held: Held, **rates: float) -> None:
    for name, rate in rates.items():
        if held.rates.get(name) != rate:
            held.rates[name] = rate
            script.write(f"{held.variable}.flow_rate.{name} = {number(rate)}")


def _volume(script: Script, instruction: Aspirate | Dispense | Mix | AirGap, volumes: Sequence[float]) -> float:
    if max(volumes) - min(volumes) > SAME:
        what = "the channels move different volumes, and the nozzles of this pipette move together"
        script.refuse(instruction, "volumes", what, "Split it")
    return volumes[0]


def _primary_of(held: Held, channels: Sequence[int], wells: Sequence[str]) -> str:
    return wells[channels.index(held.primary)] if held.primary in channels else wells[0]


def _primary_well(
    script: Script,
    held: Held,
    channels: Sequence[int],
    wells: Sequence[str],
    instruction: PipettingInstruction,
) -> str:
    """The well under the primary nozzle, once the others are known to reach theirs."""
    primary = _primary_of(held, channels, wells)
    labware, name = split_well(primary)
    kind = script.kind(labware)
    for channel, well in zip(channels, wells, strict=True):
        other, other_name = split_well(well)
        reached = other == labware and (
            kind is None or reaches(kind, (held.primary, name), (channel, other_name), held.spec.pitch)
        )
        if not reached and not script.is_trash(well):
            fields = "spots" if isinstance(instruction, PickUpTips | DropTips) else "wells"
            what = f"with its first nozzle at {primary} channel {channel} does not reach {well}"
            script.refuse(instruction, fields, what, "Split it")
            break
    return primary


def _place(script: Script, held: Held, instruction: Aspirate | Dispense | Mix | BlowOut) -> str:
    """Where a stroke happens, as the API is told: a well, or a height in it."""
    reference = _primary_well(script, held, instruction.channels, instruction.wells, instruction)
    well = script.well(instruction, reference)
    if script.is_trash(reference):
        script.over = None
        return well
    script.over = well
    height = instruction.height
    if height is None:
        if not isinstance(instruction, BlowOut):
            script.remarks.note(
                "Where the program does not say a height, the robot's own is used: 1 mm over the bottom"
            )
        return well
    depth = script.depth(reference)
    if depth is not None and height >= depth - SAME:
        return f"{well}.top({number(round(height - depth, 9))})"
    return f"{well}.bottom({number(height)})"
