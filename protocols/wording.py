"""Instructions and places in words, as they stand in reports and on the screen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

from protocols.device_instructions import (
    AwaitTemperature,
    DeviceInstruction,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.errors import UnknownNameError
from protocols.program import (
    AirGap,
    AnyInstruction,
    AskPerson,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    Mix,
    MoveLabware,
    PickUpTips,
    ReplaceTipRack,
    TouchTip,
    Wait,
)
from protocols.quantities import show_duration, show_volume
from protocols.specs import OFF_DECK
from protocols.wells import split_well, well_position

MOST_NAMED = 8
TRACE = 0.001
"""Part of a mixture below which a liquid is a trace."""
_LONG_FRACTION = re.compile(r"(?<![\w.])\d+\.\d{4,}(?![\d.])")
"""A number that a program printed with more digits than anybody measures."""


def in_few_digits(text: str) -> str:
    """``text`` with each long decimal fraction cut to four significant digits."""
    return _LONG_FRACTION.sub(lambda found: f"{float(found.group()):.4g}", text)


def show_places(references: Sequence[str]) -> str:
    """Wells or spots in short: ``"plate/A1"``, ``"plate/A1:H1"``, ``"plate/A1, C3, D5"``."""
    parts = []
    for labware, group in groupby(references, key=lambda reference: reference.rpartition("/")[0]):
        wells = [reference.rpartition("/")[2] for reference in group]
        parts.append(f"{labware}/{_show_wells(labware, wells)}")
    return ", ".join(parts)


def _show_wells(labware: str, wells: list[str]) -> str:
    if len(wells) == 1:
        return wells[0]
    if len(set(wells)) == 1:
        return f"{wells[0]} ({len(wells)} channels)"
    if _is_block(labware, wells):
        return f"{wells[0]}:{wells[-1]}"
    named = ", ".join(wells[:MOST_NAMED])
    return f"{named} and {len(wells) - MOST_NAMED} more" if len(wells) > MOST_NAMED else named


def _is_block(labware: str, wells: list[str]) -> bool:
    """Whether the wells are a full rectangle, read down the columns."""
    try:
        places = [well_position(split_well(f"{labware}/{well}")[1]) for well in wells]
    except UnknownNameError:
        return False
    (top, left), (bottom, right) = places[0], places[-1]
    block = [(row, column) for column in range(left, right + 1) for row in range(top, bottom + 1)]
    return places == block


def show_volumes(volumes: Sequence[float]) -> str:
    """Volumes in short: one where all are equal, else the range: ``"12.5 µL"``, ``"8 µL to 42.1 µL each"``."""
    low, high = min(volumes), max(volumes)
    if high - low < 1e-9:
        return show_volume(low) + (" each" if len(volumes) > 1 else "")
    if len(volumes) <= 4:
        return ", ".join(show_volume(volume) for volume in volumes)
    return f"{show_volume(low)} to {show_volume(high)} each"


def show_mixture(liquids: Mapping[str, float]) -> str:
    """What a well holds, most first: ``"28.6 µL TE buffer + 21.4 µL S001"``; traces are counted, not named."""
    total = sum(liquids.values())
    ranked = sorted(liquids.items(), key=lambda item: -item[1])
    named = [(name, volume) for name, volume in ranked if volume >= TRACE * total][:MOST_NAMED]
    said = " + ".join(f"{show_volume(volume)} {name}" for name, volume in named)
    if len(named) == len(ranked):
        return said
    return f"{said} and {'' if len(named) == MOST_NAMED else 'traces of '}{len(ranked) - len(named)} more"


def describe(instruction: AnyInstruction) -> str:
    """One instruction in words, without its id: ``"Aspirate 12.5 µL from extraction/A1"``."""
    match instruction:
        case PickUpTips(spots=spots):
            return f"Pick up {_tips(len(spots))} from {show_places(spots)}"
        case DropTips(spots=None, channels=channels):
            return f"Drop {_tips(len(channels))} into the trash"
        case DropTips(spots=spots, channels=channels):
            return f"Put {_tips(len(channels))} back to {show_places(spots or ())}"
        case Aspirate(volumes=volumes, wells=wells):
            return f"Aspirate {show_volumes(volumes)} from {show_places(wells)}"
        case Dispense(volumes=volumes, wells=wells):
            return f"Dispense {show_volumes(volumes)} into {show_places(wells)}"
        case Mix(volumes=volumes, wells=wells, cycles=cycles):
            return f"Mix {show_places(wells)} {cycles} times with {show_volumes(volumes)}"
        case AirGap(volumes=volumes):
            return f"Draw an air gap of {show_volumes(volumes)}"
        case BlowOut(wells=wells):
            return f"Blow out over {show_places(wells)}"
        case TouchTip(wells=wells):
            return f"Touch the walls of {show_places(wells)}"
        case MoveLabware(labware=labware, site=site, by=by):
            where = "off the deck" if site == OFF_DECK else f"to {site}"
            return f"A person carries {labware} {where}" if by == "person" else f"Carry {labware} {where}"
        case ReplaceTipRack(rack=rack):
            return f"A person puts a full rack in the place of {rack}"
        case Wait(seconds=seconds):
            return f"Wait {show_duration(seconds)}"
        case AskPerson(message=message):
            return f"Ask a person: {message}"
        case _:
            return _describe_device(instruction)


def _describe_device(instruction: DeviceInstruction) -> str:
    match instruction:
        case SetTemperature(celsius=None, part="lid", device=device):
            return f"Switch off the heating of the lid of {device}"
        case SetTemperature(celsius=None, device=device):
            return f"Switch off the heating and cooling of {device}"
        case SetTemperature(celsius=celsius, part=part, device=device):
            return f"Set {_part(device, part)} to {celsius:g} °C"
        case AwaitTemperature(celsius=None, part=part, device=device):
            return f"Wait until {_part(device, part)} has its temperature"
        case AwaitTemperature(celsius=celsius, part=part, device=device):
            return f"Wait until {_part(device, part)} has {celsius:g} °C"
        case Shake(rpm=rpm, device=device):
            return f"Shake on {device} at {rpm:g} rpm" if rpm else f"Stop shaking on {device}"
        case SetLatch(open=is_open, device=device):
            return f"{'Open' if is_open else 'Close'} the latch of {device}"
        case SetLid(open=is_open, device=device):
            return f"{'Open' if is_open else 'Close'} the lid of {device}"
        case SetMagnet(raised=False, device=device):
            return f"Lower the magnets of {device}"
        case SetMagnet(height=height, device=device):
            return f"Raise the magnets of {device}" + ("" if height is None else f" to {height:g} mm")
        case RunProfile(steps=steps, cycles=cycles, device=device):
            holds = ", ".join(f"{step.celsius:g} °C for {show_duration(step.seconds)}" for step in steps)
            return f"Run {holds} on {device}" + (f", {cycles} times" if cycles > 1 else "")


def _part(device: str, part: str) -> str:
    return f"the lid of {device}" if part == "lid" else device


def _tips(count: int) -> str:
    return "1 tip" if count == 1 else f"{count} tips"
