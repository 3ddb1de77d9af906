"""What a program means, stroke by stroke, as Opentrons would say it: read off the instructions alone."""

from __future__ import annotations

from protocols.program import AirGap, Aspirate, Dispense, DropTips, Mix, PickUpTips, Program
from tests.exporting.recording import Act

AIR = ("air",)
"""In place of labware and well, where the program does not say over which well air is drawn."""


def intended(program: Program, primary: int = 0) -> list[Act]:
    """Tips and liquid; of channels that move together, channel ``primary``, or the first if that takes no part."""
    found: list[Act] = []
    wet: set[str] = set()
    for instruction in program.instructions:
        match instruction:
            case PickUpTips(pipette=pipette, channels=channels, spots=spots):
                wet.discard(pipette)
                found.append(("pick up", *_place(spots, channels, primary)))
            case DropTips(channels=channels, spots=spots):
                found.append(("drop", *(_place(spots, channels, primary) if spots else ("trash",))))
            case Aspirate(pipette=pipette, wells=wells, channels=channels, volumes=volumes):
                place = _place(wells, channels, primary)
                if pipette not in wet:
                    cycles = program.liquid_classes[instruction.liquid_class].pre_wet
                    found += [("aspirate", *place, volumes[0]), ("dispense", *place, volumes[0])] * cycles
                wet.add(pipette)
                found.append(("aspirate", *place, volumes[0]))
            case Dispense(wells=wells, channels=channels, volumes=volumes):
                found.append(("dispense", *_place(wells, channels, primary), volumes[0]))
            case Mix(wells=wells, channels=channels, volumes=volumes, cycles=cycles):
                place = _place(wells, channels, primary)
                found += [("aspirate", *place, volumes[0]), ("dispense", *place, volumes[0])] * cycles
            case AirGap(volumes=volumes):
                found.append(("aspirate", *AIR, volumes[0]))
    return found


def _place(references: tuple[str, ...], channels: tuple[int, ...], primary: int) -> tuple[str, str]:
    index = channels.index(primary) if primary in channels else 0
    labware, _, well = references[index].rpartition("/")
    return labware, well
